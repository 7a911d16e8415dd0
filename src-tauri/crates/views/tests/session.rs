//! The session fold: what each event does to a row, and that order and pieces do not change the sums.
#![allow(clippy::unwrap_used)]

use orrery_types::{
    Body, Event, NeedsKind, SessionFacts, SessionRow, Source, Sources, Status, Subagent, ToolClass, Verb,
};
use orrery_views::merge::merge;
use orrery_views::session::{fold_event, fold_facts, is_active_at, new_row, status_at};
use proptest::prelude::*;

fn event(seq: i64, at_ms: i64, body: Body) -> Event {
    Event {
        seq,
        id: format!("{seq:032x}"),
        session_id: "s".into(),
        agent: "claude-code".into(),
        name: "test".into(),
        at_ms,
        received_ms: at_ms,
        subagent: None,
        turn_id: None,
        sources: Sources::one(Source::Hook),
        body,
        demo: false,
    }
}

fn start(call: &str, class: ToolClass, tool: &str, target: &str) -> Body {
    Body::ToolStart {
        call_id: call.into(),
        tool: tool.into(),
        class,
        target: target.into(),
        input: serde_json::Value::Null,
    }
}

fn end(call: &str, tool: &str, target: &str, ok: bool) -> Body {
    Body::ToolEnd {
        call_id: call.into(),
        tool: tool.into(),
        class: ToolClass::Shell,
        target: target.into(),
        ok,
        error: (!ok).then(|| "exit 1".into()),
        exit_code: None,
        duration_ms: None,
        output: String::new(),
        lines_added: None,
        lines_removed: None,
        input: serde_json::Value::Null,
    }
}

fn prompt(text: &str) -> Body {
    Body::Prompt { text: text.into() }
}

/// Folds bodies one second apart.
fn fold(bodies: Vec<Body>) -> SessionRow {
    let mut row = new_row("s", "claude-code");
    for (place, body) in bodies.into_iter().enumerate() {
        let place = i64::try_from(place).unwrap();
        fold_event(&mut row, &event(place + 1, 1_000_000 + place * 1_000, body), None);
    }
    row
}

#[test]
fn a_turn_is_told_in_words() {
    let row = fold(vec![
        prompt("\n  Rotate the spool\nwithout losing the tail"),
        start("c1", ToolClass::Shell, "Bash", "cargo test"),
    ]);
    assert_eq!((row.status, row.doing.verb, row.doing.target.as_str()), (Status::Running, Verb::Runs, "cargo test"));
    assert_eq!((row.title.as_str(), row.turns, row.tools), ("Rotate the spool", 1, 1));
}

#[test]
fn the_end_of_a_call_gives_way_to_the_one_still_open() {
    let row = fold(vec![
        prompt("go"),
        start("c1", ToolClass::Read, "Read", "a.rs"),
        start("c2", ToolClass::Shell, "Bash", "cargo test"),
        end("c2", "Bash", "cargo test", true),
    ]);
    assert_eq!((row.doing.verb, row.doing.target.as_str()), (Verb::Reads, "a.rs"));
}

#[test]
fn a_permission_waits_until_its_call_ends() {
    let ask = Body::Permission {
        tool: "Bash".into(),
        class: ToolClass::Shell,
        target: "git push".into(),
        input: serde_json::Value::Null,
    };
    let mut bodies = vec![
        prompt("go"),
        start("c1", ToolClass::Shell, "Bash", "git push"),
        start("c2", ToolClass::Read, "Read", "a.rs"),
        ask,
        end("c2", "Read", "a.rs", true),
    ];
    let row = fold(bodies.clone());
    assert_eq!((row.status, row.needs.as_ref().unwrap().kind), (Status::NeedsYou, NeedsKind::Permission));
    bodies.push(end("c1", "Bash", "git push", true));
    let row = fold(bodies);
    assert_eq!((row.status, row.needs), (Status::Running, None));
}

#[test]
fn five_failures_of_one_call_are_stuck_and_a_pass_frees_it() {
    let mut bodies = vec![prompt("go")];
    for round in 0..5 {
        bodies.push(start(&format!("c{round}"), ToolClass::Shell, "Bash", "pnpm vitest"));
        bodies.push(end(&format!("c{round}"), "Bash", "pnpm vitest", false));
    }
    let row = fold(bodies.clone());
    assert_eq!((row.status, row.needs.as_ref().unwrap().kind, row.errors), (Status::Stuck, NeedsKind::Stuck, 5));
    bodies.push(start("again", ToolClass::Shell, "Bash", "pnpm vitest"));
    assert_eq!(fold(bodies.clone()).status, Status::Stuck);
    bodies.push(end("again", "Bash", "pnpm vitest", true));
    assert_eq!(fold(bodies).status, Status::Running);
}

#[test]
fn stop_closes_the_calls_without_an_end() {
    let row = fold(vec![
        prompt("go"),
        start("c1", ToolClass::Shell, "Bash", "sleep 100"),
        Body::Stop { message: String::new() },
    ]);
    assert_eq!((row.status, row.open_calls.len(), row.turn_started_ms), (Status::Idle, 0, None));
}

#[test]
fn a_late_line_of_the_transcript_does_not_wake_an_ended_session() {
    let mut row = fold(vec![prompt("go"), Body::SessionEnd { reason: "logout".into() }]);
    fold_event(&mut row, &event(9, 1_000_500, Body::Message { text: "done".into(), model: None }), None);
    assert_eq!((row.status, row.events), (Status::Ended, 3));
}

