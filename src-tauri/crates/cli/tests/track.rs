//! The real `orrery track codex` around a Codex of ours: a shell script in a folder on the `PATH`.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use orrery_client::request::Connection;
use orrery_client::spool;
use serde_json::Value;

const THREAD: &str = "019ab000-1111-7222-8333-444455556666";

struct World {
    dir: tempfile::TempDir,
}

impl World {
    /// A home, and `script` as the `codex` on the `PATH`.
    fn new(script: &str) -> World {
        let world = World { dir: tempfile::tempdir().unwrap() };
        for name in ["home", "data", "config", "bin", "work"] {
            fs::create_dir(world.path(name)).unwrap();
        }
        let codex = world.path("bin/codex");
        fs::write(&codex, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&codex, fs::Permissions::from_mode(0o755)).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn own(&self, mut command: Command) -> Command {
        let path = std::env::join_paths(
            [self.path("bin")].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        command.env_clear().env("PATH", path.unwrap()).env("HOME", self.path("home")).env("TZ", "UTC");
        command.env("ORRERY_DATA_DIR", self.path("data")).env("ORRERY_CONFIG_DIR", self.path("config"));
        // A port on which nobody listens.
        command.env("SERVER_PORT", "9").current_dir(self.path("work"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn track(&self, args: &[&str]) -> Command {
        let mut command = self.own(Command::new(env!("CARGO_BIN_EXE_orrery")));
        command.args(["track", "codex", "--"]).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.track(args).output().unwrap()
    }

    fn spooled(&self) -> Vec<Value> {
        let files = spool::list(&spool::dir(&self.path("data")));
        files.iter().map(|file| serde_json::from_slice(&spool::read(file).unwrap().payload).unwrap()).collect()
    }

    /// The one end event that waits in the spool.
    fn end(&self) -> Value {
        let all = self.spooled();
        let mut ends: Vec<_> = all.into_iter().filter(|event| event["hook_event_name"] == "SessionEnd").collect();
        assert_eq!(ends.len(), 1, "{ends:?}");
        ends.remove(0)
    }

    fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(args);
        assert!(self.own(command).status().unwrap().success(), "git {args:?}");
    }
}

/// Waits until `done` answers something.
fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

fn kill(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// A child whose script said that it is ready.
fn ready(mut command: Command) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, stdout)
}

#[test]
fn codes_words_and_bytes_go_through_unchanged() {
    let world = World::new(
        "for word in \"$@\"; do printf '<%s>' \"$word\"; done; printf '\\000\\377\\n' ; cat; echo oops >&2; exit 7",
    );
    let mut command = world.track(&["exec", "--json", "two words", "it's \"q\"", "", "--", "-x", "a\nb", "ü"]);
    fs::write(world.path("in"), b"in\xfe\r\n").unwrap();
    let output = command.stdin(fs::File::open(world.path("in")).unwrap()).output().unwrap();
    let expected =
        ["<exec><--json><two words><it's \"q\"><><--><-x><a\nb><ü>".as_bytes(), b"\0\xff\nin\xfe\r\n"].concat();
    assert_eq!(output.stdout, expected);
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(7), b"oops\n".as_slice()));
    let end = world.end();
    assert_eq!((&end["exit_code"], &end["reason"], &end["signal"]), (&7.into(), &"exit 7".into(), &Value::Null));
    assert!(end["duration_ms"].is_u64());
    assert_eq!(world.spooled().len(), 2);
}

#[test]
fn a_name_of_its_own_or_of_codex_runs_the_real_one() {
    let world = World::new("printf '%s|' \"$@\"; exit 3");
    fs::create_dir(world.path("first")).unwrap();
    for name in ["codex-tracked", "codex"] {
        let link = world.path("first").join(name);
        symlink(env!("CARGO_BIN_EXE_orrery"), &link).unwrap();
        let mut command = world.own(Command::new(&link));
        let path = [world.path("first"), world.path("bin"), "/usr/bin".into(), "/bin".into()];
        command.env("PATH", std::env::join_paths(path).unwrap()).args(["--server", "x", "--help"]);
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), b"--server|x|--help|".as_slice()));
    }
    fs::remove_file(world.path("bin/codex")).unwrap();
    let output = world.track(&[]).env("PATH", world.path("bin")).output().unwrap();
    assert_eq!(output.status.code(), Some(127));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no codex on the PATH"));
}

