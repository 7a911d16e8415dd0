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

/// Numbers of the frames that carry one.
fn number(frame: &Value) -> Option<u64> {
    frame["n"].as_u64()
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_come_in_the_order_of_the_commits() {
    let server = std::sync::Arc::new(TestServer::start().await.unwrap());
    let mut live = server.socket("/api/v1/live").await.unwrap();
    let hello = live.next().await.unwrap();
    let senders: Vec<_> = (0..16)
        .map(|sender| {
            let server = server.clone();
            tokio::spawn(async move {
                for number in 0..20 {
                    server.post("/events", &sender_event(&format!("s{sender}-{number}"), "Stop")).await.unwrap();
                }
            })
        })
        .collect();
    let (mut seqs, mut last) = (Vec::new(), hello["frame"].as_u64().unwrap());
    while seqs.len() < 320 {
        let frame = live.next().await.unwrap();
        assert_eq!(number(&frame), Some(last + 1), "numbers grow by one");
        last += 1;
        seqs.extend(appended(&frame));
    }
    assert_eq!(seqs, (1..=320).collect::<Vec<_>>());
    for sender in senders {
        sender.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_drops_in_between_misses_no_frame() {
    let server = TestServer::start().await.unwrap();
    let mut live = server.socket("/api/v1/live").await.unwrap();
    let hello = live.next().await.unwrap();
    let boot = hello["boot"].as_str().unwrap().to_owned();
    let started = |id: &str| {
        hook("s1", "PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": id}))
    };
    server.hook("claude-code", &started("toolu_0000000001")).await.unwrap();
    let first = live.until(|frame| frame["type"] == "appended").await.unwrap();
    drop(live);
    // While nobody listens: a new event, and the first one completed by another source under its own number.
    server.hook("claude-code", &started("toolu_0000000002")).await.unwrap();
    let posted = json!({"source_app": "shop", "session_id": "s1", "hook_event_type": "PreToolUse",
        "timestamp": 1_795_000_000_000_i64, "agent_type": "claude",
        "payload": {"tool_name": "Bash", "tool_input": {"command": "ls -la /"}, "tool_use_id": "toolu_0000000001",
                    "agent_id": "a1", "agent_type": "Explore"}});
    server.post("/events", &posted).await.unwrap();
    let path =
        format!("/api/v1/live?after={}&frame={}&boot={boot}", first["events"][0]["seq"], number(&first).unwrap());
    let mut back = server.socket(&path).await.unwrap();
    assert_eq!(back.next().await.unwrap()["type"], "hello");
    assert_eq!(appended(&back.next().await.unwrap()), [2], "what is newer than the client's newest, from the store");
    let mut seqs = Vec::new();
    while seqs.len() < 2 {
        let frame = back.next().await.unwrap();
        assert!(number(&frame) > number(&first));
        seqs.extend(appended(&frame));
    }
    assert_eq!(seqs, [2, 1], "the frames it missed: the new event, then the completed one");
    // Another run's numbers mean nothing: the store fills the gap.
    let mut other = server.socket("/api/v1/live?after=1&frame=1&boot=other").await.unwrap();
    assert_eq!(other.next().await.unwrap()["type"], "hello");
    let gap = other.next().await.unwrap();
    assert_eq!((appended(&gap), number(&gap)), (vec![2], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_published_even_when_the_sender_left() {
    use tokio::io::AsyncWriteExt;
    let server = TestServer::start().await.unwrap();
    let mut live = server.socket("/api/v1/live").await.unwrap();
    live.next().await.unwrap();
    let mut told = 0;
    for number in 0..50 {
        let body = sender_event(&format!("gone-{number}"), "Stop").to_string();
        let port = server.running.port();
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request =
            format!("POST /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        // Gone before the answer.
        drop(stream);
    }
    // One that stays, so that all those before it had their turn.
    server.post("/events", &sender_event("stays", "Stop")).await.unwrap();
    let mut sessions = Vec::new();
    while !sessions.contains(&"stays".to_owned()) || told < server.count().await.unwrap() {
        let frame = live.until(|frame| frame["type"] == "appended").await.unwrap();
        for event in frame["events"].as_array().unwrap() {
            sessions.push(event["session_id"].as_str().unwrap().to_owned());
            told += 1;
        }
    }
    assert_eq!(told, server.count().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_clients_disturb_nobody_and_each_event_is_written_once() {
    let server = TestServer::start().await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = server.socket("/api/v1/live").await.unwrap();
        client.next().await.unwrap();
        clients.push(client);
    }
    // These never read again.
    let mut stalled = Vec::new();
    for _ in 0..5 {
        stalled.push(server.socket("/api/v1/live").await.unwrap());
    }
    let text = "x".repeat(12_000);
    for number in 0..300 {
        let mut event = sender_event(&format!("s{}", number % 7), "UserPromptSubmit");
        event["payload"] = json!({"prompt": format!("{number} {text}")});
        server.post("/events", &event).await.unwrap();
    }
    for client in &mut clients {
        let mut seqs = Vec::new();
        while seqs.len() < 300 {
            seqs.extend(appended(&client.next().await.unwrap()));
        }
        assert_eq!(seqs, (1..=300).collect::<Vec<_>>());
    }
    let health: Value = server.bare(Method::GET, "/health").send().await.unwrap().json().await.unwrap();
    assert_eq!(health["websocket"]["serialized_events"], 300);
    assert_eq!(health["websocket"]["connected_clients"], 25);
}
