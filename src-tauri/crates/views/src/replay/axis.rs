//! The scrubber's axis: time, with the stretches in which nothing happened drawn short.

use orrery_types::{Mark, Point};

/// A stretch without events is idle from here on.
const IDLE_MS: i64 = 30_000;
/// An idle stretch takes at most this share of the axis, and never more than its own time.
const GAP_SHARE: i64 = 30;

/// A stretch without events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Calls ran meanwhile; else the agent or the person paused.
    pub ran: bool,
}

/// Maps moments to places on a line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Axis {
    /// Moment and place where the pace changes, both growing.
    knots: Vec<(i64, i64)>,
    gaps: Vec<Gap>,
}

impl Axis {
    pub(super) fn of(points: &[Point], skips_idle: bool) -> Axis {
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Axis::default() };
        let mut gaps = Vec::new();
        let mut open = 0_i32;
        for pair in points.windows(2) {
            match pair[0].mark {
                Mark::ToolStart => open += 1,
                Mark::ToolEnd | Mark::PermissionDenied => open = (open - 1).max(0),
                Mark::Prompt | Mark::Stop | Mark::SessionEnd if pair[0].lane == 0 => open = 0,
                _ => {}
            }
            if pair[1].at_ms - pair[0].at_ms > IDLE_MS {
                gaps.push(Gap { from_ms: pair[0].at_ms, to_ms: pair[1].at_ms, ran: open > 0 });
            }
        }
        let mut knots = vec![(first.at_ms, 0)];
        if skips_idle {
            let idle: i64 = gaps.iter().map(|gap| gap.to_ms - gap.from_ms).sum();
            let active = (last.at_ms - first.at_ms - idle).max(1);
            let most = (active / GAP_SHARE).max(IDLE_MS / 10);
            let mut place = 0;
            let mut at = first.at_ms;
            for gap in &gaps {
                place += gap.from_ms - at;
                knots.push((gap.from_ms, place));
                place += (gap.to_ms - gap.from_ms).min(most);
                knots.push((gap.to_ms, place));
                at = gap.to_ms;
            }
            knots.push((last.at_ms, place + last.at_ms - at));
        } else {
            knots.push((last.at_ms, last.at_ms - first.at_ms));
        }
        Axis { knots, gaps }
    }

    /// Stretches without events.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Length of the line.
    pub fn length(&self) -> i64 {
        self.knots.last().map_or(0, |(_, place)| *place)
    }

    pub fn place_of(&self, at_ms: i64) -> i64 {
        between(&self.knots, at_ms, |knot| knot.0, |knot| knot.1)
    }

    pub fn moment_at(&self, place: i64) -> i64 {
        between(&self.knots, place, |knot| knot.1, |knot| knot.0)
    }

    /// Place as a share of the line, 0 to 1.
    pub fn share_of(&self, at_ms: i64) -> f64 {
        match self.length() {
            0 => 0.0,
            length => (self.place_of(at_ms) as f64 / length as f64).clamp(0.0, 1.0),
        }
    }

    pub fn moment_of_share(&self, share: f64) -> i64 {
        self.moment_at((share.clamp(0.0, 1.0) * self.length() as f64) as i64)
    }
}

/// Reads a value off the line through the knots; outside it is the nearest end.
fn between(knots: &[(i64, i64)], at: i64, key: fn(&(i64, i64)) -> i64, value: fn(&(i64, i64)) -> i64) -> i64 {
    let (Some(first), Some(last)) = (knots.first(), knots.last()) else { return 0 };
    let next = knots.partition_point(|knot| key(knot) <= at);
    if next == 0 {
        return value(first);
    }
    let Some(after) = knots.get(next) else { return value(last) };
    let before = &knots[next - 1];
    let width = (key(after) - key(before)).max(1);
    let share = i128::from(at - key(before)) * i128::from(value(after) - value(before)) / i128::from(width);
    value(before) + i64::try_from(share).unwrap_or(0)
}
