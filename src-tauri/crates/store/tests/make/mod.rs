//! Events, requests and stores that the tests share.
#![allow(clippy::unwrap_used, dead_code)]

use orrery_store::{Appended, Batch, Item, Raw, SqliteStore, Store};
use orrery_types::{Basis, Body, Event, RequestUsage, Source, Sources, Tokens, ToolClass, UsageRow};
use tempfile::TempDir;

pub const NOON: i64 = 1_795_348_800_000;

pub fn store() -> (TempDir, SqliteStore) {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    (dir, store)
}

pub fn id(number: u64) -> String {
    format!("{number:032x}")
}

pub fn event(number: u64, session: &str, body: Body) -> Event {
    let at_ms = NOON + i64::try_from(number).unwrap() * 1_000;
    Event {
        seq: 0,
        id: id(number),
        session_id: session.to_owned(),
        agent: "claude-code".to_owned(),
        name: "Test".to_owned(),
        at_ms,
        received_ms: at_ms + 5,
        subagent: None,
        turn_id: None,
        sources: Sources::one(Source::Hook),
        body,
        demo: false,
    }
}

pub fn prompt(number: u64, session: &str, text: &str) -> Event {
    event(number, session, Body::Prompt { text: text.to_owned() })
}

pub fn tool_end(number: u64, session: &str, output: &str) -> Event {
    let body = Body::ToolEnd {
        call_id: format!("call-{number}"),
        tool: "Bash".to_owned(),
        class: ToolClass::Shell,
        target: "cargo test".to_owned(),
        ok: true,
        error: None,
        exit_code: Some(0),
        duration_ms: None,
        output: output.to_owned(),
        lines_added: None,
        lines_removed: None,
        input: serde_json::Value::Null,
    };
    event(number, session, body)
}

pub fn usage(key: &str, session: &str, model: &str, at_ms: i64, output: u64) -> UsageRow {
    let tokens = Tokens { input: 10, output, cache_read: 1_000, cache_write: 100, ..Tokens::default() };
    UsageRow {
        request: RequestUsage {
            key: key.to_owned(),
            request_id: None,
            session_id: session.to_owned(),
            agent: "claude-code".to_owned(),
            subagent: None,
            model: Some(model.to_owned()),
            at_ms,
            tokens,
            web_searches: 0,
            fast: false,
            geo: None,
            tier: None,
            reported_usd_micros: None,
            sidechain: false,
            source: Source::Transcript,
            place: Some("a.jsonl:1".to_owned()),
            demo: false,
        },
        cost_usd_micros: Some(i64::try_from(output).unwrap() * 15),
        basis: Basis::Calculated,
        calculated_usd_micros: Some(i64::try_from(output).unwrap() * 15),
        price_model: Some(model.to_owned()),
        price_date: "2026-11-01".to_owned(),
        sources: Sources::one(Source::Transcript),
    }
}

/// One item with its raw payload.
pub fn item(events: Vec<Event>, raw: &[u8]) -> Item {
    let source = events.first().map_or(Source::Hook, |event| {
        if event.sources.has(Source::Transcript) { Source::Transcript } else { Source::Hook }
    });
    let raw = Raw { source, place: "POST /hooks/claude-code".to_owned(), bytes: raw.to_vec() };
    Item { raw: Some(raw), events, ..Item::default() }
}

pub fn batch(items: Vec<Item>) -> Batch {
    Batch { items, ..Batch::default() }
}

pub fn of_events(events: Vec<Event>) -> Batch {
    batch(vec![Item { events, ..Item::default() }])
}

pub fn of_usage(usage: Vec<UsageRow>) -> Batch {
    batch(vec![Item { usage, ..Item::default() }])
}

pub async fn put(store: &SqliteStore, batch: Batch) -> std::sync::Arc<Appended> {
    store.append(batch).await.unwrap()
}

/// Bytes that do not compress.
pub fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(&mut next).take(size).collect()
}
