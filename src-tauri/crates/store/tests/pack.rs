//! Packed rows read as they were written, and what is deleted or completed leaves its pack.
#![allow(clippy::unwrap_used)]

mod make;

use make::{NOON, batch, event, item, noise, prompt, put, tool_end};
use orrery_store::{Options, SqliteStore, Store};
use orrery_types::{Body, EventQuery, Source, Sources};

fn store() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::TempDir::new().unwrap();
    let options = Options { fresh_events: Some(2), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &options).unwrap();
    (dir, store)
}

fn packed(store: &SqliteStore) {
    let give_up = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while store.health(NOON).unwrap().unindexed > 0 {
        assert!(std::time::Instant::now() < give_up, "packing stands still");
        std::thread::yield_now();
    }
}

fn count(dir: &tempfile::TempDir, sql: &str) -> i64 {
    rusqlite::Connection::open(dir.path().join("orrery.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_packed_row_reads_as_it_was_written() {
    let (dir, store) = store();
    let texts: Vec<String> = (0..200).map(|n| format!("{n} {}", "a long story ".repeat(n % 50))).collect();
    for (n, text) in texts.iter().enumerate() {
        let number = n as u64;
        let event = match n % 3 {
            0 => prompt(number, "s", text),
            1 => tool_end(number, "s", text),
            _ => event(number, "s", Body::Interrupt),
        };
        let raw = if n % 17 == 0 { noise(number, 3_000) } else { format!("{{\"text\":\"{text}\"}}").into_bytes() };
        put(&store, batch(vec![item(vec![event], &raw)])).await;
    }
    let all =
        |store: &SqliteStore| store.events(&EventQuery { limit: Some(1_000), ..EventQuery::default() }).unwrap().items;
    packed(&store);
    assert!(count(&dir, "SELECT count(*) FROM event WHERE pack IS NOT NULL AND length(body) = 0") >= 160);
    assert!(count(&dir, "SELECT count(*) FROM raw WHERE pack IS NOT NULL AND length(body) = 0") >= 160);
    for event in all(&store) {
        let n = usize::try_from(event.seq - 1).unwrap();
        match &event.body {
            Body::Prompt { text } | Body::ToolEnd { output: text, .. } => assert_eq!(*text, texts[n]),
            body => assert_eq!(*body, Body::Interrupt),
        }
        let raw = store.raw(event.seq).unwrap();
        let expected =
            if n % 17 == 0 { noise(n as u64, 3_000) } else { format!("{{\"text\":\"{}\"}}", texts[n]).into_bytes() };
        assert_eq!(raw[0].bytes, expected, "payload {n}");
    }
}

#[tokio::test]
async fn what_is_completed_or_deleted_leaves_its_pack() {
    let (dir, store) = store();
    for n in 0..100 {
        let mut event = tool_end(
            n,
            if n % 2 == 0 { "real" } else { "demo" },
            &if n == 0 { String::new() } else { format!("output-{n}") },
        );
        event.demo = n % 2 == 1;
        put(&store, batch(vec![item(vec![event], format!("payload-{n}").as_bytes())])).await;
    }
    packed(&store);
    let mut line = tool_end(0, "real", "output-0 and more");
    line.sources = Sources::one(Source::Transcript);
    put(&store, batch(vec![item(vec![line], b"line")])).await;
    let found = |words: &str| {
        let query = EventQuery { words: Some(words.to_owned()), ..EventQuery::default() };
        store.events(&query).unwrap().items.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    assert_eq!(found("\"and more"), [0; 0], "a quote is a sign here");
    assert_eq!(found("more"), [1]);
    store.remove_demo().await.unwrap();
    assert!(found("output-1").iter().all(|seq| seq % 2 == 1), "{:?}", found("output-1"));
    // Packing goes on with the next commit.
    put(&store, batch(vec![item(vec![prompt(900, "real", "next")], b"next")])).await;
    let give_up = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while count(&dir, "SELECT count(*) FROM pack WHERE stale = 1") > 0 || store.health(NOON).unwrap().unindexed > 0 {
        assert!(std::time::Instant::now() < give_up, "packing stands still");
        std::thread::yield_now();
    }
    assert_eq!(found("more"), [1]);
    assert_eq!(found("output-98"), [99]);
    assert_eq!(store.raw(1).unwrap().len(), 2);
    let conn = rusqlite::Connection::open(dir.path().join("orrery.db")).unwrap();
    let frames: Vec<Vec<u8>> = conn
        .prepare("SELECT events FROM pack")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for frame in frames {
        let plain = zstd::stream::decode_all(frame.as_slice()).unwrap();
        let text = String::from_utf8_lossy(&plain);
        assert!(!text.contains("output-1\""), "a deleted body stays in its pack");
    }
}
