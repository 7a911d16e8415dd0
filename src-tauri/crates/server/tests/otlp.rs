//! `POST /v1/{logs,metrics,traces}` over real sockets: encodings, compression, chunks, refusals, and one row per request
//! whichever source tells of it first.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;

use orrery_testkit::TestServer;
use reqwest::{Body, Method};
use serde_json::{Value, json};

const SESSION: &str = "7b0f6a52-9c1e-4b7d-8f64-2f0a4e1d9c31";

fn record(sequence: u64, name: &str, attributes: Value) -> Value {
    let mut all = json!({"session.id": SESSION, "event.name": name, "event.sequence": sequence});
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let pairs: Vec<Value> = all
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| match value {
            Value::Number(number) => json!({"key": key, "value": {"intValue": number.to_string()}}),
            other => json!({"key": key, "value": {"stringValue": other}}),
        })
        .collect();
    json!({"timeUnixNano": "1795165200125000000", "body": {"stringValue": format!("claude_code.{name}")},
        "attributes": pairs, "someFutureField": {"a": 1}})
}

fn logs(records: Vec<Value>) -> Value {
    json!({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]},
        "scopeLogs": [{"scope": {"name": "com.anthropic.claude_code.events"}, "logRecords": records}]}]})
}

fn api_request() -> Value {
    record(
        1,
        "api_request",
        json!({"model": "claude-opus-5[1m]", "cost_usd_micros": 34_100, "input_tokens": 2,
        "output_tokens": 612, "cache_read_tokens": 41_207, "cache_creation_tokens": 1_830,
        "request_id": "req_1", "query_source": "repl_main_thread"}),
    )
}

/// The transcript's lines of the same request: one per block, the first with fewer tokens.
fn transcript() -> String {
    let line = |uuid: &str, output: u64, text: &str| {
        json!({"type": "assistant", "uuid": uuid, "sessionId": SESSION, "timestamp": "2026-11-20T09:00:04.000Z",
            "requestId": "req_1", "cwd": "/home/sam/shop", "version": "2.1.240",
            "message": {"id": "msg_1", "role": "assistant", "model": "claude-opus-5",
                "content": [{"type": "text", "text": text}],
                "usage": {"input_tokens": 2, "output_tokens": output, "cache_read_input_tokens": 41_207,
                    "cache_creation_input_tokens": 1_830,
                    "cache_creation": {"ephemeral_1h_input_tokens": 1_830, "ephemeral_5m_input_tokens": 0}}}})
    };
    format!("{}\n{}\n", line("u1", 5, "I look."), line("u2", 612, "Done."))
}

async fn export(server: &TestServer, path: &str, kind: &str, body: impl Into<Body>) -> (u16, String, Vec<u8>) {
    let sent = server.bare(Method::POST, path).header("content-type", kind).body(body.into()).send().await.unwrap();
    let kind = sent.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (sent.status().as_u16(), kind, sent.bytes().await.unwrap().to_vec())
}

