//! Sinks against a real HTTP receiver: signed, retried, refused, sent again; and nothing of their secrets shown.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use orrery_testkit::{Homes, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

const NOON_MS: i64 = 1_795_003_200_000;

/// What a receiver was sent, and what it answers next.
#[derive(Default)]
struct Received {
    posts: Mutex<Vec<(HeaderMap, String)>>,
    answers: Mutex<Vec<Response>>,
}

impl Received {
    fn answer_next(&self, response: impl IntoResponse) {
        self.answers.lock().unwrap().push(response.into_response());
    }

    fn posts(&self) -> Vec<(HeaderMap, String)> {
        self.posts.lock().unwrap().clone()
    }
}

/// A receiver on a free port of this machine.
async fn receiver() -> (Arc<Received>, String) {
    async fn take(State(received): State<Arc<Received>>, headers: HeaderMap, body: String) -> Response {
        received.posts.lock().unwrap().push((headers, body));
        let mut answers = received.answers.lock().unwrap();
        if answers.is_empty() { StatusCode::OK.into_response() } else { answers.remove(0) }
    }
    let received = Arc::new(Received::default());
    let router = axum::Router::new().fallback(take).with_state(received.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (received, url)
}

async fn set(server: &TestServer, settings: Value) {
    let answer = server.request(Method::PATCH, "/api/v1/settings").json(&settings).send().await.unwrap();
    let status = answer.status();
    assert_eq!(status, 200, "{}", answer.text().await.unwrap());
}

async fn spend(server: &TestServer, session: &str, dollars: f64) {
    let event = json!({"source_app": "shop", "session_id": session, "hook_event_type": "Stop", "payload": {"x": session},
        "timestamp": NOON_MS, "model_name": "some-model", "input_tokens": 10, "output_tokens": 10, "cost_usd": dollars});
    server.post("/events", &event).await.unwrap();
}

async fn deliveries(server: &TestServer) -> Vec<Value> {
    server.get("/api/v1/alerts/deliveries").await.unwrap().as_array().unwrap().clone()
}

fn webhook(url: &str) -> Value {
    json!({"id": "hook", "kind": "webhook", "url": url, "allow_private": true})
}

#[tokio::test]
async fn an_alert_reaches_a_webhook_signed_and_the_secret_is_never_told() {
    let (received, url) = receiver().await;
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, None).await.unwrap();
    set(&server, json!({"sinks": [webhook(&url)], "budget_daily_usd": 1.0})).await;
    let secret = json!({"name": "key", "value": "hunter2"});
    let put = server.request(Method::PUT, "/api/v1/alerts/sinks/hook/secret").json(&secret).send().await.unwrap();
    assert_eq!(put.json::<Value>().await.unwrap(), json!({"secrets": ["key"]}));
    spend(&server, "s1", 2.0).await;

    server.wait_for(|| async { Ok((!received.posts().is_empty()).then_some(())) }).await.unwrap();
    let (headers, body) = received.posts().remove(0);
    let sent: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(sent["alert"]["text"], "Budget exceeded: $2.00 of $1.00 today");
    let stamp = headers["x-orrery-timestamp"].to_str().unwrap();
    assert_eq!(stamp, (NOON_MS / 1000).to_string());
    assert_eq!(headers["x-orrery-signature"].to_str().unwrap(), format!("sha256={}", hmac("hunter2", stamp, &body)));

    server
        .wait_for(|| async {
            let told = deliveries(&server).await;
            Ok((told.len() == 1 && told[0]["state"] == "delivered").then_some(()))
        })
        .await
        .unwrap();
    let sinks = server.get("/api/v1/alerts/sinks").await.unwrap();
    assert_eq!(sinks[1]["secrets"], json!(["key"]));
    assert_eq!(sinks[1]["last_delivered_ms"], NOON_MS);
    for place in ["/api/v1/alerts/sinks", "/api/v1/settings", "/api/v1/alerts", "/api/v1/settings/wrong"] {
        assert!(!server.get(place).await.unwrap().to_string().contains("hunter2"), "{place}");
    }
    let file = server.request(Method::GET, "/api/v1/settings/export").send().await.unwrap().text().await.unwrap();
    assert!(file.contains("[[sinks]]") && !file.contains("hunter2"), "{file}");
}

