//! GitHub Copilot CLI: its hook payloads in both spellings, its session events, and our file in `~/.copilot/hooks`.

use serde_json::{Value, json};

use crate::claude_code::settings::shell_word;
use crate::hook::common;
use crate::json::{any, filled, text};
use crate::outcome::text_of;

/// Names in this spelling give payloads that say which event they are.
const EVENTS: [&str; 12] = [
    "SessionStart",
    "SessionEnd",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "Stop",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PermissionRequest",
    "Notification",
];

/// The whole of `orrery.json`: the file is ours alone.
pub fn file(hook_program: &str) -> String {
    let command = Value::String(format!("{} --agent copilot-cli", shell_word(hook_program)));
    let line = |event: &&str| {
        format!(
            "    \"{event}\": [ {{ \"type\": \"command\", \"bash\": {command}, \"powershell\": {command}, \"timeoutSec\": 5 }} ]"
        )
    };
    let lines: Vec<String> = EVENTS.iter().map(line).collect();
    format!("{{\n  \"version\": 1,\n  \"hooks\": {{\n{}\n  }}\n}}\n", lines.join(",\n"))
}

/// The payload in the common form. `None` when it has that form already.
pub fn common_form(value: &Value) -> Option<Value> {
    if let (Some(name), Some(data)) = (filled(value, &["type"]), any(value, &["data"]).filter(|data| data.is_object()))
    {
        return session_event(name, value, data);
    }
    if filled(value, &["hook_event_name", "hookEventName"]).is_some() {
        return None;
    }
    // Payloads in camelCase do not say which event they are: what they hold does.
    let has = |name: &str| any(value, &[name]).is_some();
    let form = match () {
        () if has("toolResult") => {
            let result = any(value, &["toolResult"]).unwrap_or(&Value::Null);
            let shown = text_of(any(result, &["textResultForLlm", "content"]).unwrap_or(result));
            match filled(result, &["resultType"]) {
                Some("failure" | "denied" | "rejected") => common(value, "PostToolUseFailure", json!({"error": shown})),
                _ => common(value, "PostToolUse", json!({"tool_response": shown})),
            }
        }
        () if has("toolName") && has("error") => common(value, "PostToolUseFailure", json!({})),
        () if has("toolName") && has("permissionSuggestions") => common(value, "PermissionRequest", json!({})),
        () if has("toolName") => common(value, "PreToolUse", json!({})),
        () if has("error") => common(value, "StopFailure", json!({})),
        () if has("notificationType") => common(value, "Notification", json!({})),
        () if has("agentName") || has("agentDisplayName") => {
            let stopped = has("stopReason") || has("response");
            let name = any(value, &["agentName", "agentDisplayName"]);
            common(
                value,
                if stopped { "SubagentStop" } else { "SubagentStart" },
                json!({"agent_id": any(value, &["agentId"]).or(name), "agent_type": name}),
            )
        }
        () if has("stopReason") => common(value, "Stop", json!({})),
        () if has("trigger") => common(value, "PreCompact", json!({})),
        () if has("prompt") => common(value, "UserPromptSubmit", json!({})),
        () if has("source") || has("initialPrompt") => common(value, "SessionStart", json!({})),
        () if has("reason") => common(value, "SessionEnd", json!({})),
        () => return None,
    };
    Some(form)
}

/// A line of its `events.jsonl`.
fn session_event(name: &str, value: &Value, data: &Value) -> Option<Value> {
    let get = |names: &[&str]| any(data, names).cloned().unwrap_or_default();
    let call = json!({"tool_use_id": get(&["toolCallId"]), "tool_name": get(&["toolName", "mcpToolName"]), "tool_input": get(&["arguments"])});
    let with = |more: Value| {
        let mut all = call.clone();
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
            all.extend(more);
        }
        all
    };
    let form = match name {
        "session.start" => common(
            value,
            "SessionStart",
            json!({"session_id": get(&["sessionId"]), "model": get(&["selectedModel"]), "agent_version": get(&["copilotVersion"]),
                "cwd": text(data.get("context").unwrap_or(&Value::Null), &["cwd"])}),
        ),
        "session.error" => {
            common(value, "StopFailure", json!({"error": get(&["errorType"]), "error_details": get(&["message"])}))
        }
        "user.message" => common(value, "UserPromptSubmit", json!({"prompt": get(&["content"])})),
        "assistant.message" => common(value, "AfterAgentResponse", json!({"text": get(&["content"])})),
        "assistant.reasoning" => common(value, "AfterAgentThought", json!({"text": get(&["content"])})),
        "tool.execution_start" => common(value, "PreToolUse", call),
        "tool.execution_complete" if data.get("success") == Some(&Value::Bool(false)) => {
            common(value, "PostToolUseFailure", with(json!({"error": text_of(&get(&["error", "result"]))})))
        }
        "tool.execution_complete" => common(value, "PostToolUse", with(json!({"tool_response": get(&["result"])}))),
        _ => {
            let summary =
                filled(data, &["message", "newModel", "hookType", "toolName", "infoType", "content", "reason"]);
            common(value, "", json!({ "summary": summary }))
        }
    };
    Some(form)
}