#[test]
fn a_signal_that_kills_codex_is_its_code() {
    for (signal, code, reason) in [("KILL", 137, "killed by SIGKILL"), ("SEGV", 139, "killed by SIGSEGV")] {
        let world = World::new(&format!("kill -{signal} $$"));
        assert_eq!(world.run(&[]).status.code(), Some(code));
        assert_eq!(world.end()["reason"], reason);
    }
}

#[test]
fn a_request_to_end_is_passed_on_and_waited_for() {
    let world = World::new("trap 'echo bye; exit 5' TERM HUP; echo ready; while :; do sleep 0.05; done");
    for signal in ["-TERM", "-HUP"] {
        let (mut child, mut stdout) = ready(world.track(&[]));
        kill(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(5));
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "bye\n");
    }
    assert_eq!(world.spooled().len(), 4);
}

#[test]
fn a_killed_wrapper_still_gets_its_end_once() {
    let world = World::new("[ \"$1\" = wait ] || exit 0; echo ready; read -r _");
    let mut command = world.track(&["wait"]);
    command.stdin(Stdio::piped());
    let (mut child, _stdout) = ready(command);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert!(world.run(&[]).status.success());
    let killed = |world: &World| world.spooled().iter().filter(|event| event["reason"] == "killed").count();
    assert_eq!((killed(&world), world.spooled().len()), (1, 4));
    assert!(world.run(&[]).status.success());
    assert_eq!(killed(&world), 1);
    assert_eq!(fs::read_dir(world.path("data/runs")).unwrap().count(), 0);
}

/// A rollout as Codex writes one, with `tokens` used.
fn rollout_script(tokens: u64) -> String {
    format!(
        r#"dir="$HOME/.codex/sessions/$(date -u +%Y/%m/%d)"; mkdir -p "$dir"; now=$(date -u +%Y-%m-%dT%H:%M:%S.999Z)
f="$dir/rollout-x-{THREAD}.jsonl"
printf '{{"timestamp":"%s","type":"session_meta","payload":{{"id":"{THREAD}","timestamp":"%s","cwd":"%s","source":"cli"}}}}\n' "$now" "$now" "$PWD" >"$f"
line='{{"timestamp":"%s","type":"event_msg","payload":{{"type":"token_count","info":{{"total_token_usage":{{"total_tokens":{tokens}}},"last_token_usage":{{"input_tokens":{tokens},"total_tokens":{tokens}}}}}}}}}\n'
printf "$line" "$now" >>"$f"; printf "$line" "$now" >>"$f""#
    )
}

