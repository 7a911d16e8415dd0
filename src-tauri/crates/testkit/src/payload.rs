//! Payloads and lines shaped as agents write them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A Claude Code hook payload with its base fields; `more` is merged over them.
pub fn hook(session: &str, name: &str, more: Value) -> Value {
    let mut payload = json!({
        "session_id": session,
        "transcript_path": format!("/home/ada/.claude/projects/-home-ada-shop/{session}.jsonl"),
        "cwd": "/home/ada/shop",
        "hook_event_name": name,
    });
    if let (Some(fields), Value::Object(more)) = (payload.as_object_mut(), more) {
        fields.extend(more);
    }
    payload
}

/// An event as the family's senders post it, without a time.
pub fn sender_event(session: &str, name: &str) -> Value {
    json!({
        "source_app": "shop",
        "session_id": session,
        "hook_event_type": name,
        "payload": {"tool_name": "Bash", "tool_input": {"command": "ls"}},
    })
}

/// The line of a prompt in a Claude Code transcript.
pub fn claude_prompt_line(session: &str, uuid: &str, at_ms: i64, text: &str) -> String {
    json!({
        "type": "user", "sessionId": session, "uuid": uuid, "parentUuid": null, "isSidechain": false,
        "cwd": "/home/ada/shop", "gitBranch": "main", "version": "2.1.240", "timestamp": iso(at_ms),
        "message": {"role": "user", "content": text},
    })
    .to_string()
}

/// The line of an answer with its usage: 1,000 tokens in, 500 out, unless the model has no price.
pub fn claude_assistant_line(session: &str, uuid: &str, at_ms: i64, model: &str, text: &str) -> String {
    json!({
        "type": "assistant", "sessionId": session, "uuid": uuid, "parentUuid": null, "isSidechain": false,
        "cwd": "/home/ada/shop", "gitBranch": "main", "version": "2.1.240", "timestamp": iso(at_ms),
        "requestId": format!("req_{uuid}"),
        "message": {
            "id": format!("msg_{uuid}"), "type": "message", "role": "assistant", "model": model,
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 1000, "output_tokens": 500, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0},
        },
    })
    .to_string()
}

fn iso(at_ms: i64) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
