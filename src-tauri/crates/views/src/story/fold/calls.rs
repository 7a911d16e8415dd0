//! Tool calls: start and end paired, permissions, and calls that nobody reports an end for.

use std::sync::Arc;

use orrery_types::{Body, Event, ToolClass};
use serde_json::Value;

use super::{Lane, Place, Told};
use crate::story::{CallStatus, Step, ToolStep, What};

/// What start and end of a call have in common.
pub(super) struct Call<'a> {
    pub(super) call_id: &'a str,
    pub(super) tool: &'a str,
    pub(super) class: ToolClass,
    pub(super) target: &'a str,
    pub(super) input: &'a Value,
}

const NO_CALL: Call<'static> = Call { call_id: "", tool: "", class: ToolClass::Other, target: "", input: &Value::Null };

impl Told {
    pub(super) fn tool_start(&mut self, lane: &Lane, event: &Event, call: Call<'_>) {
        if !call.call_id.is_empty()
            && let Some(place) = self.calls.get(call.call_id).cloned()
        {
            self.change_call(&place, |step, tool| {
                step.at_ms = step.at_ms.min(event.at_ms);
                tool.start_seq.get_or_insert(event.seq);
                fill(tool, &call);
            });
            return;
        }
        let tool = ToolStep { start_seq: Some(event.seq), ..new_call(&call, CallStatus::Running) };
        let place = self.push_call(lane, event, tool);
        self.open.push(place);
    }

    pub(super) fn tool_end(&mut self, lane: &Lane, event: &Event, call: Call<'_>) {
        let place = self.open_call(lane, &call).unwrap_or_else(|| {
            let status = CallStatus::Running;
            self.push_call(lane, event, new_call(&call, status))
        });
        self.open.retain(|open| *open != place);
        let Body::ToolEnd { ok, error, exit_code, duration_ms, output, lines_added, lines_removed, .. } = &event.body
        else {
            return;
        };
        let before = self.call(&place).map_or(CallStatus::Running, |tool| tool.status);
        let status = match (before, ok) {
            (CallStatus::Denied, _) => CallStatus::Denied,
            (_, true) => CallStatus::Ok,
            (_, false) => CallStatus::Failed,
        };
        let mut counted = (0, 0);
        self.change_call(&place, |step, tool| {
            tool.status = status;
            tool.end_seq = Some(event.seq);
            tool.exit_code = exit_code.or(tool.exit_code);
            if tool.error.is_none() {
                tool.error.clone_from(error);
            }
            if !output.is_empty() {
                tool.output.clone_from(output);
            }
            let spanned = tool.start_seq.map(|_| (event.at_ms - step.at_ms).max(0));
            step.took_ms = duration_ms.or(spanned);
            if let Some(waited) = &mut tool.waited_ms {
                *waited = (event.at_ms - step.at_ms - duration_ms.unwrap_or(0)).max(0);
            }
            counted = (lines_added.unwrap_or(0), lines_removed.unwrap_or(0));
            tool.lines_added = lines_added.or(tool.lines_added);
            tool.lines_removed = lines_removed.or(tool.lines_removed);
            fill(tool, &call);
        });
        let turn = self.turn_of(&place.lane);
        self.turns[turn].lines_added += counted.0;
        self.turns[turn].lines_removed += counted.1;
        if status == CallStatus::Failed && before != CallStatus::Failed {
            self.turns[turn].failed += 1;
            if let Lane::Thread(id) = &place.lane
                && let Some(thread) = self.threads.get_mut(id)
            {
                thread.failed += 1;
            }
        }
        self.claim_by_id(&place);
    }

    pub(super) fn permission(&mut self, lane: &Lane, event: &Event, tool: &str, class: ToolClass, target: &str) {
        let waiting = self.open.iter().rev().find(|place| {
            place.lane == *lane && self.call(place).is_some_and(|call| call.tool == tool && call.target == target)
        });
        if let Some(place) = waiting.cloned() {
            self.change_call(&place, |_, tool| {
                tool.status = CallStatus::Waits;
                tool.waited_ms = Some(0);
            });
            return;
        }
        let what = What::Permission { tool: tool.to_owned(), class, target: target.to_owned() };
        self.push(lane, event, None, what);
    }

