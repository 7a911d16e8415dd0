//! Alerts: logged before they are shown, once per occasion, across restarts too.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use orrery_testkit::{Homes, RecordingSink, TestServer, hook};
use orrery_types::AlertKind;
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
    let until_ms = Some(NOON_MS + 65 * MINUTE_MS + 1_000);
    server.running.overview().wait_for(|overview| overview.alerts_paused_until_ms == until_ms).await.unwrap();
    let homes = server.stop().await;
    let server = TestServer::at(homes, NOON_MS + 12 * MINUTE_MS, Some(sink)).await.unwrap();
    assert_eq!(server.running.overview().borrow().alerts_paused_until_ms, until_ms, "a restart goes on with the pause");
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

fn tool(session: &str, id: &str) -> Value {
    hook(session, "PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": "make"}, "tool_use_id": id}))
}

async fn patch(server: &TestServer, settings: Value) {
    let answer = server.request(Method::PATCH, "/api/v1/settings").json(&settings).send().await.unwrap();
    let status = answer.status();
    assert_eq!(status, 200, "{}", answer.text().await.unwrap());
}

#[tokio::test]
async fn what_waits_is_told_at_once_three_of_a_kind_as_one_and_a_snooze_keeps_silent() {
    let sink = Arc::new(RecordingSink::default());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, Some(sink.clone())).await.unwrap();
    let asks = |session: &str| {
        hook(session, "PermissionRequest", json!({"tool_name": "Bash", "tool_input": {"command": "cargo publish"}}))
    };
    for (count, session) in ["s1", "s2"].into_iter().enumerate() {
        server.hook("claude-code", &asks(session)).await.unwrap();
        server.wait_for(|| async { Ok((sink.alerts().len() == count + 1).then_some(())) }).await.unwrap();
        assert_eq!(sink.alerts()[count].session_id.as_deref(), Some(session));
        assert!(sink.alerts()[count].text.ends_with("cargo publish"), "{:?}", sink.alerts()[count]);
    }
    server.hook("claude-code", &asks("s3")).await.unwrap();
    server.wait_for(|| async { Ok((sink.alerts().len() == 3).then_some(())) }).await.unwrap();
    assert_eq!(sink.alerts()[2].title, "3 sessions need you");
    assert_eq!(sink.alerts()[2].group, ["s1", "s2", "s3"]);
    assert_eq!(alerts(&server).await.len(), 3, "the log has each by itself");

    let snoozed = server.post("/api/v1/alerts/snoozes", &json!({"target": "session/s4", "minutes": 60})).await.unwrap();
    assert_eq!(snoozed, json!([{"target": "session/s4", "until_ms": NOON_MS + 60 * MINUTE_MS}]));
    server.hook("claude-code", &asks("s4")).await.unwrap();
    server
        .wait_for(|| async {
            Ok(alerts(&server).await.first().filter(|alert| alert["state"]["state"] == "snoozed").cloned())
        })
        .await
        .unwrap();
    assert_eq!(sink.alerts().len(), 3);
}

#[tokio::test]
async fn rules_follow_the_file_and_a_filter_of_the_person_counts() {
    let sink = Arc::new(RecordingSink::default());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, Some(sink.clone())).await.unwrap();
    // By hand, as a person edits the file while the app runs.
    let file = server.homes.config_dir().join("config.toml");
    let text = "[rules.makes]\nname = \"Makes a lot\"\nfilter = \"tool:Bash make\"\ntimes = 2 # of them\n";
    std::fs::write(&file, text).unwrap();
    server
        .wait_for(|| async {
            let rules = server.get("/api/v1/alerts/rules").await?;
            Ok(rules.as_array().unwrap().iter().find(|row| row["rule"]["id"] == "makes").cloned())
        })
        .await
        .unwrap();
    for id in ["toolu_1", "toolu_2"] {
        server.hook("claude-code", &tool("s1", id)).await.unwrap();
    }
    server.wait_for(|| async { Ok((sink.alerts().len() == 1).then_some(())) }).await.unwrap();
    assert_eq!((sink.alerts()[0].title.as_str(), sink.alerts()[0].rule.as_str()), ("Makes a lot", "makes"));

    // A broken file leaves it all in force and says where it is broken, in Settings and to doctor.
    std::fs::write(&file, format!("{text}\nlong_task_minutes = = 3\n")).unwrap();
    let blind = server
        .wait_for(|| async {
            let blind = server.get("/api/v1/overview").await?["blind"].clone();
            let told =
                blind.as_array().unwrap().iter().find(|row| row["what"].as_str().unwrap().contains("line 6")).cloned();
            Ok(told)
        })
        .await
        .unwrap();
    assert!(blind["hint"].as_str().unwrap().contains("the settings of before hold"), "{blind}");
    assert_eq!(server.get("/api/v1/settings").await.unwrap()["rules"]["makes"]["times"], 2);
    let wrong = server.request(Method::PATCH, "/api/v1/settings").json(&json!({"watch": false})).send().await.unwrap();
    assert_eq!(wrong.status(), 409, "a broken file is not written over");
}

