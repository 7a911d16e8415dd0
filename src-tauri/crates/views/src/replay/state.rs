//! How things stand at one moment.

use std::collections::BTreeMap;

use orrery_types::track::FAILED;
use orrery_types::{Mark, Point, Spent, ToolClass};

/// Sums and open things after some moments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub at_ms: i64,
    /// Moments so far.
    pub events: usize,
    /// Number of the turn; 0 before the first prompt.
    pub turn: u32,
    pub turn_started_ms: Option<i64>,
    pub tools: u32,
    pub failed: u32,
    pub added: u32,
    pub removed: u32,
    pub compactions: u32,
    /// Files touched, by their word.
    pub files: BTreeMap<u32, FileTouch>,
    /// Calls without an end, oldest first.
    pub open: Vec<OpenState>,
    /// By lane; the first is the main thread.
    pub lanes: Vec<LaneState>,
    pub cost_usd_micros: i64,
    pub tokens: u64,
    pub requests: u32,
    pub unpriced: u32,
    /// What the main thread's model read last.
    pub context: Option<u64>,
    /// Billed requests so far, in the order of time.
    spent: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileTouch {
    pub edits: u32,
    pub added: u32,
    pub removed: u32,
    /// The event that touched it last.
    pub seq: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenState {
    pub call: u32,
    pub lane: u16,
    pub class: ToolClass,
    pub tool: u32,
    pub target: u32,
    pub since_ms: i64,
    pub seq: i64,
    /// Waits for the person.
    pub waits: bool,
}

/// A thread of the session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneState {
    /// Empty until its first event.
    pub started_ms: Option<i64>,
    pub last_ms: i64,
    pub over: bool,
    pub tools: u32,
    pub failed: u32,
    pub cost_usd_micros: i64,
    pub tokens: u64,
}

impl State {
    pub(super) fn new(lanes: usize) -> State {
        State { lanes: vec![LaneState::default(); lanes.max(1)], ..State::default() }
    }

    /// Subagents at work.
    pub fn alive(&self) -> usize {
        self.lanes.iter().skip(1).filter(|lane| lane.started_ms.is_some() && !lane.over).count()
    }

    pub(super) fn apply(&mut self, point: &Point, spent: &[Spent]) {
        self.at_ms = point.at_ms;
        self.events += 1;
        while let Some(request) = spent.get(self.spent).filter(|request| request.at_ms <= point.at_ms) {
            self.spend(request);
        }
        self.added = self.added.saturating_add(point.added);
        self.removed = self.removed.saturating_add(point.removed);
        let failed = u32::from(point.flags & FAILED != 0);
        self.failed += failed;
        let number = usize::from(point.lane).min(self.lanes.len() - 1);
        let lane = &mut self.lanes[number];
        lane.started_ms.get_or_insert(point.at_ms);
        lane.last_ms = point.at_ms;
        lane.failed += failed;
        match point.mark {
            Mark::Prompt if point.lane == 0 => {
                self.turn += 1;
                self.turn_started_ms = Some(point.at_ms);
                self.close_main();
                self.lanes[0].over = false;
            }
            Mark::ToolStart => self.start(point, number),
            Mark::ToolEnd | Mark::PermissionDenied => self.end(point, number),
            Mark::Permission => {
                let waiting =
                    self.open.iter_mut().rev().find(|call| call.lane == point.lane && call.tool == point.tool);
                match waiting {
                    Some(call) => call.waits = true,
                    None => self.open.push(open_of(point, true)),
                }
            }
            Mark::SubagentStart => lane.over = false,
            Mark::SubagentStop => {
                lane.over = true;
                self.open.retain(|call| call.lane != point.lane);
            }
            Mark::Stop | Mark::Failure | Mark::Interrupt if point.lane == 0 => {
                self.turn_started_ms = None;
                self.close_main();
            }
            Mark::SessionEnd => {
                self.turn_started_ms = None;
                self.open.clear();
                self.lanes.iter_mut().for_each(|lane| lane.over = true);
            }
            Mark::Compact => self.compactions += 1,
            _ => {}
        }
    }

    fn start(&mut self, point: &Point, lane: usize) {
        self.tools += 1;
        self.lanes[lane].tools += 1;
        self.drop_asked(point);
        self.open.push(open_of(point, point.class == ToolClass::Ask));
    }

    fn end(&mut self, point: &Point, lane: usize) {
        self.drop_asked(point);
        let same = |call: &OpenState| match point.call {
            0 => call.call == 0 && call.tool == point.tool && call.lane == point.lane,
            id => call.call == id,
        };
        let target = match self.open.iter().position(same) {
            Some(at) => self.open.remove(at).target,
            None => {
                // Its start was never reported.
                if point.mark == Mark::ToolEnd {
                    self.tools += 1;
                    self.lanes[lane].tools += 1;
                }
                0
            }
        };
        if point.class == ToolClass::Edit && point.mark == Mark::ToolEnd && point.flags & FAILED == 0 {
            let word = if point.target == 0 { target } else { point.target };
            if word != 0 {
                let file = self.files.entry(word).or_default();
                file.edits += 1;
                file.added = file.added.saturating_add(point.added);
                file.removed = file.removed.saturating_add(point.removed);
                file.seq = point.seq;
            }
        }
    }

    /// A permission that no call waited for is over once its thread goes on.
    fn drop_asked(&mut self, point: &Point) {
        self.open.retain(|call| !(call.waits && call.call == 0 && call.lane == point.lane));
    }

    fn close_main(&mut self) {
        self.open.retain(|call| call.lane != 0);
    }

    fn spend(&mut self, request: &Spent) {
        self.spent += 1;
        self.requests += 1;
        self.tokens = self.tokens.saturating_add(request.tokens);
        let cost = request.cost_usd_micros.unwrap_or(0);
        self.unpriced += u32::from(request.cost_usd_micros.is_none());
        self.cost_usd_micros = self.cost_usd_micros.saturating_add(cost);
        let number = usize::from(request.lane).min(self.lanes.len() - 1);
        let lane = &mut self.lanes[number];
        lane.cost_usd_micros = lane.cost_usd_micros.saturating_add(cost);
        lane.tokens = lane.tokens.saturating_add(request.tokens);
        if request.lane == 0 && request.prompt > 0 {
            self.context = Some(request.prompt);
        }
    }
}

fn open_of(point: &Point, waits: bool) -> OpenState {
    OpenState {
        call: point.call,
        lane: point.lane,
        class: point.class,
        tool: point.tool,
        target: point.target,
        since_ms: point.at_ms,
        seq: point.seq,
        waits,
    }
}
