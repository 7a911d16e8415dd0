#![allow(clippy::unwrap_used)]

use orrery_types::{Mark, Spent, Subagent, ToolClass, Track, TrackRow};

use super::{MarkerKind, Replay, Unit};

fn row(seq: i64, at_ms: i64, mark: Mark) -> TrackRow {
    TrackRow { seq, at_ms, mark, ..TrackRow::default() }
}

fn call(seq: i64, at_ms: i64, mark: Mark, id: u32, class: ToolClass, target: &str) -> TrackRow {
    TrackRow { call: id, class, tool: format!("{class:?}"), target: target.into(), ..row(seq, at_ms, mark) }
}

fn sub(row: TrackRow, id: &str) -> TrackRow {
    TrackRow { subagent: Some(Subagent { id: id.into(), kind: "Explore".into() }), ..row }
}

fn film() -> Track {
    let mut track = Track::new("s");
    let rows = [
        row(1, 0, Mark::SessionStart),
        row(2, 1_000, Mark::Prompt),
        call(3, 2_000, Mark::ToolStart, 7, ToolClass::Edit, "src/a.rs"),
        TrackRow { added: 4, removed: 1, ..call(4, 3_000, Mark::ToolEnd, 7, ToolClass::Edit, "src/a.rs") },
        call(5, 4_000, Mark::ToolStart, 8, ToolClass::Agent, "look"),
        sub(row(6, 4_100, Mark::SubagentStart), "a1"),
        sub(call(7, 5_000, Mark::ToolStart, 9, ToolClass::Shell, "make"), "a1"),
        TrackRow { flags: 1, ..sub(call(8, 6_000, Mark::ToolEnd, 9, ToolClass::Shell, ""), "a1") },
        sub(row(9, 6_500, Mark::SubagentStop), "a1"),
        call(10, 7_000, Mark::ToolEnd, 8, ToolClass::Agent, ""),
        row(11, 8_000, Mark::Stop),
        row(12, 600_000, Mark::Prompt),
        call(13, 601_000, Mark::ToolStart, 10, ToolClass::Shell, "git push"),
        call(14, 602_000, Mark::Permission, 0, ToolClass::Shell, "git push"),
    ];
    rows.into_iter().for_each(|row| track.put(row));
    track.spent = vec![
        Spent { at_ms: 2_500, lane: 0, cost_usd_micros: Some(100), tokens: 10, prompt: 9 },
        Spent { at_ms: 5_500, lane: 1, cost_usd_micros: Some(30), tokens: 5, prompt: 4 },
        Spent { at_ms: 601_500, lane: 0, cost_usd_micros: None, tokens: 20, prompt: 19 },
    ];
    track
}

#[test]
fn the_state_at_a_moment_is_what_had_happened() {
    let replay = Replay::of(&film(), true);
    let inside = replay.state_at(replay.position_of(7).unwrap());
    assert_eq!((inside.turn, inside.tools, inside.failed, inside.alive()), (1, 3, 0, 1));
    assert_eq!((inside.cost_usd_micros, inside.context), (100, Some(9)));
    let open: Vec<&str> = inside.open.iter().map(|call| replay.word(call.target)).collect();
    assert_eq!(open, ["look", "make"]);
    let files: Vec<_> =
        inside.files.iter().map(|(word, file)| (replay.word(*word), file.added, file.removed)).collect();
    assert_eq!(files, [("src/a.rs", 4, 1)]);

    let end = replay.state_at(usize::MAX);
    assert_eq!((end.turn, end.tools, end.failed, end.alive()), (2, 4, 1, 0));
    assert_eq!((end.cost_usd_micros, end.unpriced, end.tokens), (130, 1, 35));
    assert_eq!((end.lanes[1].cost_usd_micros, end.lanes[1].failed), (30, 1));
    assert!(end.open.len() == 1 && end.open[0].waits);
}