#[tokio::test]
async fn a_busy_receiver_is_tried_again_and_a_refusal_is_a_dead_letter_that_can_be_sent_again() {
    let (received, url) = receiver().await;
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, None).await.unwrap();
    set(&server, json!({"sinks": [webhook(&url)], "budget_daily_usd": 1.0})).await;
    received.answer_next((StatusCode::SERVICE_UNAVAILABLE, "try later"));
    received.answer_next((StatusCode::GONE, "no such hook"));
    spend(&server, "s1", 2.0).await;

    let waiting = server
        .wait_for(|| async {
            let told = deliveries(&server).await;
            Ok(told.first().filter(|row| row["attempts"] == 1 && row["state"] == "waiting").cloned())
        })
        .await
        .unwrap();
    assert!(waiting["error"].as_str().unwrap().contains("503 Service Unavailable: try later"), "{waiting}");
    let next_ms = waiting["next_ms"].as_i64().unwrap();
    assert!((NOON_MS + 2_500..NOON_MS + 5_000).contains(&next_ms), "{waiting}");

    // What waits is taken up again after a restart.
    let homes = server.stop().await;
    let server = TestServer::at(homes, next_ms, None).await.unwrap();
    let dead = server
        .wait_for(|| async { Ok(deliveries(&server).await.first().filter(|row| row["state"] == "dead").cloned()) })
        .await
        .unwrap();
    assert!(dead["error"].as_str().unwrap().contains("410 Gone: no such hook"), "{dead}");
    assert_eq!(dead["attempts"], 2);
    let sinks = server.get("/api/v1/alerts/sinks").await.unwrap();
    assert_eq!((&sinks[1]["dead"], &sinks[1]["waiting"]), (&json!(1), &json!(0)));
    let alerts = server.get("/api/v1/alerts").await.unwrap();
    assert_eq!(alerts[0]["state"]["state"], "failed");

    server.post("/api/v1/alerts/resend", &json!({"key": dead["alert"]})).await.unwrap();
    server
        .wait_for(|| async { Ok(deliveries(&server).await.first().filter(|row| row["state"] == "delivered").cloned()) })
        .await
        .unwrap();
    assert_eq!(received.posts().len(), 3);
    let alerts = server.get("/api/v1/alerts").await.unwrap();
    assert_eq!((&alerts[0]["state"]["state"], &alerts[0]["delivered"]), (&json!("delivered"), &json!(["hook"])));
}