#[tokio::test]
async fn the_guard_answers_before_a_tool_when_it_is_on_and_a_limit_is_passed_and_says_nothing_else() {
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, None).await.unwrap();
    let answer = async |payload: &Value| server.hook("claude-code", payload).await.unwrap().text().await.unwrap();
    patch(&server, json!({"budget_daily_usd": 1.0, "zone": "UTC"})).await;
    spend(&server, "s0", 2.0, NOON_MS).await;
    server.running.overview().wait_for(|overview| overview.budgets.iter().any(|state| state.is_over())).await.unwrap();
    assert_eq!(answer(&tool("s1", "toolu_1")).await, "", "off");
    patch(&server, json!({"guard": "deny"})).await;
    let said: Value = serde_json::from_str(&answer(&tool("s1", "toolu_2")).await).unwrap();
    let said = &said["hookSpecificOutput"];
    assert_eq!((&said["hookEventName"], &said["permissionDecision"]), (&json!("PreToolUse"), &json!("deny")));
    let reason = said["permissionDecisionReason"].as_str().unwrap();
    assert!(reason.contains("$2.00 of $1.00 today") && reason.contains("until"), "{reason}");
    let stop = hook("s1", "Stop", json!({}));
    assert_eq!(answer(&stop).await, "", "only tool calls are asked about");
    patch(&server, json!({"guard": "ask"})).await;
    assert!(answer(&tool("s1", "toolu_3")).await.contains("\"ask\""));
    patch(&server, json!({"budget_daily_usd": 5.0})).await;
    server.running.overview().wait_for(|overview| !overview.budgets.iter().any(|state| state.is_over())).await.unwrap();
    assert_eq!(answer(&tool("s1", "toolu_4")).await, "", "raised");
    // Budgets of one project leave the others alone.
    patch(&server, json!({"budget_daily_usd": null, "budgets": [{"id": "p", "scope": "project", "of": "elsewhere", "limit_usd": 0.5}]})).await;
    assert_eq!(answer(&tool("s1", "toolu_5")).await, "");
}

#[tokio::test]
async fn budgets_forecast_and_tell_of_each_project() {
    let sink = Arc::new(RecordingSink::default());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, Some(sink.clone())).await.unwrap();
    patch(
        &server,
        json!({"zone": "UTC", "budgets": [
            {"id": "day", "limit_usd": 40, "soft_percent": 0},
            {"id": "each", "period": "weekly", "scope": "project", "limit_usd": 10.0},
        ]}),
    )
    .await;
    spend(&server, "s1", 12.0, NOON_MS - 10 * MINUTE_MS).await;
    server.wait_for(|| async { Ok((sink.alerts().len() == 2).then_some(())) }).await.unwrap();
    let told = sink.alerts();
    let text = |kind: AlertKind| told.iter().find(|alert| alert.kind == kind).map(|alert| alert.text.clone()).unwrap();
    // 12 dollars in the last hour: 28 more take two hours and twenty minutes from noon.
    assert_eq!(text(AlertKind::Forecast), "At this rate you pass $40.00 at 14:20: $12.00 spent today");
    assert_eq!(text(AlertKind::BudgetExceeded), "Budget exceeded: $12.00 of $10.00 this week in shop");
    let overview = server.get("/api/v1/overview").await.unwrap();
    assert_eq!(overview["budgets"][0]["id"], "each", "the fullest first");
}

#[tokio::test]
async fn a_digest_comes_once_at_its_time() {
    let sink = Arc::new(RecordingSink::default());
    let server = TestServer::at(Homes::new().unwrap(), NOON_MS, Some(sink.clone())).await.unwrap();
    // NOON_MS is 12:00 UTC, 13:00 in Berlin.
    patch(&server, json!({"zone": "Europe/Berlin", "digests": {"daily": {"on": true, "at": "0 18 * * *"}}})).await;
    spend(&server, "s1", 2.0, NOON_MS).await;
    // The schedule starts with the look that sees it.
    let started = || {
        let store = orrery_store::SqliteStore::open_read_only(&server.homes.data_dir()).unwrap();
        orrery_store::Store::marks(&store).unwrap().iter().any(|(name, _)| name == "digest/daily")
    };
    server.wait_for(|| async { Ok(started().then_some(())) }).await.unwrap();
    let five_hours = 5 * 60 * MINUTE_MS;
    server.set_now_ms(NOON_MS + five_hours - 1_000);
    assert!(sink.alerts().is_empty());
    server.set_now_ms(NOON_MS + five_hours);
    server.wait_for(|| async { Ok((sink.alerts().len() == 1).then_some(())) }).await.unwrap();
    let told = sink.alerts().remove(0);
    assert_eq!(told.text, "$2.00 in 1 session");
    assert_eq!(told.digest.unwrap().label, "Wednesday, 18 November");

    let homes = server.stop().await;
    let server = TestServer::at(homes, NOON_MS + five_hours + MINUTE_MS, Some(sink.clone())).await.unwrap();
    spend(&server, "s2", 1.0, NOON_MS).await;
    server.running.overview().wait_for(|overview| overview.today.cost_usd_micros > 2_500_000).await.unwrap();
    assert_eq!(sink.alerts().len(), 1, "once across restarts");
}