    pub(super) fn denied(&mut self, lane: &Lane, event: &Event, call: Call<'_>, reason: &str) {
        let place = self.open_call(lane, &call).unwrap_or_else(|| {
            let tool = new_call(&call, CallStatus::Denied);
            self.push_call(lane, event, tool)
        });
        self.open.retain(|open| *open != place);
        self.change_call(&place, |_, tool| {
            tool.status = CallStatus::Denied;
            tool.end_seq.get_or_insert(event.seq);
            if !reason.is_empty() {
                tool.error = Some(reason.to_owned());
            }
        });
    }

    /// The step of this call: by its id, or, in versions without ids, the newest open call of that name and target.
    fn open_call(&self, lane: &Lane, call: &Call<'_>) -> Option<Place> {
        if !call.call_id.is_empty() {
            return self.calls.get(call.call_id).cloned();
        }
        let same = |place: &&Place| {
            place.lane == *lane
                && self.call(place).is_some_and(|open| {
                    open.call_id.is_empty()
                        && open.tool == call.tool
                        && (open.target == call.target || call.target.is_empty())
                })
        };
        self.open.iter().find(same).cloned()
    }

    fn push_call(&mut self, lane: &Lane, event: &Event, tool: ToolStep) -> Place {
        let call_id = tool.call_id.clone();
        let place = self.push(lane, event, None, What::Tool(Box::new(tool)));
        if !call_id.is_empty() {
            self.calls.insert(call_id, place.clone());
        }
        let turn = self.turn_of(lane);
        self.turns[turn].tools += 1;
        if let Lane::Thread(id) = lane
            && let Some(thread) = self.threads.get_mut(id)
        {
            thread.tools += 1;
        }
        place
    }

    pub(super) fn call(&self, place: &Place) -> Option<&ToolStep> {
        match &self.steps(&place.lane).get(place.step)?.what {
            What::Tool(tool) => Some(tool),
            _ => None,
        }
    }

    pub(super) fn change_call(&mut self, place: &Place, change: impl FnOnce(&mut Step, &mut ToolStep)) {
        let Some(slot) = self.steps_mut(&place.lane).and_then(|steps| steps.get_mut(place.step)) else { return };
        let step = Arc::make_mut(slot);
        if let What::Tool(tool) = &mut step.what {
            let mut tool = std::mem::replace(tool, Box::new(new_call(&NO_CALL, CallStatus::Running)));
            change(step, &mut tool);
            step.what = What::Tool(tool);
        }
    }

    pub(super) fn close_main(&mut self) {
        self.close_where(|lane| matches!(lane, Lane::Turn(_)));
    }

    pub(super) fn close_lane(&mut self, lane: &Lane) {
        self.close_where(|open| open == lane);
    }

    pub(super) fn close_all(&mut self) {
        self.close_where(|_| true);
        for thread in self.threads.values_mut() {
            thread.over = true;
        }
    }

    /// Calls that nobody reported an end for are over now; a late end still finds them by their id.
    fn close_where(&mut self, over: impl Fn(&Lane) -> bool) {
        let (closed, open) = std::mem::take(&mut self.open).into_iter().partition(|place| over(&place.lane));
        self.open = open;
        let closed: Vec<Place> = closed;
        for place in closed {
            self.change_call(&place, |_, tool| tool.status = CallStatus::NoResult);
        }
    }

    pub(super) fn end_turn(&mut self, at_ms: i64) {
        if let Some(turn) = self.turns.last_mut()
            && turn.ended_ms.is_none()
        {
            turn.ended_ms = Some(at_ms);
        }
    }
}

fn new_call(call: &Call<'_>, status: CallStatus) -> ToolStep {
    ToolStep {
        call_id: call.call_id.to_owned(),
        tool: call.tool.to_owned(),
        class: call.class,
        target: call.target.to_owned(),
        status,
        start_seq: None,
        end_seq: None,
        exit_code: None,
        error: None,
        output: String::new(),
        input: call.input.clone(),
        lines_added: None,
        lines_removed: None,
        waited_ms: None,
        subagent: None,
    }
}

/// Fills what one report left empty from the other.
fn fill(tool: &mut ToolStep, call: &Call<'_>) {
    if tool.tool.is_empty() {
        call.tool.clone_into(&mut tool.tool);
    }
    if tool.class == ToolClass::Other {
        tool.class = call.class;
    }
    if tool.target.is_empty() {
        call.target.clone_into(&mut tool.target);
    }
    if tool.input.is_null() {
        tool.input = call.input.clone();
    }
}
