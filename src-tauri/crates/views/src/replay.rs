//! A session as a film: where its moments lie, and how things stood at any of them.

mod axis;
mod state;

use orrery_types::track::FAILED;
use orrery_types::{Mark, Point, SliceKind, Spent, Subagent, ToolClass, Track, TrackRow};

pub use axis::{Axis, Gap};
pub use state::{FileTouch, LaneState, OpenState, State};

use crate::timeline::rank;

/// A state is kept at so many places, so that any other is a short walk away.
const CHECKPOINTS: usize = 256;
const LEAST_BETWEEN: usize = 256;

/// What a person steps by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    #[default]
    Event,
    Turn,
    Tool,
    Error,
}

/// What stands under the scrubber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkerKind {
    Compact,
    Subagent,
    Prompt,
    Wait,
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    pub kind: MarkerKind,
    /// Position of its moment.
    pub at: usize,
}

/// The moments of a session in the order of time, and the states between them.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    points: Vec<Point>,
    lanes: Vec<Subagent>,
    words: Vec<String>,
    spent: Vec<Spent>,
    checkpoints: Vec<State>,
    every: usize,
    markers: Vec<Marker>,
    /// Positions of the main thread's prompts.
    turns: Vec<usize>,
    /// Time that the person let the agent wait, ms.
    waited_ms: i64,
    axis: Axis,
    skips_idle: bool,
}

impl Replay {
    /// Puts the track in order and walks it once.
    pub fn of(track: &Track, skips_idle: bool) -> Replay {
        let mut points = track.points.clone();
        points.sort_by_key(|point| (point.at_ms, rank(point.mark), point.seq));
        let mut spent = track.spent.clone();
        spent.sort_by_key(|spent| spent.at_ms);
        let mut replay = Replay {
            every: (points.len() / CHECKPOINTS).max(LEAST_BETWEEN),
            points,
            lanes: track.lanes.clone(),
            words: track.words.clone(),
            spent,
            skips_idle,
            ..Replay::default()
        };
        replay.walk();
        replay.axis = Axis::of(&replay.points, skips_idle);
        let spans = crate::timeline::spans_of(track);
        let waits = spans.spans.iter().filter(|span| span.kind == SliceKind::Wait);
        replay.waited_ms = waits.map(|span| span.to_ms - span.from_ms).sum();
        replay
    }

    /// The same with idle time shown at its full length, or not.
    pub fn set_skips_idle(&mut self, skips: bool) {
        if self.skips_idle != skips {
            self.skips_idle = skips;
            self.axis = Axis::of(&self.points, skips);
        }
    }

    fn walk(&mut self) {
        let mut state = State::new(self.lanes.len());
        for (at, point) in self.points.iter().enumerate() {
            if at % self.every == 0 {
                self.checkpoints.push(state.clone());
            }
            state.apply(point, &self.spent);
            if point.lane == 0 && point.mark == Mark::Prompt {
                self.turns.push(at);
            }
            if let Some(kind) = marker_of(point) {
                self.markers.push(Marker { kind, at });
            }
        }
    }

    pub fn len(&self) -> usize {
        self.points.len()
    }
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
    pub fn points(&self) -> &[Point] {
        &self.points
    }
    pub fn point(&self, at: usize) -> Option<&Point> {
        self.points.get(at)
    }
    pub fn lanes(&self) -> &[Subagent] {
        &self.lanes
    }
    pub fn word(&self, at: u32) -> &str {
        self.words.get(at as usize).map(String::as_str).unwrap_or_default()
    }
    /// In the order of time.
    pub fn markers(&self) -> &[Marker] {
        &self.markers
    }
    pub fn turns(&self) -> &[usize] {
        &self.turns
    }
    pub fn waited_ms(&self) -> i64 {
        self.waited_ms
    }
    pub fn axis(&self) -> &Axis {
        &self.axis
    }
    pub fn first_ms(&self) -> i64 {
        self.points.first().map_or(0, |point| point.at_ms)
    }
    pub fn last_ms(&self) -> i64 {
        self.points.last().map_or(0, |point| point.at_ms)
    }

    /// How things stood right after the moment at this position.
    pub fn state_at(&self, at: usize) -> State {
        let Some(last) = self.points.len().checked_sub(1) else { return State::new(1) };
        let at = at.min(last);
        let mut state = self.checkpoints[at / self.every].clone();
        for point in &self.points[at / self.every * self.every..=at] {
            state.apply(point, &self.spent);
        }
        state
    }

    /// Position of the last moment not after `at_ms`; the first one for times before it.
    pub fn position_at(&self, at_ms: i64) -> usize {
        self.points.partition_point(|point| point.at_ms <= at_ms).saturating_sub(1)
    }

    /// Position of the event with this number, or of the nearest one before it.
    pub fn position_of(&self, seq: i64) -> Option<usize> {
        let exact = self.points.iter().position(|point| point.seq == seq);
        exact.or_else(|| {
            let before = self.points.iter().enumerate().filter(|(_, point)| point.seq < seq);
            before.max_by_key(|(_, point)| point.seq).map(|(at, _)| at)
        })
    }

    /// The next or previous moment of a kind. Empty at the end.
    pub fn step(&self, at: usize, unit: Unit, forward: bool) -> Option<usize> {
        let fits = |point: &Point| match unit {
            Unit::Event => true,
            Unit::Turn => point.lane == 0 && point.mark == Mark::Prompt,
            Unit::Tool => point.mark == Mark::ToolStart || (point.mark == Mark::ToolEnd && point.call == 0),
            Unit::Error => point.flags & FAILED != 0,
        };
        if forward {
            let rest = self.points.get(at + 1..)?;
            rest.iter().position(fits).map(|found| at + 1 + found)
        } else {
            self.points[..at.min(self.points.len())].iter().rposition(fits)
        }
    }

    /// Which turn a position is in, from 1; 0 before the first prompt.
    pub fn turn_at(&self, at: usize) -> usize {
        self.turns.partition_point(|turn| *turn <= at)
    }

    /// Events in each of `columns` columns of the axis.
    pub fn density(&self, columns: usize) -> Vec<u32> {
        let mut cells = vec![0_u32; columns.max(1)];
        for point in &self.points {
            let share = self.axis.share_of(point.at_ms);
            let cell = ((share * columns as f64) as usize).min(cells.len() - 1);
            cells[cell] = cells[cell].saturating_add(1);
        }
        cells
    }

    /// Failed calls and turns, and how often the person was waited for.
    pub fn counts(&self) -> (usize, usize) {
        let of = |kind: MarkerKind| self.markers.iter().filter(|marker| marker.kind == kind).count();
        (of(MarkerKind::Error), of(MarkerKind::Wait))
    }
}

fn marker_of(point: &Point) -> Option<MarkerKind> {
    match point.mark {
        _ if point.flags & FAILED != 0 => Some(MarkerKind::Error),
        Mark::Prompt if point.lane == 0 => Some(MarkerKind::Prompt),
        Mark::Permission | Mark::Question => Some(MarkerKind::Wait),
        Mark::ToolStart if point.class == ToolClass::Ask => Some(MarkerKind::Wait),
        Mark::SubagentStart => Some(MarkerKind::Subagent),
        Mark::ToolStart if point.class == ToolClass::Agent => Some(MarkerKind::Subagent),
        Mark::Compact => Some(MarkerKind::Compact),
        _ => None,
    }
}

/// A track that goes on: `rows` are events that came since.
pub fn extend(track: &mut Track, rows: impl IntoIterator<Item = TrackRow>) {
    for row in rows {
        track.put(row);
    }
}

#[cfg(test)]
mod tests;
