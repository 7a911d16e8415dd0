//! The critical path of a session: what it waited for, from its beginning to its end.

use std::collections::HashMap;

use orrery_types::{PathPoint, PathStep, SliceKind};

use super::{Span, Spans, UNDER};

/// Subagents of subagents are followed so deep.
const DEEPEST: usize = 8;

/// The spans that the session's time went to: those of its main thread, and while that waits for subagents those of the
/// one that ended last. From left to right.
pub fn critical_path(spans: &Spans, now_ms: Option<i64>) -> Vec<Span> {
    let mut path = Vec::new();
    walk(spans, 0, i64::MIN, i64::MAX, now_ms, 0, &mut path);
    path
}

fn walk(spans: &Spans, lane: u16, from_ms: i64, to_ms: i64, now_ms: Option<i64>, depth: usize, path: &mut Vec<Span>) {
    let of_row = |row: u8| {
        let group = spans.groups.iter().find(|group| group.lane == lane && group.row == row).copied();
        group.into_iter().flat_map(move |group| spans.touching(group, from_ms, to_ms, now_ms)).collect::<Vec<_>>()
    };
    let mut own = of_row(0);
    let agents = of_row(UNDER);
    own.extend(&agents);
    own.sort_by_key(|span| (span.from_ms, span.to_ms));
    for span in own {
        if span.kind != SliceKind::Agent {
            // Background subagents run beside the main thread, which then is the path itself.
            path.push(clip(span, from_ms, to_ms));
            continue;
        }
        match last_lane(spans, lane, &span, now_ms).filter(|_| depth < DEEPEST) {
            Some(inner) => walk(spans, inner, span.from_ms, span.to_ms, now_ms, depth + 1, path),
            None => path.push(clip(span, from_ms, to_ms)),
        }
    }
}

fn clip(span: Span, from_ms: i64, to_ms: i64) -> Span {
    Span { from_ms: span.from_ms.max(from_ms), to_ms: span.to_ms.min(to_ms), ..span }
}

/// The lane that began inside the call and ended last in it.
fn last_lane(spans: &Spans, outer: u16, call: &Span, now_ms: Option<i64>) -> Option<u16> {
    let mut found: Option<(i64, u16)> = None;
    for group in spans.groups.iter().filter(|group| group.lane != outer && group.lane != 0 && group.row == 0) {
        let row = &spans.spans[group.from..group.to];
        let (Some(first), Some(last)) = (row.first(), row.last()) else { continue };
        let end = if last.open { now_ms.unwrap_or(last.to_ms).max(last.to_ms) } else { last.to_ms };
        let began_inside = first.from_ms + 2_000 >= call.from_ms && first.from_ms <= call.to_ms;
        if began_inside && found.is_none_or(|(known, _)| end > known) {
            found = Some((end, group.lane));
        }
    }
    found.map(|(_, lane)| lane)
}

/// The path inside a stretch of time: its line, and its steps by name, longest first.
pub fn path_steps(spans: &Spans, path: &[Span], from_ms: i64, to_ms: i64) -> (Vec<PathPoint>, Vec<PathStep>) {
    let mut line: Vec<PathPoint> = Vec::new();
    let mut sums: HashMap<(String, u8), i64> = HashMap::new();
    for span in path {
        let (from, to) = (span.from_ms.max(from_ms), span.to_ms.min(to_ms));
        if to <= from {
            continue;
        }
        match line.last_mut() {
            Some(last) if last.lane == span.lane && from - last.to_ms < 1_000 => last.to_ms = last.to_ms.max(to),
            _ => line.push(PathPoint { lane: span.lane, from_ms: from, to_ms: to }),
        }
        let who = spans.lanes.get(usize::from(span.lane)).filter(|_| span.lane > 0);
        let who = who.map(|lane| if lane.kind.is_empty() { "Subagent: " } else { lane.kind.as_str() });
        let what = match span.kind {
            SliceKind::Model => "model".to_owned(),
            SliceKind::Wait => "waits for you".to_owned(),
            SliceKind::Shell => spans.name(span),
            _ => spans.words.get(span.tool as usize).cloned().unwrap_or_default(),
        };
        let name = match who {
            Some(who) => format!("{}: {what}", who.trim_end_matches(": ")),
            None => what,
        };
        *sums.entry((name, span.kind.code())).or_default() += to - from;
    }
    let mut steps: Vec<PathStep> =
        sums.into_iter().map(|((name, kind), total_ms)| PathStep { name, kind, total_ms }).collect();
    steps.sort_by(|a, b| b.total_ms.cmp(&a.total_ms).then_with(|| a.name.cmp(&b.name)));
    (line, steps)
}
