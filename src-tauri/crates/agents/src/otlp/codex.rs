//! Codex's log events. They name no response: their token counts only stand in for a rollout's.

use orrery_types::{Body, RequestUsage, StandIn, Tokens, clip};
use serde_json::Value;

use super::{At, parsed};
use crate::json::{any, first_line, one_line};
use crate::outcome::of_codex;
use crate::tool::{class_of, clip_input, target_of};
use crate::{Decoded, id};

const TEXT_BYTES: usize = 16 * 1024;

pub(super) fn log(at: &At) -> Decoded {
    let name = at.record.log_name();
    let mut decoded = match name.as_str() {
        "codex.user_prompt" => match at.told("prompt") {
            Some(text) => at.own(&name, Body::Prompt { text: clip(text, TEXT_BYTES) }),
            None => at.other(&name, Some(&format!("{} characters", at.count("prompt_length").unwrap_or(0)))),
        },
        "codex.sse_event" if at.get(&["event.kind"]) == Some("response.completed") => completed(at, &name),
        "codex.tool_decision" => decision(at, &name),
        "codex.tool_result" => result(at, &name),
        "codex.api_request" | "codex.websocket_request" if at.flag("success") == Some(false) => {
            let error = at.get(&["error.message"]).unwrap_or("the request failed");
            at.other(&name, Some(error))
        }
        _ => at.other(&name, None),
    };
    let mut facts = at.facts();
    facts.model = at.get(&["model", "slug"]).map(|model| one_line(model, 120));
    decoded.facts.push(facts);
    decoded
}

fn completed(at: &At, name: &str) -> Decoded {
    let count = |name: &str| at.count(name).unwrap_or(0);
    let (read, written) = (count("cached_token_count"), count("cache_write_token_count"));
    let tokens = Tokens {
        input: count("input_token_count").saturating_sub(read).saturating_sub(written),
        output: count("output_token_count"),
        cache_read: read,
        cache_write: written,
        cache_write_1h: 0,
        reasoning: count("reasoning_token_count"),
    };
    if tokens.total() == 0 {
        return at.other(name, None);
    }
    let what = at.record.id(at.signal, "response");
    let key = RequestUsage::stand_in_key(StandIn::Counted, &at.record.session(), &what);
    Decoded { usage: vec![RequestUsage { tokens, ..at.request(key) }], ..Decoded::default() }
}

struct Call {
    id: String,
    tool: String,
    target: String,
    input: Value,
}

fn call(at: &At) -> Option<Call> {
    let id = at.get(&["call_id"])?.to_owned();
    let tool = one_line(at.get(&["tool_name"]).unwrap_or_default(), 200);
    let input = parsed(any(&at.record.attributes, &["arguments"]));
    Some(Call { id, target: target_of(&tool, &input), input: clip_input(&input), tool })
}

fn decision(at: &At, name: &str) -> Decoded {
    let Some(Call { id: call_id, tool, target, input }) = call(at) else { return at.other(name, None) };
    let decision = at.get(&["decision"]).unwrap_or_default();
    if decision.starts_with("denied") || decision.starts_with("abort") {
        let reason = format!("{decision} {}", at.get(&["source"]).unwrap_or_default());
        return at.own(name, Body::PermissionDenied { call_id, tool, target, reason });
    }
    let body = Body::ToolStart { call_id: call_id.clone(), class: class_of(&tool), tool, target, input };
    at.one(id::tool_start(&at.record.session(), &call_id), name, body)
}

fn result(at: &At, name: &str) -> Decoded {
    let Some(Call { id: call_id, tool, target, input }) = call(at) else { return at.other(name, None) };
    let outcome = of_codex(any(&at.record.attributes, &["output"]).unwrap_or(&Value::Null));
    let ok = at.flag("success").unwrap_or(outcome.ok);
    let error = outcome.error.or_else(|| Some(first_line(&outcome.output, 200)).filter(|line| !line.is_empty()));
    let body = Body::ToolEnd {
        call_id: call_id.clone(),
        class: class_of(&tool),
        tool,
        target,
        ok,
        error: if ok { None } else { Some(error.unwrap_or_else(|| "failed".to_owned())) },
        exit_code: outcome.exit_code,
        duration_ms: at.whole("duration_ms"),
        output: outcome.output,
        lines_added: None,
        lines_removed: None,
        input,
    };
    at.one(id::tool_end(&at.record.session(), &call_id), name, body)
}