#[test]
fn waiting_subagents_are_counted() {
    let mut row = fold(vec![prompt("go"), start("c1", ToolClass::Agent, "Agent", "Explore: who calls it")]);
    for (place, id) in ["a", "b"].iter().enumerate() {
        let mut started = event(10, 1_010_000 + i64::try_from(place).unwrap(), Body::SubagentStart);
        started.subagent = Some(Subagent { id: (*id).into(), kind: "Explore".into() });
        fold_event(&mut row, &started, None);
    }
    assert_eq!((row.doing.verb, row.doing.target.as_str()), (Verb::Delegates, "2 subagents"));
}

#[test]
fn silence_ends_a_session() {
    let row = fold(vec![prompt("go")]);
    assert!(is_active_at(&row, row.last_ms + 60_000));
    assert_eq!(status_at(&row, row.last_ms + 11 * 60_000), Status::Ended);
    let running = fold(vec![prompt("go"), start("c1", ToolClass::Shell, "Bash", "make")]);
    assert_eq!(status_at(&running, running.last_ms + 11 * 60_000), Status::Running);
}

#[test]
fn one_prompt_from_two_sources_without_an_id_is_one_turn() {
    let row = fold(vec![prompt("go"), prompt("go"), prompt("go on")]);
    assert_eq!(row.turns, 2);
}

#[test]
fn a_given_title_and_project_stand() {
    let mut row = fold(vec![prompt("first words")]);
    let facts = SessionFacts {
        title: Some("Spool rotation".into()),
        cwd: Some("/home/ada/src/lattice-api/".into()),
        ..SessionFacts::default()
    };
    fold_facts(&mut row, &facts);
    fold_event(&mut row, &event(5, 10, prompt("an older prompt")), None);
    assert_eq!((row.title.as_str(), row.project.as_str()), ("Spool rotation", "lattice-api"));
}

#[test]
fn hook_and_transcript_meet_in_one_event_in_either_order() {
    let hook = event(
        0,
        1_000,
        Body::ToolEnd {
            call_id: "c".into(),
            tool: "Edit".into(),
            class: ToolClass::Edit,
            target: "a.rs".into(),
            ok: true,
            error: None,
            exit_code: None,
            duration_ms: Some(84),
            output: String::new(),
            lines_added: None,
            lines_removed: None,
            input: serde_json::Value::Null,
        },
    );
    let mut transcript = hook.clone();
    transcript.sources = Sources::one(Source::Transcript);
    transcript.name = "user".into();
    let Body::ToolEnd { tool, class, target, duration_ms, lines_added, output, .. } = &mut transcript.body else {
        unreachable!("made above")
    };
    *duration_ms = None;
    *lines_added = Some(14);
    *output = "ok".into();
    tool.clear();
    *class = ToolClass::Other;
    target.clear();

    let one = merge(&hook, &transcript).unwrap();
    let other = merge(&transcript, &hook).unwrap();
    assert_eq!(one, other);
    assert_eq!(merge(&one, &transcript), None);
    assert_eq!(merge(&one, &hook), None);

    let mut row = new_row("s", "claude-code");
    fold_event(&mut row, &hook, None);
    fold_event(&mut row, &one, Some(&hook));
    assert_eq!((row.lines_added, row.tools, row.events), (14, 1, 1));
}

#[test]
fn a_copy_in_another_session_adds_nothing() {
    let here = event(1, 5, prompt("go"));
    let mut there = here.clone();
    there.session_id = "fork".into();
    there.sources = Sources::one(Source::Transcript);
    assert_eq!(merge(&here, &there), None);
}

fn any_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        "[a-c]".prop_map(|text| prompt(&text)),
        ("[a-d]", "[xy]").prop_map(|(call, target)| start(&call, ToolClass::Shell, "Bash", &target)),
        ("[a-d]", "[xy]", any::<bool>()).prop_map(|(call, target, ok)| end(&call, "Bash", &target, ok)),
        Just(Body::Stop { message: String::new() }),
        Just(Body::Interrupt),
        Just(Body::SessionEnd { reason: "other".into() }),
        Just(Body::Notification { topic: "idle_prompt".into(), message: "waiting".into() }),
        Just(Body::Failure { error: "overloaded".into(), details: String::new() }),
    ]
}

proptest! {
    #[test]
    fn sums_do_not_depend_on_the_order(bodies in prop::collection::vec(any_body(), 0..40), seed in any::<u64>()) {
        let events: Vec<Event> = bodies
            .into_iter()
            .enumerate()
            .filter(|(_, body)| !matches!(body, Body::Prompt { .. }))
            .map(|(place, body)| event(place as i64 + 1, 1_000 + place as i64 * 70_000, body))
            .collect();
        let mut shuffled = events.clone();
        let mut state = seed | 1;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(place, (state >> 33) as usize % (place + 1));
        }
        let sums = |events: &[Event]| {
            let mut row = new_row("s", "claude-code");
            events.iter().for_each(|event| fold_event(&mut row, event, None));
            (row.events, row.errors, row.started_ms, row.last_ms, row.activity.iter().map(|cell| u32::from(*cell)).sum::<u32>())
        };
        let (events_a, errors_a, started_a, last_a, _) = sums(&events);
        let (events_b, errors_b, started_b, last_b, _) = sums(&shuffled);
        prop_assert_eq!((events_a, errors_a, started_a, last_a), (events_b, errors_b, started_b, last_b));
    }

    #[test]
    fn a_row_is_always_consistent(bodies in prop::collection::vec(any_body(), 0..60)) {
        let row = fold(bodies);
        prop_assert!(row.activity.len() <= 24);
        prop_assert!(row.needs.is_none() || matches!(row.status, Status::NeedsYou | Status::Stuck | Status::Failed));
        prop_assert!(row.status != Status::Ended || row.open_calls.is_empty());
    }
}
