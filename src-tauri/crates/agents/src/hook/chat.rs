//! Lines of a conversation as many agents write them: who speaks, and what.

use serde_json::{Value, json};

use super::form::common;
use crate::json::{any, filled, text};
use crate::outcome::text_of;

/// A message, a thought or a tool's result in the common form. `None` for anything that names its event.
pub(super) fn common_form(value: &Value) -> Option<Value> {
    const NAMES: [&str; 4] = ["hook_event_name", "hookEventName", "hook_event_type", "event_name"];
    if filled(value, &NAMES).is_some() {
        return None;
    }
    let message = any(value, &["message"]).filter(|message| message.is_object()).unwrap_or(value);
    let role = text(message, &["role"]).or_else(|| text(value, &["role", "type"]))?;
    let said = || any(message, &["content", "parts"]).map(text_of).unwrap_or_default();
    let form = match role {
        "user" | "human" => common(value, "UserPromptSubmit", json!({ "prompt": said() })),
        "assistant" | "gemini" | "model" => common(value, "AfterAgentResponse", json!({ "text": said() })),
        "reasoning" => common(value, "AfterAgentThought", json!({"text": any(value, &["summary"]).map(text_of)})),
        "tool_result" => common(
            value,
            "PostToolUse",
            json!({"tool_use_id": any(value, &["tool_call_id"]), "tool_response": any(value, &["content"])}),
        ),
        _ => return None,
    };
    Some(form)
}
