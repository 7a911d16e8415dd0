//! A session's events as narrow points: what a scrubber, a timeline and the state at a moment need, and no texts.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{Subagent, ToolClass};

/// What kind of event a point stands for. The code is stored on disk and sent: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mark {
    SessionStart,
    SessionEnd,
    Prompt,
    Message,
    Thinking,
    ToolStart,
    ToolEnd,
    Permission,
    PermissionDenied,
    Question,
    Notification,
    SubagentStart,
    SubagentStop,
    Stop,
    Failure,
    Interrupt,
    Compact,
    #[default]
    Other,
}

impl Mark {
    const ALL: [Mark; 18] = [
        Mark::SessionStart,
        Mark::SessionEnd,
        Mark::Prompt,
        Mark::Message,
        Mark::Thinking,
        Mark::ToolStart,
        Mark::ToolEnd,
        Mark::Permission,
        Mark::PermissionDenied,
        Mark::Question,
        Mark::Notification,
        Mark::SubagentStart,
        Mark::SubagentStop,
        Mark::Stop,
        Mark::Failure,
        Mark::Interrupt,
        Mark::Compact,
        Mark::Other,
    ];

    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Unknown codes, of a newer program, are `Other`.
    pub fn from_code(code: u8) -> Mark {
        Mark::ALL.get(usize::from(code)).copied().unwrap_or_default()
    }
}

impl ToolClass {
    const ALL: [ToolClass; 8] = [
        ToolClass::Shell,
        ToolClass::Edit,
        ToolClass::Read,
        ToolClass::Search,
        ToolClass::Web,
        ToolClass::Agent,
        ToolClass::Ask,
        ToolClass::Other,
    ];

    /// Stored on disk and sent: never renumber.
    pub const fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: u8) -> ToolClass {
        ToolClass::ALL.get(usize::from(code)).copied().unwrap_or_default()
    }
}

/// A call failed, or a turn ended with an error.
pub const FAILED: u8 = 1;
/// A question got its answer; a compaction is over.
pub const DONE: u8 = 2;
/// On a branch that the person rewound.
pub const ABANDONED: u8 = 4;

/// One event as it is put on a track.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrackRow {
    pub seq: i64,
    pub at_ms: i64,
    pub mark: Mark,
    pub class: ToolClass,
    pub subagent: Option<Subagent>,
    /// Hash of the call's id, which joins a start to its end. 0 without an id.
    pub call: u32,
    /// [`FAILED`], [`DONE`], [`ABANDONED`].
    pub flags: u8,
    pub took_ms: Option<i64>,
    pub added: u32,
    pub removed: u32,
    pub tool: String,
    /// What it acts on, clipped to a label. Empty where the start of the call says it.
    pub target: String,
}

/// One event on a [`Track`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Point {
    pub seq: i64,
    pub at_ms: i64,
    pub mark: Mark,
    pub class: ToolClass,
    pub flags: u8,
    /// Index in [`Track::lanes`]; 0 is the main thread.
    pub lane: u16,
    pub call: u32,
    pub took_ms: Option<i64>,
    pub added: u32,
    pub removed: u32,
    /// Index in [`Track::words`].
    pub tool: u32,
    pub target: u32,
}

/// A billed request on a track.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    pub at_ms: i64,
    pub lane: u16,
    /// Empty when the model has no price.
    pub cost_usd_micros: Option<i64>,
    /// All tokens of the request.
    pub tokens: u64,
    /// What the model read.
    pub prompt: u64,
}

/// `GET /api/v1/sessions/{id}/track`. On the wire points are columns of differences.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Columns", into = "Columns")]
pub struct Track {
    pub session: String,
    /// By number.
    pub points: Vec<Point>,
    /// Who did it. The first is the main thread.
    pub lanes: Vec<Subagent>,
    /// Tools and targets, each once. The first is empty.
    pub words: Vec<String>,
    /// Billed requests by time.
    pub spent: Vec<Spent>,
    /// Stored events of all sessions that are not on their tracks yet.
    pub behind: u64,
    known: Known,
}