async fn post_transcript(server: &TestServer) {
    let path = format!("/api/v1/transcripts/claude-code?name=projects/-home-sam-shop/{SESSION}.jsonl");
    let sent = server.request(Method::POST, &path).body(transcript()).send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

async fn ledger(server: &TestServer) -> Vec<Value> {
    let usage = server.get(&format!("/api/v1/usage?session={SESSION}")).await.unwrap();
    let rows = usage.as_array().or_else(|| usage["items"].as_array()).cloned();
    rows.unwrap_or_else(|| panic!("no rows in {usage}"))
}

#[tokio::test]
async fn telemetry_and_transcript_are_one_ledger_row_in_either_order() {
    let mut rows = Vec::new();
    for telemetry_first in [true, false] {
        let server = TestServer::start().await.unwrap();
        let body = logs(vec![api_request()]).to_string();
        for step in 0..3 {
            // The transcript comes in between, or around: nothing is counted twice.
            if (step == 1) == telemetry_first {
                post_transcript(&server).await;
            } else {
                let (status, kind, answer) = export(&server, "/v1/logs", "application/json", body.clone()).await;
                assert_eq!((status, kind.as_str(), answer.as_slice()), (200, "application/json", &b"{}"[..]));
            }
        }
        let [row] = ledger(&server).await.try_into().unwrap();
        assert_eq!(row["tokens"]["cache_write_1h"], 1_830);
        assert_eq!(row["tokens"]["output"], 612);
        assert_eq!((&row["cost_usd_micros"], &row["basis"]), (&json!(34_100), &json!("reported")));
        assert_eq!(row["sources"], json!(["transcript", "otel"]));
        let detail = server.get(&format!("/api/v1/sessions/{SESSION}")).await.unwrap();
        assert_eq!((&detail["row"]["requests"], &detail["row"]["cost_usd_micros"]), (&json!(1), &json!(34_100)));
        rows.push((row["key"].clone(), row["tokens"].clone()));
    }
    assert_eq!(rows[0], rows[1]);
}

#[tokio::test]
async fn a_tool_call_of_hooks_and_telemetry_is_one_call() {
    let server = TestServer::start().await.unwrap();
    let call = json!({"tool_name": "Bash", "tool_use_id": "toolu_0123456789ab"});
    let hook = json!({"session_id": SESSION, "transcript_path": format!("/h/.claude/projects/-x/{SESSION}.jsonl"),
        "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_use_id": "toolu_0123456789ab",
        "tool_input": {"command": "cargo test"}});
    server.hook("claude-code", &hook).await.unwrap();
    let mut result = call.clone();
    result.as_object_mut().unwrap().extend(json!({"success": "true", "duration_ms": 12}).as_object().unwrap().clone());
    let body = logs(vec![record(2, "tool_decision", call), record(3, "tool_result", result)]).to_string();
    for _ in 0..2 {
        assert_eq!(export(&server, "/v1/logs", "application/json", body.clone()).await.0, 200);
    }
    assert_eq!(server.count().await.unwrap(), 2);
    let detail = server.get(&format!("/api/v1/sessions/{SESSION}")).await.unwrap();
    assert_eq!((&detail["row"]["tools"], &detail["row"]["open_calls"]), (&json!(1), &json!({})));
}

#[tokio::test]
async fn a_rollout_takes_the_place_of_counted_responses() {
    let thread = "019e9d0c-51aa-7d33-8c0f-0a1b2c3d4e5f";
    let pair = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let body = json!({"resourceLogs": [{"resource": {"attributes": [pair("service.name", "codex_cli_rs")]}, "scopeLogs": [{
        "logRecords": [{"timeUnixNano": "1795165205000000000", "attributes": [pair("event.name", "codex.sse_event"),
            pair("conversation.id", thread), pair("model", "gpt-6-astra"), pair("event.kind", "response.completed"),
            pair("input_token_count", "12000"), pair("cached_token_count", "11000"), pair("output_token_count", "257")]}]}]}]});
    let count = json!({"timestamp": "2026-11-20T09:00:05.000Z", "type": "event_msg", "payload": {"type": "token_count",
        "info": {"last_token_usage": {"input_tokens": 12_000, "cached_input_tokens": 11_000, "output_tokens": 257},
            "total_token_usage": {"input_tokens": 12_000, "cached_input_tokens": 11_000, "output_tokens": 257}}}});
    let meta = json!({"timestamp": "2026-11-20T09:00:00.000Z", "type": "session_meta", "payload": {"id": thread}});
    for rollout_first in [true, false] {
        let server = TestServer::start().await.unwrap();
        for step in 0..3 {
            if (step == 1) == rollout_first {
                assert_eq!(export(&server, "/v1/logs", "application/json", body.to_string()).await.0, 200);
            } else {
                let path =
                    format!("/api/v1/transcripts/codex?name=sessions/rollout-2026-11-20T09-14-03-{thread}.jsonl");
                let lines = format!("{meta}\n{count}\n");
                assert_eq!(server.request(Method::POST, &path).body(lines).send().await.unwrap().status(), 200);
            }
            let detail = server.get(&format!("/api/v1/sessions/{thread}")).await.unwrap();
            assert_eq!(detail["row"]["requests"], 1, "rollout first: {rollout_first}, step {step}");
            assert_eq!(detail["row"]["tokens"]["cache_read"], 11_000);
        }
    }
}

#[tokio::test]
async fn compressed_chunked_and_broken_bodies() {
    let server = TestServer::start().await.unwrap();
    let text = logs(vec![record(1, "at_mention", json!({"mention_type": "file"}))]).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let post = |body: Vec<u8>| {
        let request = server.bare(Method::POST, "/v1/logs").header("content-type", "application/json");
        request.header("content-encoding", "gzip").body(body)
    };
    assert_eq!(post(packed.clone()).send().await.unwrap().status(), 200);
    assert_eq!(server.count().await.unwrap(), 1);
    assert_eq!(post(packed[..packed.len() / 2].to_vec()).send().await.unwrap().status(), 400);
    assert_eq!(post(b"no gzip".to_vec()).send().await.unwrap().status(), 400);

    let pieces: Vec<Result<Vec<u8>, std::io::Error>> =
        text.as_bytes().chunks(50).map(|part| Ok(part.to_vec())).collect();
    let stream = Body::wrap_stream(futures_util::stream::iter(pieces));
    assert_eq!(export(&server, "/v1/logs", "application/json", stream).await.0, 200);
    assert_eq!(server.count().await.unwrap(), 1, "the same record again");

    let (status, kind, _) = export(&server, "/v1/logs", "application/json", "{\"resourceLogs\": [").await;
    assert_eq!((status, kind.as_str()), (400, "application/json"));
    let (status, kind, _) = export(&server, "/v1/traces", "application/x-protobuf", vec![0xff, 0xff, 0x01]).await;
    assert_eq!((status, kind.as_str()), (400, "application/x-protobuf"));
    let (status, kind, answer) = export(&server, "/v1/traces", "application/x-protobuf", Vec::new()).await;
    assert_eq!((status, kind.as_str(), answer.len()), (200, "application/x-protobuf", 0));
    let part =
        json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [7, record(9, "auth", json!({}))]}]}]}).to_string();
    let (status, _, answer) = export(&server, "/v1/logs", "application/json", part).await;
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, &answer["partialSuccess"]["rejectedLogRecords"]), (200, &json!("1")));
    let problems = server.get("/api/v1/problems").await.unwrap().to_string();
    assert!(problems.contains("bad_otlp"), "{problems}");
}

