//! Decoders take anything: bytes that are no JSON, and JSON of every shape in every place.
#![allow(clippy::unwrap_used)]

use orrery_agents::otlp::{self, Encoding, Signal};
use orrery_agents::transcript::{FileInfo, Reader};
use orrery_agents::{Context, hook, install, sender};
use orrery_types::{AgentId, Body, Source};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn ctx() -> Context {
    Context {
        source: Source::Hook,
        received_ms: 1_795_000_000_000,
        delivery_id: "f".repeat(32),
        place: "here".into(),
        demo: false,
    }
}

/// Payloads and lines that reach every branch; mutations of them reach what hides behind.
fn seeds() -> Vec<Value> {
    let text = |text: &str| text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
    let mut seeds = text(include_str!("../../../../tests/fixtures/agents/claude/session.jsonl"));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/codex/rollout.jsonl")));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/hooks.jsonl")));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/codex/exec.jsonl")));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/gemini-cli/hooks.jsonl")));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/cursor/hooks.jsonl")));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/copilot-cli/hooks.jsonl")));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/opencode/plugin.jsonl")));
    seeds.extend(text(include_str!("../../../../tests/fixtures/agents/grok-build/hooks.jsonl")));
    seeds.extend(exports());
    assert!(seeds.len() > 40);
    seeds
}

fn exports() -> Vec<Value> {
    let text = include_str!("../../../../tests/fixtures/agents/otlp/requests.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[\\x00-\\x1f\\u{d7ff}\\u{10ffff}äß€]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,8}", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A seed with one value somewhere in it replaced.
fn mutated() -> impl Strategy<Value = Value> {
    (proptest::sample::select(seeds()), any::<prop::sample::Index>(), any_json()).prop_map(|(mut seed, index, with)| {
        let count = size(&seed);
        replace(&mut seed, &mut index.index(count), &with);
        seed
    })
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

fn replace(value: &mut Value, left: &mut usize, with: &Value) -> bool {
    if *left == 0 {
        *value = with.clone();
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, left, with)),
        Value::Object(fields) => fields.values_mut().any(|field| replace(field, left, with)),
        _ => false,
    }
}

fn read_all(bytes: &[u8]) {
    for agent in AgentId::ALL {
        let decoded = hook::decode(Some(agent.slug()), bytes, &ctx());
        assert_eq!(decoded.events.len(), 1);
        assert!(!decoded.events[0].session_id.is_empty());
    }
    for signal in [Signal::Logs, Signal::Metrics, Signal::Traces] {
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            let Ok(export) = otlp::decode(signal, encoding, bytes, &ctx()) else { continue };
            for event in export.items.iter().flat_map(|item| &item.decoded.events) {
                assert_eq!(event.id.len(), 32);
                assert!(!event.session_id.is_empty() && !event.name.is_empty());
            }
        }
    }
    for agent in AgentId::ALL {
        let mut reader = Reader::open(agent, &FileInfo { path: "a/agent-x.jsonl".into(), ..FileInfo::default() }, None);
        for line_no in 1..4 {
            let decoded = reader.line(bytes, line_no, &ctx());
            for event in &decoded.events {
                assert_eq!(event.id.len(), 32);
                assert!(!event.session_id.is_empty());
                if let Body::ToolStart { target, .. } = &event.body {
                    assert!(!target.contains('\n') && target.chars().count() <= 243);
                }
            }
            reader = Reader::open(agent, &FileInfo::default(), Some(&reader.state()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
        sender::decode(&json!({ "payload": String::from_utf8_lossy(&bytes) }), &ctx());
    }

    #[test]
    fn changed_json_never_panics(value in mutated(), cut in any::<prop::sample::Index>()) {
        let text = value.to_string();
        read_all(text.as_bytes());
        read_all(&text.as_bytes()[..cut.index(text.len())]);
        let posted = json!({ "source_app": "a", "session_id": "s", "hook_event_type": "PreToolUse", "payload": value.clone() });
        prop_assert_eq!(sender::decode(&posted, &ctx()).events.len(), 1);
        sender::decode(&value, &ctx());
    }

    #[test]
    fn settings_come_back_or_are_refused(value in any_json(), wrap in any::<bool>(), pretty in any::<bool>()) {
        let value = if wrap { json!({ "hooks": { "Stop": value.clone(), "Other": value } }) } else { value };
        let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        if let Ok(plan) = install::plan_install(AgentId::ClaudeCode, Some(&text), "s", "/x/orrery-hook", None, install::Delivery::Program) {
            let installed = plan.changes[0].after.clone().unwrap();
            let removed = install::plan_uninstall(AgentId::ClaudeCode, Some(&installed), "s", "/x/orrery-hook").unwrap();
            prop_assert_eq!(removed.changes[0].after.as_deref(), Some(text.as_str()));
        }
        install::hook_state(AgentId::Codex, Some(&text), "/x/orrery-hook", None, None);
    }

    /// Exports with one value changed: what is read twice is the same events, and no batch is lost for one bad record.
    #[test]
    fn changed_exports_are_read_alike_twice(
        mut value in proptest::sample::select(exports()),
        index in any::<prop::sample::Index>(),
        with in any_json(),
    ) {
        let count = size(&value);
        replace(&mut value, &mut index.index(count), &with);
        let text = value.to_string();
        for signal in [Signal::Logs, Signal::Metrics, Signal::Traces] {
            let read = || otlp::decode(signal, Encoding::Json, text.as_bytes(), &ctx());
            prop_assert_eq!(read(), read());
            prop_assert!(read().is_ok() || !value.is_object());
        }
    }
}
