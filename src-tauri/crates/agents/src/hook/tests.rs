#![allow(clippy::unwrap_used)]

use orrery_types::{Body, Event, Source, ToolClass};
use serde_json::{Value, json};

use super::*;

fn ctx() -> Context {
    Context {
        source: Source::Hook,
        received_ms: 1_795_000_000_000,
        delivery_id: "d".repeat(32),
        place: "/hooks/claude-code".to_owned(),
        demo: false,
    }
}

fn one(value: Value) -> Event {
    let decoded = decode(None, value.to_string().as_bytes(), &ctx());
    assert_eq!(decoded.events.len(), 1);
    decoded.events.into_iter().next().unwrap()
}

fn base(name: &str, more: Value) -> Value {
    let mut value = json!({
        "session_id": "7b0f", "transcript_path": "/home/ada/.claude/projects/-x/7b0f.jsonl", "cwd": "/home/ada/x",
        "hook_event_name": name, "prompt_id": "p1",
    });
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

#[test]
fn a_tool_call_starts_and_ends_under_ids_the_transcript_shares() {
    let input = json!({"command": "cargo test"});
    let start =
        one(base("PreToolUse", json!({"tool_name": "Bash", "tool_input": input, "tool_use_id": "toolu_0123456789"})));
    assert_eq!(start.id, id::tool_start("7b0f", "toolu_0123456789"));
    assert!(matches!(&start.body, Body::ToolStart { target, class: ToolClass::Shell, .. } if target == "cargo test"));
    let end = one(base(
        "PostToolUseFailure",
        json!({"tool_name": "Bash", "tool_input": input, "tool_use_id": "toolu_0123456789", "error": "Exit code 101\nboom", "duration_ms": 12}),
    ));
    assert_eq!(end.id, id::tool_end("7b0f", "toolu_0123456789"));
    let Body::ToolEnd { ok, error, exit_code, duration_ms, .. } = end.body else { panic!("{:?}", end.body) };
    assert_eq!((ok, error.as_deref(), exit_code, duration_ms), (false, Some("exit 101"), Some(101), Some(12)));
}

#[test]
fn each_kind_of_event_has_its_body() {
    let kind = |name: &str, more: Value| {
        let body = serde_json::to_value(one(base(name, more)).body).unwrap();
        body["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind("SessionStart", json!({"source": "startup"})), "session_start");
    assert_eq!(kind("SessionEnd", json!({"reason": "other"})), "session_end");
    assert_eq!(kind("UserPromptSubmit", json!({"prompt": "hi"})), "prompt");
    assert_eq!(kind("PermissionRequest", json!({"tool_name": "Bash", "tool_input": {}})), "permission");
    assert_eq!(kind("PermissionDenied", json!({"tool_name": "Bash", "tool_use_id": "t"})), "permission_denied");
    assert_eq!(kind("Notification", json!({"message": "m"})), "notification");
    assert_eq!(kind("SubagentStart", json!({"agent_id": "a1", "agent_type": "Explore"})), "subagent_start");
    assert_eq!(kind("SubagentStop", json!({"agent_id": "a1"})), "subagent_stop");
    assert_eq!(kind("Stop", json!({"last_assistant_message": "done"})), "stop");
    assert_eq!(kind("StopFailure", json!({"error": "rate_limit"})), "failure");
    assert_eq!(kind("Interrupt", json!({})), "interrupt");
    assert_eq!(kind("PreCompact", json!({"trigger": "auto"})), "compact");
    assert_eq!(kind("Elicitation", json!({"message": "which?"})), "question");
    assert_eq!(kind("FutureEvent", json!({})), "other");
    assert_eq!(one(base("FutureEvent", json!({}))).name, "FutureEvent");
}

#[test]
fn agents_are_told_from_the_payload_not_the_hint() {
    let check = |value: Value, hint: Option<&str>, agent: &str| assert_eq!(agent_of(&value, hint), agent, "{value}");
    check(json!({"transcript_path": "/h/.claude/projects/x/y.jsonl"}), Some("codex"), "claude-code");
    check(json!({"transcript_path": "C:\\Users\\a\\.codex\\sessions\\rollout-1.jsonl"}), Some("claude-code"), "codex");
    check(json!({"turn_id": "t", "model": "gpt-6"}), None, "codex");
    check(json!({"conversation_id": "c", "generation_id": "g"}), None, "cursor");
    check(json!({"timestamp": "t", "hook_event_name": "BeforeTool"}), None, "gemini-cli");
    check(json!({"sessionId": "s", "hookEventName": "stop", "workspaceRoot": "/x"}), None, "grok-build");
    check(json!({"sessionId": "s", "toolName": "bash"}), Some("claude-code"), "copilot-cli");
    check(json!({"session_id": "s"}), Some("codex"), "codex");
    check(json!({"session_id": "s"}), None, "claude-code");
}

#[test]
fn other_agents_spellings_are_read() {
    let event = one(
        json!({"sessionId": "s", "hookEventName": "pre_tool_use", "toolName": "run_shell_command", "toolUseId": "u1",
        "toolInput": {"command": "ls"}, "timestamp": "2026-07-02T14:15:42.005035614+00:00", "workspaceRoot": "/x"}),
    );
    assert_eq!(
        (event.agent.as_str(), event.name.as_str(), event.at_ms),
        ("grok-build", "pre_tool_use", 1_783_001_742_005)
    );
    assert!(matches!(&event.body, Body::ToolStart { target, .. } if target == "ls"));
    let notify =
        one(json!({"type": "agent-turn-complete", "thread-id": "t1", "turn-id": "u1", "last-assistant-message": "ok"}));
    assert_eq!((notify.agent.as_str(), notify.session_id.as_str()), ("codex", "t1"));
    assert!(matches!(&notify.body, Body::Stop { message } if message == "ok"));
}

#[test]
fn bad_input_is_an_event_and_a_problem() {
    for bytes in [&b"not json"[..], b"", b"[1]", b"null", b"\"x\"", b"{\"a\":"] {
        let decoded = decode(Some("claude-code"), bytes, &ctx());
        assert_eq!(decoded.events[0].name, "unreadable");
        assert_eq!(decoded.events[0].session_id, "unreadable");
        assert_eq!(decoded.problems[0].code, "bad_json");
    }
    let empty = decode(None, br#"{"session_id":"","hook_event_name":"Stop"}"#, &ctx());
    assert_eq!((empty.events[0].session_id.as_str(), empty.problems[0].code.as_str()), ("unknown", "empty_session_id"));
    let lone =
        decode(None, br#"{"session_id":"s","hook_event_name":"UserPromptSubmit","prompt":"a \ud83d b"}"#, &ctx());
    assert!(matches!(&lone.events[0].body, Body::Prompt { text } if text == "a \u{fffd} b"));
    assert_eq!(lone.problems[0].code, "repaired_json");
}

#[test]
fn facts_come_along() {
    let decoded = decode(None, base("CwdChanged", json!({"new_cwd": "/y"})).to_string().as_bytes(), &ctx());
    assert_eq!(decoded.facts[0].cwd.as_deref(), Some("/y"));
    let decoded = decode(None, base("SessionStart", json!({"model": "claude-opus-5"})).to_string().as_bytes(), &ctx());
    assert_eq!(decoded.facts[0].model.as_deref(), Some("claude-opus-5"));
}
