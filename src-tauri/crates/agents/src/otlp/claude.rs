//! Claude Code's log events and spans, meeting what its hooks and transcript say.

use orrery_types::{Body, RequestUsage, Tokens, clip};
use serde_json::Value;

use super::{At, parsed, span};
use crate::json::{any, first_line, one_line};
use crate::tool::{class_of, clip_input, target_of};
use crate::{Decoded, id};

const TEXT_BYTES: usize = 16 * 1024;

/// A log event. The requests go into the ledger; the rest becomes what hooks report, or is shown under its own name.
pub(super) fn log(at: &At) -> Decoded {
    let name = at.record.log_name();
    let name = name.strip_prefix("claude_code.").unwrap_or(&name);
    let mut decoded = match name {
        "user_prompt" => prompt(at, name),
        "assistant_response" => response(at, name),
        "api_request" => request(at, at.get(&["query_source"])),
        "api_error" => {
            let status = at.whole("status_code").map(|code| code.to_string());
            let error = at.get(&["error"]).unwrap_or("api_error");
            let body = Body::Failure {
                error: match status {
                    Some(status) if !error.starts_with(&status) => format!("{status} {}", first_line(error, 200)),
                    _ => first_line(error, 200),
                },
                details: clip(error, TEXT_BYTES),
            };
            at.own(name, body)
        }
        "tool_decision" => decision(at, name),
        "tool_result" => result(at, name),
        "compaction" => at.own(
            name,
            Body::Compact {
                trigger: at.get(&["trigger"]).unwrap_or_default().to_owned(),
                done: true,
                tokens_before: at.count("pre_tokens"),
                tokens_after: at.count("post_tokens"),
            },
        ),
        "subagent_completed" => {
            let kind = at.get(&["agent_type"]).unwrap_or("subagent");
            let (tools, ms) = (at.count("total_tool_uses").unwrap_or(0), at.count("duration_ms").unwrap_or(0));
            at.other(name, Some(&format!("{kind} is done after {tools} tool calls and {} s", ms / 1000)))
        }
        "permission_mode_changed" => {
            let get = |attribute: &str| at.get(&[attribute]).unwrap_or("?");
            at.other(name, Some(&format!("{} to {}", get("from_mode"), get("to_mode"))))
        }
        _ => at.other(name, None),
    };
    if at.record.names_session() {
        decoded.facts.push(at.facts());
    }
    decoded
}

/// A span of the beta tracing.
pub(super) fn span(at: &At) -> Decoded {
    match at.record.name.as_str() {
        "claude_code.llm_request" if at.get(&["request_id"]).is_some() && at.flag("success") != Some(false) => {
            let decoded = request(at, at.get(&["query_source"]));
            if decoded.usage.is_empty() { span::generic(at) } else { decoded }
        }
        "claude_code.tool" => match call(at) {
            Some((call_id, tool, target)) => {
                let mut decoded = started(at, "tool", &call_id, &tool, &target, Value::Null);
                for event in &mut decoded.events {
                    event.at_ms = at.record.start_ms().unwrap_or(event.at_ms);
                }
                decoded
            }
            None => span::generic(at),
        },
        "claude_code.tool.execution" if at.get(&["tool_use_id"]).is_some() => result(at, "tool.execution"),
        _ => span::generic(at),
    }
}

fn prompt(at: &At, name: &str) -> Decoded {
    let session = at.record.session();
    let text = clip(at.told("prompt").unwrap_or_default(), TEXT_BYTES);
    match at.get(&["prompt.id"]) {
        Some(prompt_id) => at.one(id::prompt(&session, prompt_id), name, Body::Prompt { text }),
        None if !text.is_empty() => at.own(name, Body::Prompt { text }),
        None => at.other(name, Some(&format!("{} characters", at.count("prompt_length").unwrap_or(0)))),
    }
}

fn response(at: &At, name: &str) -> Decoded {
    let Some(text) = at.told("response") else {
        return at.other(name, Some(&format!("{} characters", at.count("response_length").unwrap_or(0))));
    };
    let model = at.get(&["model"]).map(plain_model);
    let body = Body::Message { text: clip(text, TEXT_BYTES), model };
    match at.get(&["message.uuid"]) {
        // The transcript's line of that uuid reports the same text.
        Some(uuid) => at.one(id::line(uuid, 0), name, body),
        None => at.own(name, body),
    }
}

