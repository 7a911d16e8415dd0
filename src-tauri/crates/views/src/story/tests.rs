#![allow(clippy::unwrap_used)]

use orrery_types::{DiffOp, Source, Sources, Subagent};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn event(seq: i64, at_ms: i64, body: Body) -> Event {
    Event {
        seq,
        id: format!("{seq:032x}"),
        session_id: "s".into(),
        agent: "claude-code".into(),
        name: "x".into(),
        at_ms,
        received_ms: at_ms,
        subagent: None,
        turn_id: None,
        sources: Sources::one(Source::Hook),
        body,
        demo: false,
    }
}

fn by(mut event: Event, id: &str, kind: &str) -> Event {
    event.subagent = Some(Subagent { id: id.into(), kind: kind.into() });
    event
}

fn prompt(text: &str) -> Body {
    Body::Prompt { text: text.into() }
}

fn start(call_id: &str, tool: &str, class: ToolClass, target: &str) -> Body {
    Body::ToolStart { call_id: call_id.into(), tool: tool.into(), class, target: target.into(), input: json!({}) }
}

fn end(call_id: &str, tool: &str, ok: bool, output: &str) -> Body {
    Body::ToolEnd {
        call_id: call_id.into(),
        tool: tool.into(),
        class: ToolClass::Shell,
        target: "t".into(),
        ok,
        error: (!ok).then(|| "exit 1".into()),
        exit_code: Some(i32::from(!ok)),
        duration_ms: None,
        output: output.into(),
        lines_added: Some(2),
        lines_removed: Some(1),
        input: serde_json::Value::Null,
    }
}

fn call(story: &Story, turn: usize, step: usize) -> &ToolStep {
    match &story.turns()[turn].steps[step].what {
        What::Tool(call) => call,
        other => panic!("not a tool: {other:?}"),
    }
}

fn a_day() -> Vec<Event> {
    vec![
        event(1, 0, Body::SessionStart { reason: "startup".into(), model: None }),
        event(2, 100, prompt("Fix it")),
        event(3, 200, Body::Thinking { text: "hm".into() }),
        event(4, 300, start("c1", "Bash", ToolClass::Shell, "cargo test")),
        event(
            5,
            350,
            Body::Permission {
                tool: "Bash".into(),
                class: ToolClass::Shell,
                target: "cargo test".into(),
                input: json!({}),
            },
        ),
        event(6, 900, end("c1", "Bash", false, "boom")),
        event(7, 1000, start("c2", "Agent", ToolClass::Agent, "look")),
        by(event(8, 1010, Body::SubagentStart), "abc123", "Explore"),
        by(event(9, 1020, start("c3", "Read", ToolClass::Read, "a.rs")), "abc123", "Explore"),
        by(event(10, 1050, end("c3", "Read", true, "text")), "abc123", "Explore"),
        by(event(11, 1060, Body::SubagentStop { message: "found".into() }), "abc123", "Explore"),
        event(12, 1100, end("c2", "Agent", true, "found, agentId: abc123")),
        event(13, 1200, Body::Message { text: "Done".into(), model: None }),
        event(14, 1210, Body::Stop { message: "Done".into() }),
        event(15, 5000, prompt("And now?")),
        event(16, 5100, start("c4", "Edit", ToolClass::Edit, "b.rs")),
        event(17, 9000, Body::SessionEnd { reason: "other".into() }),
    ]
}