#[test]
fn a_run_is_the_thread_of_its_rollout_and_a_child_of_who_started_it() {
    let world = World::new(&rollout_script(120));
    let output = world.track(&[]).env("CLAUDE_PARENT_SESSION_ID", "claude-1").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for event in world.spooled() {
        assert_eq!((&event["session_id"], &event["parent_session_id"]), (&THREAD.into(), &"claude-1".into()));
    }
    assert_eq!(world.end()["tokens"]["total_tokens"], 120);

    // What waited arrives once, under the thread.
    let mut server = world.own(Command::new(env!("CARGO_BIN_EXE_orrery")));
    let mut server = server.args(["serve", "--port", "0", "--no-watch"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port: u16 = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
    let token = fs::read_to_string(world.path("data/token")).unwrap();
    let get = |path: &str| -> Value {
        let mut connection =
            Connection::new(([127, 0, 0, 1], port).into(), Some(token.trim().to_owned()), Duration::from_secs(10));
        serde_json::from_slice(&connection.send("GET", path, &[], b"").unwrap().body).unwrap()
    };
    let names = |events: &Value| -> Vec<String> {
        let list = events.as_array().unwrap().iter();
        list.map(|event| event["hook_event_type"].as_str().unwrap().to_owned()).collect()
    };
    let events = until("the spool is drained", || {
        let events = get("/events/recent");
        (events.as_array()?.len() >= 2).then_some(events)
    });
    assert_eq!(names(&events), ["SessionStart", "SessionEnd"]);
    assert_eq!(world.spooled().len(), 0);

    // With the server up the next run arrives at once.
    let again = world.track(&[]).env("ORRERY_SERVER", port.to_string()).output().unwrap();
    assert!(again.status.success());
    let events = until("the second run is there", || {
        let events = get("/events/recent");
        (events.as_array()?.len() >= 4).then_some(events)
    });
    assert_eq!(events.as_array().unwrap().len(), 4);
    assert!(events.as_array().unwrap().iter().all(|event| event["session_id"] == THREAD), "{events}");
    let session = get(&format!("/api/v1/sessions/{THREAD}"));
    assert_eq!((&session["row"]["parent"], &session["row"]["status"]), (&"claude-1".into(), &"ended".into()));
    assert_eq!(session["row"]["sources"], serde_json::json!(["orrery"]));
    kill("-TERM", &server);
    assert!(server.wait().unwrap().success());
}

#[test]
fn git_numbers_are_those_of_the_run_alone() {
    // Like the real one, it takes a while to its first edit.
    let world = World::new(
        "sleep 0.3; printf 'x\\ny\\n' >new.txt; printf 'a\\nB\\nc\\n' >old.txt; rm gone.txt; echo more >>dirty.txt
         git add new.txt; git -c user.name=a -c user.email=a@example.org commit -qm new; mkdir sub; printf 'z' >sub/un.txt",
    );
    world.git(&["init", "-q"]);
    fs::write(world.path("work/old.txt"), "a\nb\nc\n").unwrap();
    fs::write(world.path("work/gone.txt"), "1\n2\n3\n").unwrap();
    fs::write(world.path("work/dirty.txt"), "one\n").unwrap();
    world.git(&["add", "."]);
    world.git(&["commit", "-qm", "first"]);
    // The person's own work from before the run.
    fs::write(world.path("work/dirty.txt"), "one\ntwo\n").unwrap();
    fs::write(world.path("work/mine.txt"), "1\n2\n3\n4\n").unwrap();
    let output = world.run(&[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stats = &world.end()["git_stats"];
    assert_eq!((&stats["files"], &stats["insertions"], &stats["deletions"]), (&5.into(), &5.into(), &4.into()));
}

/// Runs `orrery track codex` on a real pseudo terminal of 33 rows and 101 columns; `type_in` is typed when the script
/// says that it is ready. Answers the exit code and the output.
fn on_terminal(world: &World, type_in: &str) -> (i32, String) {
    let driver = r#"
import fcntl, os, pty, struct, sys, termios
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 101, 0, 0))
    os.execv(sys.argv[1], [sys.argv[1], 'track', 'codex'])
output, typed = b'', False
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    output += data
    if b'ready' in output and not typed:
        typed = True
        os.write(master, sys.argv[2].encode())
_, status = os.waitpid(pid, 0)
sys.stdout.write(output.decode())
sys.exit(os.waitstatus_to_exitcode(status) & 0xff)
"#;
    let mut command = world.own(Command::new("python3"));
    command.args(["-c", driver, env!("CARGO_BIN_EXE_orrery"), type_in]);
    let output = command.output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir: PathBuf| Path::new(&dir).join(program).exists())
}

#[test]
fn the_terminal_is_codex_s_own() {
    if !has("python3") {
        eprintln!("skipped: no python3 for a pseudo terminal");
        return;
    }
    let world = World::new(
        "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal; stty size; echo ready; read -r word; echo \"got $word\"; exit 4",
    );
    let (code, output) = on_terminal(&world, "hello\n");
    assert_eq!(code, 4, "{output}");
    for line in ["terminal\r\n", "33 101\r\n", "got hello\r\n"] {
        assert!(output.contains(line), "{output:?}");
    }
    assert_eq!(world.end()["interrupted"], false);
}

#[test]
fn ctrl_c_reaches_codex_and_is_reported() {
    if !has("python3") {
        eprintln!("skipped: no python3 for a pseudo terminal");
        return;
    }
    let world = World::new("echo ready; while :; do sleep 0.05; done");
    let (code, _) = on_terminal(&world, "\x03");
    assert_eq!(code, 130);
    let end = world.end();
    assert_eq!((&end["reason"], &end["interrupted"]), (&"interrupted".into(), &true.into()));

    // Codex decides what Ctrl-C means: here it goes on, and ends on its own terms.
    let world = World::new("trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done");
    let (code, output) = on_terminal(&world, "\x03");
    assert_eq!((code, output.contains("caught")), (9, true));
    assert_eq!((&world.end()["exit_code"], &world.end()["interrupted"]), (&9.into(), &true.into()));
}
