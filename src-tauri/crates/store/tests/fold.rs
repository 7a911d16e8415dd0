//! Rows kept while writing are the rows a fold from scratch gives.
#![allow(clippy::unwrap_used)]

mod make;

use std::collections::BTreeMap;

use make::{NOON, event, usage};
use orrery_store::{Batch, Item, Options, SqliteStore, Store, TotalsQuery};
use orrery_types::{
    Body, CostTotals, Event, EventQuery, GroupBy, SessionRow, Source, Sources, Subagent, ToolClass, UsageRow,
};
use orrery_views::session::{fold_event, fold_usage, new_row};
use proptest::prelude::*;
use proptest::test_runner::Config;

const SESSIONS: [&str; 3] = ["a", "b", "c"];

fn body() -> impl Strategy<Value = Body> {
    let call = || (0..4_u8).prop_map(|n| format!("call-{n}"));
    prop_oneof![
        Just(Body::SessionStart { reason: "startup".to_owned(), model: Some("opus".to_owned()) }),
        "[a-z ]{0,12}".prop_map(|text| Body::Prompt { text }),
        "[a-z]{0,600}".prop_map(|text| Body::Message { text, model: None }),
        call().prop_map(|call_id| Body::ToolStart {
            call_id,
            tool: "Edit".to_owned(),
            class: ToolClass::Edit,
            target: "a.rs".to_owned(),
            input: serde_json::json!({"file_path": "a.rs"}),
        }),
        (call(), any::<bool>(), proptest::option::of(0..9_i64)).prop_map(|(call_id, ok, duration_ms)| Body::ToolEnd {
            call_id,
            tool: "Edit".to_owned(),
            class: ToolClass::Edit,
            target: "a.rs".to_owned(),
            ok,
            error: (!ok).then(|| "exit 1".to_owned()),
            exit_code: None,
            duration_ms,
            output: String::new(),
            lines_added: Some(2),
            lines_removed: None,
            input: serde_json::Value::Null,
        }),
        Just(Body::Permission {
            tool: "Bash".to_owned(),
            class: ToolClass::Shell,
            target: "rm".to_owned(),
            input: serde_json::Value::Null,
        }),
        Just(Body::SubagentStart),
        Just(Body::Stop { message: String::new() }),
        Just(Body::Failure { error: "overloaded".to_owned(), details: String::new() }),
        Just(Body::Interrupt),
        Just(Body::SessionEnd { reason: "exit".to_owned() }),
    ]
}

/// Few ids, so that many repeat: from the same source or another, in the same body or a different one.
fn events() -> impl Strategy<Value = Event> {
    (0..40_u64, 0..SESSIONS.len(), body(), any::<bool>(), any::<bool>(), 0..90_000_i64).prop_map(
        |(number, session, body, from_hook, in_subagent, late_ms)| {
            let mut event = event(number, SESSIONS[session], body);
            event.at_ms += late_ms;
            event.sources = Sources::one(if from_hook { Source::Hook } else { Source::Transcript });
            event.subagent = in_subagent.then(|| Subagent { id: "x1".to_owned(), kind: "Explore".to_owned() });
            event
        },
    )
}

fn requests() -> impl Strategy<Value = UsageRow> {
    (0..12_u8, 0..SESSIONS.len(), 0..3_usize, 0..5_u64, any::<bool>(), proptest::option::of(0..3_u8)).prop_map(
        |(key, session, model, output, sidechain, days)| {
            let at_ms = NOON + i64::from(days.unwrap_or_default()) * 86_400_000;
            let model = ["opus", "haiku", "gpt"][model];
            let mut row = usage(&format!("r{key}"), SESSIONS[session], model, at_ms, output);
            row.request.sidechain = sidechain;
            row.request.subagent = sidechain.then(|| "x1".to_owned());
            row
        },
    )
}

fn batches() -> impl Strategy<Value = Vec<Vec<Item>>> {
    let item = (proptest::collection::vec(events(), 0..4), proptest::collection::vec(requests(), 0..3))
        .prop_map(|(events, usage)| Item { events, usage, ..Item::default() });
    proptest::collection::vec(proptest::collection::vec(item, 1..6), 1..10)
}

/// What adds up, whatever the order in which it arrived.
fn sums(row: &SessionRow) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        row.events,
        row.errors,
        row.lines_added,
        row.requests,
        row.tokens,
        row.cost_usd_micros,
        row.started_ms,
        row.last_ms,
    )
}