/// Where words and lanes are, made when it is first needed.
#[derive(Debug, Clone, Default)]
struct Known {
    words: HashMap<String, u32>,
    lanes: HashMap<String, u16>,
}

impl PartialEq for Known {
    /// Follows from the lists.
    fn eq(&self, _: &Known) -> bool {
        true
    }
}

impl Track {
    pub fn new(session: &str) -> Track {
        let main = Subagent { id: String::new(), kind: String::new() };
        Track { session: session.to_owned(), lanes: vec![main], words: vec![String::new()], ..Track::default() }
    }

    /// Puts a point in its place by number; a number that is there is replaced.
    pub fn put(&mut self, row: TrackRow) {
        let point = Point {
            seq: row.seq,
            at_ms: row.at_ms,
            mark: row.mark,
            class: row.class,
            flags: row.flags,
            lane: row.subagent.map_or(0, |subagent| self.lane(subagent)),
            call: row.call,
            took_ms: row.took_ms,
            added: row.added,
            removed: row.removed,
            tool: self.word(row.tool),
            target: self.word(row.target),
        };
        match self.points.last() {
            Some(last) if last.seq >= point.seq => {
                match self.points.binary_search_by_key(&point.seq, |known| known.seq) {
                    Ok(at) => {
                        // The end of a call may have lost the label that its start has.
                        let target = if point.target == 0 { self.points[at].target } else { point.target };
                        self.points[at] = Point { target, ..point };
                    }
                    Err(at) => self.points.insert(at, point),
                }
            }
            _ => self.points.push(point),
        }
    }

    /// The index of a lane by its subagent; the main thread is known as "".
    pub fn lane(&mut self, subagent: Subagent) -> u16 {
        if self.known.lanes.is_empty() {
            let at = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
            self.known.lanes = self.lanes.iter().enumerate().map(|(n, lane)| (lane.id.clone(), at(n))).collect();
        }
        if let Some(at) = self.known.lanes.get(&subagent.id).copied() {
            if let Some(lane) = self.lanes.get_mut(usize::from(at)).filter(|lane| lane.kind.is_empty()) {
                lane.kind = subagent.kind;
            }
            return at;
        }
        // Nobody starts so many; what comes beyond shares the last lane.
        let Ok(at) = u16::try_from(self.lanes.len()) else { return u16::MAX };
        self.known.lanes.insert(subagent.id.clone(), at);
        self.lanes.push(subagent);
        at
    }

    fn word(&mut self, word: String) -> u32 {
        if word.is_empty() {
            return 0;
        }
        if self.known.words.is_empty() {
            let at = |at: usize| u32::try_from(at).unwrap_or(0);
            self.known.words = self.words.iter().enumerate().map(|(n, word)| (word.clone(), at(n))).collect();
        }
        if let Some(at) = self.known.words.get(&word) {
            return *at;
        }
        let at = u32::try_from(self.words.len()).unwrap_or(0);
        self.known.words.insert(word.clone(), at);
        self.words.push(word);
        at
    }

    /// Number of the newest event on it; 0 for none.
    pub fn newest_seq(&self) -> i64 {
        self.points.last().map_or(0, |point| point.seq)
    }
}

/// A track on the wire.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Columns {
    session: String,
    lanes: Vec<Subagent>,
    words: Vec<String>,
    spent: Vec<Spent>,
    behind: u64,
    /// Difference to the point before; so are the times.
    seq: Vec<i64>,
    at_ms: Vec<i64>,
    mark: Vec<u8>,
    class: Vec<u8>,
    flags: Vec<u8>,
    lane: Vec<u16>,
    call: Vec<u32>,
    /// One more than the milliseconds; 0 when nobody measured them.
    took: Vec<i64>,
    added: Vec<u32>,
    removed: Vec<u32>,
    tool: Vec<u32>,
    target: Vec<u32>,
}