#[tokio::test]
async fn pages_cannot_export() {
    let server = TestServer::start().await.unwrap();
    for (name, value) in [("origin", "https://example.com"), ("sec-fetch-site", "cross-site")] {
        let request = server.bare(Method::POST, "/v1/logs").header(name, value).body("{}");
        assert_eq!(request.send().await.unwrap().status(), 403, "{name}");
    }
}

/// Files made for this purpose beside the repository: JSON with numbers, JSON with quoted integers, and protobuf.
#[tokio::test]
async fn all_encodings_of_one_export_are_the_same_rows() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|dir| dir.join("shared/fixtures/otlp/constructed")).find(|dir| dir.is_dir());
    let Some(dir) = found else { return eprintln!("skipped: no shared/fixtures/otlp beside this repository") };
    let mut seen = Vec::new();
    for (ending, kind, quoted, cost) in [
        ("json", "application/json", "", 94_000),
        ("pb", "application/x-protobuf", "", 94_000),
        ("json", "application/json", "-quoted-ints", 179_300),
        ("pb", "application/x-protobuf", "-quoted-ints", 179_300),
    ] {
        let server = TestServer::start().await.unwrap();
        for signal in ["logs", "metrics", "traces"] {
            let file = dir.join(format!("claude{quoted}-{signal}.{ending}"));
            for _ in 0..2 {
                let body = std::fs::read(&file).unwrap();
                assert_eq!(export(&server, &format!("/v1/{signal}"), kind, body).await.0, 200, "{}", file.display());
            }
        }
        let detail = server.get(&format!("/api/v1/sessions/{SESSION}")).await.unwrap();
        let events = server.get(&format!("/api/v1/events?session={SESSION}&limit=500")).await.unwrap();
        let told: Vec<Value> = events["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| json!([event["name"], event["body"], event["at_ms"]]))
            .collect();
        assert_eq!(detail["row"]["requests"], 3, "{detail:#}");
        assert_eq!(detail["row"]["cost_usd_micros"], cost);
        seen.push((detail["row"]["tokens"].clone(), told));
    }
    assert!(seen[0].1.len() > 15);
    for pair in seen.chunks(2) {
        assert_eq!(pair[0], pair[1], "JSON and protobuf differ");
    }
}
