//! Hook payloads of any agent: one event each.

mod body;
mod chat;
mod form;
mod origin;

use orrery_types::{SessionFacts, Subagent};
use serde_json::Value;

use crate::draft::{Draft, unreadable};
use crate::json::{any, filled, owned, read, text};
use crate::{Context, Decoded, id, opencode, time};

pub(crate) use form::common;
pub(crate) use origin::agent_of;

/// Reads one hook payload of any agent.
///
/// The agent is told from the payload, since agents run each other's hook files; `agent_hint` decides only what the
/// payload leaves open. Bytes that are no JSON object give one event named `unreadable` and a problem `bad_json`.
pub fn decode(agent_hint: Option<&str>, payload: &[u8], ctx: &Context) -> Decoded {
    let read = match read(payload) {
        Ok(read) if read.value.is_object() => read,
        Ok(_) => return refused(agent_hint, payload, ctx, "the hook payload is JSON, but no object".to_owned()),
        Err(error) => return refused(agent_hint, payload, ctx, format!("the hook payload is no JSON: {error}")),
    };
    let mut decoded = decode_value(agent_hint, None, &read.value, ctx);
    if let Some(repaired) = read.repaired {
        decoded.problems.push(ctx.problem("repaired_json", format!("replaced in the payload: {repaired}"), None));
    }
    decoded
}

fn refused(agent_hint: Option<&str>, payload: &[u8], ctx: &Context, message: String) -> Decoded {
    let event = unreadable(ctx, agent_hint.unwrap_or("unknown"), "unreadable", ctx.delivery_id.clone(), payload);
    Decoded { events: vec![event], problems: vec![ctx.problem("bad_json", message, None)], ..Decoded::default() }
}

/// Reads a payload that is JSON already. `event_name` replaces the payload's own.
pub(crate) fn decode_value(
    agent_hint: Option<&str>,
    event_name: Option<&str>,
    value: &Value,
    ctx: &Context,
) -> Decoded {
    let mut decoded = Decoded::default();
    let agent = agent_of(value, agent_hint);
    let given = value;
    let form = form::common_form(&agent, given);
    let value = form.as_ref().unwrap_or(given);
    let session = match filled(value, &["session_id", "sessionId", "conversation_id", "thread-id", "thread_id"]) {
        Some(session) => session.to_owned(),
        None => {
            decoded.problems.push(ctx.problem("empty_session_id", "the hook payload names no session", None));
            "unknown".to_owned()
        }
    };
    let name = event_name
        .or_else(|| {
            filled(value, &["hook_event_name", "hookEventName", "hook_event_type", "event_name", "event", "type"])
        })
        .or_else(|| filled(value, &[form::KIND]))
        .unwrap_or("unnamed");
    let event_kind = filled(value, &[form::KIND]).map_or_else(|| canonical(name), str::to_owned);
    let draft = Draft {
        ctx,
        at_ms: time::parse(value.get("timestamp")).unwrap_or(ctx.received_ms),
        subagent: subagent_of(value),
        turn_id: owned(value, &["prompt_id", "turn_id", "promptId", "turn-id", "generation_id"]),
        agent,
        session,
    };
    let body = body::of(&event_kind, value, &draft.agent);
    let event_id = id_of(&event_kind, &draft, &body);
    decoded.facts.push(facts_of(&event_kind, value, &draft));
    decoded.events.push(draft.event(event_id, name, body));
    if draft.agent == "opencode" {
        decoded.usage.extend(opencode::usage(given, &draft));
    }
    decoded
}

fn subagent_of(value: &Value) -> Option<Subagent> {
    let id = filled(value, &["agent_id", "agentId", "subagent_id"])?;
    let kind = filled(value, &["agent_type", "agentType", "subagent_type"]).unwrap_or_default();
    Some(Subagent { id: id.to_owned(), kind: kind.to_owned() })
}

fn facts_of(event_kind: &str, value: &Value, draft: &Draft) -> SessionFacts {
    let main = draft.subagent.is_none();
    let moved = if event_kind == "CwdChanged" { owned(value, &["new_cwd"]) } else { None };
    let roots = any(value, &["workspace_roots"]).and_then(|roots| roots.get(0)?.as_str().map(str::to_owned));
    SessionFacts {
        session_id: draft.session.clone(),
        agent: draft.agent.clone(),
        agent_version: owned(value, &["cursor_version", "agent_version"]),
        title: owned(value, &["session_title"]),
        cwd: moved.or_else(|| owned(value, &["cwd", "workspaceRoot"])).or(roots),
        model: if event_kind == "PostModelSwitch" { owned(value, &["to_model"]) } else { owned(value, &["model"]) }
            .filter(|_| main),
        parent: owned(value, &["parent_session_id", "parentSessionId"]),
        demo: draft.ctx.demo,
        ..SessionFacts::default()
    }
}

fn id_of(event_kind: &str, draft: &Draft, body: &orrery_types::Body) -> String {
    use orrery_types::Body;
    let session = &draft.session;
    let own = || draft.ctx.delivery_id.clone();
    match (body, &draft.turn_id, &draft.subagent) {
        (Body::ToolStart { call_id, .. }, ..) if !call_id.is_empty() => id::tool_start(session, call_id),
        (Body::ToolEnd { call_id, .. }, ..) if !call_id.is_empty() => id::tool_end(session, call_id),
        (Body::Prompt { text }, Some(turn), _) if draft.agent == "codex" => id::turn_prompt(session, turn, text),
        (Body::Prompt { .. }, Some(prompt), _) => id::prompt(session, prompt),
        (Body::SubagentStart, _, Some(agent)) => id::subagent_start(session, &agent.id),
        (Body::SubagentStop { .. }, _, Some(agent)) => id::subagent_stop(session, &agent.id),
        (Body::Stop { message }, Some(turn), _) if event_kind == "Stop" && !message.is_empty() => {
            id::stop(session, turn, message)
        }
        _ => own(),
    }
}

/// One spelling for the same event in all agents: `pre_tool_use`, `preToolUse` and `BeforeTool` are `PreToolUse`.
fn canonical(name: &str) -> String {
    let mut words = String::new();
    let mut upper = true;
    for letter in name.chars() {
        if letter == '_' || letter == '-' || letter == ' ' {
            upper = true;
        } else if upper {
            words.extend(letter.to_uppercase());
            upper = false;
        } else {
            words.push(letter);
        }
    }
    let alias = match words.as_str() {
        "BeforeTool" => "PreToolUse",
        "AfterTool" => "PostToolUse",
        "BeforeAgent" | "UserPromptSubmitted" | "BeforeSubmitPrompt" => "UserPromptSubmit",
        "AfterAgent" | "AgentStop" | "AgentTurnComplete" => "Stop",
        "PreCompress" => "PreCompact",
        "ErrorOccurred" => "StopFailure",
        other => other,
    };
    alias.to_owned()
}

/// The text of a payload field that agents spell in two ways.
fn either<'a>(value: &'a Value, snake: &str, camel: &str) -> Option<&'a str> {
    text(value, &[snake, camel])
}

#[cfg(test)]
mod tests;
