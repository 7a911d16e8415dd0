//! Cursor: its hook payloads, and our entries in `~/.cursor/hooks.json`.
//!
//! Its `before...` steps ask for permission and expect an object on stdout, so our command prints an empty one: no opinion.

use serde_json::{Value, json};

use crate::claude_code::settings::shell_word;
use crate::hook::common;
use crate::install::Hook;
use crate::json::{any, filled, text};

/// First entry of a hooks file that we make, and its value as JSON.
pub const HEAD: (&str, &str) = ("version", "1");

/// The generic tool events tell of shell, MCP and file steps too: their own events would report each step twice.
const EVENTS: [&str; 12] = [
    "sessionStart",
    "sessionEnd",
    "beforeSubmitPrompt",
    "preToolUse",
    "postToolUse",
    "postToolUseFailure",
    "afterAgentResponse",
    "afterAgentThought",
    "preCompact",
    "subagentStart",
    "subagentStop",
    "stop",
];

pub fn hooks(hook_program: &str) -> Vec<Hook> {
    let command = Value::String(format!("{} --agent cursor; echo '{{}}'", shell_word(hook_program)));
    EVENTS.iter().map(|event| Hook::flat(event, format!("{{ \"command\": {command}, \"timeout\": 5 }}"))).collect()
}

/// The payload in the common form. `None` when it has that form already.
pub fn common_form(value: &Value) -> Option<Value> {
    let name = text(value, &["hook_event_name"])?;
    let get = |name: &str| any(value, &[name]).cloned().unwrap_or_default();
    let form = match name {
        "beforeShellExecution" => {
            common(value, "PreToolUse", json!({"tool_name": "Shell", "tool_input": {"command": get("command")}}))
        }
        "afterShellExecution" => common(
            value,
            "PostToolUse",
            json!({"tool_name": "Shell", "tool_input": {"command": get("command")}, "tool_response": {"output": get("output")}}),
        ),
        "beforeMCPExecution" => common(value, "PreToolUse", json!({})),
        "afterMCPExecution" => common(value, "PostToolUse", json!({"tool_response": get("result_json")})),
        "beforeReadFile" => {
            common(value, "PreToolUse", json!({"tool_name": "Read", "tool_input": {"file_path": get("file_path")}}))
        }
        "afterFileEdit" => common(
            value,
            "PostToolUse",
            json!({"tool_name": "Edit", "tool_input": {"file_path": get("file_path")},
                "tool_response": {"structuredPatch": [{"lines": edited_lines(value)}]}}),
        ),
        "postToolUse" => common(value, "PostToolUse", json!({"tool_response": unwrapped(&get("tool_output"))})),
        "stop" | "subagentStop" if filled(value, &["status"]) == Some("error") && name == "stop" => {
            common(value, "StopFailure", json!({"error": any(value, &["error_message", "status"])}))
        }
        "stop" if filled(value, &["status"]) == Some("aborted") => common(value, "Interrupt", json!({})),
        "subagentStart" | "subagentStop" => {
            // Older versions name only the type: then the type stands for the one subagent of that kind.
            let id = filled(value, &["subagent_id", "tool_call_id", "subagent_type"]);
            common(
                value,
                if name == "subagentStart" { "SubagentStart" } else { "SubagentStop" },
                json!({"agent_id": id, "agent_type": get("subagent_type"), "last_assistant_message": get("summary")}),
            )
        }
        _ => return None,
    };
    Some(form)
}

/// Cursor writes results as JSON text.
fn unwrapped(value: &Value) -> Value {
    let parsed =
        value.as_str().filter(|text| text.starts_with(['{', '['])).and_then(|text| serde_json::from_str(text).ok());
    parsed.unwrap_or_else(|| value.clone())
}

/// Lines taken out and put in, marked as in a diff.
fn edited_lines(value: &Value) -> Vec<String> {
    let edits = any(value, &["edits"]).and_then(Value::as_array).into_iter().flatten();
    edits
        .flat_map(|edit| {
            let marked = |name: &str, mark: char| -> Vec<String> {
                text(edit, &[name]).unwrap_or_default().lines().map(|line| format!("{mark}{line}")).collect()
            };
            [marked("old_string", '-'), marked("new_string", '+')].concat()
        })
        .collect()
}