/// The ledger row: under the request's id, on which the transcript's row meets it.
fn request(at: &At, query_source: Option<&str>) -> Decoded {
    let count = |name: &str| at.count(name).unwrap_or(0);
    let tokens = Tokens {
        input: count("input_tokens"),
        output: count("output_tokens"),
        cache_read: count("cache_read_tokens"),
        cache_write: count("cache_creation_tokens"),
        ..Tokens::default()
    };
    let micros = at.whole("cost_usd_micros").or_else(|| {
        let usd = any(&at.record.attributes, &["cost_usd"]).and_then(crate::json::number)?;
        Some((usd * 1e6).round() as i64)
    });
    if tokens.total() == 0 && micros.is_none() {
        return at.other("api_request", None);
    }
    let request_id = at.get(&["request_id"]).map(str::to_owned);
    let key = match &request_id {
        Some(request_id) => RequestUsage::by_request_id(request_id),
        None => format!("otel:{}", at.record.id(at.signal, "request")),
    };
    let base = at.request(key);
    let usage = RequestUsage {
        request_id,
        subagent: base.subagent.clone().or_else(|| query_source.and_then(helper)),
        model: base.model.as_deref().map(plain_model),
        tokens,
        reported_usd_micros: micros,
        ..base
    };
    Decoded { usage: vec![usage], ..Decoded::default() }
}

/// Requests of helpers are not the main thread's: their model and prompt size say nothing of the session's.
fn helper(query_source: &str) -> Option<String> {
    let main = query_source.starts_with("repl_main_thread") || matches!(query_source, "sdk" | "main" | "print");
    (!main).then(|| one_line(query_source, 80))
}

fn plain_model(model: &str) -> String {
    model.split('[').next().unwrap_or(model).to_owned()
}

/// The call's id, tool and target.
fn call(at: &At) -> Option<(String, String, String)> {
    let call_id = at.get(&["tool_use_id", "gen_ai.tool.call.id"])?.to_owned();
    let tool = one_line(at.get(&["tool_name"]).unwrap_or_default(), 200);
    let target = target_of(&tool, &input(at));
    Some((call_id, tool, target))
}

/// The tool's input, where the agent was told to send it.
fn input(at: &At) -> Value {
    let told = any(&at.record.attributes, &["tool_input", "tool_parameters"]);
    clip_input(&parsed(told))
}

fn started(at: &At, name: &str, call_id: &str, tool: &str, target: &str, input: Value) -> Decoded {
    let body = Body::ToolStart {
        call_id: call_id.to_owned(),
        tool: tool.to_owned(),
        class: class_of(tool),
        target: target.to_owned(),
        input,
    };
    at.one(id::tool_start(&at.record.session(), call_id), name, body)
}

fn decision(at: &At, name: &str) -> Decoded {
    let Some((call_id, tool, target)) = call(at) else { return at.other(name, None) };
    if at.get(&["decision"]) != Some("reject") {
        return started(at, name, &call_id, &tool, &target, input(at));
    }
    let reason = at.get(&["source"]).unwrap_or_default().to_owned();
    at.own(name, Body::PermissionDenied { call_id, tool, target, reason })
}

fn result(at: &At, name: &str) -> Decoded {
    let Some((call_id, tool, target)) = call(at) else { return at.other(name, None) };
    let ok = at.flag("success").unwrap_or(true);
    let error = at.get(&["error", "error_type"]).map(|error| first_line(error, 200));
    let body = Body::ToolEnd {
        call_id: call_id.clone(),
        class: class_of(&tool),
        tool,
        target,
        ok,
        error: if ok { None } else { Some(error.unwrap_or_else(|| "failed".to_owned())) },
        exit_code: None,
        duration_ms: at.whole("duration_ms"),
        output: String::new(),
        lines_added: None,
        lines_removed: None,
        input: input(at),
    };
    at.one(id::tool_end(&at.record.session(), &call_id), name, body)
}
