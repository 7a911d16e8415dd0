//! opencode: the events that our plugin posts, and the plugin.

use orrery_types::{RequestUsage, Tokens};
use serde_json::{Value, json};

use crate::draft::Draft;
use crate::hook::common;
use crate::json::{any, count, filled, owned, text};
use crate::outcome::text_of;

/// The plugin, with a place for the hook program's path as a JavaScript string.
const PLUGIN: &str = include_str!("plugin.js");

/// The whole of `orrery.js`: the file is ours alone.
pub fn file(hook_program: &str) -> String {
    PLUGIN.replace("\"HOOK_PROGRAM\"", &Value::String(hook_program.to_owned()).to_string())
}

/// Whether a payload is one of the plugin's.
pub fn is_ours(value: &Value) -> bool {
    value.get("properties").is_some_and(Value::is_object)
        && text(value, &["type"]).is_some_and(|name| name.contains('.'))
}

/// The payload in the common form. `None` for events without a shape of their own.
pub fn common_form(value: &Value) -> Option<Value> {
    let event = value.get("properties")?;
    let name = text(value, &["type"])?;
    let info = any(event, &["info"]).unwrap_or(&Value::Null);
    let part = any(event, &["part"]).unwrap_or(&Value::Null);
    let get = |names: &[&str]| any(event, names).cloned().unwrap_or_default();
    let call = json!({"tool_name": get(&["tool"]), "tool_use_id": get(&["callID"]), "tool_input": get(&["args"])});
    let form = match name {
        "session.created" => common(value, "SessionStart", json!({"source": "startup"})),
        "session.updated" => {
            common(value, "", json!({"session_title": filled(info, &["title"]), "summary": filled(info, &["title"])}))
        }
        "session.deleted" => common(value, "SessionEnd", json!({"reason": "deleted"})),
        "session.idle" => common(value, "Stop", json!({})),
        "session.error" => {
            let error = get(&["error"]);
            let details = any(&error, &["data"]).map(text_of);
            if filled(&error, &["name"]) == Some("MessageAbortedError") {
                common(value, "Interrupt", json!({}))
            } else {
                common(value, "StopFailure", json!({"error": error, "error_details": details}))
            }
        }
        "session.compacted" => common(value, "PostCompact", json!({})),
        "chat.message" => {
            common(value, "UserPromptSubmit", json!({"prompt": get(&["text"]), "prompt_id": get(&["messageID"])}))
        }
        "tool.execute.before" => common(value, "PreToolUse", call),
        "tool.execute.after" => {
            let mut call = call;
            call["tool_response"] = json!({"output": get(&["output"]), "metadata": {"exit_code": exit_code(event)}});
            common(value, "PostToolUse", call)
        }
        "message.part.updated" if filled(part, &["type"]) == Some("tool") => tool_part(value, part)?,
        "message.part.updated"
            if filled(part, &["type"]) == Some("text")
                && part.get("time").is_some_and(|time| time.get("end").is_some()) =>
        {
            common(value, "AfterAgentResponse", json!({"text": any(part, &["text"])}))
        }
        "message.updated" => {
            let summary = format!(
                "{} {}",
                filled(info, &["role"]).unwrap_or_default(),
                filled(info, &["modelID"]).unwrap_or_default()
            );
            common(value, "", json!({"summary": summary.trim(), "model": filled(info, &["modelID"])}))
        }
        "permission.asked" | "permission.updated" => common(
            value,
            "PermissionRequest",
            json!({"tool_name": get(&["permission", "type"]), "tool_input": any(event, &["metadata", "patterns", "pattern"]),
                "message": get(&["title"])}),
        ),
        "file.edited" => common(value, "", json!({"summary": get(&["file"])})),
        _ => common(value, "", json!({"summary": filled(event, &["status", "message", "name", "file"])})),
    };
    Some(with_session(form, event, info, part))
}

/// A call that ended in an error has no `tool.execute.after`; its part says so.
fn tool_part(value: &Value, part: &Value) -> Option<Value> {
    let state = part.get("state")?;
    let call = json!({"tool_name": any(part, &["tool"]), "tool_use_id": any(part, &["callID"]), "tool_input": any(state, &["input"])});
    let mut call = call;
    match filled(state, &["status"])? {
        "error" => {
            call["error"] = json!(any(state, &["error"]).map(text_of));
            Some(common(value, "PostToolUseFailure", call))
        }
        _ => None,
    }
}

fn with_session(mut form: Value, event: &Value, info: &Value, part: &Value) -> Value {
    let named =
        filled(event, &["sessionID"]).or_else(|| filled(info, &["sessionID"])).or_else(|| filled(part, &["sessionID"]));
    // Events of a session carry the session itself.
    if let Some(session) = named.or_else(|| filled(info, &["id"])) {
        form["session_id"] = json!(session);
    }
    if let Some(parent) = filled(info, &["parentID"]).filter(|_| named.is_none()) {
        form["parent_session_id"] = json!(parent);
    }
    form
}

fn exit_code(event: &Value) -> Value {
    any(event.get("metadata").unwrap_or(&Value::Null), &["exit", "exitCode"]).cloned().unwrap_or_default()
}

/// The billed tokens of an assistant's message that is complete. A cost of nothing is a subscription's, not a price.
pub(crate) fn usage(value: &Value, draft: &Draft) -> Option<RequestUsage> {
    let info = value.get("properties")?.get("info")?;
    if filled(info, &["role"]) != Some("assistant") || any(info.get("time")?, &["completed"]).is_none() {
        return None;
    }
    let tokens = info.get("tokens")?;
    let cache = any(tokens, &["cache"]).unwrap_or(&Value::Null);
    let reasoning = count(tokens, "reasoning").unwrap_or(0);
    let tokens = Tokens {
        input: count(tokens, "input").unwrap_or(0),
        output: count(tokens, "output").unwrap_or(0).saturating_add(reasoning),
        cache_read: count(cache, "read").unwrap_or(0),
        cache_write: count(cache, "write").unwrap_or(0),
        cache_write_1h: 0,
        reasoning,
    };
    let cost = any(info, &["cost"]).and_then(crate::json::number).filter(|usd| *usd > 0.0);
    if tokens.total() == 0 && cost.is_none() {
        return None;
    }
    let message = filled(info, &["id"]).map_or_else(|| draft.ctx.delivery_id.clone(), str::to_owned);
    Some(RequestUsage {
        key: format!("opencode:{message}"),
        request_id: None,
        session_id: draft.session.clone(),
        agent: draft.agent.clone(),
        subagent: None,
        model: owned(info, &["modelID"]),
        at_ms: draft.at_ms,
        tokens,
        web_searches: 0,
        fast: false,
        geo: None,
        tier: None,
        reported_usd_micros: cost.map(|usd| (usd * 1e6).round() as i64),
        sidechain: false,
        source: draft.ctx.source,
        place: Some(draft.ctx.place.clone()),
        demo: draft.ctx.demo,
    })
}
