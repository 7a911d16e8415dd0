//! The pages in a real browser, served by the real binary.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use orrery_tests::{Api, Home, Server, run_page_script};
use serde_json::{Value, json};

fn hook(session: &str, name: &str, more: &Value) -> Value {
    let mut payload = json!({
        "session_id": session, "transcript_path": "/nowhere/t.jsonl", "cwd": "/home/sam/shop", "hook_event_name": name,
    });
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    payload
}

/// A few sessions in different states, as an agent's hooks would tell of them.
fn seed(api: &Api) {
    api.post_hook(&hook("s-one", "SessionStart", &json!({"source": "startup", "model": "claude-sonnet-4-5"})));
    api.post_hook(&hook("s-one", "UserPromptSubmit", &json!({"prompt": "Fix the checkout test"})));
    let test = json!({"tool_name": "Bash", "tool_input": {"command": "cargo test checkout"}, "tool_use_id": "toolu_a"});
    api.post_hook(&hook("s-one", "PreToolUse", &test));
    let mut failed = test.clone();
    failed["error"] = json!("exit 101");
    api.post_hook(&hook("s-one", "PostToolUseFailure", &failed));
    api.post_hook(&hook("s-one", "Stop", &json!({"last_assistant_message": "The test **passes** now."})));

    api.post_hook(&hook("s-two", "UserPromptSubmit", &json!({"prompt": "Deploy to staging"})));
    let deploy = json!({"tool_name": "Bash", "tool_input": {"command": "make deploy"}});
    api.post_hook(&hook("s-two", "PermissionRequest", &deploy));
}

fn check(script: &str, is_welcomed: bool) {
    let home = Home::new();
    let server = Server::start(&home);
    let api = server.api();
    if is_welcomed {
        let (status, answer) = api.send("PATCH", "/api/v1/settings", &json!({"welcomed": true}));
        assert_eq!(status, 200, "{answer}");
        seed(&api);
    }
    run_page_script(script, &server);
}

#[test]
fn an_event_appears_without_a_reload_and_its_session_opens() {
    check("live", true);
}

#[test]
fn theme_and_palette_obey_the_keyboard() {
    check("keyboard", true);
}

#[test]
fn every_page_is_accessible_in_both_themes_wide_and_narrow() {
    check("axe", true);
}

#[test]
fn a_first_visit_is_welcomed_and_an_empty_house_says_so() {
    check("welcome", false);
}

#[test]
fn losing_the_server_is_said_and_survived() {
    check("offline", true);
}

#[test]
fn keys_pins_themes_phones_and_the_kept_shell_work() {
    check("frame", true);
}
