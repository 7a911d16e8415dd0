//! A track to spans.

use orrery_types::track::FAILED;
use orrery_types::{Mark, Point, SliceKind, ToolClass, Track};

use super::{MOST_ROWS, Span, Spans, UNDER};

/// The model does not work that long without a word: the turn was left.
const QUIET_MS: i64 = 10 * 60_000;

/// The spans of a session.
pub fn spans_of(track: &Track) -> Spans {
    let mut order: Vec<&Point> = track.points.iter().collect();
    order.sort_by_key(|point| (point.at_ms, rank(point.mark), point.seq));
    let mut lanes: Vec<Lane> = (0..track.lanes.len().max(1)).map(|_| Lane::default()).collect();
    for point in order {
        let lane = usize::from(point.lane).min(lanes.len() - 1);
        if point.mark == Mark::SessionEnd {
            lanes.iter_mut().for_each(|lane| lane.end_turn(point.at_ms));
        } else if point.lane == 0 && point.mark == Mark::Prompt {
            lanes[0].end_calls(point.at_ms);
        }
        lanes[lane].take(point);
    }
    let mut spans = Vec::new();
    for (number, lane) in lanes.into_iter().enumerate() {
        lane.finish(u16::try_from(number).unwrap_or(u16::MAX), &mut spans);
    }
    Spans::new(spans, track.words.clone(), track.lanes.clone())
}

/// Of events at the same moment: prompts first, ends after starts.
pub fn rank(mark: Mark) -> u8 {
    match mark {
        Mark::SessionStart => 0,
        Mark::Prompt | Mark::SubagentStart => 1,
        Mark::ToolEnd | Mark::PermissionDenied => 3,
        Mark::SubagentStop => 4,
        Mark::Stop | Mark::Failure | Mark::Interrupt => 5,
        Mark::SessionEnd => 6,
        _ => 2,
    }
}

/// A call with the wait in front of it.
#[derive(Debug, Clone, Copy)]
struct Call {
    point: Point,
    from_ms: i64,
    to_ms: i64,
    asked_ms: Option<i64>,
    took_ms: Option<i64>,
    failed: bool,
    open: bool,
}

#[derive(Default)]
struct Lane {
    in_turn: bool,
    /// Since when the model works.
    model: Option<(i64, i64)>,
    /// A wait that belongs to no call: start and event.
    wait: Option<Point>,
    open: Vec<Call>,
    calls: Vec<Call>,
    /// Model stretches and waits.
    others: Vec<Span>,
    last_ms: i64,
}

impl Lane {
    fn take(&mut self, point: &Point) {
        let at_ms = point.at_ms;
        if self.model.is_some() && at_ms.saturating_sub(self.last_ms) > QUIET_MS {
            self.end_model(self.last_ms);
        }
        if !matches!(point.mark, Mark::Notification | Mark::Other | Mark::Permission | Mark::Compact) {
            self.end_wait(at_ms);
        }
        match point.mark {
            Mark::Prompt | Mark::SubagentStart => self.begin_turn(point),
            Mark::Message | Mark::Thinking => {
                self.in_turn = true;
                self.think(point);
            }
            Mark::ToolStart => {
                self.in_turn = true;
                self.end_model(at_ms);
                self.open.push(call_at(point, at_ms));
            }
            Mark::ToolEnd | Mark::PermissionDenied => self.end_call(point),
            Mark::Permission => {
                let waiting = self.open.iter_mut().rev().find(|call| call.point.tool == point.tool);
                match waiting {
                    Some(call) => call.asked_ms = call.asked_ms.or(Some(at_ms)),
                    None => self.begin_wait(point),
                }
            }
            Mark::Question => self.begin_wait(point),
            Mark::Stop | Mark::Failure | Mark::Interrupt | Mark::SubagentStop | Mark::SessionEnd => {
                self.end_turn(at_ms)
            }
            Mark::SessionStart | Mark::Notification | Mark::Compact | Mark::Other => {}
        }
        self.last_ms = self.last_ms.max(at_ms);
    }

    fn begin_turn(&mut self, point: &Point) {
        self.end_model(point.at_ms);
        self.in_turn = true;
        self.think(point);
    }

    fn think(&mut self, point: &Point) {
        if self.in_turn && self.open.is_empty() && self.model.is_none() {
            self.model = Some((point.at_ms, point.seq));
        }
    }

    fn begin_wait(&mut self, point: &Point) {
        self.end_wait(point.at_ms);
        self.end_model(point.at_ms);
        self.wait = Some(*point);
    }

    fn end_wait(&mut self, at_ms: i64) {
        if let Some(point) = self.wait.take() {
            self.others.push(wait_span(&point, point.at_ms, at_ms, false));
        }
    }

    fn end_model(&mut self, at_ms: i64) {
        if let Some((from_ms, seq)) = self.model.take()
            && at_ms > from_ms
        {
            self.others.push(Span { from_ms, to_ms: at_ms, seq, rows: 1, count: 1, ..Span::default() });
        }
    }

    fn end_call(&mut self, point: &Point) {
        let at_ms = point.at_ms;
        let same = |call: &Call| match point.call {
            0 => call.point.call == 0 && call.point.tool == point.tool,
            id => call.point.call == id,
        };
        let failed = point.flags & FAILED != 0;
        let call = match self.open.iter().position(same) {
            Some(at) => {
                let call = self.open.remove(at);
                Call { to_ms: at_ms.max(call.from_ms), took_ms: point.took_ms, failed, open: false, ..call }
            }
            None => {
                let from_ms = at_ms.saturating_sub(point.took_ms.unwrap_or(0));
                self.end_model(from_ms);
                Call { to_ms: at_ms, took_ms: point.took_ms, failed, open: false, ..call_at(point, from_ms) }
            }
        };
        self.calls.push(call);
        if self.in_turn && self.open.is_empty() && self.model.is_none() {
            self.model = Some((at_ms, point.seq));
        }
    }

