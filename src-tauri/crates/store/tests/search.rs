//! Words are found at once, whatever somebody types.
#![allow(clippy::unwrap_used)]

mod make;

use make::{NOON, of_events, prompt, put, tool_end};
use orrery_store::{Options, SqliteStore, Store};
use orrery_types::{Body, EventQuery, Source, Sources};

/// A store that packs all but the newest two events.
fn store() -> (tempfile::TempDir, SqliteStore) {
    let dir = tempfile::TempDir::new().unwrap();
    let options = Options { fresh_events: Some(2), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &options).unwrap();
    (dir, store)
}

/// Events of no interest, so that those before them are packed.
async fn bury(store: &SqliteStore) {
    put(store, of_events((900_000..900_040).map(|n| prompt(n, "hay", "straw")).collect())).await;
    indexed(store);
}

fn find(store: &SqliteStore, words: &str) -> Vec<i64> {
    let query = EventQuery { words: Some(words.to_owned()), ..EventQuery::default() };
    store.events(&query).unwrap().items.iter().map(|event| event.seq).collect()
}

/// Waits until the index has everything; it is woken by each commit.
fn indexed(store: &SqliteStore) {
    let give_up = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while store.health(NOON).unwrap().unindexed > 0 {
        assert!(std::time::Instant::now() < give_up, "the index stands still");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn an_event_is_found_as_soon_as_it_is_stored() {
    let (_dir, store) = store();
    for n in 1..=40 {
        put(&store, of_events(vec![prompt(n, "s", &format!("needle{n} in the hay"))])).await;
        assert_eq!(find(&store, &format!("needle{n}")).first(), Some(&i64::try_from(n).unwrap()));
    }
    let behind = find(&store, "hay the");
    indexed(&store);
    assert_eq!(behind, (1..=40).rev().collect::<Vec<_>>());
    assert_eq!(find(&store, "hay the"), behind, "the index says what the scan said");
}

#[tokio::test]
async fn all_words_must_occur_and_the_last_may_be_begun() {
    let (_dir, store) = store();
    let events = vec![
        prompt(1, "s", "Crème brûlée recipe"),
        tool_end(2, "s", "error[E0277]: the trait bound is not satisfied"),
        prompt(3, "s", "recipe for a login page"),
    ];
    put(&store, of_events(events)).await;
    for _ in 0..2 {
        assert_eq!(find(&store, "recipe"), [3, 1]);
        assert_eq!(find(&store, "CRÈME recipe"), [1]);
        assert_eq!(find(&store, "reci login"), [3]);
        assert_eq!(find(&store, "ecipe"), [0; 0], "words are begun, not cut");
        assert_eq!(find(&store, "E0277 bash"), [2]);
        assert_eq!(find(&store, "error[E0277]:"), [2]);
        assert_eq!(find(&store, "recipe absent"), [0; 0]);
        bury(&store).await;
    }
}

#[tokio::test]
async fn hostile_words_are_only_words() {
    let (_dir, store) = store();
    put(
        &store,
        of_events(vec![prompt(1, "s", "say \"AND\" to C++ * 🚀 {col}: NEAR(a) naïve"), prompt(2, "s", "plain")]),
    )
    .await;
    for _ in 0..2 {
        for words in [
            "\"AND\"", "and", "AND", "\"", "\"\"", "\"and", "c++", "C++ *", "*", "🚀", "say 🚀", "{col}:", "NEAR(a)",
            "col :", "\0and", "a\0nd", "^say", "-say", "text:", "NOT", "OR OR", "say*", "(say", "naïve",
        ] {
            let found = find(&store, words);
            assert!(found.iter().all(|seq| *seq == 1), "{words:?} finds {found:?}");
        }
        for words in ["\"AND\"", "C++ *", "*", "🚀", "say 🚀", "NEAR(a)", "\0and", "say", "naïve", "{col}:"] {
            assert_eq!(find(&store, words), [1], "{words:?}");
        }
        assert_eq!(find(&store, "say 🦀"), [0; 0]);
        assert_eq!(find(&store, "text:plain"), [0; 0], "no column is addressed");
        assert!(find(&store, " \0 \t ").ends_with(&[2, 1]), "no word narrows nothing");
        assert_eq!(find(&store, &"word ".repeat(10_000)), [0; 0]);
        bury(&store).await;
    }
}

#[tokio::test]
async fn words_go_with_filters_and_pages() {
    let (_dir, store) = store();
    let events = (1..=30).map(|n| prompt(n, if n % 3 == 0 { "a" } else { "b" }, "common")).collect();
    put(&store, of_events(events)).await;
    for _ in 0..2 {
        for (ascending, words) in [(true, "common"), (false, "common"), (false, "commo")] {
            let mut query = EventQuery {
                session: Some("a".to_owned()),
                words: Some(words.to_owned()),
                after: ascending.then_some(0),
                limit: Some(3),
                ..EventQuery::default()
            };
            let mut seqs = Vec::new();
            loop {
                let page = store.events(&query).unwrap();
                seqs.extend(page.items.iter().map(|event| event.seq));
                let Some(next) = page.next else { break };
                let next = next.parse().ok();
                if ascending { query.after = next } else { query.before = next }
            }
            let mut expected: Vec<i64> = (1..=10).map(|n| n * 3).collect();
            if !ascending {
                expected.reverse();
            }
            assert_eq!(seqs, expected);
        }
        bury(&store).await;
    }
}

#[tokio::test]
async fn a_completed_event_is_found_by_its_new_words() {
    let (_dir, store) = store();
    put(&store, of_events(vec![tool_end(1, "s", "")])).await;
    bury(&store).await;
    let mut line = tool_end(1, "s", "segfault at zero");
    line.sources = Sources::one(Source::Transcript);
    put(&store, of_events(vec![line])).await;
    assert_eq!(find(&store, "segfault"), [1]);
    indexed(&store);
    assert_eq!(find(&store, "segfault cargo"), [1]);
    let stored = store.event(1).unwrap().unwrap();
    assert!(matches!(stored.body, Body::ToolEnd { output, .. } if output == "segfault at zero"));
}
