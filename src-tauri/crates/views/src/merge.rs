//! One fact from two sources is one event.

use orrery_types::{Body, Event, Source, Sources};
use serde_json::Value;

/// What `existing` becomes when `incoming` (same id) arrives from another report. `None` when nothing new is in it.
///
/// The better source's words win and the other fills what is empty, whichever came first. Number, session and times
/// stay those of the first report, so that rows folded from it stay true. A copy of the event in another session (a
/// resumed or forked transcript repeats lines) adds nothing.
pub fn merge(existing: &Event, incoming: &Event) -> Option<Event> {
    if existing.session_id != incoming.session_id {
        return None;
    }
    let (better, other) =
        if rank(incoming.sources) < rank(existing.sources) { (incoming, existing) } else { (existing, incoming) };
    let merged = Event {
        seq: existing.seq,
        id: existing.id.clone(),
        session_id: existing.session_id.clone(),
        agent: existing.agent.clone(),
        name: better.name.clone(),
        at_ms: existing.at_ms,
        received_ms: existing.received_ms,
        subagent: better.subagent.clone().or_else(|| other.subagent.clone()),
        turn_id: better.turn_id.clone().or_else(|| other.turn_id.clone()),
        sources: existing.sources.with(incoming.sources),
        body: merge_body(&better.body, &other.body),
        demo: existing.demo,
    };
    (merged != *existing).then_some(merged)
}

/// Lower is better: a hook measured what a transcript only tells.
fn rank(sources: Sources) -> u8 {
    [Source::Hook, Source::Sender, Source::Otel, Source::Transcript, Source::Orrery]
        .into_iter()
        .position(|source| sources.has(source))
        .map_or(u8::MAX, |place| place as u8)
}

fn merge_body(better: &Body, other: &Body) -> Body {
    match (better, other) {
        (
            Body::ToolStart { call_id, tool, class, target, input },
            Body::ToolStart { tool: other_tool, class: other_class, target: other_target, input: other_input, .. },
        ) => Body::ToolStart {
            call_id: call_id.clone(),
            class: if is_nameless(tool) { *other_class } else { *class },
            tool: tool_name(tool, other_tool),
            target: text(target, other_target),
            input: value(input, other_input),
        },
        (
            Body::ToolEnd {
                call_id,
                tool,
                class,
                target,
                ok,
                error,
                exit_code,
                duration_ms,
                output,
                lines_added,
                lines_removed,
                input,
            },
            Body::ToolEnd {
                tool: other_tool,
                class: other_class,
                target: other_target,
                ok: other_ok,
                error: other_error,
                exit_code: other_exit_code,
                duration_ms: other_duration_ms,
                output: other_output,
                lines_added: other_added,
                lines_removed: other_removed,
                input: other_input,
                ..
            },
        ) => Body::ToolEnd {
            call_id: call_id.clone(),
            // A result line names no tool; then the other report's class is the true one as well.
            class: if is_nameless(tool) { *other_class } else { *class },
            tool: tool_name(tool, other_tool),
            target: text(target, other_target),
            ok: *ok && *other_ok,
            error: error.clone().or_else(|| other_error.clone()),
            exit_code: exit_code.or(*other_exit_code),
            duration_ms: duration_ms.or(*other_duration_ms),
            output: text(output, other_output),
            lines_added: lines_added.or(*other_added),
            lines_removed: lines_removed.or(*other_removed),
            input: value(input, other_input),
        },
        (Body::Question { question, answer }, Body::Question { answer: other_answer, .. }) => {
            Body::Question { question: question.clone(), answer: newer_answer(answer, other_answer) }
        }
        (Body::Prompt { text: a }, Body::Prompt { text: b }) => Body::Prompt { text: text(a, b) },
        (Body::SubagentStop { message: a }, Body::SubagentStop { message: b }) => {
            Body::SubagentStop { message: text(a, b) }
        }
        (Body::Stop { message: a }, Body::Stop { message: b }) => Body::Stop { message: text(a, b) },
        (Body::SessionStart { reason, model }, Body::SessionStart { reason: other_reason, model: other_model }) => {
            Body::SessionStart {
                reason: text(reason, other_reason),
                model: model.clone().or_else(|| other_model.clone()),
            }
        }
        (Body::Other { .. }, other) => other.clone(),
        (better, _) => better.clone(),
    }
}

/// Telemetry names no tools of MCP servers unless it is told to.
fn is_nameless(tool: &str) -> bool {
    matches!(tool, "" | "mcp_tool")
}

fn tool_name(better: &str, other: &str) -> String {
    if is_nameless(better) && !other.is_empty() { other.to_owned() } else { better.to_owned() }
}

fn text(better: &str, other: &str) -> String {
    if better.is_empty() { other.to_owned() } else { better.to_owned() }
}

fn value(better: &Value, other: &Value) -> Value {
    if better.is_null() { other.clone() } else { better.clone() }
}

/// An answer is written once and its delivery later: the later report of the two stands.
fn newer_answer(a: &Option<orrery_types::Answer>, b: &Option<orrery_types::Answer>) -> Option<orrery_types::Answer> {
    match (a, b) {
        (Some(a), Some(b)) if (b.at_ms, b.delivered) > (a.at_ms, a.delivered) => Some(b.clone()),
        (Some(a), _) => Some(a.clone()),
        (None, b) => b.clone(),
    }
}
