//! What every store must do.
#![allow(clippy::unwrap_used)]

mod make;

use make::{NOON, batch, event, id, item, of_events, of_usage, prompt, put, store, tool_end, usage};
use orrery_store::{AlertWrite, Batch, DeliveryQuery, FileCursor, Item, SqliteStore, Store, StoreError, TotalsQuery};
use orrery_types::{
    Alert, AlertKind, AlertState, Body, Delivery, DeliveryState, EventQuery, GroupBy, Mark, Problem, SessionFacts,
    SessionQuery, SessionSort, Snooze, Source, Sources,
};

const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn an_event_comes_back_as_it_was_sent() {
    let (_dir, store) = store();
    let long = "x".repeat(5_000);
    let sent = vec![prompt(1, "s", "Fix the login"), tool_end(2, "s", &long), event(3, "s", Body::Interrupt)];
    let done = put(&store, of_events(sent.clone())).await;
    assert_eq!(done.seqs, [[1, 2, 3]]);
    assert_eq!((done.new_events, done.new_sessions), (3, 1));
    assert_eq!(done.sessions, [store.session("s").unwrap().unwrap().row]);
    for (seq, mut sent) in (1..).zip(sent) {
        sent.seq = seq;
        assert_eq!(store.event(seq).unwrap(), Some(sent.clone()));
        assert_eq!(done.events[usize::try_from(seq).unwrap() - 1], sent);
    }
    assert_eq!(store.event(4).unwrap(), None);
    assert_eq!(store.newest_seq().unwrap(), 3);
}

