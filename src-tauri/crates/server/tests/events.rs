//! `/events...`: the contract with the family's senders and dashboards.
#![allow(clippy::unwrap_used)]

use orrery_testkit::{TestServer, sender_event};
use reqwest::Method;
use serde_json::{Value, json};

async fn post(server: &TestServer, body: &str) -> (u16, Value) {
    let response = server.bare(Method::POST, "/events").body(body.to_owned()).send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_posted_event_comes_back_with_id_and_time() {
    let server = TestServer::start().await.unwrap();
    let body = json!({"source_app": "shop", "session_id": "s1", "hook_event_type": "Stop", "payload": {"a": 1},
        "custom": {"deep": [1, 2, {"x": null}]}, "chat": [{"role": "user"}], "timestamp": 1_795_000_000_123_i64});
    let (status, echo) = post(&server, &body.to_string()).await;
    assert_eq!(status, 200);
    let mut expected = body.clone();
    expected["id"] = echo["id"].clone();
    assert_eq!(echo, expected);
    assert!(echo["id"].as_i64().unwrap() > 0);

    let (_, without_time) = post(&server, &sender_event("s1", "PreToolUse").to_string()).await;
    assert!(without_time["timestamp"].as_i64().unwrap() > 1_795_000_000_000 - 400 * 86_400_000);
    assert!(without_time["id"].as_i64() > echo["id"].as_i64());

    let recent = server.get("/events/recent?limit=10").await.unwrap();
    assert_eq!(recent.as_array().unwrap().len(), 2);
    assert_eq!(recent[0], echo, "oldest first, as it was echoed");
    assert_eq!(recent[1], without_time);
}

#[tokio::test]
async fn the_same_event_again_is_the_same_row() {
    let server = TestServer::start().await.unwrap();
    let mut timed = sender_event("s1", "PreToolUse");
    timed["timestamp"] = json!(1_795_000_000_000_i64);
    for body in [sender_event("s1", "Stop"), timed] {
        let first = post(&server, &body.to_string()).await.1;
        let again = post(&server, &body.to_string()).await.1;
        assert_eq!(first, again);
    }
    assert_eq!(server.count().await.unwrap(), 2);
}

#[tokio::test]
async fn bad_input_is_refused_in_words_and_nothing_is_stored() {
    let server = TestServer::start().await.unwrap();
    let whole = sender_event("s1", "Stop");
    let without = |key: &str| {
        let mut body = whole.clone();
        body.as_object_mut().unwrap().remove(key);
        body.to_string()
    };
    let with = |key: &str, value: Value| {
        let mut body = whole.clone();
        body[key] = value;
        body.to_string()
    };
    let bad = [
        without("source_app"),
        without("session_id"),
        without("hook_event_type"),
        without("payload"),
        with("payload", Value::Null),
        with("payload", json!(false)),
        with("source_app", json!("")),
        "{\"source_app\":".to_owned(),
        String::new(),
        "[]".to_owned(),
        "null".to_owned(),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    ];
    for body in bad {
        let (status, answer) = post(&server, &body).await;
        assert_eq!(status, 400, "{}", &body[..body.len().min(80)]);
        assert!(!answer["error"].as_str().unwrap().is_empty());
        assert!(answer["code"].is_string() && answer["hint"].is_string());
    }
    assert_eq!(server.count().await.unwrap(), 0);
}

#[tokio::test]
async fn awkward_but_valid_input_is_stored_and_echoed() {
    let server = TestServer::start().await.unwrap();
    let lone = r#"{"source_app":"a","session_id":"s","hook_event_type":"Stop","payload":{"t":"x \ud83d y"},"n":1e400,"id":"mine"}"#;
    let surrogate =
        r#"{"source_app":"a","session_id":"s","hook_event_type":"Stop","payload":{"t":"x \ud83d y\u0000"}}"#;
    let response = server.bare(Method::POST, "/events").body(surrogate).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    assert!(text.starts_with(&surrogate[..surrogate.len() - 1]), "{text}");
    let recent = server.get("/events/recent").await.unwrap();
    assert_eq!(recent[0]["payload"]["t"], "x \u{fffd} y\0");
    // A number beyond every float is no JSON for most readers: refused, not misread.
    assert!(matches!(post(&server, lone).await.0, 200 | 400));
}

#[tokio::test]
async fn a_body_of_64_mb_is_stored() {
    let server = TestServer::start().await.unwrap();
    let mut body = sender_event("s1", "PostToolUse");
    body["payload"]["tool_response"] = json!("x".repeat(64 * 1024 * 1024));
    let response = server.bare(Method::POST, "/events").body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(server.count().await.unwrap(), 1);
}

#[tokio::test]
async fn dashboards_find_options_words_and_sessions() {
    let server = TestServer::start().await.unwrap();
    for (session, name, word) in [("s1", "PreToolUse", "apple"), ("s1", "Stop", "pear"), ("s2", "Stop", "apple")] {
        let mut body = sender_event(session, name);
        body["payload"] = json!({"message": format!("the {word} word"), "tool_name": "Bash", "tool_input": {"command": word},
            "last_assistant_message": format!("the {word} word")});
        body["summary"] = json!(format!("about {word}"));
        assert_eq!(post(&server, &body.to_string()).await.0, 200);
    }
    let options = server.get("/events/filter-options").await.unwrap();
    assert_eq!(options["source_apps"], json!(["shop"]));
    assert_eq!(options["agent_types"], json!(["claude"]));
    assert_eq!(options["session_ids"].as_array().unwrap().len(), 2);

    let of_s1 = server.get("/events/session/s1?limit=1").await.unwrap();
    assert_eq!((of_s1["event_count"].as_u64(), of_s1["total_event_count"].as_u64()), (Some(1), Some(2)));
    assert_eq!(of_s1["events"][0]["hook_event_type"], "PreToolUse");
    assert_eq!(of_s1["pagination"]["has_more"], true);
    assert_eq!(
        server.get("/events/session/s1?limit=5&offset=1").await.unwrap()["events"][0]["hook_event_type"],
        "Stop"
    );

    let sessions = server.get("/sessions").await.unwrap();
    assert_eq!((sessions["sessions"].as_array().unwrap().len(), sessions["total_count"].as_u64()), (2, Some(2)));
    let one = server.get("/sessions/s1").await.unwrap();
    assert_eq!((one["session"]["session_id"].as_str(), one["events"].as_array().unwrap().len()), (Some("s1"), 2));
    assert!(one["critical_events"].is_array());
    assert_eq!(server.get("/sessions/filter-options").await.unwrap()["repos"], json!(["shop"]));

    let found = server
        .wait_for(|| async {
            let found = server.get("/events/search?q=apple").await?;
            Ok((found["total"] == 2).then_some(found))
        })
        .await
        .unwrap();
    assert_eq!((found["events"][0]["session_id"].as_str(), found["query"].as_str()), (Some("s2"), Some("apple")));
    let narrowed = server.get("/events/search?q=apple&session_id=s1&event_type=PreToolUse").await.unwrap();
    assert_eq!(narrowed["total"], 1);
}

#[tokio::test]
async fn exports_in_every_format() {
    let server = TestServer::start().await.unwrap();
    let mut body = sender_event("s1", "Notification");
    body["payload"] = json!({"message": "=cmd()<b>"});
    post(&server, &body.to_string()).await;
    let export = async |format: &str| {
        let response =
            server.request(Method::GET, &format!("/sessions/s1/export?format={format}")).send().await.unwrap();
        assert_eq!(response.status(), 200, "{format}");
        response.text().await.unwrap()
    };
    let json: Value = serde_json::from_str(&export("json").await).unwrap();
    assert_eq!(json["events"][0]["payload"]["message"], "=cmd()<b>");
    assert_eq!(export("jsonl").await.lines().count(), 1);
    assert!(export("csv").await.contains("\"'=cmd()<b>\""));
    assert!(!export("md").await.contains("<b>"));
    assert_eq!(server.request(Method::GET, "/sessions/none/export").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn unknown_paths_are_problems() {
    let server = TestServer::start().await.unwrap();
    let response = server.request(Method::GET, "/no/such/path").send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!((problem["status"].as_u64(), problem["error"].is_string()), (Some(404), true));
}

#[tokio::test]
async fn an_agent_without_tokens_in_its_files_bills_through_its_hooks() {
    let server = TestServer::start().await.unwrap();
    let info = json!({"id": "msg_a1", "sessionID": "ses_1", "role": "assistant", "modelID": "claude-opus-5", "cost": 0.01234,
        "tokens": {"input": 10, "output": 200, "reasoning": 50, "cache": {"read": 4_000, "write": 300}},
        "time": {"created": 1, "completed": 2}});
    let payload = json!({"type": "message.updated", "properties": {"info": info}, "cwd": "/home/ada/shop"});
    for _ in 0..2 {
        assert_eq!(server.hook("opencode", &payload).await.unwrap().status(), 200);
    }
    let row = &server.get("/api/v1/sessions/ses_1").await.unwrap()["row"];
    assert_eq!((row["agent"].as_str(), row["requests"].as_u64()), (Some("opencode"), Some(1)));
    assert_eq!((&row["cost_usd_micros"], &row["project"]), (&json!(12_340), &json!("shop")));
}
