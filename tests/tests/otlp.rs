//! OpenTelemetry from the exporters of another project: the Python SDK, installed into an environment of its own.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orrery_tests::{Home, Server, work_tree};
use serde_json::{Value, json};

const SESSION: &str = "0f9c2f4e-5d0b-4c55-9a50-3f6f1f0a7c11";

/// A Python with the SDK, made once below the target directory and made anew when the requirements change.
fn python() -> PathBuf {
    let requirements = work_tree().join("tests/otlp/requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let environment = target.join("otlp-python");
    let (python, done) = (environment.join("bin/python"), environment.join("requirements.txt"));
    if fs::read_to_string(&done).is_ok_and(|have| have == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&python).args(pip).arg(&requirements));
    fs::write(done, wanted).unwrap();
    python
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {words}");
}

fn send(python: &Path, base: &str) {
    let script = work_tree().join("tests/otlp/send.py");
    run(Command::new(python).arg(script).arg(base).env_remove("http_proxy").env("NO_PROXY", "127.0.0.1"));
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn what_the_sdk_exports_is_in_the_store_once() {
    let home = Home::new();
    let server = Server::start(&home);
    send(&python(), &server.base);
    let api = server.api();

    let page = api.get(&format!("/api/v1/events?session={SESSION}&limit=100"));
    let of_kind = |kind: &str| items(&page).iter().filter(|event| event["body"]["kind"] == kind).collect::<Vec<_>>();
    assert_eq!(of_kind("prompt")[0]["body"]["text"], "Port the parser");
    let (starts, ends) = (of_kind("tool_start"), of_kind("tool_end"));
    assert_eq!((starts.len(), ends.len()), (1, 1), "every batch came twice: {page:#}");
    assert_eq!(ends[0]["body"]["target"], "cargo test");
    assert_eq!(ends[0]["body"]["duration_ms"], 1423);
    assert!(items(&page).iter().any(|event| event["name"] == "something_new"));
    assert!(items(&page).iter().any(|event| event["name"] == "claude_code.token.usage"));
    assert!(!page.to_string().contains("sam@example.com"));

    let detail = api.get(&format!("/api/v1/sessions/{SESSION}"));
    let row = &detail["row"];
    assert_eq!((row["agent"].as_str(), row["requests"].as_u64()), (Some("claude-code"), Some(1)), "{row:#}");
    assert_eq!(row["cost_usd_micros"], 34_100);
    assert_eq!(row["agent_version"], "2.1.240");
    assert_eq!(
        row["tokens"],
        json!({"input": 2, "output": 612, "cache_read": 41_207, "cache_write": 1_830,
        "cache_write_1h": 0, "reasoning": 0})
    );

    let chat = api.get("/api/v1/sessions/sdk-chat");
    assert_eq!((chat["row"]["agent"].as_str(), chat["row"]["requests"].as_u64()), (Some("my-agent"), Some(1)));
    assert_eq!(chat["row"]["tokens"]["input"], 1_000);
    let spans = api.get("/api/v1/events?session=sdk-chat");
    assert!(items(&spans).iter().any(|span| span["name"] == "a span of nobody"), "{spans:#}");
}
