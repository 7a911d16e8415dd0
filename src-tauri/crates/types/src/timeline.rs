//! `GET /api/v1/timeline`: what ran when, folded to the columns of a screen.

use serde::{Deserialize, Serialize};

use crate::{Status, ToolClass};

/// What is asked for. Times are ms since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelineQuery {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Columns that the time is folded to.
    pub px: u32,
    pub project: Option<String>,
    pub agent: Option<String>,
    pub session: Option<String>,
    /// Slices are sent of so many sessions from this one on; all are named.
    pub first: u32,
    pub count: u32,
    /// Sessions are ordered and cut as over this wider time, so that rows stay in their place while one zooms.
    pub all_from_ms: Option<i64>,
    pub all_to_ms: Option<i64>,
}

/// What a slice shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SliceKind {
    /// The model works.
    #[default]
    Model,
    Shell,
    Edit,
    Read,
    Search,
    Web,
    Agent,
    Other,
    /// Waits for the person.
    Wait,
}

impl SliceKind {
    pub const ALL: [SliceKind; 9] = [
        SliceKind::Model,
        SliceKind::Shell,
        SliceKind::Edit,
        SliceKind::Read,
        SliceKind::Search,
        SliceKind::Web,
        SliceKind::Agent,
        SliceKind::Other,
        SliceKind::Wait,
    ];

    pub const fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: u8) -> SliceKind {
        SliceKind::ALL.get(usize::from(code)).copied().unwrap_or(SliceKind::Other)
    }

    pub const fn label(self) -> &'static str {
        match self {
            SliceKind::Model => "Model",
            SliceKind::Shell => "Shell",
            SliceKind::Edit => "Edit",
            SliceKind::Read => "Read",
            SliceKind::Search => "Search",
            SliceKind::Web => "Web",
            SliceKind::Agent => "Subagent",
            SliceKind::Other => "Other",
            SliceKind::Wait => "Waits for you",
        }
    }

    /// Whether it is a tool call.
    pub const fn is_call(self) -> bool {
        !matches!(self, SliceKind::Model | SliceKind::Wait)
    }
}

impl From<ToolClass> for SliceKind {
    fn from(class: ToolClass) -> SliceKind {
        match class {
            ToolClass::Shell => SliceKind::Shell,
            ToolClass::Edit => SliceKind::Edit,
            ToolClass::Read => SliceKind::Read,
            ToolClass::Search => SliceKind::Search,
            ToolClass::Web => SliceKind::Web,
            ToolClass::Agent => SliceKind::Agent,
            ToolClass::Ask => SliceKind::Wait,
            ToolClass::Other => SliceKind::Other,
        }
    }
}

/// One session with its lanes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelineSession {
    pub id: String,
    pub agent: String,
    pub project: String,
    pub branch: String,
    pub title: String,
    pub status: Status,
    pub started_ms: i64,
    pub last_ms: i64,
    pub cost_usd_micros: i64,
    /// The main thread, then subagents by their start.
    pub lanes: Vec<TimelineLane>,
}

/// One row of the picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelineLane {
    /// Empty for the main thread.
    pub id: String,
    pub kind: String,
    pub cost_usd_micros: i64,
}

/// A stretch of one lane: one call, one wait, or many short ones in one column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Slice {
    /// Index of the session in the answer, and of the lane in the session.
    pub session: u32,
    pub lane: u16,
    pub kind: SliceKind,
    pub failed: bool,
    /// Still open at the end of the time.
    pub open: bool,
    pub from_ms: i64,
    pub to_ms: i64,
    /// The event that began it: of the longest, where several are folded.
    pub seq: i64,
    /// How many are folded into it.
    pub count: u32,
    /// Calls that ran at once share the height: this is row `row` of `rows`.
    pub row: u8,
    pub rows: u8,
    /// Index in [`Timeline::words`]; 0 where a label would not fit.
    pub word: u32,
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeline {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Sessions at work in the wider time, by project and start.
    pub sessions: Vec<TimelineSession>,
    /// Sessions that are too many to be named: the oldest are left out.
    pub cut: u64,
    /// First session whose slices are here, and how many sessions.
    pub first: u32,
    pub count: u32,
    pub words: Vec<String>,
    pub slices: Slices,
    /// Calls, waits and model stretches that were folded into the slices.
    pub spans: u64,
    /// Events that the tracks do not have yet.
    pub behind: u64,
}