#[test]
fn turns_hold_paired_calls_and_their_sums() {
    let story = Story::of(a_day());
    let turns = story.turns();
    assert_eq!(turns.iter().map(|turn| turn.index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((turns[1].tools, turns[1].failed), (3, 1));
    assert_eq!((turns[1].lines_added, turns[1].lines_removed), (6, 3));
    assert_eq!(turns[1].ended_ms, Some(1210));

    let bash = call(&story, 1, 1);
    assert_eq!((bash.status, bash.start_seq, bash.end_seq), (CallStatus::Failed, Some(4), Some(6)));
    assert_eq!(bash.waited_ms, Some(600));
    assert_eq!(story.turns()[1].steps[1].took_ms, Some(600));

    let messages = turns[1].steps.iter().filter(|step| matches!(step.what, What::Message { .. })).count();
    assert_eq!(messages, 1, "the stop hook repeats the last message");
}

#[test]
fn a_subagent_is_nested_under_the_call_that_started_it() {
    let story = Story::of(a_day());
    let agent = call(&story, 1, 2);
    assert_eq!(agent.subagent.as_deref(), Some("abc123"));
    let thread = story.subagent("abc123").unwrap();
    assert_eq!((thread.kind.as_str(), thread.tools, thread.over), ("Explore", 1, true));
    assert!(matches!(&story.turns()[1].steps[3].what, What::Subagent { claimed: true, .. }));
    assert_eq!(story.find(10), Some((1, 7)), "a link to a nested event opens the call");
}

#[test]
fn a_result_that_names_its_subagent_beats_the_guess_by_time() {
    let agent = |id| Body::ToolStart {
        call_id: id,
        tool: "Agent".into(),
        class: ToolClass::Agent,
        target: "x".into(),
        input: json!({"subagent_type": "Explore"}),
    };
    let story = Story::of([
        event(1, 0, prompt("go")),
        event(2, 10, agent("one".into())),
        event(3, 11, agent("two".into())),
        by(event(4, 20, Body::SubagentStart), "aaaaaa", "Explore"),
        by(event(5, 21, Body::SubagentStart), "bbbbbb", "Explore"),
        event(6, 90, end("one", "Agent", true, "agentId: bbbbbb")),
        event(7, 95, end("two", "Agent", true, "agentId: aaaaaa")),
    ]);
    assert_eq!(call(&story, 0, 0).subagent.as_deref(), Some("bbbbbb"));
    assert_eq!(call(&story, 0, 1).subagent.as_deref(), Some("aaaaaa"));
}

#[test]
fn a_call_without_an_end_is_closed_with_its_session() {
    let story = Story::of(a_day());
    assert_eq!(call(&story, 2, 0).status, CallStatus::NoResult);
    let mut late = story.clone();
    late.apply(event(18, 9100, end("c4", "Edit", true, "")));
    assert_eq!(call(&late, 2, 0).status, CallStatus::Ok, "a late result still counts");
}

#[test]
fn calls_without_ids_and_ends_before_starts_pair() {
    let story = Story::of([
        event(1, 0, prompt("old")),
        event(2, 10, start("", "Bash", ToolClass::Shell, "t")),
        event(3, 20, end("", "Bash", true, "x")),
        event(4, 30, end("late", "Bash", true, "y")),
        event(5, 31, start("late", "Bash", ToolClass::Shell, "t")),
    ]);
    assert_eq!(story.turns()[0].steps.len(), 2);
    assert_eq!(call(&story, 0, 1).status, CallStatus::Ok);
    assert_eq!(call(&story, 0, 1).start_seq, Some(5));
}

#[test]
fn an_event_completed_by_another_source_updates_its_step() {
    let mut story = Story::of(a_day());
    let mut more = a_day()[5].clone();
    more.sources = more.sources.with(Sources::one(Source::Transcript));
    if let Body::ToolEnd { output, duration_ms, .. } = &mut more.body {
        *output = "boom, and all of it".into();
        *duration_ms = Some(100);
    }
    story.apply(more);
    assert_eq!(call(&story, 1, 1).output, "boom, and all of it");
    assert_eq!(call(&story, 1, 1).waited_ms, Some(500));
    assert_eq!(story.events().len(), a_day().len());
}

#[test]
fn one_prompt_from_two_sources_is_one_turn() {
    let story = Story::of([event(1, 0, prompt("Hi ")), event(2, 40, prompt("Hi")), event(3, 60_000, prompt("Hi"))]);
    assert_eq!(story.turns().len(), 2);
}

#[test]
fn edits_are_read_from_inputs() {
    let one = changes_of(&json!({"file_path": "a", "old_string": "x", "new_string": "y"}));
    assert_eq!(one, [Change { path: "a".into(), edit: Edit::Texts { old: "x".into(), new: "y".into() } }]);
    assert_eq!(changes_of(&json!({"file_path": "a", "content": "new\n"})).len(), 1);
    assert!(changes_of(&json!({"file_path": "a", "offset": 3})).is_empty());

    let patch =
        "*** Begin Patch\n*** Update File: src/a.rs\n@@ fn main\n same\n-old\n+new\n*** Add File: b\n+x\n*** End Patch";
    for input in [json!(patch), json!({"input": patch}), json!({"command": ["apply_patch", patch]})] {
        let changes = changes_of(&input);
        assert_eq!(changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["src/a.rs", "b"]);
        let Edit::Lines(lines) = &changes[0].edit else { panic!("lines") };
        assert_eq!(
            lines.iter().map(|line| line.op).collect::<Vec<_>>(),
            [DiffOp::Gap, DiffOp::Same, DiffOp::Removed, DiffOp::Added]
        );
    }

    let hunks =
        json!({"filePath": "a", "structuredPatch": [{"oldStart": 7, "newStart": 9, "lines": [" a", "-b", "+c"]}]});
    let Edit::Lines(lines) = &changes_of(&hunks)[0].edit else { panic!("lines") };
    assert_eq!(
        lines.iter().map(|line| (line.old, line.new)).collect::<Vec<_>>(),
        [(Some(7), Some(9)), (Some(8), None), (None, Some(10))]
    );
}

proptest! {
    /// Neither the pieces nor the order in which events arrive change the story.
    #[test]
    fn pieces_and_order_do_not_matter(order in Just(a_day()).prop_shuffle(), cut in 0usize..17, twice in 0usize..17) {
        let whole = Story::of(a_day());
        let mut pieces = Story::of(order[..cut].to_vec());
        for event in &order[cut..] {
            pieces.apply(event.clone());
        }
        pieces.apply(order[twice].clone());
        prop_assert_eq!(pieces.turns(), whole.turns());
        prop_assert_eq!(pieces.subagents(), whole.subagents());
    }

    #[test]
    fn no_event_panics(bodies in prop::collection::vec((0i64..50, 0u8..12, any::<bool>(), 0u8..3), 0..60)) {
        let events = bodies.into_iter().enumerate().map(|(seq, (at, kind, ok, who))| {
            let body = match kind {
                0 => prompt("p"),
                1 => start("a", "Bash", ToolClass::Agent, "t"),
                2 => end("a", "Bash", ok, "abcdef"),
                3 => end("", "Bash", ok, ""),
                4 => start("", "Bash", ToolClass::Shell, "t"),
                5 => Body::PermissionDenied { call_id: String::new(), tool: "Bash".into(), target: "t".into(), reason: String::new() },
                6 => Body::Permission { tool: "Bash".into(), class: ToolClass::Shell, target: "t".into(), input: json!(null) },
                7 => Body::Stop { message: "m".into() },
                8 => Body::SubagentStop { message: "m".into() },
                9 => Body::Compact { trigger: String::new(), done: ok, tokens_before: None, tokens_after: Some(1) },
                10 => Body::SessionEnd { reason: String::new() },
                _ => Body::Message { text: "m".into(), model: None },
            };
            let event = event(i64::try_from(seq).unwrap_or(0), at, body);
            if who == 0 { by(event, "abcdef", "Explore") } else { event }
        }).collect::<Vec<_>>();
        let whole = Story::of(events.clone());
        let mut pieces = Story::default();
        for event in events.into_iter().rev() {
            pieces.apply(event);
        }
        prop_assert_eq!(pieces.turns(), whole.turns());
    }
}

#[test]
fn going_back_leaves_turns_behind() {
    let id = |seq: i64| format!("{seq:032x}");
    let rewind = |to: i64| Body::Rewind { to: id(to), text: "Fix it".into() };
    let story = Story::of(vec![
        event(1, 100, prompt("First")),
        event(2, 200, prompt("Fix it")),
        event(3, 210, start("c1", "Bash", ToolClass::Shell, "make")),
        event(4, 300, prompt("And that")),
        event(5, 400, rewind(2)),
        event(6, 400, prompt("Fix it otherwise")),
    ]);
    let left: Vec<_> = story.turns().iter().map(|turn| (turn.index, turn.rewound)).collect();
    assert_eq!(left, [(1, false), (2, true), (3, true), (4, false)]);
    assert_eq!(call(&story, 1, 0).status, CallStatus::NoResult);
}
