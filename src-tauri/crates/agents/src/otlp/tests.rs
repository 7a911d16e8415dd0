#![allow(clippy::unwrap_used)]

use orrery_types::{RequestUsage, Source, StandIn};
use serde_json::json;

use super::*;
use crate::id;

fn ctx() -> Context {
    Context {
        source: Source::Otel,
        received_ms: 1_795_000_000_000,
        delivery_id: "d".repeat(32),
        place: "/v1/logs".to_owned(),
        demo: false,
    }
}

fn pairs(fields: Value) -> Value {
    let pair = |(key, value): (&String, &Value)| match value {
        Value::String(text) => json!({"key": key, "value": {"stringValue": text}}),
        Value::Bool(flag) => json!({"key": key, "value": {"boolValue": flag}}),
        Value::Number(number) if number.is_f64() => json!({"key": key, "value": {"doubleValue": number}}),
        other => json!({"key": key, "value": {"intValue": other.to_string()}}),
    };
    fields.as_object().unwrap().iter().map(pair).collect()
}

fn log(service: &str, attributes: Value) -> Decoded {
    let body = json!({"resourceLogs": [{"resource": {"attributes": pairs(json!({"service.name": service}))}, "scopeLogs":
        [{"logRecords": [{"timeUnixNano": "1795165200125000000", "attributes": pairs(attributes)}]}]}]});
    one(Signal::Logs, &body)
}

fn span(service: &str, span: Value) -> Decoded {
    let body = json!({"resourceSpans": [{"resource": {"attributes": pairs(json!({"service.name": service}))},
        "scopeSpans": [{"spans": [span]}]}]});
    one(Signal::Traces, &body)
}

fn one(signal: Signal, body: &Value) -> Decoded {
    let [item] = decode(signal, Encoding::Json, body.to_string().as_bytes(), &ctx()).unwrap().items.try_into().unwrap();
    item.decoded
}

fn claude(name: &str, more: Value) -> Decoded {
    let mut attributes = json!({"event.name": name, "session.id": "s1", "event.sequence": 7, "prompt.id": "p1"});
    attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    log("claude-code", attributes)
}

#[test]
fn claude_prompts_and_calls_have_the_ids_of_hooks() {
    let prompt = claude("user_prompt", json!({"prompt": "<REDACTED>", "prompt_length": 44}));
    assert_eq!(prompt.events[0].id, id::prompt("s1", "p1"));
    assert!(matches!(&prompt.events[0].body, Body::Prompt { text } if text.is_empty()), "a hook's text fills it");
    let call = json!({"tool_name": "Bash", "tool_use_id": "toolu_0123456789", "success": "false", "error_type": "ShellError",
        "duration_ms": 12, "tool_input": "{\"command\":\"cargo test\"}"});
    let end = claude("tool_result", call.clone());
    assert_eq!(end.events[0].id, id::tool_end("s1", "toolu_0123456789"));
    let Body::ToolEnd { ok, error, target, duration_ms, .. } = &end.events[0].body else { panic!("{end:?}") };
    assert_eq!(
        (*ok, error.as_deref(), target.as_str(), *duration_ms),
        (false, Some("ShellError"), "cargo test", Some(12))
    );
    assert_eq!(claude("tool_decision", call).events[0].id, id::tool_start("s1", "toolu_0123456789"));
    let denied = claude("tool_decision", json!({"tool_name": "Bash", "tool_use_id": "t", "decision": "reject"}));
    assert!(matches!(denied.events[0].body, Body::PermissionDenied { .. }));
}

#[test]
fn claude_requests_go_into_the_ledger_by_their_id() {
    let numbers = json!({"model": "claude-opus-5[1m]", "cost_usd": 0.0341, "input_tokens": "2", "output_tokens": "612",
        "cache_read_tokens": "41207", "cache_creation_tokens": "1830", "request_id": "req_1", "query_source": "Explore"});
    let [row] = claude("api_request", numbers).usage.try_into().unwrap();
    assert_eq!((row.key, row.request_id.as_deref()), (RequestUsage::by_request_id("req_1"), Some("req_1")));
    assert_eq!((row.model.as_deref(), row.reported_usd_micros), (Some("claude-opus-5"), Some(34_100)));
    assert_eq!(row.tokens.total(), 2 + 612 + 41_207 + 1_830);
    assert_eq!(row.subagent.as_deref(), Some("Explore"));
    let again = span(
        "claude-code",
        json!({"name": "claude_code.llm_request", "traceId": "AB", "spanId": "CD", "attributes":
            pairs(json!({"session.id": "s1", "request_id": "req_1", "output_tokens": 612, "success": true}))}),
    );
    assert_eq!(again.usage[0].key, "request:req_1");
}

