//! Gemini CLI's log events.

use orrery_types::{Body, RequestUsage, Tokens, clip};
use serde_json::Value;

use super::{At, parsed};
use crate::Decoded;
use crate::json::{any, first_line, one_line};
use crate::tool::{class_of, clip_input, target_of};

const TEXT_BYTES: usize = 16 * 1024;

pub(super) fn log(at: &At) -> Decoded {
    let name = at.record.log_name();
    match name.as_str() {
        "gemini_cli.user_prompt" => match at.told("prompt") {
            Some(text) => at.own(&name, Body::Prompt { text: clip(text, TEXT_BYTES) }),
            None => at.other(&name, Some(&format!("{} characters", at.count("prompt_length").unwrap_or(0)))),
        },
        "gemini_cli.api_response" => response(at, &name),
        "gemini_cli.api_error" => {
            let details = at.get(&["error", "error.message"]).unwrap_or_default();
            let error = at.get(&["error_type", "error.type"]).unwrap_or("api_error");
            at.own(&name, Body::Failure { error: first_line(error, 200), details: clip(details, TEXT_BYTES) })
        }
        "gemini_cli.tool_call" => call(at, &name),
        _ => at.other(&name, None),
    }
}

/// `cached` is part of `input`; `thoughts` are billed as output beside it.
fn response(at: &At, name: &str) -> Decoded {
    let count = |name: &str| at.count(name).unwrap_or(0);
    let (cached, thoughts) = (count("cached_content_token_count"), count("thoughts_token_count"));
    let tokens = Tokens {
        input: count("input_token_count").saturating_sub(cached),
        output: count("output_token_count").saturating_add(thoughts),
        cache_read: cached,
        reasoning: thoughts,
        ..Tokens::default()
    };
    if tokens.total() == 0 {
        return at.other(name, None);
    }
    let key = match at.get(&["response_id", "gen_ai.response.id"]) {
        Some(response) => format!("gemini:{response}"),
        None => format!("otel:{}", at.record.id(at.signal, "response")),
    };
    Decoded { usage: vec![RequestUsage { tokens, ..at.request(key) }], ..Decoded::default() }
}

fn call(at: &At, name: &str) -> Decoded {
    let tool = one_line(at.get(&["function_name"]).unwrap_or_default(), 200);
    let input: Value = parsed(any(&at.record.attributes, &["function_args"]));
    let ok = at.flag("success").unwrap_or(true);
    let error = at.get(&["error", "error_type", "decision"]).map(|error| first_line(error, 200));
    let body = Body::ToolEnd {
        call_id: at.get(&["call_id"]).unwrap_or_default().to_owned(),
        class: class_of(&tool),
        target: target_of(&tool, &input),
        tool,
        ok,
        error: if ok { None } else { Some(error.unwrap_or_else(|| "failed".to_owned())) },
        exit_code: None,
        duration_ms: at.whole("duration_ms"),
        output: String::new(),
        lines_added: None,
        lines_removed: None,
        input: clip_input(&input),
    };
    at.own(name, body)
}