fn from_scratch(store: &SqliteStore, id: &str) -> SessionRow {
    let session = Some(id.to_owned());
    let query = EventQuery { session: session.clone(), after: Some(0), limit: Some(10_000), ..EventQuery::default() };
    let mut row = new_row(id, "claude-code");
    for event in store.events(&query).unwrap().items {
        fold_event(&mut row, &event, None);
    }
    for usage in store.usage(&TotalsQuery { session, ..TotalsQuery::default() }, 10_000).unwrap() {
        fold_usage(&mut row, &usage, None);
    }
    row
}

fn plus(mut sum: CostTotals, other: CostTotals) -> CostTotals {
    sum.tokens = sum.tokens.plus(other.tokens);
    sum.cost_usd_micros += other.cost_usd_micros;
    sum.requests += other.requests;
    sum.unpriced_requests += other.unpriced_requests;
    sum.estimated_requests += other.estimated_requests;
    sum
}

fn check(batches: Vec<Vec<Item>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (dir, mut store) = make::store();
    let mut announced: BTreeMap<String, SessionRow> = BTreeMap::new();
    let half = batches.len() / 2;
    for (number, items) in batches.into_iter().enumerate() {
        if number == half {
            drop(store);
            store = SqliteStore::open(dir.path()).unwrap();
        }
        let done = runtime.block_on(store.append(Batch { items: items.clone(), ..Batch::default() })).unwrap();
        for row in done.sessions.clone() {
            announced.insert(row.id.clone(), row);
        }
        let again = runtime.block_on(store.append(Batch { items, ..Batch::default() })).unwrap();
        assert_eq!((again.new_events, again.new_sessions), (0, 0));
        for row in again.sessions.clone() {
            announced.insert(row.id.clone(), row);
        }
    }
    for (id, row) in &announced {
        let kept = store.session(id).unwrap().unwrap().row;
        assert_eq!(&kept, row, "the last row told is the row kept");
        assert_eq!(sums(&kept), sums(&from_scratch(&store, id)));
    }
    let totals = store.totals(&TotalsQuery::default()).unwrap();
    for group in [
        GroupBy::Daily,
        GroupBy::Weekly,
        GroupBy::Monthly,
        GroupBy::Session,
        GroupBy::Project,
        GroupBy::Model,
        GroupBy::Agent,
    ] {
        let rows = store.costs(group, &TotalsQuery::default(), 90).unwrap();
        let sum = rows.iter().fold(CostTotals::default(), |sum, row| plus(sum, row.totals));
        assert_eq!(sum, totals, "{group:?}");
    }
    let kept = announced.values().fold((0, 0), |sum, row| (sum.0 + row.tokens.total(), sum.1 + row.cost_usd_micros));
    assert_eq!(kept, (totals.tokens.total(), totals.cost_usd_micros));
    let health = store.health(NOON).unwrap();
    assert_eq!(health.sessions, announced.len() as u64);
    assert_eq!(health.events, announced.values().map(|row| row.events).sum::<u64>());
}

proptest! {
    #![proptest_config(Config { cases: 40, failure_persistence: None, ..Config::default() })]
    #[test]
    fn rows_kept_are_rows_folded_from_scratch(batches in batches()) {
        check(batches);
    }
}

/// Leaves events alone, each id once.
fn without_repeats(batches: Vec<Vec<Item>>) -> Vec<Vec<Item>> {
    let mut seen = std::collections::BTreeSet::new();
    let single = |mut item: Item, seen: &mut std::collections::BTreeSet<String>| {
        item.events.retain(|event| seen.insert(event.id.clone()));
        item.usage.clear();
        item
    };
    batches.into_iter().map(|items| items.into_iter().map(|item| single(item, &mut seen)).collect()).collect()
}

/// Every batch is followed by one that fails after it wrote: nothing of it may stay in the rows.
fn check_whole_rows(batches: Vec<Vec<Item>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    let options = Options { max_value_bytes: Some(100_000), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &options).unwrap();
    let noise = make::noise(7, 120_000);
    for (number, items) in (1_000..).zip(without_repeats(batches)) {
        let bad = SESSIONS.map(|session| make::item(vec![make::prompt(number, session, "lost")], &noise));
        let (good, failed) = runtime.block_on(async {
            tokio::join!(
                store.append(Batch { items, ..Batch::default() }),
                store.append(Batch { items: bad.to_vec(), ..Batch::default() })
            )
        });
        assert!(good.is_ok() && failed.is_err());
    }
    for id in SESSIONS {
        if let Some(kept) = store.session(id).unwrap() {
            assert_eq!(kept.row, from_scratch(&store, id));
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, ..Config::default() })]
    #[test]
    fn whole_rows_are_the_same_beside_batches_that_fail(batches in batches()) {
        check_whole_rows(batches);
    }
}