#[test]
fn other_claude_events_are_told() {
    let kind = |name: &str, more: Value| {
        serde_json::to_value(&claude(name, more).events[0].body).unwrap()["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind("api_error", json!({"error": "Overloaded", "status_code": 529})), "failure");
    assert_eq!(kind("compaction", json!({"trigger": "auto", "pre_tokens": 9})), "compact");
    assert_eq!(kind("subagent_completed", json!({"agent_type": "Explore"})), "other");
    assert_eq!(kind("assistant_response", json!({"response": "Done.", "message.uuid": "u1"})), "message");
    assert_eq!(kind("future_event", json!({})), "other");
    assert_eq!(claude("x", json!({})).events[0].id, claude("x", json!({})).events[0].id);
    assert_ne!(claude("x", json!({})).events[0].id, claude("y", json!({})).events[0].id);
}

#[test]
fn codex_counts_only_stand_in() {
    let base = json!({"event.name": "codex.sse_event", "conversation.id": "t1", "event.kind": "response.completed",
        "model": "gpt-6-astra", "input_token_count": "12000", "cached_token_count": "11000",
        "cache_write_token_count": "512", "output_token_count": "257"});
    let decoded = log("codex_cli_rs", base);
    assert_eq!(decoded.usage[0].stand_in(), Some(StandIn::Counted));
    assert_eq!((decoded.usage[0].tokens.input, decoded.usage[0].tokens.cache_write), (488, 512));
    assert_eq!(decoded.facts[0].model.as_deref(), Some("gpt-6-astra"));
    let call = log(
        "codex_exec",
        json!({"event.name": "codex.tool_result", "conversation.id": "t1", "call_id": "call_01234567",
        "tool_name": "exec_command", "arguments": "{\"cmd\":\"ls\"}", "success": "false", "output": "Exit code: 2\nno"}),
    );
    let Body::ToolEnd { ok, error, exit_code, target, .. } = &call.events[0].body else { panic!("{call:?}") };
    assert_eq!((*ok, error.as_deref(), *exit_code, target.as_str()), (false, Some("exit 2"), Some(2), "ls"));
    assert_eq!(call.events[0].id, id::tool_end("t1", "call_01234567"));
}

#[test]
fn genai_spans_are_requests_and_calls() {
    let chat = |operation: &str| {
        let usage = json!({"gen_ai.operation.name": operation, "gen_ai.conversation.id": "c", "gen_ai.request.model": "gpt-5.5",
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.output_tokens": 5});
        span(
            "vs-copilot",
            json!({"name": "chat", "traceId": "aa", "spanId": operation, "startTimeUnixNano": 1,
            "attributes": pairs(usage)}),
        )
    };
    assert_eq!((chat("chat").usage[0].tokens.input, chat("chat").usage[0].tokens.cache_read), (40, 60));
    assert!(chat("invoke_agent").usage.is_empty(), "its children are counted");
    let call = span(
        "vs-copilot",
        json!({"name": "execute_tool run_build", "traceId": "aa", "spanId": "bb",
        "startTimeUnixNano": "1795165200000000000", "endTimeUnixNano": "1795165201500000000",
        "status": {"code": "STATUS_CODE_ERROR", "message": "no SDK"},
        "attributes": pairs(json!({"gen_ai.operation.name": "execute_tool", "gen_ai.conversation.id": "c"}))}),
    );
    let Body::ToolEnd { tool, ok, error, duration_ms, .. } = &call.events[1].body else { panic!("{call:?}") };
    assert_eq!((tool.as_str(), *ok, error.as_deref(), *duration_ms), ("run_build", false, Some("no SDK"), Some(1_500)));
    let nobody = span("shop", json!({"name": "checkout", "traceId": "aa", "spanId": "cc"}));
    assert_eq!((nobody.events[0].name.as_str(), nobody.events[0].session_id.as_str()), ("checkout", "trace-aa"));
}

#[test]
fn protobuf_that_is_not_utf8_is_read_and_garbage_is_refused() {
    // resource_logs { scope_logs { log_records { body { string_value: "a\xff" } } } }
    let bytes = [0x0a, 0x0a, 0x12, 0x08, 0x12, 0x06, 0x2a, 0x04, 0x0a, 0x02, b'a', 0xff];
    let export = decode(Signal::Logs, Encoding::Protobuf, &bytes, &ctx()).unwrap();
    assert_eq!(export.items[0].decoded.events[0].name, "a\u{fffd}");
    assert!(decode(Signal::Logs, Encoding::Protobuf, &bytes[..7], &ctx()).is_err());
    assert!(decode(Signal::Traces, Encoding::Json, b"[]", &ctx()).is_err());
    assert!(decode(Signal::Metrics, Encoding::Json, b"{}", &ctx()).unwrap().items.is_empty());
}