#[tokio::test]
async fn raw_bytes_come_back_exactly() {
    let (_dir, store) = store();
    let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    put(&store, batch(vec![item(vec![prompt(1, "s", "a"), prompt(2, "s", "b")], &bytes)])).await;
    put(&store, batch(vec![item(vec![prompt(3, "s", "c")], b"")])).await;
    for (seq, bytes) in [(1, &bytes[..]), (2, &bytes[..]), (3, b"")] {
        let raw = store.raw(seq).unwrap();
        assert_eq!(raw.len(), 1, "event {seq}");
        assert_eq!(raw[0].bytes, bytes);
        assert_eq!((raw[0].source, raw[0].place.as_str()), (Source::Hook, "POST /hooks/claude-code"));
    }
    assert!(store.raw(9).unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_sent_again_writes_nothing() {
    let (_dir, store) = store();
    let sent = || Batch {
        items: vec![
            item(vec![prompt(1, "s", "a"), prompt(2, "t", "b")], b"{}"),
            Item {
                usage: vec![usage("r1", "s", "opus", NOON, 7)],
                facts: vec![SessionFacts {
                    session_id: "s".to_owned(),
                    title: Some("Login".to_owned()),
                    ..SessionFacts::default()
                }],
                ..Item::default()
            },
        ],
        cursors: vec![FileCursor { path: "a.jsonl".to_owned(), inode: u64::MAX, offset: 12, ..FileCursor::default() }],
        problems: vec![Problem {
            code: "bad_json".to_owned(),
            message: "no".to_owned(),
            place: "a.jsonl".to_owned(),
            line: Some(3),
            at_ms: NOON,
        }],
        ..Batch::default()
    };
    let first = put(&store, sent()).await;
    assert!(first.rows_written > 0);
    let second = put(&store, sent()).await;
    assert_eq!(second.seqs, first.seqs);
    assert_eq!((second.rows_written, second.new_events, second.new_sessions), (0, 0, 0));
    assert!(second.events.is_empty() && second.sessions.is_empty());
    assert_eq!(store.raw(1).unwrap().len(), 1);
    assert_eq!(store.cursors().unwrap(), sent().cursors);
    assert_eq!(store.problems(10).unwrap(), sent().problems);
    assert_eq!(store.newest_seq().unwrap(), 2);
}

#[tokio::test]
async fn ids_that_are_no_hex_digits_are_one_row_too() {
    let (_dir, store) = store();
    let named = |id: &str| {
        let mut event = prompt(1, "s", "a");
        event.id = id.to_owned();
        of_events(vec![event])
    };
    let first = put(&store, named("msg_01 \u{0}é")).await;
    assert_eq!(put(&store, named("msg_01 \u{0}é")).await.rows_written, 0);
    assert_eq!(first.events[0].id.len(), 32);
    // The stored form is an id as well.
    assert_eq!(put(&store, named(&first.events[0].id.to_uppercase())).await.rows_written, 0);
    assert_eq!(put(&store, named("")).await.new_events, 1);
    assert_eq!(put(&store, named("+0000000000000000000000000000001")).await.new_events, 1);
}

#[tokio::test]
async fn two_reports_of_one_fact_are_one_event_in_either_order() {
    let hook = tool_end(1, "s", "");
    let mut line = tool_end(1, "s", "12 passed");
    line.sources = Sources::one(Source::Transcript);
    if let Body::ToolEnd { duration_ms, .. } = &mut line.body {
        *duration_ms = Some(420);
    }
    let mut ends = Vec::new();
    for order in [[&hook, &line], [&line, &hook]] {
        let (_dir, store) = store();
        let first = put(&store, batch(vec![item(vec![order[0].clone()], b"first")])).await;
        let second = put(&store, batch(vec![item(vec![order[1].clone()], b"second")])).await;
        assert_eq!(second.seqs, first.seqs);
        assert_eq!(second.new_events, 0);
        assert_eq!(second.events.len(), 1, "the completed event is announced again");
        let stored = store.event(1).unwrap().unwrap();
        assert_eq!(second.events[0], stored);
        assert!(stored.sources.has(Source::Hook) && stored.sources.has(Source::Transcript));
        let raw: Vec<_> = store.raw(1).unwrap().into_iter().map(|raw| raw.bytes).collect();
        assert_eq!(raw, [b"first".to_vec(), b"second".to_vec()]);
        let third = put(&store, batch(vec![item(vec![order[0].clone()], b"first")])).await;
        assert_eq!(third.rows_written, 0);
        assert_eq!(store.tool_stats(0).unwrap(), tools(1, 0, Some(420), Some(420)));
        ends.push((stored, store.session("s").unwrap().unwrap().row));
    }
    let [first, second] = &ends[..] else { panic!("two orders were tried") };
    assert_eq!(first, second);
    assert_eq!(first.1.events, 1);
}

#[tokio::test]
async fn pages_of_events_go_both_ways_without_gaps() {
    let (_dir, store) = store();
    let events = (1..=25).map(|n| prompt(n, if n % 2 == 0 { "even" } else { "odd" }, "x")).collect();
    put(&store, of_events(events)).await;
    let walk = |ascending: bool, session: Option<&str>| {
        let mut query = EventQuery {
            session: session.map(str::to_owned),
            limit: Some(4),
            after: ascending.then_some(0),
            ..EventQuery::default()
        };
        let mut seqs = Vec::new();
        loop {
            let page = store.events(&query).unwrap();
            seqs.extend(page.items.iter().map(|event| event.seq));
            let Some(next) = page.next else { return seqs };
            let next = next.parse().ok();
            if ascending { query.after = next } else { query.before = next }
        }
    };
    assert_eq!(walk(true, None), (1..=25).collect::<Vec<_>>());
    assert_eq!(walk(false, None), (1..=25).rev().collect::<Vec<_>>());
    assert_eq!(walk(false, Some("even")), (1..=12).rev().map(|n| n * 2).collect::<Vec<_>>());
    assert_eq!(walk(false, Some("none")), [0; 0]);
}

#[tokio::test]
async fn events_are_narrowed_by_every_field() {
    let (_dir, store) = store();
    let mut other = prompt(2, "b", "y");
    other.agent = "codex".to_owned();
    other.name = "event_msg".to_owned();
    let facts =
        SessionFacts { session_id: "b".to_owned(), project: Some("shop".to_owned()), ..SessionFacts::default() };
    let item =
        Item { events: vec![prompt(1, "a", "x"), other, prompt(3, "a", "z")], facts: vec![facts], ..Item::default() };
    put(&store, batch(vec![item])).await;
    let seqs =
        |query: EventQuery| -> Vec<i64> { store.events(&query).unwrap().items.iter().map(|event| event.seq).collect() };
    let all = EventQuery::default;
    assert_eq!(seqs(EventQuery { agent: Some("codex".to_owned()), ..all() }), [2]);
    assert_eq!(seqs(EventQuery { name: Some("event_msg".to_owned()), ..all() }), [2]);
    assert_eq!(seqs(EventQuery { project: Some("shop".to_owned()), ..all() }), [2]);
    assert_eq!(seqs(EventQuery { session: Some("a".to_owned()), ..all() }), [3, 1]);
    assert_eq!(seqs(EventQuery { from_ms: Some(NOON + 2_000), to_ms: Some(NOON + 3_000), ..all() }), [2]);
    assert_eq!(seqs(EventQuery { agent: Some("nobody".to_owned()), ..all() }), [0; 0]);
    let options = store.filter_options().unwrap();
    assert_eq!(options.agents, ["claude-code", "codex"]);
    assert_eq!(options.projects, ["shop"]);
    assert_eq!(options.names, ["Test", "event_msg"]);
    assert_eq!(options.session_ids, ["a", "b"]);
}

#[tokio::test]
async fn sessions_are_sorted_filtered_and_paged() {
    let (_dir, store) = store();
    for n in 0..10_u64 {
        let session = format!("s{n}");
        let facts = SessionFacts {
            session_id: session.clone(),
            agent: "claude-code".to_owned(),
            title: Some(format!("Überblick {n}")),
            project: Some(if n < 5 { "shop" } else { "site" }.to_owned()),
            parent: (n == 9).then(|| "s0".to_owned()),
            ..SessionFacts::default()
        };
        put(
            &store,
            batch(vec![Item {
                events: vec![prompt(n + 1, &session, "go")],
                usage: vec![usage(&format!("r{n}"), &session, "opus", NOON, (n % 3) * 10)],
                facts: vec![facts],
                ..Item::default()
            }]),
        )
        .await;
    }
    for sort in [
        SessionSort::Started,
        SessionSort::Last,
        SessionSort::Duration,
        SessionSort::Turns,
        SessionSort::Tools,
        SessionSort::Errors,
        SessionSort::Tokens,
        SessionSort::Cost,
    ] {
        for ascending in [true, false] {
            let mut query = SessionQuery { sort, ascending, limit: Some(3), ..SessionQuery::default() };
            let mut ids = Vec::new();
            loop {
                let page = store.sessions(&query).unwrap();
                assert_eq!(page.total, Some(10));
                ids.extend(page.items.into_iter().map(|row| row.id));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            let mut unique = ids.clone();
            unique.sort();
            unique.dedup();
            assert_eq!((ids.len(), unique.len()), (10, 10), "{sort:?} {ascending}");
        }
    }
    let ids = |query: SessionQuery| -> Vec<String> {
        store.sessions(&query).unwrap().items.into_iter().map(|row| row.id).collect()
    };
    let all = SessionQuery::default;
    assert_eq!(ids(SessionQuery { limit: Some(2), ..all() }), ["s9", "s8"]);
    let dear = SessionQuery { sort: SessionSort::Cost, project: Some("site".to_owned()), ..all() };
    assert_eq!(ids(dear), ["s8", "s5", "s7", "s9", "s6"]);
    assert_eq!(ids(SessionQuery { text: Some("ÜBER 7 site".to_owned()), ..all() }), ["s7"]);
    assert_eq!(
        ids(SessionQuery { model: Some("opus".to_owned()), status: Some("running".to_owned()), ..all() }).len(),
        10
    );
    assert_eq!(ids(SessionQuery { status: Some("failed".to_owned()), ..all() }), [""; 0]);
    assert!(matches!(
        store.sessions(&SessionQuery { after: Some("'; DROP".to_owned()), ..all() }),
        Err(StoreError::BadQuery(_))
    ));
    let parent = store.session("s0").unwrap().unwrap();
    assert_eq!(parent.children.len(), 1);
    let child = store.session("s9").unwrap().unwrap();
    assert_eq!(child.parent.unwrap().id, "s0");
    assert_eq!(child.models[0].key, "opus");
    let recent = store.recent_sessions(NOON + 9_000, 10).unwrap();
    assert_eq!(recent.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["s9", "s8"]);
}

#[tokio::test]
async fn a_request_is_counted_once() {
    let (_dir, store) = store();
    put(&store, of_usage(vec![usage("r", "a", "opus", NOON, 3), usage("r", "a", "opus", NOON, 90)])).await;
    let again = put(&store, of_usage(vec![usage("r", "a", "opus", NOON, 3)])).await;
    assert_eq!(again.rows_written, 0);
    let totals = store.totals(&TotalsQuery::default()).unwrap();
    assert_eq!((totals.requests, totals.tokens.output, totals.cost_usd_micros), (1, 90, 1_350));
    let row = store.session("a").unwrap().unwrap().row;
    assert_eq!((row.requests, row.tokens, row.cost_usd_micros), (1, totals.tokens, 1_350));
    assert_eq!(store.usage(&TotalsQuery::default(), 10).unwrap(), [usage("r", "a", "opus", NOON, 90)]);
}

#[tokio::test]
async fn a_request_claimed_by_a_better_line_moves_to_its_session() {
    let (_dir, store) = store();
    let mut copy = usage("r", "fork", "opus", NOON, 5);
    copy.request.sidechain = true;
    put(&store, of_usage(vec![copy])).await;
    let moved = put(&store, of_usage(vec![usage("r", "main", "opus", NOON, 5)])).await;
    assert_eq!(moved.sessions.len(), 2);
    let row = |id: &str| store.session(id).unwrap().unwrap().row;
    assert_eq!((row("fork").requests, row("fork").tokens.total(), row("fork").cost_usd_micros), (0, 0, 0));
    assert_eq!((row("main").requests, row("main").cost_usd_micros), (1, 75));
}

#[tokio::test]
async fn costs_fall_into_the_persons_days() {
    let (_dir, store) = store();
    // Sunday 2026-11-22 23:30 UTC is Monday in Berlin; the year and the month turn too.
    let sunday = NOON + 11 * HOUR + HOUR / 2;
    let rows = vec![
        usage("a", "s", "opus", sunday, 1),
        usage("b", "s", "haiku", sunday + HOUR, 2),
        usage("c", "t", "opus", NOON - 40 * 24 * HOUR, 4),
    ];
    put(&store, of_usage(rows)).await;
    let keys = |group, offset| -> Vec<(String, u64)> {
        let rows = store.costs(group, &TotalsQuery::default(), offset).unwrap();
        rows.into_iter().map(|row| (row.key, row.totals.tokens.output)).collect()
    };
    let of = |rows: &[(&str, u64)]| rows.iter().map(|(key, sum)| ((*key).to_owned(), *sum)).collect::<Vec<_>>();
    assert_eq!(keys(GroupBy::Daily, 0), of(&[("2026-10-13", 4), ("2026-11-22", 1), ("2026-11-23", 2)]));
    assert_eq!(keys(GroupBy::Daily, 60), of(&[("2026-10-13", 4), ("2026-11-23", 3)]));
    assert_eq!(keys(GroupBy::Weekly, 0), of(&[("2026-10-12", 4), ("2026-11-16", 1), ("2026-11-23", 2)]));
    assert_eq!(keys(GroupBy::Weekly, -600), of(&[("2026-10-12", 4), ("2026-11-16", 3)]));
    assert_eq!(keys(GroupBy::Monthly, 0), of(&[("2026-10", 4), ("2026-11", 3)]));
    assert_eq!(keys(GroupBy::Session, 0), of(&[("t", 4), ("s", 3)]));
    assert_eq!(keys(GroupBy::Model, 0), of(&[("opus", 5), ("haiku", 2)]));
    assert_eq!(keys(GroupBy::Agent, 0), of(&[("claude-code", 7)]));
    let rows = store.costs(GroupBy::Session, &TotalsQuery::default(), 0).unwrap();
    assert_eq!(rows[1].models, ["haiku", "opus"]);
    let november = TotalsQuery { from_ms: Some(NOON), session: Some("s".to_owned()), ..TotalsQuery::default() };
    assert_eq!(store.totals(&november).unwrap().tokens.output, 3);
    assert_eq!(store.usage(&november, 1).unwrap()[0].request.key, "b");
}

#[tokio::test]
async fn absurd_figures_do_not_break_the_sums() {
    let (_dir, store) = store();
    let absurd = |key: &str, at_ms| {
        let mut row = usage(key, "s", "opus", at_ms, 1);
        row.request.tokens.input = u64::MAX;
        row.cost_usd_micros = Some(i64::MAX);
        row
    };
    let mut timeless = prompt(1, "s", "x");
    timeless.at_ms = i64::MIN;
    put(&store, of_events(vec![timeless])).await;
    put(&store, of_usage(vec![absurd("a", i64::MAX), absurd("b", i64::MIN)])).await;
    let totals = store.totals(&TotalsQuery::default()).unwrap();
    let row = store.session("s").unwrap().unwrap().row;
    assert_eq!((row.tokens, row.cost_usd_micros), (totals.tokens, totals.cost_usd_micros));
    for group in [GroupBy::Daily, GroupBy::Weekly, GroupBy::Monthly] {
        assert_eq!(store.costs(group, &TotalsQuery::default(), -840).unwrap().len(), 2);
    }
}

#[tokio::test]
async fn tool_figures_have_the_middle_duration() {
    let (_dir, store) = store();
    let ended = |n: u64, worked: bool, took: Option<i64>| {
        let mut event = tool_end(n, "s", "");
        if let Body::ToolEnd { ok, duration_ms, .. } = &mut event.body {
            (*ok, *duration_ms) = (worked, took);
        }
        event
    };
    assert_eq!(store.tool_stats(0).unwrap(), tools(0, 0, None, None));
    let events =
        vec![ended(1, true, Some(1)), ended(2, false, Some(900)), ended(3, true, None), ended(4, true, Some(30))];
    put(&store, of_events(events)).await;
    assert_eq!(store.tool_stats(0).unwrap(), tools(4, 1, Some(30), Some(900)));
    assert_eq!(store.tool_stats(NOON + 3_000).unwrap(), tools(2, 0, Some(30), Some(30)));
}

#[tokio::test]
async fn an_alert_is_logged_once() {
    let (_dir, store) = store();
    let alert = Alert {
        key: "budget/daily/2026-11-22".to_owned(),
        kind: AlertKind::BudgetExceeded,
        at_ms: NOON,
        title: "Budget exceeded".to_owned(),
        text: "$50.12 of $40.00 today".to_owned(),
        ..Alert::default()
    };
    assert!(store.log_alert(alert.clone()).await.unwrap());
    assert!(!store.log_alert(alert.clone()).await.unwrap());
    let delivered = Alert { state: AlertState::Delivered { at_ms: NOON + 1 }, ..alert.clone() };
    store.update_alert(delivered.clone()).await.unwrap();
    assert_eq!(store.alerts(10).unwrap(), [delivered]);
    let unknown = Alert { key: "other".to_owned(), ..alert };
    assert!(store.update_alert(unknown).await.is_err());
    assert_eq!(store.alert("budget/daily/2026-11-22").unwrap(), store.alerts(1).unwrap().pop());
    assert_eq!(store.alert("other").unwrap(), None);
}

#[tokio::test]
async fn deliveries_snoozes_and_marks_are_kept_by_what_they_are_about() {
    let (_dir, store) = store();
    let alert = Alert { key: "a".to_owned(), session_id: Some("s1".to_owned()), ..Alert::default() };
    assert!(store.log_alert(alert).await.unwrap());
    let delivery = |sink: &str, at_ms: i64, state: DeliveryState| Delivery {
        alert: "a".to_owned(),
        sink: sink.to_owned(),
        at_ms,
        state,
        ..Delivery::default()
    };
    let write = |delivery: Delivery| store.write_alerts(vec![AlertWrite::Delivery(delivery)]);
    write(delivery("slack", 1, DeliveryState::Waiting)).await.unwrap();
    write(delivery("mail", 2, DeliveryState::Dead)).await.unwrap();
    write(delivery("slack", 3, DeliveryState::Delivered)).await.unwrap();
    write(Delivery { alert: "nobody's".to_owned(), ..delivery("slack", 4, DeliveryState::Dead) }).await.unwrap();
    let all = DeliveryQuery { limit: 10, ..DeliveryQuery::default() };
    let listed = store.deliveries(&all).unwrap();
    assert_eq!(listed, [delivery("slack", 3, DeliveryState::Delivered), delivery("mail", 2, DeliveryState::Dead)]);
    let dead = DeliveryQuery { state: Some(DeliveryState::Dead), ..all.clone() };
    assert_eq!(store.deliveries(&dead).unwrap(), [delivery("mail", 2, DeliveryState::Dead)]);

    let snooze = |target: &str, until_ms: i64| AlertWrite::Snooze(Snooze { target: target.to_owned(), until_ms });
    let mark = AlertWrite::Mark { name: "digest/daily".to_owned(), at_ms: 7 };
    store.write_alerts(vec![snooze("rule/a", 10), snooze("all", 20), snooze("rule/a", 30), mark]).await.unwrap();
    let targets = |now_ms: i64| -> Vec<String> {
        store.snoozes(now_ms).unwrap().into_iter().map(|snooze| snooze.target).collect()
    };
    assert_eq!(targets(10), ["all", "rule/a"]);
    assert_eq!(targets(25), ["rule/a"]);
    store.write_alerts(vec![snooze("rule/a", 0)]).await.unwrap();
    assert_eq!(targets(0), ["all"]);
    assert_eq!(store.marks().unwrap(), [("digest/daily".to_owned(), 7)]);
}

#[tokio::test]
async fn only_the_newest_problems_are_kept() {
    let (_dir, store) = store();
    let problem = |n: i64| Problem {
        code: "bad_json".to_owned(),
        message: n.to_string(),
        place: "POST /events".to_owned(),
        line: None,
        at_ms: n,
    };
    put(&store, Batch { problems: (0..10_050).map(problem).collect(), ..Batch::default() }).await;
    let kept = store.problems(20_000).unwrap();
    assert_eq!(kept.len(), 10_000);
    assert_eq!((kept[0].at_ms, kept[9_999].at_ms), (10_049, 50));
}

#[tokio::test]
async fn health_counts_without_counting() {
    let (_dir, store) = store();
    put(&store, of_events((1..=3).map(|n| prompt(n, &format!("s{n}"), "x")).collect())).await;
    let now = NOON + 3_000;
    let health = store.health(now).unwrap();
    assert_eq!((health.events, health.sessions, health.newest_seq), (3, 3, 3));
    assert_eq!((health.active_sessions_24h, health.events_last_minute), (3, 3));
    assert!(health.size_bytes > 0);
    let later = store.health(now + 25 * HOUR).unwrap();
    assert_eq!((later.active_sessions_24h, later.events_last_minute), (0, 0));
    assert_eq!(store.last_hooks().unwrap(), [("claude-code".to_owned(), NOON + 3_005)]);
}

#[tokio::test]
async fn the_demo_goes_and_takes_nothing_else_along() {
    let (_dir, store) = store();
    let demo = |n: u64| {
        let mut event = prompt(n, if n.is_multiple_of(2) { "demo-a" } else { "demo-b" }, "zebra");
        event.demo = true;
        event
    };
    put(&store, batch(vec![item(vec![prompt(1, "real", "zebra")], b"real")])).await;
    put(&store, batch((10..1_300).map(|n| item(vec![demo(n)], b"demo")).collect())).await;
    let mut spent = usage("r", "demo-a", "opus", NOON, 5);
    spent.request.demo = true;
    put(&store, of_usage(vec![spent, usage("q", "real", "opus", NOON, 7)])).await;
    assert!(store.has_demo().unwrap());

    assert_eq!(store.remove_demo().await.unwrap(), ["demo-a", "demo-b"]);
    assert!(!store.has_demo().unwrap());
    assert_eq!(store.remove_demo().await.unwrap(), [""; 0]);
    let found = store.events(&EventQuery { words: Some("zebra".to_owned()), ..EventQuery::default() }).unwrap();
    assert_eq!(found.items.iter().map(|event| event.session_id.as_str()).collect::<Vec<_>>(), ["real"]);
    assert_eq!(store.raw(1).unwrap()[0].bytes, b"real");
    assert_eq!(store.raw(2).unwrap().len(), 0);
    assert_eq!(store.totals(&TotalsQuery::default()).unwrap().tokens.output, 7);
    let health = store.health(NOON).unwrap();
    assert_eq!((health.events, health.sessions), (1, 1));
    assert_eq!(put(&store, of_events(vec![demo(12)])).await.seqs, [[1_292]], "numbers are never given twice");
    assert_eq!(store.event(1_292).unwrap().unwrap().id, id(12));
}

fn tools(calls: u32, failed: u32, p50_ms: Option<i64>, p95_ms: Option<i64>) -> orrery_store::ToolStats {
    orrery_store::ToolStats { calls, failed, p50_ms, p95_ms }
}

#[tokio::test]
async fn a_track_follows_its_events() {
    let (dir, store) = store();
    let mut end = tool_end(2, "s", "done");
    put(&store, of_events(vec![prompt(1, "s", "Fix the login"), end.clone()])).await;
    put(&store, of_usage(vec![usage("r1", "s", "opus", NOON, 7)])).await;
    tracked(&store).await;
    let track = store.track("s").unwrap().unwrap();
    assert_eq!(
        track.points.iter().map(|point| (point.seq, point.mark)).collect::<Vec<_>>(),
        [(1, Mark::Prompt), (2, Mark::ToolEnd)]
    );
    assert_eq!((track.spent.len(), track.spent[0].prompt), (1, 1_110));
    let edition = store.track_edition("s").unwrap();

    // Another source measures the call: the point changes with the event.
    if let Body::ToolEnd { duration_ms, .. } = &mut end.body {
        *duration_ms = Some(700);
    }
    end.sources = Sources::one(Source::Transcript);
    put(&store, of_events(vec![end])).await;
    tracked(&store).await;
    assert_eq!(store.track("s").unwrap().unwrap().points[1].took_ms, Some(700));
    assert!(store.track_edition("s").unwrap() > edition);

    // What is removed is on no track; a store that has events but no tracks makes them when it is opened.
    let demo = orrery_types::Event { demo: true, ..prompt(3, "d", "Look around") };
    put(&store, of_events(vec![demo])).await;
    tracked(&store).await;
    assert_eq!(store.track("d").unwrap().unwrap().points.len(), 1);
    store.remove_demo().await.unwrap();
    assert_eq!(store.track("d").unwrap(), None);
    drop(store);
    let conn = rusqlite::Connection::open(dir.path().join("orrery.db")).unwrap();
    conn.execute_batch("DELETE FROM track; UPDATE counter SET value = 0 WHERE name = 'tracked'").unwrap();
    drop(conn);
    let store = SqliteStore::open(dir.path()).unwrap();
    tracked(&store).await;
    assert_eq!(store.track("s").unwrap().unwrap().points.len(), 2);
}

/// Waits until every event is on its track.
async fn tracked(store: &SqliteStore) {
    for _ in 0..2_000 {
        if store.untracked().unwrap() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{} events are not on their tracks", store.untracked().unwrap());
}
