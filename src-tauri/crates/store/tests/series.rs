//! Figures over time equal a recount of all events and requests, wherever they lie and whatever changed.
#![allow(clippy::unwrap_used)]

mod make;

use std::collections::BTreeMap;
use std::time::Duration;

use make::{NOON, event, of_events, of_usage, put, usage};
use orrery_store::{Batch, Item, Options, SqliteStore, Store, TotalsQuery};
use orrery_types::{
    Body, EventQuery, Metric, SeriesBy, SeriesQuery, SeriesStep, SessionFacts, Source, Sources, ToolClass,
};

const HOUR_MS: i64 = 3_600_000;

fn call(number: u64, session: &str, hour: i64, demo: bool) -> orrery_types::Event {
    let mut event = event(
        number,
        session,
        Body::ToolEnd {
            call_id: String::new(),
            tool: ["Bash", "Edit", ""][number as usize % 3].to_owned(),
            class: ToolClass::Shell,
            target: String::new(),
            ok: !number.is_multiple_of(5),
            error: None,
            exit_code: None,
            duration_ms: (!number.is_multiple_of(4)).then_some(number as i64 * 37 % 5_000),
            output: String::new(),
            lines_added: None,
            lines_removed: None,
            input: serde_json::Value::Null,
        },
    );
    event.at_ms = NOON + hour * HOUR_MS + number as i64 * 1_000;
    event.agent = ["claude-code", "codex"][number as usize % 2].to_owned();
    event.demo = demo;
    event
}

