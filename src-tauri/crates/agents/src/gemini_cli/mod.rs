//! Gemini CLI: its hook payloads, and our entries in `~/.gemini/settings.json`.

use serde_json::{Value, json};

use crate::claude_code::settings::shell_word;
use crate::hook::common;
use crate::install::Hook;
use crate::json::{any, filled, text};
use crate::outcome::text_of;

/// First entry of a settings file that we make, and its value as JSON.
pub const HEAD: (&str, &str) =
    ("$schema", "\"https://raw.githubusercontent.com/google-gemini/gemini-cli/main/schemas/settings.schema.json\"");

/// Not `BeforeModel`, `AfterModel` and `BeforeToolSelection`: they run for every piece of a streamed answer.
const EVENTS: [&str; 8] = [
    "SessionStart",
    "SessionEnd",
    "BeforeAgent",
    "AfterAgent",
    "BeforeTool",
    "AfterTool",
    "Notification",
    "PreCompress",
];

/// Its timeouts are milliseconds.
pub fn hooks(hook_program: &str) -> Vec<Hook> {
    let command = Value::String(format!("{} --agent gemini-cli", shell_word(hook_program)));
    let handler = format!("{{ \"type\": \"command\", \"command\": {command}, \"timeout\": 5000 }}");
    EVENTS.iter().map(|event| Hook::nested(event, handler.clone())).collect()
}

/// The payload in the common form. `None` when it has that form already.
pub fn common_form(value: &Value) -> Option<Value> {
    let form = match text(value, &["hook_event_name"])? {
        "AfterAgent" => common(value, "Stop", json!({"last_assistant_message": any(value, &["prompt_response"])})),
        "AfterTool" => {
            let response = any(value, &["tool_response"]).unwrap_or(&Value::Null);
            match any(response, &["error"]) {
                Some(error) => common(value, "PostToolUseFailure", json!({"error": text_of(error)})),
                None => {
                    let shown = any(response, &["llmContent", "returnDisplay"]).unwrap_or(response);
                    common(value, "PostToolUse", json!({"tool_response": shown}))
                }
            }
        }
        "Notification" if filled(value, &["notification_type"]) == Some("ToolPermission") => {
            common(value, "Notification", json!({"notification_type": "permission_prompt"}))
        }
        "BeforeModel" | "AfterModel" | "BeforeToolSelection" => {
            let request = value.get("llm_request").unwrap_or(&Value::Null);
            common(value, "", json!({"summary": filled(request, &["model"])}))
        }
        _ => return None,
    };
    Some(form)
}