#[test]
fn steps_find_their_moments() {
    let replay = Replay::of(&film(), true);
    let seq = |at: Option<usize>| at.and_then(|at| replay.point(at)).map(|point| point.seq);
    assert_eq!(seq(replay.step(0, Unit::Turn, true)), Some(2));
    assert_eq!(seq(replay.step(0, Unit::Tool, true)), Some(3));
    assert_eq!(seq(replay.step(0, Unit::Error, true)), Some(8));
    assert_eq!(seq(replay.step(13, Unit::Turn, false)), Some(12));
    assert_eq!(seq(replay.step(13, Unit::Event, true)), None);
    assert_eq!(replay.turn_at(replay.position_of(12).unwrap()), 2);
    let kinds: Vec<MarkerKind> = replay.markers().iter().map(|marker| marker.kind).collect();
    use MarkerKind::{Error, Prompt, Subagent, Wait};
    assert_eq!(kinds, [Prompt, Subagent, Subagent, Error, Prompt, Wait]);
}

#[test]
fn idle_time_is_short_and_comes_back() {
    let replay = Replay::of(&film(), true);
    let axis = replay.axis();
    assert_eq!(axis.gaps().len(), 1);
    assert!(axis.length() < 20_000, "{}", axis.length());
    for at_ms in [0, 2_500, 8_000, 600_000, 601_234, 602_000] {
        assert_eq!(axis.moment_at(axis.place_of(at_ms)), at_ms);
    }
    let mut whole = replay.clone();
    whole.set_skips_idle(false);
    assert_eq!((whole.axis().length(), whole.axis().place_of(300_000)), (602_000, 300_000));
    assert_eq!(whole.density(10).iter().sum::<u32>() as usize, whole.len());
}

#[test]
fn nothing_at_all_is_a_film_too() {
    let replay = Replay::of(&Track::new("s"), true);
    assert_eq!((replay.len(), replay.state_at(3).events, replay.position_at(5)), (0, 0, 0));
    assert_eq!((replay.axis().length(), replay.axis().moment_of_share(0.5)), (0, 0));
}

/// A session of `count` events: prompts, thinking, calls in ten files, some failing, some in subagents.
pub fn long(count: i64) -> Track {
    let mut track = Track::new("long");
    for seq in 1..=count {
        let at_ms = seq * 700;
        let id = u32::try_from(seq / 4 * 4).unwrap();
        let file = format!("src/file{}.rs", seq % 997);
        let class = if seq % 8 < 4 { ToolClass::Edit } else { ToolClass::Shell };
        let row = match seq % 4 {
            0 if seq % 400 == 0 => row(seq, at_ms, Mark::Prompt),
            0 => row(seq, at_ms, Mark::Thinking),
            1 => call(seq, at_ms, Mark::ToolStart, id, class, &file),
            2 => TrackRow {
                added: 2,
                flags: u8::from(seq % 98 == 0),
                ..call(seq, at_ms, Mark::ToolEnd, id, class, &file)
            },
            _ => row(seq, at_ms, Mark::Message),
        };
        track.put(if seq % 1_000 > 900 { sub(row, &format!("a{}", seq / 1_000)) } else { row });
    }
    track
}

#[test]
fn any_moment_of_200_k_events_is_a_short_walk_away() {
    let replay = Replay::of(&long(200_000), true);
    assert_eq!(replay.len(), 200_000);
    // The walk from a kept state never passes more moments than lie between two of them.
    assert!(replay.every <= 200_000 / super::CHECKPOINTS + 1, "{}", replay.every);
    assert!(replay.checkpoints.len() <= super::CHECKPOINTS + 1);
    // And it gives what a walk from the beginning gives.
    let mut whole = super::State::new(replay.lanes().len());
    for (at, point) in replay.points().iter().enumerate() {
        whole.apply(point, &replay.spent);
        if at % 9_973 == 0 || at + 1 == replay.len() {
            assert_eq!(replay.state_at(at), whole, "at {at}");
        }
    }
}