/// Slices; on the wire columns, times as differences.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "SliceColumns", into = "SliceColumns")]
pub struct Slices(pub Vec<Slice>);

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct SliceColumns {
    session: Vec<u32>,
    lane: Vec<u16>,
    kind: Vec<u8>,
    /// 1 failed, 2 open.
    flags: Vec<u8>,
    /// Difference to the start before.
    from: Vec<i64>,
    took: Vec<i64>,
    seq: Vec<i64>,
    count: Vec<u32>,
    /// `row + 16 * rows`.
    row: Vec<u8>,
    word: Vec<u32>,
}

impl From<Slices> for SliceColumns {
    fn from(slices: Slices) -> SliceColumns {
        let mut columns = SliceColumns::default();
        let (mut from, mut seq) = (0, 0);
        for slice in slices.0 {
            columns.session.push(slice.session);
            columns.lane.push(slice.lane);
            columns.kind.push(slice.kind.code());
            columns.flags.push(u8::from(slice.failed) + 2 * u8::from(slice.open));
            columns.from.push(slice.from_ms - from);
            columns.took.push(slice.to_ms - slice.from_ms);
            columns.seq.push(slice.seq - seq);
            (from, seq) = (slice.from_ms, slice.seq);
            columns.count.push(slice.count);
            columns.row.push(slice.row + 16 * slice.rows);
            columns.word.push(slice.word);
        }
        columns
    }
}

impl From<SliceColumns> for Slices {
    fn from(columns: SliceColumns) -> Slices {
        let (mut from_ms, mut seq) = (0_i64, 0_i64);
        let slice = |n: usize| {
            let flags = *columns.flags.get(n)?;
            let row = *columns.row.get(n)?;
            from_ms = from_ms.saturating_add(*columns.from.get(n)?);
            seq = seq.saturating_add(*columns.seq.get(n)?);
            Some(Slice {
                session: columns.session[n],
                lane: *columns.lane.get(n)?,
                kind: SliceKind::from_code(*columns.kind.get(n)?),
                failed: flags & 1 != 0,
                open: flags & 2 != 0,
                from_ms,
                to_ms: from_ms.saturating_add(*columns.took.get(n)?),
                seq,
                count: *columns.count.get(n)?,
                row: row % 16,
                rows: (row / 16).max(1),
                word: *columns.word.get(n)?,
            })
        };
        Slices((0..columns.session.len()).map_while(slice).collect())
    }
}

/// `GET /api/v1/timeline/busy`: how many lanes were at work, over the whole time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Busy {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Most lanes at work at once, for each column.
    pub lanes: Vec<u16>,
    /// Calls that failed in each column.
    pub failed: Vec<u16>,
    pub spans: u64,
    pub sessions: u64,
}

/// `GET /api/v1/timeline/sums`: what ran in a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Longest first. Times are those inside the stretch; p50 and p95 those of whole calls.
    pub kinds: Vec<KindSum>,
    /// Model and calls together, waits left out.
    pub busy_ms: i64,
    pub calls: u64,
    pub failed: u64,
    pub cost_usd_micros: i64,
    /// The session whose critical path this is.
    pub path_of: Option<String>,
    /// Its steps, longest first, with their time inside the stretch.
    pub path: Vec<PathStep>,
    /// The path itself, from left to right.
    pub path_line: Vec<PathPoint>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KindSum {
    /// Code of a [`SliceKind`].
    pub kind: u8,
    pub count: u64,
    pub total_ms: i64,
    pub p50_ms: i64,
    pub p95_ms: i64,
    pub failed: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PathStep {
    /// `model`, `Explore: Read`, `cargo nextest run`.
    pub name: String,
    pub kind: u8,
    pub total_ms: i64,
}

/// A stretch of the critical path on one lane of the session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PathPoint {
    pub lane: u16,
    pub from_ms: i64,
    pub to_ms: i64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn slices_survive_the_wire() {
        let slices = Slices(vec![
            Slice { from_ms: 5_000, to_ms: 6_000, seq: 9, count: 3, rows: 1, word: 2, ..Slice::default() },
            Slice {
                session: 1,
                lane: 2,
                kind: SliceKind::Wait,
                failed: true,
                open: true,
                from_ms: 4_000,
                to_ms: 4_001,
                seq: 4,
                count: 1,
                row: 1,
                rows: 2,
                word: 0,
            },
        ]);
        let text = serde_json::to_string(&slices).unwrap();
        assert_eq!(serde_json::from_str::<Slices>(&text).unwrap(), slices);
    }
}
