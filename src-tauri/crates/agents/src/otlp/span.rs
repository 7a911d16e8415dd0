//! Spans of the GenAI conventions, and of anybody else.

use orrery_types::{Body, RequestUsage, Tokens};
use serde_json::Value;

use super::{At, attributes_line, parsed};
use crate::json::{any, filled, first_line, one_line};
use crate::outcome::of_response;
use crate::tool::{class_of, clip_input, target_of};
use crate::{Decoded, id};

/// A model's request and a tool's call are told as such; every other span is told by its name and length.
pub(super) fn of(at: &At) -> Decoded {
    let operation = at.get(&["gen_ai.operation.name"]).unwrap_or_default();
    let mut decoded = match operation {
        "execute_tool" => call(at),
        // Spans of whole agents repeat the sums of the requests below them.
        "invoke_agent" | "create_agent" | "invoke_workflow" => generic(at),
        _ => match request(at) {
            Some(usage) => Decoded { usage: vec![usage], ..generic(at) },
            None => generic(at),
        },
    };
    if at.record.names_session() {
        let mut facts = at.facts();
        facts.title = at.get(&["gen_ai.conversation.name"]).map(|title| one_line(title, 200));
        decoded.facts.push(facts);
    }
    decoded
}

/// The span under its own name: how long it took, what went wrong, its first attributes.
pub(super) fn generic(at: &At) -> Decoded {
    let span = at.record;
    let wrong = if failed(&span.body) { filled(&span.body, &["message"]).unwrap_or("failed") } else { "" };
    let parts = [format!("{} ms", span.duration_ms()), wrong.to_owned(), attributes_line(&span.attributes)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    at.other(if span.name.is_empty() { "span" } else { &span.name }, Some(&parts.join(", ")))
}

/// The request's tokens. `input_tokens` holds what was read from and written to the cache.
fn request(at: &At) -> Option<RequestUsage> {
    let first = |names: &[&str]| names.iter().find_map(|name| at.count(name)).unwrap_or(0);
    let read = first(&["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"]);
    let written = first(&["gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"]);
    let input = first(&["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"]);
    let tokens = Tokens {
        input: input.saturating_sub(read).saturating_sub(written),
        output: first(&["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"]),
        cache_read: read,
        cache_write: written,
        cache_write_1h: 0,
        reasoning: first(&["gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"]),
    };
    if tokens.total() == 0 {
        return None;
    }
    let key = match at.get(&["gen_ai.response.id"]) {
        Some(response) => format!("response:{response}"),
        None => format!("otel:{}", at.record.id(at.signal, "request")),
    };
    let base = at.request(key);
    let model = at.get(&["gen_ai.response.model", "gen_ai.request.model", "model"]).map(str::to_owned);
    Some(RequestUsage { tokens, model, ..base })
}

fn call(at: &At) -> Decoded {
    let span = at.record;
    let name = if span.name.is_empty() { "execute_tool" } else { &span.name };
    let session = span.session();
    let named = at.get(&["gen_ai.tool.name"]).or_else(|| span.name.strip_prefix("execute_tool "));
    let tool = one_line(named.unwrap_or(name), 200);
    let call_id = at.get(&["gen_ai.tool.call.id"]).unwrap_or(&span.span_id).to_owned();
    let input = parsed(any(&span.attributes, &["gen_ai.tool.call.arguments", "gen_ai.tool.input"]));
    let response = parsed(any(&span.attributes, &["gen_ai.tool.call.result", "gen_ai.tool.output"]));
    let outcome = of_response(&response);
    let ok = outcome.ok && !failed(&span.body);
    let wrong = filled(&span.body, &["message"]).or_else(|| at.get(&["error.type"]));
    let error = outcome.error.or_else(|| wrong.map(|text| first_line(text, 200)));
    let target = target_of(&tool, &input);
    let (class, clipped) = (class_of(&tool), clip_input(&input));
    let mut draft = at.draft();
    let end_ms = draft.at_ms;
    let end = Body::ToolEnd {
        call_id: call_id.clone(),
        tool: tool.clone(),
        class,
        target: target.clone(),
        ok,
        error: if ok { None } else { Some(error.unwrap_or_else(|| "failed".to_owned())) },
        exit_code: outcome.exit_code,
        duration_ms: Some(span.duration_ms()),
        output: outcome.output,
        lines_added: None,
        lines_removed: None,
        input: Value::Null,
    };
    draft.at_ms = span.start_ms().unwrap_or(end_ms);
    let start = Body::ToolStart { call_id: call_id.clone(), tool, class, target, input: clipped };
    let start = draft.event(id::tool_start(&session, &call_id), name, start);
    draft.at_ms = end_ms;
    let end = draft.event(id::tool_end(&session, &call_id), name, end);
    Decoded { events: vec![start, end], ..Decoded::default() }
}

/// Status code 2, as a number or by name.
fn failed(status: &Value) -> bool {
    match status.get("code") {
        Some(Value::Number(code)) => code.as_u64() == Some(2),
        Some(Value::String(code)) => code == "STATUS_CODE_ERROR" || code == "2",
        _ => false,
    }
}