/// The test button's answer for a sink.
async fn test(server: &TestServer, sink: &str) -> (u16, Value) {
    let answer = server.request(Method::POST, &format!("/api/v1/alerts/sinks/{sink}/test")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn private_addresses_are_refused_at_every_hop_unless_they_are_meant() {
    let (received, url) = receiver().await;
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, None).await.unwrap();
    let closed = json!({"id": "closed", "kind": "webhook", "url": url});
    set(&server, json!({"sinks": [webhook(&url), closed]})).await;
    let (status, problem) = test(&server, "closed").await;
    assert_eq!(status, 502);
    assert!(problem["title"].as_str().unwrap().contains("an address of this machine or network"), "{problem}");
    assert!(received.posts().is_empty(), "nothing was sent");

    // Redirects are looked at one by one: 302 is not followed, 307 is, and its target is judged anew.
    received.answer_next((StatusCode::FOUND, [("location", "http://169.254.169.254/latest")]));
    let (_, problem) = test(&server, "hook").await;
    assert!(problem["title"].as_str().unwrap().contains("points to http://169.254.169.254/latest"), "{problem}");
    received.answer_next((StatusCode::TEMPORARY_REDIRECT, [("location", "file:///etc/passwd")]));
    let (_, problem) = test(&server, "hook").await;
    assert!(problem["title"].as_str().unwrap().contains("names no host"), "{problem}");
    let (other, other_url) = receiver().await;
    received.answer_next((StatusCode::PERMANENT_REDIRECT, [("location", other_url)]));
    let (status, told) = test(&server, "hook").await;
    assert_eq!((status, other.posts().len()), (200, 1), "{told}");
}

#[tokio::test]
async fn a_template_is_checked_before_it_is_saved_and_fills_itself() {
    let (received, url) = receiver().await;
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, None).await.unwrap();
    let with = |template: &str| json!({"sinks": [{"id": "hook", "kind": "webhook", "url": url, "allow_private": true, "template": template}]});
    let broken = server
        .request(Method::PATCH, "/api/v1/settings")
        .json(&with("{\n \"text\": \"{{ titel }}\"}"))
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), 400);
    let problem: Value = broken.json().await.unwrap();
    assert!(problem["title"].as_str().unwrap().starts_with("sinks.0.template: line 2"), "{problem}");

    set(&server, with("{\"text\": \"{{ title }} \u{2014} {{ text }}\", \"urgency\": \"{{ urgency }}\"}")).await;
    let (status, told) = test(&server, "hook").await;
    assert_eq!(status, 200, "{told}");
    let (headers, body) = received.posts().remove(0);
    assert_eq!(headers["content-type"], "application/json");
    let sent: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(sent["text"], "Orrery can reach you \u{2014} This is a test. Alerts arrive here");
    assert!(!headers.contains_key("x-orrery-signature"), "no key, no signature");
}

#[tokio::test]
async fn slack_and_ntfy_are_spoken_to_in_their_own_words() {
    let (received, url) = receiver().await;
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, None).await.unwrap();
    set(
        &server,
        json!({"sinks": [
            {"id": "team", "kind": "slack", "allow_private": true},
            {"id": "phone", "kind": "ntfy", "url": url, "topic": "orrery", "allow_private": true},
        ]}),
    )
    .await;
    let (_, problem) = test(&server, "team").await;
    assert_eq!(problem["title"], "Incoming webhook URL is not set");
    for (sink, name, value) in [("team", "url", url.as_str()), ("phone", "token", "tk_secret")] {
        let secret = json!({"name": name, "value": value});
        let put = server.request(Method::PUT, &format!("/api/v1/alerts/sinks/{sink}/secret")).json(&secret);
        assert_eq!(put.send().await.unwrap().status(), 200);
        assert_eq!(test(&server, sink).await.0, 200, "{sink}");
    }
    let posts = received.posts();
    let slack: Value = serde_json::from_str(&posts[0].1).unwrap();
    assert_eq!(slack["blocks"][0]["text"]["text"], "Orrery can reach you");
    let ntfy: Value = serde_json::from_str(&posts[1].1).unwrap();
    assert_eq!((&ntfy["topic"], &ntfy["priority"]), (&json!("orrery"), &json!(3)));
    assert_eq!(posts[1].0["authorization"], "Bearer tk_secret");
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up_in_words_and_holds_nobody_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, None).await.unwrap();
    let (received, other) = receiver().await;
    set(
        &server,
        json!({"budget_daily_usd": 1.0, "sinks": [
            webhook(&url),
            {"id": "other", "kind": "webhook", "url": other, "allow_private": true},
        ]}),
    )
    .await;
    spend(&server, "s1", 2.0).await;
    server.wait_for(|| async { Ok((received.posts().len() == 1).then_some(())) }).await.unwrap();
    let (status, problem) = test(&server, "hook").await;
    assert_eq!(status, 502);
    assert!(problem["title"].as_str().unwrap().contains("did not answer within 10 s"), "{problem}");
    drop(listener);
}

/// HMAC-SHA256 as the standard writes it, so that the server's is checked against another.
fn hmac(key: &str, stamp: &str, body: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key.as_bytes());
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(format!("{stamp}.{body}")).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}
