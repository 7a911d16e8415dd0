//! The real binaries, together: what an agent's machine goes through.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use orrery_tests::{Home, Server, Start, program, until};
use serde_json::{Value, json};

/// A payload as Claude Code writes it to a hook's stdin.
fn payload(session: &str, call: usize) -> Value {
    json!({
        "session_id": session,
        "transcript_path": "/nowhere/transcript.jsonl",
        "cwd": "/home/sam/shop",
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "cargo test", "description": "Run the tests"},
        "tool_use_id": format!("toolu_{session}_{call}"),
    })
}

/// Runs the hook binary as an agent does.
fn hook(home: &Home, payload: &Value) -> Output {
    let mut command = Command::new(program("orrery-hook"));
    home.own(&mut command);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(payload.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The hook's promise, whatever happened.
fn assert_silent(output: &Output) {
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "the hook spoke: {output:?}");
}

/// `orrery serve` that is expected to end by itself: its exit code and words.
fn serve_that_fails(home: &Home, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program("orrery"));
    home.own(&mut command);
    let output = command.args(["serve", "--no-watch", "--no-open"]).args(args).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_hook_reaches_the_api() {
    let home = Home::new();
    let server = Server::start(&home);
    assert_silent(&hook(&home, &payload("s-hook", 1)));
    let api = server.api();
    until("the hook's event is in the API", 5, || api.events_of("s-hook").len() == 1);
    let event = &api.events_of("s-hook")[0];
    assert_eq!(event["hook_event_type"], "PreToolUse");

    let detail = api.get("/api/v1/sessions/s-hook");
    assert_eq!(detail["row"]["agent"], "claude-code");
    assert_eq!(detail["row"]["project"], "shop");
    assert_eq!(detail["row"]["status"], "running");
    assert_eq!(api.get("/health")["status"], "healthy");
}

#[test]
fn hooks_without_a_server_are_stored_once_when_it_is_back() {
    let home = Home::new();
    for call in 0..5 {
        assert_silent(&hook(&home, &payload("s-spool", call)));
    }
    // A hook that is delivered twice, as a retry would.
    assert_silent(&hook(&home, &payload("s-spool", 0)));

    let server = Server::start(&home);
    let api = server.api();
    until("the spool is drained", 15, || api.events_of("s-spool").len() >= 5);
    drop(server);

    let server = Server::start(&home);
    assert_eq!(server.api().events_of("s-spool").len(), 5, "stored once, also over a restart");
}

#[test]
fn a_killed_server_keeps_what_it_acknowledged() {
    let home = Home::new();
    let server = Server::start(&home);
    let api = server.api();
    let acked: Vec<i64> = (0..60)
        .map(|number| api.post_event("s-kill", "Note", &json!({"number": number}))["id"].as_i64().unwrap())
        .collect();
    assert!(acked.is_sorted(), "ids grow: {acked:?}");
    server.kill();

    let server = Server::start(&home);
    let stored: Vec<i64> = server.api().events_of("s-kill").iter().map(|event| event["id"].as_i64().unwrap()).collect();
    assert_eq!(stored, acked);
}

#[test]
fn sigterm_ends_well_and_the_next_start_finds_everything() {
    let home = Home::new();
    let server = Server::start(&home);
    server.api().post_event("s-term", "Note", &json!({"text": "before"}));
    let ended = server.terminate();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(Server::start(&home).api().events_of("s-term").len(), 1);
}

#[test]
fn a_taken_port_is_named_and_the_next_one_used() {
    let home = Home::new();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().port();
    let server = Start { port: Some(taken), ..Start::default() }.in_home(&home);
    let used: u16 = server.base.rsplit(':').next().unwrap().parse().unwrap();
    assert!(used > taken, "{used} after {taken}");
    let written = std::fs::read_to_string(home.data_dir().join("port")).unwrap();
    assert_eq!(written.trim(), used.to_string(), "senders find the port in use");
    until("the server says who holds the port", 5, || server.words().contains(&taken.to_string()));

    assert_silent(&hook(&home, &payload("s-port", 1)));
    until("the hook finds the new port", 5, || server.api().events_of("s-port").len() == 1);
}

#[test]
fn a_second_instance_stops_with_words_and_the_first_goes_on() {
    let home = Home::new();
    let server = Server::start(&home);
    let (code, words) = serve_that_fails(&home, &["--port", "0"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("another Orrery") || words.contains("in use"), "{words}");
    server.api().post_event("s-two", "Note", &json!({"text": "still here"}));
    assert_eq!(server.api().events_of("s-two").len(), 1);
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let home = Home::new();
    // A file where the directory should be stops root as well, whom modes do not.
    let file = home.path().join("not-a-directory");
    std::fs::write(&file, "").unwrap();
    let dir = file.join("orrery");
    let (code, words) = serve_that_fails(&home, &["--port", "0", "--data-dir", dir.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("not-a-directory"), "{words}");
    assert!(!words.contains("panicked"), "{words}");
}
