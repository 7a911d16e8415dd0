//! A track to spans (model, calls, waits of each lane), and spans to what a screen can show.

mod fold;
mod path;
mod spans;
mod sums;

use orrery_types::SliceKind;

pub use fold::{Columns, fold};
pub use path::{critical_path, path_steps};
pub use spans::{rank, spans_of};
pub use sums::{Tally, busy, busy_ms};

/// A stretch of time on one lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub from_ms: i64,
    /// Not before `from_ms`. Of an open one: the newest time anything is known of.
    pub to_ms: i64,
    /// The event that began it.
    pub seq: i64,
    /// Indexes in [`Spans::words`].
    pub tool: u32,
    pub target: u32,
    /// Index in the track's lanes; 0 is the main thread.
    pub lane: u16,
    /// Calls of one lane that run at once lie in rows of their own, see [`UNDER`].
    pub row: u8,
    pub rows: u8,
    pub kind: SliceKind,
    pub failed: bool,
    /// Nobody reported its end, and the turn goes on.
    pub open: bool,
    /// Calls that run at once and were joined: subagents started together.
    pub count: u16,
}

/// The row of calls that start subagents: they lie under everything else of their lane.
pub const UNDER: u8 = 15;
/// Rows that calls at once may take; more share the last one.
const MOST_ROWS: u8 = 4;

/// The spans of one session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spans {
    /// By lane, row and start. Within a lane's row none begins before the one in front of it ended.
    pub spans: Vec<Span>,
    /// Where each lane's row lies in `spans`.
    groups: Vec<Group>,
    pub words: Vec<String>,
    /// Subagents by lane: id and kind. The first is the main thread.
    pub lanes: Vec<orrery_types::Subagent>,
    pub first_ms: i64,
    pub last_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    lane: u16,
    row: u8,
    from: usize,
    to: usize,
}

impl Spans {
    fn new(mut spans: Vec<Span>, words: Vec<String>, lanes: Vec<orrery_types::Subagent>) -> Spans {
        spans.sort_by_key(|span| (span.lane, span.row, span.from_ms, span.to_ms, span.seq));
        // Clocks that jump must not make two spans of one row lie over each other.
        let mut groups: Vec<Group> = Vec::new();
        for at in 0..spans.len() {
            let (lane, row) = (spans[at].lane, spans[at].row);
            match groups.last_mut() {
                Some(group) if group.lane == lane && group.row == row => {
                    let before = spans[at - 1].to_ms;
                    spans[at - 1].open = false;
                    let span = &mut spans[at];
                    span.from_ms = span.from_ms.max(before);
                    span.to_ms = span.to_ms.max(span.from_ms);
                    group.to = at + 1;
                }
                _ => groups.push(Group { lane, row, from: at, to: at + 1 }),
            }
        }
        let first_ms = spans.iter().map(|span| span.from_ms).min().unwrap_or_default();
        let last_ms = spans.iter().map(|span| span.to_ms).max().unwrap_or_default();
        Spans { spans, groups, words, lanes, first_ms, last_ms }
    }

    /// The spans of one lane's row that touch the time, with the end that an open one has at `now_ms`.
    fn touching(&self, group: Group, from_ms: i64, to_ms: i64, now_ms: Option<i64>) -> impl Iterator<Item = Span> + '_ {
        let row = &self.spans[group.from..group.to];
        // Only the last span of a row can be open.
        let first = row.partition_point(|span| span.to_ms < from_ms && !span.open);
        row[first..].iter().take_while(move |span| span.from_ms < to_ms).filter_map(move |span| {
            let end = if span.open { now_ms.unwrap_or(span.to_ms).max(span.to_ms) } else { span.to_ms };
            (end >= from_ms).then_some(Span { to_ms: end, ..*span })
        })
    }

    /// `Bash cargo test`: what a span is called.
    pub fn name(&self, span: &Span) -> String {
        let word = |at: u32| self.words.get(at as usize).map(String::as_str).unwrap_or_default();
        let (tool, target) = (word(span.tool), word(span.target));
        match span.kind {
            SliceKind::Model => "Model".to_owned(),
            SliceKind::Agent if span.count > 1 => format!("{tool}, {} in parallel", span.count),
            _ if target.is_empty() => tool.to_owned(),
            _ if tool.is_empty() => target.to_owned(),
            _ => format!("{tool} {target}"),
        }
    }
}

#[cfg(test)]
mod tests;
