//! Alerts: logged before they are shown, once per occasion, across restarts too.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use orrery_testkit::{Homes, RecordingSink, TestServer, hook};
use reqwest::Method;
use serde_json::{Value, json};

/// Noon of a day, far from any midnight.
const NOON_MS: i64 = 1_795_003_200_000;
const MINUTE_MS: i64 = 60_000;

async fn spend(server: &TestServer, session: &str, dollars: f64, at_ms: i64) {
    let event = json!({"source_app": "shop", "session_id": session, "hook_event_type": "Stop", "payload": {"x": session},
        "timestamp": at_ms, "model_name": "some-model", "input_tokens": 10, "output_tokens": 10, "cost_usd": dollars});
    server.post("/events", &event).await.unwrap();
}

async fn alerts(server: &TestServer) -> Vec<Value> {
    server.get("/api/v1/alerts").await.unwrap().as_array().unwrap().clone()
}

#[tokio::test]
async fn a_budget_is_announced_once_a_day_across_restarts() {
    let sink = Arc::new(RecordingSink::default());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, Some(sink.clone())).await.unwrap();
    let set = server.request(Method::PATCH, "/api/v1/settings").json(&json!({"budget_daily_usd": 40.0}));
    assert_eq!(set.send().await.unwrap().status(), 200);
    spend(&server, "s1", 39.0, NOON_MS).await;
    spend(&server, "s2", 11.12, NOON_MS).await;
    server
        .wait_for(|| async {
            Ok(alerts(&server).await.first().filter(|alert| alert["state"]["state"] == "delivered").cloned())
        })
        .await
        .unwrap();
    assert_eq!(sink.alerts()[0].text, "Budget exceeded: $50.12 of $40.00 today");
    spend(&server, "s3", 5.0, NOON_MS).await;

    let homes = server.stop().await;
    let server = TestServer::at(homes, NOON_MS + MINUTE_MS, Some(sink.clone())).await.unwrap();
    spend(&server, "s4", 5.0, NOON_MS + MINUTE_MS).await;
    let overview = |server: &TestServer| server.running.overview();
    overview(&server).wait_for(|overview| overview.today.cost_usd_micros > 60_000_000).await.unwrap();
    // The next day has its own.
    server.set_now_ms(NOON_MS + 24 * 60 * MINUTE_MS);
    spend(&server, "s5", 41.0, NOON_MS + 24 * 60 * MINUTE_MS).await;
    server.wait_for(|| async { Ok((alerts(&server).await.len() == 2).then_some(())) }).await.unwrap();
    server.wait_for(|| async { Ok((sink.alerts().len() == 2).then_some(())) }).await.unwrap();
}

#[tokio::test]
async fn a_long_task_is_announced_once_and_a_pause_keeps_silent() {
    let sink = Arc::new(RecordingSink::default());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, Some(sink.clone())).await.unwrap();
    let prompt = |session: &str| {
        hook(session, "UserPromptSubmit", json!({"prompt": "migrate the shop", "prompt_id": format!("p-{session}")}))
    };
    server.hook("claude-code", &prompt("s1")).await.unwrap();
    server.set_now_ms(NOON_MS + 5 * MINUTE_MS + 1_000);
    server
        .hook(
            "claude-code",
            &hook(
                "s1",
                "PreToolUse",
                json!({"tool_name": "Bash", "tool_input": {"command": "make"}, "tool_use_id": "toolu_aaaaaaaaaaaa"}),
            ),
        )
        .await
        .unwrap();
    server.wait_for(|| async { Ok((sink.alerts().len() == 1).then_some(())) }).await.unwrap();
    assert_eq!(sink.alerts()[0].session_id.as_deref(), Some("s1"));

    let paused = server.post("/api/v1/alerts/pause", &json!({"minutes": 60})).await.unwrap();
    assert_eq!(paused["paused_until_ms"], NOON_MS + 65 * MINUTE_MS + 1_000);
    server.hook("claude-code", &prompt("s2")).await.unwrap();
    server.set_now_ms(NOON_MS + 11 * MINUTE_MS);
    server
        .hook(
            "claude-code",
            &hook(
                "s2",
                "PreToolUse",
                json!({"tool_name": "Bash", "tool_input": {"command": "make"}, "tool_use_id": "toolu_bbbbbbbbbbbb"}),
            ),
        )
        .await
        .unwrap();
    server
        .wait_for(|| async {
            let alerts = alerts(&server).await;
            Ok(alerts
                .iter()
                .any(|alert| alert["session_id"] == "s2" && alert["state"]["state"] == "paused")
                .then_some(()))
        })
        .await
        .unwrap();
    assert_eq!(sink.alerts().len(), 1);
    assert_eq!(server.running.overview().borrow().alerts_paused_until_ms, Some(NOON_MS + 65 * MINUTE_MS + 1_000));
}

#[tokio::test]
async fn an_alert_that_cannot_be_shown_is_in_the_log_with_the_reason() {
    let sink = Arc::new(RecordingSink::refusing());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, Some(sink)).await.unwrap();
    server.request(Method::PATCH, "/api/v1/settings").json(&json!({"budget_daily_usd": 1.0})).send().await.unwrap();
    spend(&server, "s1", 2.0, NOON_MS).await;
    let failed = server
        .wait_for(|| async {
            Ok(alerts(&server).await.first().filter(|alert| alert["state"]["state"] == "failed").cloned())
        })
        .await
        .unwrap();
    assert!(failed["state"]["error"].as_str().unwrap().contains("notification service"));
}
