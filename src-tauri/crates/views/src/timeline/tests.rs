#![allow(clippy::unwrap_used)]

use orrery_types::{Mark, Slice, SliceKind, Subagent, ToolClass, Track, TrackRow};
use proptest::prelude::*;

use super::{Columns, Spans, Tally, UNDER, busy, critical_path, fold, path_steps, spans_of};

fn row(seq: i64, at_ms: i64, mark: Mark) -> TrackRow {
    TrackRow { seq, at_ms, mark, ..TrackRow::default() }
}

fn call(seq: i64, at_ms: i64, mark: Mark, id: u32, class: ToolClass) -> TrackRow {
    TrackRow { call: id, class, tool: format!("{class:?}"), ..row(seq, at_ms, mark) }
}

fn sub(row: TrackRow, id: &str) -> TrackRow {
    TrackRow { subagent: Some(Subagent { id: id.into(), kind: "Explore".into() }), ..row }
}

fn spans(rows: impl IntoIterator<Item = TrackRow>) -> Spans {
    let mut track = Track::new("s");
    rows.into_iter().for_each(|row| track.put(row));
    spans_of(&track)
}

fn told(spans: &Spans) -> Vec<(u16, SliceKind, i64, i64)> {
    spans.spans.iter().map(|span| (span.lane, span.kind, span.from_ms, span.to_ms)).collect()
}

#[test]
fn model_time_lies_between_calls() {
    let spans = spans([
        row(1, 1_000, Mark::Prompt),
        call(2, 4_000, Mark::ToolStart, 7, ToolClass::Shell),
        TrackRow { flags: 1, ..call(3, 9_000, Mark::ToolEnd, 7, ToolClass::Shell) },
        row(4, 12_000, Mark::Message),
        row(5, 13_000, Mark::Stop),
    ]);
    use SliceKind::{Model, Shell};
    assert_eq!(told(&spans), [(0, Model, 1_000, 4_000), (0, Shell, 4_000, 9_000), (0, Model, 9_000, 13_000)]);
    assert!(spans.spans[1].failed && spans.spans.iter().all(|span| !span.open));
}

#[test]
fn a_permission_splits_its_call() {
    let measured = TrackRow { took_ms: Some(2_000), ..call(4, 20_000, Mark::ToolEnd, 7, ToolClass::Shell) };
    let spans = spans([
        row(1, 0, Mark::Prompt),
        call(2, 1_000, Mark::ToolStart, 7, ToolClass::Shell),
        call(3, 1_500, Mark::Permission, 0, ToolClass::Shell),
        measured,
        row(5, 21_000, Mark::Stop),
    ]);
    use SliceKind::{Model, Shell, Wait};
    let kinds: Vec<_> = told(&spans).into_iter().filter(|span| span.1 != Model).collect();
    assert_eq!(kinds, [(0, Wait, 1_500, 18_000), (0, Shell, 18_000, 20_000)]);
}

#[test]
fn calls_at_once_get_rows_and_subagents_lie_under_them() {
    let spans = spans([
        row(1, 0, Mark::Prompt),
        call(2, 1_000, Mark::ToolStart, 1, ToolClass::Read),
        call(3, 1_000, Mark::ToolStart, 2, ToolClass::Read),
        call(4, 2_000, Mark::ToolEnd, 2, ToolClass::Read),
        call(5, 3_000, Mark::ToolEnd, 1, ToolClass::Read),
        call(6, 4_000, Mark::ToolStart, 3, ToolClass::Agent),
        call(7, 4_100, Mark::ToolStart, 4, ToolClass::Agent),
        sub(row(8, 4_200, Mark::SubagentStart), "a1"),
        sub(call(9, 5_000, Mark::ToolStart, 5, ToolClass::Web), "a1"),
        sub(call(10, 8_000, Mark::ToolEnd, 5, ToolClass::Web), "a1"),
        sub(row(11, 9_000, Mark::SubagentStop), "a1"),
        call(12, 9_000, Mark::ToolEnd, 3, ToolClass::Agent),
        call(13, 9_500, Mark::ToolEnd, 4, ToolClass::Agent),
        row(14, 10_000, Mark::Stop),
    ]);
    let reads: Vec<_> =
        spans.spans.iter().filter(|span| span.kind == SliceKind::Read).map(|span| (span.row, span.rows)).collect();
    assert_eq!(reads, [(0, 2), (1, 2)]);
    let agents: Vec<_> = spans.spans.iter().filter(|span| span.row == UNDER).collect();
    assert_eq!((agents.len(), agents[0].count, agents[0].to_ms), (1, 2, 9_500));

    let path = critical_path(&spans, None);
    let (line, steps) = path_steps(&spans, &path, 0, i64::MAX);
    assert_eq!(line.iter().map(|point| point.lane).collect::<Vec<_>>(), [0, 1, 0]);
    assert!(steps.iter().any(|step| step.name == "Explore: Web" && step.total_ms == 3_000), "{steps:?}");
}

