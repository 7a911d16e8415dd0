//! The two native notifications, against a real D-Bus notification service.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use orrery_tests::{Api, Bus, Home, Notification, Notifications, Server, Start, until, until_some};
use serde_json::{Value, json};

fn start(home: &Home, bus: &Bus) -> Server {
    Start { bus: Some(bus), ..Start::default() }.in_home(home)
}

fn set(api: &Api, settings: &Value) {
    let (status, answer) = api.send("PATCH", "/api/v1/settings", settings);
    assert_eq!(status, 200, "{answer}");
}

/// A request that its sender says cost so much.
fn spend(api: &Api, session: &str, dollars: f64) {
    let event = json!({
        "source_app": "shop", "session_id": session, "hook_event_type": "Stop", "payload": {"text": "done"},
        "agent_type": "claude", "model_name": "claude-sonnet-4-5", "input_tokens": 1000, "output_tokens": 500,
        "cost_usd": dollars,
    });
    let (status, answer) = api.send("POST", "/events", &event);
    assert_eq!(status, 200, "{answer}");
}

fn shown_once(service: &Notifications<'_>, title_start: &str) -> (usize, Notification) {
    let position =
        |service: &Notifications<'_>| service.shown().iter().position(|shown| shown.title.starts_with(title_start));
    let at = until_some(&format!("a notification \"{title_start}...\""), 30, || position(service));
    (at + 1, service.shown()[at].clone())
}

#[test]
fn an_exceeded_budget_is_told_once_and_a_click_opens_orrery() {
    let (home, bus) = (Home::new(), Bus::start());
    let service = Notifications::start(&bus, &home);
    let server = start(&home, &bus);
    let api = server.api();
    set(&api, &json!({"budget_daily_usd": 40.0}));

    spend(&api, "s-budget", 30.0);
    spend(&api, "s-budget", 20.12);
    let (number, shown) = shown_once(&service, "Budget exceeded");
    let words = format!("{} {}", shown.title, shown.text);
    assert!(words.contains("$50.12 of $40.00 today"), "{shown:?}");
    assert!(shown.actions.contains("default"), "a click can be answered: {shown:?}");

    let mut live = api.live();
    live.frame("hello", 10);
    service.click(number);
    // The budget is over everything: no one session is to blame, the window itself comes up.
    assert_eq!(live.frame("open", 10)["session_id"], "");

    spend(&api, "s-budget", 5.0);
    assert_quiet_over_restart(server, &home, &bus, &service, "Budget exceeded", |api| spend(api, "s-more", 5.0));
}

#[test]
fn a_long_task_is_told_once() {
    let (home, bus) = (Home::new(), Bus::start());
    let service = Notifications::start(&bus, &home);
    let server = start(&home, &bus);
    let api = server.api();
    set(&api, &json!({"long_task_minutes": 1}));

    // The turn began two minutes ago, as a sender with its own clock says.
    let started_ms = api.get("/health")["timestamp"].clone();
    let now_ms = started_ms.as_i64().unwrap_or_else(now_ms);
    let prompt = json!({
        "source_app": "shop", "session_id": "s-long", "hook_event_type": "UserPromptSubmit", "agent_type": "claude",
        "payload": {"prompt": "Migrate the database", "session_id": "s-long"}, "timestamp": now_ms - 120_000,
    });
    assert_eq!(api.send("POST", "/events", &prompt).0, 200);
    let (number, shown) = shown_once(&service, "");
    assert!(shown.actions.contains("default"), "{shown:?}");

    let mut live = api.live();
    live.frame("hello", 10);
    service.click(number);
    assert_eq!(live.frame("open", 10)["session_id"], "s-long");

    assert_quiet_over_restart(server, &home, &bus, &service, "", |api| {
        let tool = json!({
            "source_app": "shop", "session_id": "s-long", "hook_event_type": "PreToolUse", "agent_type": "claude",
            "payload": {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_1"},
        });
        assert_eq!(api.send("POST", "/events", &tool).0, 200);
    });
}

fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// After a restart and `more` of the same the alert is known already. A second alert (another budget day cannot be had,
/// so another session's long task) proves that the rules did run.
fn assert_quiet_over_restart(
    server: Server,
    home: &Home,
    bus: &Bus,
    service: &Notifications<'_>,
    title_start: &str,
    more: impl Fn(&Api),
) {
    let before = service.shown().iter().filter(|shown| shown.title.starts_with(title_start)).count();
    assert_eq!(before, 1, "{:?}", service.shown());
    assert_eq!(server.terminate().code(), Some(0));
    let server = start(home, bus);
    let api = server.api();
    more(&api);

    set(&api, &json!({"long_task_minutes": 1}));
    let probe = json!({
        "source_app": "probe", "session_id": "s-probe", "hook_event_type": "UserPromptSubmit", "agent_type": "claude",
        "payload": {"prompt": "Probe", "session_id": "s-probe"}, "timestamp": now_ms() - 120_000,
    });
    assert_eq!(api.send("POST", "/events", &probe).0, 200);
    let all_before = service.shown().len();
    until("the rules ran after the restart", 30, || service.shown().len() > all_before);
    assert_eq!(service.shown().len(), all_before + 1, "only the probe is new: {:?}", service.shown());
}
