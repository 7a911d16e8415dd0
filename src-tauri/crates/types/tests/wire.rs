//! The wire: what is written is read back, old rows without new fields are read, null is told from absent.
#![allow(clippy::unwrap_used)]

use orrery_types::{Body, Event, LiveFrame, SessionRow, SettingsPatch, Source, Sources, Tokens, ToolClass, clip};
use proptest::prelude::*;

fn any_body() -> impl Strategy<Value = Body> {
    let words = ".{0,40}";
    prop_oneof![
        words.prop_map(|text| Body::Prompt { text }),
        (words, words).prop_map(|(tool, target)| Body::ToolStart {
            call_id: "c".into(),
            tool,
            class: ToolClass::Web,
            target,
            input: serde_json::json!({ "nested": [1, null, "\u{0}"] }),
        }),
        words.prop_map(|summary| Body::Other { summary }),
        Just(Body::SubagentStart),
        Just(Body::Interrupt),
        words.prop_map(|text| Body::Rewind { to: "0".repeat(32), text }),
    ]
}

proptest! {
    #[test]
    fn an_event_survives_the_wire(body in any_body(), seq in any::<i64>(), bits in 0u8..32, id in "[0-9a-f]{32}") {
        let event = Event {
            seq,
            id,
            session_id: "s".into(),
            agent: "codex".into(),
            name: "PreToolUse".into(),
            at_ms: seq / 2,
            received_ms: seq / 3,
            subagent: None,
            turn_id: None,
            sources: Sources(bits),
            body,
            demo: bits & 1 == 1,
        };
        let frame = LiveFrame::Appended { events: vec![event], sessions: vec![SessionRow::default()], server_ms: 1 };
        let text = serde_json::to_string(&frame).unwrap();
        prop_assert_eq!(serde_json::from_str::<LiveFrame>(&text).unwrap(), frame);
    }

    #[test]
    fn a_clip_is_a_prefix(text in ".{0,200}", max in 0usize..64) {
        let clipped = clip(&text, max);
        let kept = clipped.split("\n... ").next().unwrap();
        prop_assert!(text.starts_with(kept) || text.contains('\n'));
        prop_assert!(text.len() <= max || clipped.ends_with("more bytes in the raw event"));
    }

    #[test]
    fn token_sums_never_wrap(a in any::<u64>(), b in any::<u64>()) {
        let one = Tokens { input: a, output: b, cache_read: a, ..Tokens::default() };
        prop_assert!(one.plus(one).total() >= one.total());
        prop_assert_eq!(one.minus(one), Tokens::default());
    }
}

#[test]
fn a_row_without_newer_fields_is_read() {
    let row: SessionRow = serde_json::from_str(r#"{"id":"s","agent":"codex","tools":3}"#).unwrap();
    assert_eq!((row.id.as_str(), row.tools, row.turns), ("s", 3, 0));
}

#[test]
fn a_patch_tells_null_from_absent() {
    let absent: SettingsPatch = serde_json::from_str("{}").unwrap();
    let removed: SettingsPatch = serde_json::from_str(r#"{"budget_daily_usd":null}"#).unwrap();
    assert_eq!((absent.budget_daily_usd, removed.budget_daily_usd), (None, Some(None)));
}

#[test]
fn sources_are_a_list_on_the_wire() {
    let both = Sources::one(Source::Hook).with(Sources::one(Source::Transcript));
    assert_eq!(serde_json::to_string(&both).unwrap(), r#"["hook","transcript"]"#);
}