    /// Calls that nobody reported an end for are over now.
    fn end_calls(&mut self, at_ms: i64) {
        for call in std::mem::take(&mut self.open) {
            // A call that was left behind did not run all the time until the next prompt.
            let to_ms = at_ms.min(self.last_ms).max(call.from_ms);
            self.calls.push(Call { to_ms, open: false, ..call });
        }
    }

    fn end_turn(&mut self, at_ms: i64) {
        self.end_wait(at_ms);
        self.end_model(at_ms);
        self.end_calls(at_ms);
        self.in_turn = false;
    }

    fn finish(mut self, lane: u16, into: &mut Vec<Span>) {
        let last_ms = self.last_ms;
        if let Some(point) = self.wait.take() {
            self.others.push(wait_span(&point, point.at_ms, last_ms, true));
        }
        if let Some((from_ms, seq)) = self.model.take() {
            let to_ms = last_ms.max(from_ms);
            self.others.push(Span { from_ms, to_ms, seq, rows: 1, count: 1, open: true, ..Span::default() });
        }
        for call in std::mem::take(&mut self.open) {
            self.calls.push(Call { to_ms: last_ms.max(call.from_ms), open: true, ..call });
        }
        into.extend(self.others.into_iter().map(|span| Span { lane, ..span }));
        // Of calls that begin together the longest comes first: the others lie beside it.
        self.calls.sort_by_key(|call| (call.from_ms, std::cmp::Reverse(call.to_ms), call.point.seq));
        let (agents, calls): (Vec<Call>, Vec<Call>) =
            self.calls.into_iter().partition(|call| call.point.class == ToolClass::Agent);
        join_agents(&agents, lane, into);
        place_calls(&calls, lane, into);
    }
}

fn call_at(point: &Point, from_ms: i64) -> Call {
    Call { point: *point, from_ms, to_ms: from_ms, asked_ms: None, took_ms: None, failed: false, open: true }
}

fn wait_span(point: &Point, from_ms: i64, to_ms: i64, open: bool) -> Span {
    Span {
        from_ms,
        to_ms: to_ms.max(from_ms),
        seq: point.seq,
        tool: point.tool,
        target: point.target,
        rows: 1,
        kind: SliceKind::Wait,
        open,
        count: 1,
        ..Span::default()
    }
}

/// Subagents that were started together are one stretch.
fn join_agents(calls: &[Call], lane: u16, into: &mut Vec<Span>) {
    let mut joined: Vec<Span> = Vec::new();
    for call in calls {
        let span = Span { row: UNDER, ..call_span(call, lane) };
        match joined.last_mut() {
            Some(last) if last.open || span.from_ms < last.to_ms => {
                last.to_ms = last.to_ms.max(span.to_ms);
                last.failed |= span.failed;
                last.open |= span.open;
                last.count = last.count.saturating_add(1);
            }
            _ => joined.push(span),
        }
    }
    into.append(&mut joined);
}

/// Gives calls that run at once rows of their own, and puts the wait in front of a call.
fn place_calls(calls: &[Call], lane: u16, into: &mut Vec<Span>) {
    let mut at = 0;
    while at < calls.len() {
        let first = at;
        let mut end_ms = calls[at].to_ms;
        at += 1;
        while at < calls.len() && calls[at].from_ms < end_ms {
            end_ms = end_ms.max(calls[at].to_ms);
            at += 1;
        }
        let mut ends: Vec<i64> = Vec::new();
        let rows_of: Vec<u8> = calls[first..at]
            .iter()
            .map(|call| {
                let free = ends.iter().position(|end| *end <= call.from_ms);
                let row = free.unwrap_or(ends.len()).min(usize::from(MOST_ROWS) - 1);
                if row == ends.len() {
                    ends.push(call.to_ms);
                } else {
                    ends[row] = ends[row].max(call.to_ms);
                }
                u8::try_from(row).unwrap_or(MOST_ROWS - 1)
            })
            .collect();
        let rows = u8::try_from(ends.len()).unwrap_or(MOST_ROWS);
        for (call, row) in calls[first..at].iter().zip(rows_of) {
            let span = Span { row, rows, ..call_span(call, lane) };
            let Some(asked_ms) = call.asked_ms.filter(|asked| *asked < call.to_ms) else {
                into.push(span);
                continue;
            };
            // Without a measured time nobody knows when the person answered: the whole stretch is a wait.
            let ran_ms = call.took_ms.unwrap_or(0);
            let begins = call.to_ms.saturating_sub(ran_ms).max(asked_ms);
            let wait = wait_span(&call.point, asked_ms, begins, call.open);
            into.push(Span { lane, row, rows, ..wait });
            if !call.open {
                into.push(Span { from_ms: begins, ..span });
            }
        }
    }
}

fn call_span(call: &Call, lane: u16) -> Span {
    Span {
        from_ms: call.from_ms,
        to_ms: call.to_ms,
        seq: call.point.seq,
        tool: call.point.tool,
        target: call.point.target,
        lane,
        row: 0,
        rows: 1,
        kind: SliceKind::from(call.point.class),
        failed: call.failed,
        open: call.open,
        count: 1,
    }
}