/// Sums by hour and key, from the rows themselves.
fn recount(store: &SqliteStore, query: &SeriesQuery) -> BTreeMap<String, i64> {
    let project = |id: &str| store.session(id).unwrap().unwrap().row.project;
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    let inside = |at_ms: i64| at_ms >= query.from_ms.unwrap() && at_ms < query.to_ms.unwrap();
    if matches!(query.metric, Metric::Cost | Metric::Tokens | Metric::Requests) {
        for row in
            store.usage(&TotalsQuery::default(), 10_000).unwrap().into_iter().filter(|row| inside(row.request.at_ms))
        {
            let key = match query.by {
                SeriesBy::Agent => row.request.agent.clone(),
                SeriesBy::Project => project(&row.request.session_id),
                SeriesBy::Model => row.request.model.clone().unwrap_or_default(),
                _ => String::new(),
            };
            *sums.entry(key).or_default() += match query.metric {
                Metric::Cost => row.cost_usd_micros.unwrap_or_default(),
                Metric::Tokens => row.request.tokens.total() as i64,
                _ => 1,
            };
        }
        return sums;
    }
    let all = store.events(&EventQuery { limit: Some(10_000), ..EventQuery::default() }).unwrap().items;
    for event in all.into_iter().filter(|event| inside(event.at_ms)) {
        let Body::ToolEnd { ok, duration_ms, .. } = &event.body else { continue };
        let key = match query.by {
            SeriesBy::Agent => event.agent.clone(),
            SeriesBy::Project => project(&event.session_id),
            SeriesBy::Tool => event.body.tool().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        if query.by == SeriesBy::Tool && key.is_empty() {
            continue;
        }
        *sums.entry(key).or_default() += match query.metric {
            Metric::Errors => i64::from(!ok),
            Metric::ToolMs => duration_ms.unwrap_or_default(),
            _ => 1,
        };
    }
    sums
}

fn check(store: &SqliteStore, when: &str) {
    let usage = [Metric::Cost, Metric::Tokens, Metric::Requests];
    for metric in [Metric::Events, Metric::Calls, Metric::Errors, Metric::ToolMs].into_iter().chain(usage) {
        for by in [SeriesBy::None, SeriesBy::Agent, SeriesBy::Project, SeriesBy::Tool, SeriesBy::Model] {
            let is_usage = usage.contains(&metric);
            if (is_usage && by == SeriesBy::Tool) || (!is_usage && by == SeriesBy::Model) {
                continue;
            }
            let query = SeriesQuery {
                metric,
                by,
                step: SeriesStep::Hour,
                from_ms: Some(NOON),
                to_ms: Some(NOON + 48 * HOUR_MS),
                ..SeriesQuery::default()
            };
            let series = store.series(&query).unwrap();
            let sums: BTreeMap<String, i64> = series
                .series
                .iter()
                .map(|line| (line.key.clone(), line.total))
                .filter(|(_, total)| *total != 0)
                .collect();
            let mut expected = recount(store, &query);
            expected.retain(|_, total| *total != 0);
            assert_eq!(sums, expected, "{metric:?} by {by:?} {when}");
            assert!(
                series
                    .series
                    .iter()
                    .all(|line| line.values.iter().sum::<i64>() == line.total && line.values.len() == 48)
            );
        }
    }
}

fn settle(store: &SqliteStore) {
    let give_up = std::time::Instant::now() + Duration::from_secs(30);
    while store.health(NOON).unwrap().unindexed > 0 {
        assert!(std::time::Instant::now() < give_up, "packing stands still");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn figures_equal_a_recount() {
    let dir = tempfile::TempDir::new().unwrap();
    let options = Options { fresh_events: Some(20), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &options).unwrap();
    for hour in 0..20 {
        let events = (0..20).map(|n| call(hour * 100 + n, &format!("s{}", n % 4), hour as i64, n % 4 == 3)).collect();
        put(&store, of_events(events)).await;
        let requests = (0..5).map(|n| {
            let mut row = usage(&format!("{hour}/{n}"), &format!("s{}", n % 4), ["opus", "sonnet"][n % 2], NOON, 100);
            row.request.at_ms = NOON + hour as i64 * HOUR_MS;
            row.request.demo = n % 4 == 3;
            row
        });
        put(&store, of_usage(requests.collect())).await;
    }
    check(&store, "while some are packed");
    settle(&store);
    check(&store, "packed");

    let facts = (0..4).map(|n| SessionFacts {
        session_id: format!("s{n}"),
        project: Some(["kiln", "loom"][n % 2].to_owned()),
        ..SessionFacts::default()
    });
    put(&store, Batch { items: vec![Item { facts: facts.collect(), ..Item::default() }], ..Batch::default() }).await;
    check(&store, "after the projects were told");

    let completed = (0..20).map(|hour| {
        let mut event = call(hour * 100, "s0", hour as i64, false);
        event.sources = Sources::one(Source::Transcript);
        if let Body::ToolEnd { duration_ms, ok, .. } = &mut event.body {
            (*duration_ms, *ok) = (Some(1_234), false);
        }
        event
    });
    put(&store, of_events(completed.collect())).await;
    let mut larger = usage("3/1", "s1", "sonnet", NOON, 9_000);
    larger.request.at_ms = NOON + 3 * HOUR_MS;
    put(&store, of_usage(vec![larger])).await;
    check(&store, "after some were completed");
    settle(&store);
    check(&store, "after they were packed again");

    store.remove_demo().await.unwrap();
    check(&store, "after the demo was removed");
    settle(&store);
    check(&store, "at the end");
}

#[tokio::test]
async fn durations_are_told_by_their_middle_and_their_end() {
    let (_dir, store) = make::store();
    put(&store, of_events((1..=100).map(|n| call(n * 12 + 1, "s", 0, false)).collect())).await;
    let ask = |metric| {
        let query = SeriesQuery {
            metric,
            step: SeriesStep::Day,
            from_ms: Some(NOON),
            to_ms: Some(NOON + HOUR_MS),
            ..SeriesQuery::default()
        };
        store.series(&query).unwrap().series[0].total
    };
    let mut durations: Vec<i64> = (1..=100).map(|n| (n * 12 + 1) * 37 % 5_000).collect();
    durations.sort_unstable();
    for (metric, place) in [(Metric::ToolP50, 49), (Metric::ToolP95, 94)] {
        let (told, exact) = (ask(metric), durations[place]);
        assert!(told <= exact && exact - told <= exact / 10 + 1, "{metric:?}: {told} for {exact}");
    }
}
