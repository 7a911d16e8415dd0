//! Figures over a stretch of time: by kind, and how many lanes were at work.

use std::collections::BTreeMap;

use orrery_types::{KindSum, SliceKind};

use super::{Columns, Spans};

/// Counts what ran in a stretch of time, over any number of sessions.
#[derive(Debug, Default)]
pub struct Tally {
    kinds: BTreeMap<SliceKind, Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    total_ms: i64,
    failed: u64,
    /// Of whole spans.
    took_ms: Vec<i64>,
}

impl Tally {
    pub fn add(&mut self, spans: &Spans, from_ms: i64, to_ms: i64, now_ms: Option<i64>) {
        for group in &spans.groups {
            for span in spans.touching(*group, from_ms, to_ms, now_ms) {
                let inside = span.to_ms.min(to_ms) - span.from_ms.max(from_ms);
                if inside <= 0 && span.to_ms > span.from_ms {
                    continue;
                }
                let kind = self.kinds.entry(span.kind).or_default();
                kind.total_ms = kind.total_ms.saturating_add(inside.max(0));
                kind.failed += u64::from(span.failed);
                kind.took_ms.push(span.to_ms - span.from_ms);
            }
        }
    }

    /// Longest first. Calls that start subagents come last: what they did is counted where it was done.
    pub fn kinds(self) -> Vec<KindSum> {
        let mut sums: Vec<KindSum> = self
            .kinds
            .into_iter()
            .map(|(kind, mut sum)| {
                sum.took_ms.sort_unstable();
                let at = |share: usize| sum.took_ms.get((sum.took_ms.len() * share / 100).min(sum.took_ms.len() - 1));
                KindSum {
                    kind: kind.code(),
                    count: sum.took_ms.len() as u64,
                    total_ms: sum.total_ms,
                    p50_ms: at(50).copied().unwrap_or_default(),
                    p95_ms: at(95).copied().unwrap_or_default(),
                    failed: sum.failed,
                }
            })
            .collect();
        let is_agent = |sum: &KindSum| sum.kind == SliceKind::Agent.code();
        sums.sort_by_key(|sum| (is_agent(sum), std::cmp::Reverse(sum.total_ms)));
        sums
    }
}

/// Time of model and calls: what an agent was busy with. Subagents' own time is in their lanes.
pub fn busy_ms(kinds: &[KindSum]) -> i64 {
    let counts = |sum: &&KindSum| !matches!(SliceKind::from_code(sum.kind), SliceKind::Wait | SliceKind::Agent);
    kinds.iter().filter(counts).map(|sum| sum.total_ms).sum()
}

/// Adds, for each column, the time that lanes were at work in it, and the calls that failed.
pub fn busy(spans: &Spans, columns: Columns, now_ms: Option<i64>, work_ms: &mut [i64], failed: &mut [u16]) -> u64 {
    let mut seen = 0;
    for group in spans.groups.iter().filter(|group| group.row == 0) {
        for span in spans.touching(*group, columns.from_ms, columns.to_ms, now_ms) {
            seen += 1;
            let (first, last) = (columns.of(span.from_ms), columns.of((span.to_ms - 1).max(span.from_ms)));
            if span.failed
                && let Some(cell) = failed.get_mut(last as usize)
            {
                *cell = cell.saturating_add(1);
            }
            if span.kind == SliceKind::Wait {
                continue;
            }
            for column in first..=last {
                let from = columns.start_ms(column).max(span.from_ms);
                let to = columns.start_ms(column + 1).min(span.to_ms);
                if let Some(cell) = work_ms.get_mut(column as usize) {
                    *cell += (to - from).max(0);
                }
            }
        }
    }
    seen
}
