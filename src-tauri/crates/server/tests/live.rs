//! `/hooks/...`, `WS /api/v1/live`, `WS /stream`: from a payload to the frames of every client.
#![allow(clippy::unwrap_used)]

use orrery_testkit::{TestServer, hook, sender_event};
use reqwest::Method;
use serde_json::{Value, json};

fn appended(frame: &Value) -> Vec<i64> {
    frame["events"].as_array().into_iter().flatten().filter_map(|event| event["seq"].as_i64()).collect()
}

#[tokio::test]
async fn a_hook_is_answered_empty_and_reaches_every_client() {
    let server = TestServer::start().await.unwrap();
    let mut live = server.socket("/api/v1/live").await.unwrap();
    let mut stream = server.socket("/stream").await.unwrap();
    let hello = live.next().await.unwrap();
    assert_eq!((hello["type"].as_str(), hello["seq"].as_i64()), (Some("hello"), Some(0)));
    assert_eq!(stream.next().await.unwrap(), json!({"type": "initial", "data": []}));

    let payload = hook(
        "s1",
        "PreToolUse",
        json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_0123456789"}),
    );
    let answer = server.hook("claude-code", &payload).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, ""));

    let frame = live.until(|frame| frame["type"] == "appended").await.unwrap();
    assert_eq!(frame["events"][0]["body"]["kind"], "tool_start");
    assert_eq!(
        (frame["sessions"][0]["id"].as_str(), frame["sessions"][0]["project"].as_str()),
        (Some("s1"), Some("shop"))
    );
    let family = stream.until(|frame| frame["type"] == "event").await.unwrap();
    assert_eq!(
        (family["data"]["hook_event_type"].as_str(), family["data"]["payload"]["cwd"].as_str()),
        (Some("PreToolUse"), Some("/home/ada/shop"))
    );
    let overview =
        live.until(|frame| frame["type"] == "overview" && frame["overview"]["events_total"] == 1).await.unwrap();
    assert_eq!(overview["overview"]["active"][0]["id"], "s1");
    let health: Value = server.bare(Method::GET, "/health").send().await.unwrap().json().await.unwrap();
    assert_eq!(health["websocket"]["connected_clients"], 2);
}

#[tokio::test]
async fn junk_is_kept_and_named() {
    let server = TestServer::start().await.unwrap();
    for body in [
        &b"not json"[..],
        b"",
        b"[1]",
        b"{\"session_id\":null}",
        b"\xff\xfe",
        b"{\"hook_event_name\":\"Surprise\",\"session_id\":\"s\"}",
    ] {
        let answer = server.bare(Method::POST, "/hooks/claude-code").body(body.to_vec()).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, ""), "{body:?}");
    }
    assert_eq!(server.count().await.unwrap(), 6);
    let events = server.get("/api/v1/events").await.unwrap();
    let surprise = events["items"].as_array().unwrap().iter().find(|event| event["name"] == "Surprise").unwrap();
    let raw = server.get(&format!("/api/v1/events/{}/raw", surprise["seq"])).await.unwrap();
    assert!(raw[0]["text"].as_str().unwrap().contains("Surprise"));
    assert!(!server.get("/api/v1/problems").await.unwrap().as_array().unwrap().is_empty());
}

