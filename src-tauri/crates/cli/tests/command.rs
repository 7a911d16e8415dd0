//! The real `orrery` on directories of its own.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use orrery_client::request::Connection;
use serde_json::{Value, json};

/// A home, data and config directory that go with the test.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        for name in ["home", "data", "config"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        World { dir }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orrery"));
        command.args(args).env_clear().env("PATH", self.path("bin")).env("HOME", self.path("home")).env("TZ", "UTC");
        command.env("ORRERY_DATA_DIR", self.path("data")).env("ORRERY_CONFIG_DIR", self.path("config"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Standard output as JSON of a command that must succeed.
    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn hook(&self, payload: &Value) {
        let mut child = self.command(&["hook"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len(), output.stderr.len()), (Some(0), 0, 0));
    }

    fn serve(&self) -> Server {
        let mut child = self.command(&["serve", "--port", "0", "--no-watch"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.trim_end().strip_prefix("listening on http://127.0.0.1:").expect("the one line").parse().unwrap();
        let token = fs::read_to_string(self.path("data/token")).unwrap().trim().to_owned();
        Server { child, port, token }
    }
}

struct Server {
    child: Child,
    port: u16,
    token: String,
}

impl Server {
    fn get(&self, path: &str) -> Value {
        let server = ([127, 0, 0, 1], self.port).into();
        let mut connection = Connection::new(server, Some(self.token.clone()), Duration::from_secs(10));
        let answer = connection.send("GET", path, &[], b"").unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Events as the family's dashboards get them, once there are `count`.
    fn events(&self, count: usize) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let events = self.get("/events/recent").as_array().cloned().unwrap();
            if events.len() >= count || Instant::now() > end {
                return events;
            }
        }
    }

    #[cfg(unix)]
    fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("/bin/kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn prompt(session: &str, text: &str) -> Value {
    json!({ "session_id": session, "hook_event_name": "UserPromptSubmit", "prompt": text, "cwd": "/home/ada/src/kiln" })
}

/// A transcript of two requests, the first written as two lines.
fn transcript(dir: &Path) {
    let usage = |output: u64| {
        json!({ "input_tokens": 10, "output_tokens": output, "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 100 })
    };
    let line = |id: &str, uuid: &str, output: u64, text: &str| {
        json!({ "type": "assistant", "sessionId": "11111111-1111-4111-8111-111111111111", "uuid": uuid, "cwd": "/home/ada/src/kiln",
            "timestamp": "2026-11-20T23:59:00.000Z", "requestId": format!("req_{id}"), "message": { "id": format!("msg_{id}"),
            "role": "assistant", "model": "claude-opus-5", "content": [{ "type": "text", "text": text }], "usage": usage(output) } })
    };
    let lines = [line("1", "a", 1, "one"), line("1", "b", 50, "two"), line("2", "c", 7, "three")];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let dir = dir.join("projects/-home-ada-src-kiln");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("11111111-1111-4111-8111-111111111111.jsonl"), text).unwrap();
}

#[test]
#[cfg(unix)]
fn a_hook_reaches_the_served_list_and_sigterm_ends_in_order() {
    let world = World::new();
    let server = world.serve();
    world.hook(&prompt("s1", "hello there"));
    let events = server.events(1);
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["session_id"], &events[0]["hook_event_type"]), (&json!("s1"), &json!("UserPromptSubmit")));
    assert_eq!(server.get("/health")["status"], "healthy");
    let second = world.run(&["serve", "--port", "0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains(&format!("127.0.0.1:{}", server.port)));
    assert_eq!(server.terminate(), Some(0));
    let found = world.json(&["search", "hello", "--json"]);
    assert_eq!(found["events"].as_array().unwrap().len(), 1);
}

#[test]
fn what_was_spooled_while_no_server_ran_is_stored_once_and_in_order() {
    let world = World::new();
    for number in 0..5 {
        world.hook(&prompt("s1", &format!("prompt {number}")));
    }
    assert_eq!(world.json(&["doctor", "--json"])["spool"]["files"], 5);
    let server = world.serve();
    let events = server.events(5);
    let prompts: Vec<&str> = events.iter().map(|event| event["payload"]["prompt"].as_str().unwrap()).collect();
    assert_eq!(prompts, ["prompt 0", "prompt 1", "prompt 2", "prompt 3", "prompt 4"]);
}

#[test]
fn the_second_import_reads_and_writes_nothing() {
    let world = World::new();
    let claude = world.path("home/.claude");
    transcript(&claude);
    let dir = claude.display().to_string();
    let first = world.json(&["import", "--claude", &dir, "--json"]);
    assert_eq!(
        (&first["files"], &first["files_parsed"], &first["lines"], &first["sessions"]),
        (&json!(1), &json!(1), &json!(3), &json!(1))
    );
    assert!(first["events"].as_u64() >= Some(3));
    let second = world.json(&["import", "--json"]);
    let figures = ["files", "files_parsed", "lines", "events", "sessions", "rows_written", "problems"];
    assert_eq!(
        figures.map(|name| second[name].as_u64()),
        [Some(1), Some(0), Some(0), Some(0), Some(0), Some(0), Some(0)]
    );
    let server = world.serve();
    let third = world.json(&["import", "--claude", &dir, "--json"]);
    assert_eq!((&third["files"], &third["files_parsed"], &third["rows_written"]), (&json!(1), &json!(0), &json!(0)));
    drop(server);
}

#[test]
fn cost_is_the_same_from_files_and_from_the_store() {
    let world = World::new();
    let claude = world.path("home/.claude");
    transcript(&claude);
    let dir = claude.display().to_string();
    let files = world.json(&["cost", "daily", "--claude", &dir, "--json"]);
    assert_eq!(files["rows"].as_array().unwrap().len(), 1);
    let row = &files["rows"][0];
    assert_eq!(
        (&row["date"], &row["input_tokens"], &row["output_tokens"]),
        (&json!("2026-11-20"), &json!(20), &json!(57))
    );
    assert_eq!((&row["cache_read_tokens"], &row["cache_creation_tokens"]), (&json!(2000), &json!(200)));
    assert_eq!(row["total_tokens"], 2277);
    // 20 at 5, 57 at 25, 2000 at 0.5 and 200 at 6.25 dollars a million.
    assert_eq!(files["totals"]["cost_usd"], json!(0.003_775));
    world.json(&["import", "--json"]);
    for by in ["daily", "weekly", "monthly", "session", "project", "model", "agent"] {
        let stored = world.json(&["cost", by, "--json"]);
        let scanned = world.json(&["cost", by, "--claude", &dir, "--json"]);
        assert_eq!(stored["rows"], scanned["rows"], "{by}");
        assert_eq!(stored["totals"], scanned["totals"], "{by}");
    }
    assert_eq!(world.json(&["cost", "--since", "2026-11-21", "--json"])["rows"], json!([]));
    assert_eq!(world.json(&["cost", "--until", "2026-11-20", "--json"])["rows"].as_array().unwrap().len(), 1);
    let table = world.run(&["cost"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("2026-11-20"));
}

#[test]
fn installing_shows_changes_verifies_and_goes_away_without_a_trace() {
    let world = World::new();
    let settings = world.path("home/.claude/settings.json");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    let before = "{\n  // mine\n  \"model\": \"opus\"\n}\n";
    fs::write(&settings, before).unwrap();
    let install = |args: &[&str]| world.run(&[&["install", "--agent", "claude-code"], args].concat());
    let dry = install(&["--dry-run"]);
    assert!(dry.status.success());
    assert!(String::from_utf8_lossy(&dry.stdout).contains("+"));
    assert_eq!(fs::read_to_string(&settings).unwrap(), before);
    assert_eq!(install(&[]).status.code(), Some(1), "no terminal and no --yes");
    assert_eq!(fs::read_to_string(&settings).unwrap(), before);
    assert!(install(&["--yes"]).status.success());
    let after = fs::read_to_string(&settings).unwrap();
    assert!(after.contains("orrery-hook") && after.contains("// mine"), "{after}");
    assert!(install(&["--yes"]).status.success());
    assert_eq!(fs::read_to_string(&settings).unwrap(), after);
    assert!(world.run(&["uninstall", "--agent", "claude-code", "--yes"]).status.success());
    assert_eq!(fs::read_to_string(&settings).unwrap(), before);
}

#[test]
fn the_demo_comes_and_goes() {
    let world = World::new();
    let server = world.serve();
    let played = world.run(&["demo", "--speed", "0", "--sessions", "3"]);
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    let sessions = server.get("/api/v1/sessions?limit=50");
    let items = sessions["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert!(items.iter().all(|row| row["demo"] == true && row["cost_usd_micros"].as_i64() > Some(10_000)));
    assert_eq!(server.get("/api/v1/problems"), json!([]));
    assert!(world.run(&["demo", "--remove"]).status.success());
    assert_eq!(server.get("/api/v1/sessions")["items"], json!([]));
}

#[test]
fn a_session_is_exported() {
    let world = World::new();
    let server = world.serve();
    world.hook(&prompt("s 1/x", "export me"));
    server.events(1);
    for format in ["json", "jsonl", "csv", "md"] {
        let output = world.run(&["export", "s 1/x", "--format", format]);
        assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("export me"), "{format}");
    }
    assert_eq!(world.run(&["export", "nobody"]).status.code(), Some(1));
}

#[test]
fn wrong_command_lines_exit_2_and_failures_1() {
    let world = World::new();
    for args in [
        &["nonsense"][..],
        &["serve", "--port", "x"],
        &["cost", "hourly"],
        &["cost", "--since", "soon"],
        &["demo", "--speed", "-1"],
        &[],
    ] {
        let output = world.run(args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
    }
    for args in [&["cost"][..], &["search", "x"], &["import", "--claude", "/nowhere/at/all"]] {
        let output = world.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(!output.stderr.is_empty());
    }
    assert!(world.run(&["--version"]).status.success());
    assert!(world.run(&["completions", "bash"]).status.success());
    assert!(world.json(&["prices", "--json"])["models"].as_array().unwrap().len() > 50);
}

#[test]
fn the_doctor_says_what_to_do() {
    let world = World::new();
    fs::create_dir_all(world.path("home/.claude")).unwrap();
    fs::write(world.path("home/.claude/settings.json"), "{}").unwrap();
    let report = world.json(&["doctor", "--json"]);
    assert_eq!((&report["ok"], &report["server"]["running"]), (&json!(false), &json!(false)));
    let advice = report["advice"].to_string();
    assert!(advice.contains("orrery serve") && advice.contains("orrery install --agent claude-code"), "{advice}");
    let server = world.serve();
    let report = world.json(&["doctor", "--json"]);
    assert_eq!((&report["server"]["running"], &report["token"]["private"]), (&json!(true), &json!(true)));
    assert_eq!(report["server"]["port"], server.port);
    assert!(world.run(&["doctor"]).status.success());
}