impl From<Track> for Columns {
    fn from(track: Track) -> Columns {
        let mut columns = Columns {
            session: track.session,
            lanes: track.lanes,
            words: track.words,
            spent: track.spent,
            behind: track.behind,
            ..Columns::default()
        };
        let (mut seq, mut at_ms) = (0, 0);
        for point in track.points {
            columns.seq.push(point.seq - seq);
            columns.at_ms.push(point.at_ms - at_ms);
            (seq, at_ms) = (point.seq, point.at_ms);
            columns.mark.push(point.mark.code());
            columns.class.push(point.class.code());
            columns.flags.push(point.flags);
            columns.lane.push(point.lane);
            columns.call.push(point.call);
            columns.took.push(point.took_ms.map_or(0, |ms| ms.saturating_add(1)));
            columns.added.push(point.added);
            columns.removed.push(point.removed);
            columns.tool.push(point.tool);
            columns.target.push(point.target);
        }
        columns
    }
}

impl From<Columns> for Track {
    /// Columns of unequal length are cut to the shortest that every point needs; what may be missing is empty.
    fn from(columns: Columns) -> Track {
        let mut track = Track {
            session: columns.session,
            lanes: columns.lanes,
            words: columns.words,
            spent: columns.spent,
            behind: columns.behind,
            ..Track::default()
        };
        let (mut seq, mut at_ms) = (0_i64, 0_i64);
        track.points = columns
            .seq
            .iter()
            .zip(&columns.at_ms)
            .enumerate()
            .map(|(n, (seq_step, at_step))| {
                seq = seq.saturating_add(*seq_step);
                at_ms = at_ms.saturating_add(*at_step);
                let get = |list: &[u32]| list.get(n).copied().unwrap_or_default();
                Point {
                    seq,
                    at_ms,
                    mark: Mark::from_code(columns.mark.get(n).copied().unwrap_or(u8::MAX)),
                    class: ToolClass::from_code(columns.class.get(n).copied().unwrap_or(u8::MAX)),
                    flags: columns.flags.get(n).copied().unwrap_or_default(),
                    lane: columns.lane.get(n).copied().unwrap_or_default(),
                    call: get(&columns.call),
                    took_ms: columns.took.get(n).copied().filter(|took| *took > 0).map(|took| took - 1),
                    added: get(&columns.added),
                    removed: get(&columns.removed),
                    tool: get(&columns.tool),
                    target: get(&columns.target),
                }
            })
            .collect();
        track
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(seq: i64, tool: &str, subagent: Option<&str>) -> TrackRow {
        TrackRow {
            seq,
            at_ms: seq * 1_000,
            mark: Mark::ToolEnd,
            class: ToolClass::Edit,
            subagent: subagent.map(|id| Subagent { id: id.into(), kind: "Explore".into() }),
            call: 7,
            took_ms: Some(0),
            added: 3,
            tool: tool.into(),
            target: format!("src/{seq}.rs"),
            ..TrackRow::default()
        }
    }

    #[test]
    fn a_track_survives_the_wire() {
        let mut track = Track::new("s");
        for (seq, tool, subagent) in [(3, "Edit", None), (5, "Write", Some("a1")), (9, "Edit", Some("a1"))] {
            track.put(row(seq, tool, subagent));
        }
        let text = serde_json::to_string(&track).unwrap();
        let mut back: Track = serde_json::from_str(&text).unwrap();
        assert_eq!(back, track);
        assert_eq!((back.lanes.len(), back.newest_seq()), (2, 9));
        // Words and lanes that came over the wire are found again.
        back.put(row(9, "Write", Some("a1")));
        back.put(row(4, "Edit", None));
        assert_eq!(back.words.iter().filter(|word| *word == "Write").count(), 1);
        assert_eq!(back.points.iter().map(|point| point.seq).collect::<Vec<_>>(), [3, 4, 5, 9]);
    }

    #[test]
    fn codes_name_what_they_were_made_of() {
        for (code, mark) in Mark::ALL.into_iter().enumerate() {
            assert_eq!((usize::from(mark.code()), Mark::from_code(mark.code())), (code, mark));
        }
        for class in ToolClass::ALL {
            assert_eq!(ToolClass::from_code(class.code()), class);
        }
        assert_eq!(Mark::from_code(200), Mark::Other);
    }
}