#[tokio::test]
async fn one_delivery_is_one_event_however_often_it_is_tried() {
    let server = TestServer::start().await.unwrap();
    for _ in 0..3 {
        let request =
            server.bare(Method::POST, "/hooks/claude-code").header("x-orrery-id", "0123456789abcdef0123456789abcdef");
        let request =
            request.header("x-orrery-at", "1795000000000").json(&hook("s1", "Notification", json!({"message": "hi"})));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let events = server.get("/api/v1/events").await.unwrap();
    assert_eq!(
        (events["items"].as_array().unwrap().len(), events["items"][0]["received_ms"].as_i64()),
        (1, Some(1_795_000_000_000))
    );
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let server = TestServer::start().await.unwrap();
    for number in 0..7 {
        server.post("/events", &sender_event(&format!("s{number}"), "Stop")).await.unwrap();
    }
    let mut live = server.socket("/api/v1/live?after=3").await.unwrap();
    assert_eq!(live.next().await.unwrap()["seq"], 7);
    assert_eq!(appended(&live.next().await.unwrap()), vec![4, 5, 6, 7]);
    server.post("/events", &sender_event("s7", "Stop")).await.unwrap();
    assert_eq!(appended(&live.until(|frame| frame["type"] == "appended").await.unwrap()), vec![8]);
    let mut stream = server.socket("/stream").await.unwrap();
    let ids: Vec<i64> = stream.next().await.unwrap()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, (1..=8).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_too_far_behind_is_told_to_fetch() {
    let server = TestServer::start().await.unwrap();
    // One transcript of many lines is many events at once.
    let lines: String = (0..5_100)
        .map(|number| {
            orrery_testkit::claude_prompt_line("s1", &format!("u{number}"), 1_795_000_000_000 + number, "go") + "\n"
        })
        .collect();
    let posted =
        server.request(Method::POST, "/api/v1/transcripts/claude-code?name=s1.jsonl").body(lines).send().await.unwrap();
    assert_eq!(posted.status(), 200, "{}", posted.text().await.unwrap());
    let newest = server.get("/api/v1/events?limit=1").await.unwrap()["items"][0]["seq"].as_i64().unwrap();
    assert!(newest > 5_000, "{newest}");
    let mut live = server.socket("/api/v1/live?after=0").await.unwrap();
    assert_eq!(live.next().await.unwrap()["type"], "hello");
    assert_eq!(live.next().await.unwrap(), json!({"type": "lagged", "newest_seq": newest}));
    assert!(live.next().await.is_err(), "the socket closes, and the client connects anew");
}

#[tokio::test]
async fn a_clicked_notification_opens_the_session() {
    let server = TestServer::start().await.unwrap();
    let mut live = server.socket("/api/v1/live").await.unwrap();
    live.next().await.unwrap();
    server.running.open_session("s1");
    let frame = live.until(|frame| frame["type"] == "open").await.unwrap();
    assert_eq!(frame["session_id"], "s1");
}

#[tokio::test]
async fn an_answer_reaches_the_agent_on_this_machine() {
    use tokio_tungstenite::tungstenite::Message;
    let server = TestServer::start().await.unwrap();
    let agent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", agent.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (stream, _) = agent.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        match futures_util::StreamExt::next(&mut socket).await {
            Some(Ok(Message::Text(text))) => serde_json::from_str::<Value>(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    });
    let mut stream = server.socket("/stream").await.unwrap();
    stream.next().await.unwrap();
    let mut question = sender_event("s1", "HumanInTheLoop");
    question["humanInTheLoop"] =
        json!({"question": "Deploy?", "type": "permission", "responseWebSocketUrl": url, "requiresResponse": true});
    let id = server.post("/events", &question).await.unwrap()["id"].as_i64().unwrap();
    let path = format!("/events/{id}/respond");
    let refused = server.request(Method::POST, &path).json(&json!({})).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let answered = server.post(&path, &json!({"permission": true, "respondedBy": "ada"})).await.unwrap();
    assert_eq!(answered["humanInTheLoopStatus"]["status"], "responded");
    let message = heard.await.unwrap();
    assert_eq!(
        (message["permission"].as_bool(), message["hookEvent"]["session_id"].as_str()),
        (Some(true), Some("s1"))
    );
    let update = stream.until(|frame| frame["data"]["humanInTheLoopStatus"].is_object()).await.unwrap();
    assert_eq!((update["type"].as_str(), update["data"]["id"].as_i64()), (Some("event"), Some(id)));
    assert_eq!(server.get("/events/recent").await.unwrap()[0]["humanInTheLoopStatus"]["response"]["permission"], true);
    assert_eq!(
        server
            .request(Method::POST, "/events/999/respond")
            .json(&json!({"response": "x"}))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn a_question_with_an_address_elsewhere_sends_nothing_there() {
    let server = TestServer::start().await.unwrap();
    let mut question = sender_event("s1", "HumanInTheLoop");
    question["humanInTheLoop"] =
        json!({"question": "Deploy?", "type": "question", "responseWebSocketUrl": "ws://192.0.2.1:80/"});
    let id = server.post("/events", &question).await.unwrap()["id"].as_i64().unwrap();
    server.post(&format!("/events/{id}/respond"), &json!({"response": "no"})).await.unwrap();
    let event = server.get(&format!("/api/v1/events/{id}")).await.unwrap();
    assert_eq!(event["body"]["answer"]["delivered"], false);
    assert!(event["body"]["answer"]["error"].as_str().unwrap().contains("on this machine"));
}