#[test]
fn what_is_open_reaches_to_now() {
    let spans = spans([row(1, 0, Mark::Prompt), call(2, 1_000, Mark::ToolStart, 7, ToolClass::Shell)]);
    let end = |now_ms| {
        let mut slices = Vec::new();
        fold(&spans, Columns::new(0, 100_000, 100), now_ms, 0, |_| 0, &mut slices);
        slices.last().map(|slice| (slice.kind, slice.open, slice.to_ms))
    };
    assert_eq!(end(Some(60_000)), Some((SliceKind::Shell, true, 60_000)));
    assert_eq!(end(None), Some((SliceKind::Shell, true, 1_000)));
}

#[test]
fn sums_count_what_lies_inside() {
    let spans = spans([
        row(1, 0, Mark::Prompt),
        call(2, 1_000, Mark::ToolStart, 7, ToolClass::Shell),
        call(3, 11_000, Mark::ToolEnd, 7, ToolClass::Shell),
        row(4, 12_000, Mark::Stop),
    ]);
    let mut tally = Tally::default();
    tally.add(&spans, 6_000, 20_000, None);
    let kinds = tally.kinds();
    assert_eq!((kinds[0].kind, kinds[0].total_ms, kinds[0].p50_ms), (SliceKind::Shell.code(), 5_000, 10_000));
    let (mut work, mut failed) = (vec![0; 12], vec![0; 12]);
    busy(&spans, Columns::new(0, 12_000, 12), None, &mut work, &mut failed);
    assert_eq!(work, vec![1_000; 12]);
}

/// Most slices that one column of one row of a lane has.
fn most_in_a_column(slices: &[Slice], columns: Columns) -> usize {
    let mut cells = std::collections::HashMap::new();
    for slice in slices {
        for column in columns.of(slice.from_ms)..=columns.of((slice.to_ms - 1).max(slice.from_ms)) {
            *cells.entry((slice.session, slice.lane, slice.row, column)).or_insert(0_usize) += 1;
        }
    }
    cells.into_values().max().unwrap_or(0)
}

#[test]
fn a_million_spans_are_at_most_one_slice_for_each_column_and_row() {
    // Half a million calls with half a million stretches of the model between them, on eight lanes.
    let mut track = Track::new("s");
    for n in 0..500_000_i64 {
        let lane = n % 8;
        let at_ms = n / 8 * 1_000;
        let id = u32::try_from(n + 1).unwrap();
        let class = ToolClass::from_code(u8::try_from(n / 8 % 5).unwrap());
        let put = |row: TrackRow| if lane == 0 { row } else { sub(row, &format!("a{lane}")) };
        track.put(put(call(2 * n + 1, at_ms + 300, Mark::ToolStart, id, class)));
        let flags = u8::from(n % 1_000 == 0);
        track.put(put(TrackRow { flags, ..call(2 * n + 2, at_ms + 900, Mark::ToolEnd, id, class) }));
    }
    let spans = spans_of(&track);
    assert!(spans.spans.len() > 990_000, "{}", spans.spans.len());
    for (from_ms, to_ms) in [(0, 62_500_000), (1_000_000, 5_000_000), (1_000_000, 1_060_000)] {
        let columns = Columns::new(from_ms, to_ms, 1_400);
        let mut slices = Vec::new();
        fold(&spans, columns, None, 0, |_| 1, &mut slices);
        assert!(most_in_a_column(&slices, columns) <= 1, "{from_ms} to {to_ms}");
        assert!(slices.len() <= 8 * 1_400 && slices.len() > 400, "{}", slices.len());
    }
    let mut slices = Vec::new();
    let folded = fold(&spans, Columns::new(0, 62_500_000, 1_400), None, 0, |_| 0, &mut slices);
    assert_eq!(folded, slices.iter().map(|slice| u64::from(slice.count)).sum::<u64>(), "nothing is lost in the fold");
    assert!(slices.iter().any(|slice| slice.failed));
}

proptest! {
    #[test]
    fn folds_of_any_events_keep_one_slice_a_column(
        rows in prop::collection::vec((0_i64..200_000, 0_u8..18, 0_u8..8, 0_u32..6, 0_u8..3, any::<bool>()), 0..200),
        from_ms in 0_i64..100_000, width in 1_i64..200_000, px in 1_u32..300,
    ) {
        let mut track = Track::new("s");
        for (seq, (at_ms, mark, class, id, lane, failed)) in (1_i64..).zip(rows) {
            let row = call(seq, at_ms, Mark::from_code(mark), id, ToolClass::from_code(class));
            let row = TrackRow { flags: u8::from(failed), ..row };
            track.put(if lane == 0 { row } else { sub(row, &format!("a{lane}")) });
        }
        let spans = spans_of(&track);
        let columns = Columns::new(from_ms, from_ms + width, px);
        let mut slices = Vec::new();
        fold(&spans, columns, Some(300_000), 0, |_| 0, &mut slices);
        prop_assert!(most_in_a_column(&slices, columns) <= 1);
        for slice in &slices {
            prop_assert!(slice.to_ms >= slice.from_ms);
        }
        critical_path(&spans, None);
    }
}
