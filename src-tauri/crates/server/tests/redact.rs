//! Secrets are masked before they reach the disk: in payloads, events, the index and what readers remember.
#![allow(clippy::unwrap_used)]

use orrery_testkit::{Homes, TestServer, hook};
use reqwest::Method;
use serde_json::json;

/// One secret in every form that travels, and the part of it that must not be found anywhere.
const KEY: &str = "ghp_Zq7abcdefghijklmnopqrstuvwxyz0123456";
const HIDDEN: &str = "Zq7abcdefghijklmnopqrstuvwxyz0123456";
const PASSWORD: &str = "Xy9hunter2hunter2";

async fn fill(server: &TestServer) {
    let command = format!("git clone https://me:{PASSWORD}@git.example/x && export GH={KEY}");
    let input =
        json!({"tool_name": "Bash", "tool_use_id": "t1", "tool_input": {"command": command, "api_key": PASSWORD}});
    server.hook("claude-code", &hook("s1", "PreToolUse", input.clone())).await.unwrap();
    let mut end = input;
    end["tool_response"] = json!({"stdout": format!("token={KEY}"), "stderr": ""});
    server.hook("claude-code", &hook("s1", "PostToolUse", end)).await.unwrap();
    let prompt = json!({"prompt": format!("use {KEY} and password: {PASSWORD}")});
    server.hook("claude-code", &hook("s1", "UserPromptSubmit", prompt)).await.unwrap();
    let event = json!({"source_app": "shop", "session_id": "s2", "hook_event_type": "Note",
        "payload": {"env": {"DB_PASSWORD": PASSWORD}, "text": KEY}, "summary": format!("found {KEY}")});
    server.post("/events", &event).await.unwrap();
    let line = json!({"type": "assistant", "uuid": "u1", "sessionId": "s3", "timestamp": "2026-11-24T10:00:00Z",
        "message": {"id": "m1", "role": "assistant", "content": [
            {"type": "tool_use", "id": "t9", "name": "Bash", "input": {"command": format!("echo {KEY}")}}]}});
    let sent = server
        .request(Method::POST, "/api/v1/transcripts/claude-code?name=projects/x/s3.jsonl")
        .body(format!("{line}\n"))
        .send();
    assert_eq!(sent.await.unwrap().status(), 200);
    let record = json!({"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"logRecords": [{
        "timeUnixNano": "1795348800000000000", "body": {"stringValue": format!("say {KEY}")},
        "attributes": [{"key": "session.id", "value": {"stringValue": "s4"}}]}]}]}]});
    let sent = server.bare(Method::POST, "/v1/logs").json(&record).send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

#[tokio::test]
async fn a_masked_secret_is_nowhere_on_disk() {
    let homes = Homes::new().unwrap();
    let data_dir = homes.data_dir();
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    fill(&server).await;
    let indexed = server.wait_for(async || {
        let hits = server.get("/events/search?q=clone").await?;
        Ok((hits["total"] != 0).then_some(()))
    });
    indexed.await.unwrap();
    for secret in [KEY, HIDDEN, PASSWORD] {
        let hits = server.get(&format!("/events/search?q={secret}")).await.unwrap();
        assert_eq!(hits["total"], 0, "{secret}");
    }
    let events = server.get("/events/recent?limit=100").await.unwrap();
    let shown = events.to_string();
    assert!(shown.contains("ghp_[redacted]") && shown.contains("https://me:[redacted]@git.example/x"), "{shown}");
    for event in events.as_array().unwrap() {
        let raw = server.get(&format!("/api/v1/events/{}/raw", event["id"])).await.unwrap().to_string();
        assert!(!raw.contains(HIDDEN) && !raw.contains(PASSWORD), "{raw}");
    }
    let redaction = server.get("/api/v1/redaction").await.unwrap();
    let count = |id: &str| {
        redaction["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap()["count"].as_u64()
    };
    assert!(count("github-pat") >= Some(6), "{:?}", count("github-pat"));
    assert!(count("url-password") >= Some(2));
    let total = redaction["total"].as_u64().unwrap();
    let TestServer { running, homes, .. } = server;
    running.stop().await;
    let mut looked = 0;
    for file in std::fs::read_dir(&data_dir).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        looked += bytes.len();
        for secret in [HIDDEN, PASSWORD] {
            let found = bytes.windows(secret.len()).any(|part| part.eq_ignore_ascii_case(secret.as_bytes()));
            assert!(!found, "{secret} in {}", file.path().display());
        }
    }
    assert!(looked > 50_000, "the database was looked at");
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    assert_eq!(server.get("/api/v1/redaction").await.unwrap()["total"], total, "counts stay");
}

#[tokio::test]
async fn rules_are_switched_one_by_one() {
    let server = TestServer::start().await.unwrap();
    let patch = json!({"redact_off": ["github-pat"]});
    let patched = server.request(Method::PATCH, "/api/v1/settings").json(&patch).send().await.unwrap();
    assert_eq!(patched.status(), 200);
    let event = json!({"source_app": "shop", "session_id": "s1", "hook_event_type": "Note",
        "payload": {"text": format!("{KEY} AKIAIOSFODNN7EXAMPLE")}});
    server.post("/events", &event).await.unwrap();
    let shown = server.get("/events/recent").await.unwrap().to_string();
    assert!(shown.contains(KEY) && shown.contains("AKIA[redacted]"), "{shown}");
    let redaction = server.get("/api/v1/redaction").await.unwrap();
    let rules = redaction["rules"].as_array().unwrap();
    assert!(rules.len() >= 222, "{} rules", rules.len());
    let of = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
    assert_eq!((&of("github-pat")["on"], &of("github-pat")["count"]), (&json!(false), &json!(0)));
    assert_eq!((&of("aws-access-token")["on"], &of("aws-access-token")["count"]), (&json!(true), &json!(1)));
    let unknown = json!({"redact_off": ["no-such-rule"]});
    let refused = server.request(Method::PATCH, "/api/v1/settings").json(&unknown).send().await.unwrap();
    assert_eq!(refused.status(), 400);
}
