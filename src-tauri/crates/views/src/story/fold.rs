//! The fold: one event after the other, in the story's order.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use orrery_types::{Body, Event, ToolClass};
use serde_json::Value;

use super::{CallStatus, Step, Thread, ToolStep, Turn, What};

/// A prompt that hook and transcript report apart, without an id to join them, lies this close together.
const SAME_PROMPT_MS: i64 = 10_000;

/// What is told so far, and what the next event must know of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) turns: Vec<Turn>,
    pub(super) threads: BTreeMap<String, Thread>,
    calls: HashMap<String, Place>,
    /// Calls without an end, oldest first.
    open: Vec<Place>,
}

/// Where a step is. Steps are only ever appended, so a place stays good.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    lane: Lane,
    step: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lane {
    Turn(usize),
    Thread(String),
}

impl Told {
    pub(super) fn tell(&mut self, event: &Event) {
        if let Body::Prompt { text } = &event.body
            && event.subagent.is_none()
        {
            self.prompt(event, text);
            return;
        }
        let lane = self.lane_of(event);
        self.body(event, &lane);
        self.touch(&lane, event.at_ms);
    }

    fn prompt(&mut self, event: &Event, text: &str) {
        if let Some(turn) = self.turns.last_mut() {
            let same = turn.prompt.as_deref().map(str::trim) == Some(text.trim());
            if same && event.at_ms - turn.started_ms <= SAME_PROMPT_MS {
                turn.last_ms = turn.last_ms.max(event.at_ms);
                return;
            }
        }
        self.close_main();
        let index = self.turns.last().map_or(1, |turn| turn.index + 1);
        self.turns.push(Turn {
            prompt: Some(text.to_owned()),
            prompt_seq: Some(event.seq),
            ..new_turn(index, event.at_ms)
        });
    }

    /// The lane of an event: the current turn, or the subagent that did it. Opens either when it is new.
    fn lane_of(&mut self, event: &Event) -> Lane {
        if self.turns.is_empty() {
            self.turns.push(new_turn(0, event.at_ms));
        }
        let turn = self.turns.len() - 1;
        let Some(subagent) = &event.subagent else { return Lane::Turn(turn) };
        if !self.threads.contains_key(&subagent.id) {
            let thread = Thread {
                id: subagent.id.clone(),
                kind: subagent.kind.clone(),
                started_ms: event.at_ms,
                last_ms: event.at_ms,
                turn,
                ..Thread::default()
            };
            self.threads.insert(subagent.id.clone(), thread);
            let claimed = self.claim_by_time(&subagent.id, &subagent.kind);
            let what = What::Subagent { id: subagent.id.clone(), claimed };
            self.turns[turn].steps.push(Arc::new(Step { seq: event.seq, at_ms: event.at_ms, took_ms: None, what }));
        } else if !subagent.kind.is_empty()
            && let Some(thread) = self.threads.get_mut(&subagent.id)
            && thread.kind.is_empty()
        {
            thread.kind.clone_from(&subagent.kind);
        }
        Lane::Thread(subagent.id.clone())
    }

    fn body(&mut self, event: &Event, lane: &Lane) {
        match &event.body {
            Body::Prompt { .. } => {} // What a subagent was asked is the input of the call that started it.
            Body::SessionStart { reason, .. } => {
                self.push(lane, event, None, What::Session { over: false, reason: reason.clone() });
            }
            Body::SessionEnd { reason } => {
                self.close_all();
                self.end_turn(event.at_ms);
                self.push(lane, event, None, What::Session { over: true, reason: reason.clone() });
            }
            Body::Thinking { text } => {
                let took = self.since_last(lane, event.at_ms);
                self.push(lane, event, took, What::Thinking { text: text.clone() });
            }
            Body::Message { text, .. } => self.message(lane, event, text),
            Body::ToolStart { call_id, tool, class, target, input } => {
                let call = Call { call_id, tool, class: *class, target, input };
                self.tool_start(lane, event, call);
            }
            Body::ToolEnd { call_id, tool, class, target, input, .. } => {
                let call = Call { call_id, tool, class: *class, target, input };
                self.tool_end(lane, event, call);
            }
            Body::Permission { tool, class, target, .. } => self.permission(lane, event, tool, *class, target),
            Body::PermissionDenied { call_id, tool, target, reason } => {
                let call = Call { call_id, tool, class: ToolClass::Other, target, input: &Value::Null };
                self.denied(lane, event, call, reason);
            }
            Body::Question { question, answer } => {
                let what =
                    What::Question { question: Box::new(question.clone()), answer: answer.clone().map(Box::new) };
                self.push(lane, event, None, what);
            }
            Body::Notification { topic, message } => {
                self.push(lane, event, None, What::Notification { topic: topic.clone(), message: message.clone() });
            }
            Body::SubagentStart => {}
            Body::SubagentStop { message } => {
                self.close_lane(lane);
                self.closing_words(lane, event, message);
                if let Lane::Thread(id) = lane
                    && let Some(thread) = self.threads.get_mut(id)
                {
                    thread.over = true;
                }
            }
            Body::Stop { message } => {
                self.close_main();
                self.closing_words(lane, event, message);
                self.end_turn(event.at_ms);
            }
            Body::Failure { error, details } => {
                self.close_main();
                self.push(lane, event, None, What::Failure { error: error.clone(), details: details.clone() });
                self.end_turn(event.at_ms);
            }
            Body::Interrupt => {
                self.close_main();
                self.push(lane, event, None, What::Interrupt);
                self.end_turn(event.at_ms);
            }
            Body::Compact { trigger, done, tokens_before, tokens_after } => {
                self.compact(lane, event, trigger, *done, (*tokens_before, *tokens_after));
            }
            Body::Other { summary } => {
                self.push(lane, event, None, What::Other { name: event.name.clone(), summary: summary.clone() });
            }
        }
    }

    /// A message; the words a stop hook already reported are the same message.
    fn message(&mut self, lane: &Lane, event: &Event, text: &str) {
        if self.last_message(lane).is_some_and(|last| last.trim() == text.trim()) {
            return;
        }
        let took = self.since_last(lane, event.at_ms);
        self.push(lane, event, took, What::Message { text: text.to_owned() });
    }

    fn closing_words(&mut self, lane: &Lane, event: &Event, text: &str) {
        if !text.trim().is_empty() {
            self.message(lane, event, text);
        }
    }

    fn last_message(&self, lane: &Lane) -> Option<&str> {
        self.steps(lane).iter().rev().find_map(|step| match &step.what {
            What::Message { text } => Some(text.as_str()),
            _ => None,
        })
    }

    fn tool_start(&mut self, lane: &Lane, event: &Event, call: Call<'_>) {
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

    fn tool_end(&mut self, lane: &Lane, event: &Event, call: Call<'_>) {
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

    fn permission(&mut self, lane: &Lane, event: &Event, tool: &str, class: ToolClass, target: &str) {
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

    fn denied(&mut self, lane: &Lane, event: &Event, call: Call<'_>, reason: &str) {
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

    fn compact(&mut self, lane: &Lane, event: &Event, trigger: &str, done: bool, tokens: (Option<u64>, Option<u64>)) {
        let last = self.steps(lane).last().cloned();
        if let Some(last) = last
            && let What::Compact { done: before, before: from, after: to, trigger: word } = &last.what
            && (!*before || done)
        {
            let what = What::Compact {
                trigger: if word.is_empty() { trigger.to_owned() } else { word.clone() },
                done: *before || done,
                before: from.or(tokens.0),
                after: to.or(tokens.1),
            };
            let took_ms = Some((event.at_ms - last.at_ms).max(0)).filter(|_| done && !*before).or(last.took_ms);
            if let Some(slot) = self.steps_mut(lane).and_then(|steps| steps.last_mut()) {
                *slot = Arc::new(Step { what, took_ms, ..(*last).clone() });
            }
            return;
        }
        let what = What::Compact { trigger: trigger.to_owned(), done, before: tokens.0, after: tokens.1 };
        self.push(lane, event, None, what);
    }

    // ---- calls ----

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

    fn call(&self, place: &Place) -> Option<&ToolStep> {
        match &self.steps(&place.lane).get(place.step)?.what {
            What::Tool(tool) => Some(tool),
            _ => None,
        }
    }

    fn change_call(&mut self, place: &Place, change: impl FnOnce(&mut Step, &mut ToolStep)) {
        let Some(slot) = self.steps_mut(&place.lane).and_then(|steps| steps.get_mut(place.step)) else { return };
        let step = Arc::make_mut(slot);
        if let What::Tool(tool) = &mut step.what {
            let mut tool = std::mem::replace(tool, Box::new(new_call(&NO_CALL, CallStatus::Running)));
            change(step, &mut tool);
            step.what = What::Tool(tool);
        }
    }

    // ---- subagents ----

    /// Gives a new subagent to the oldest Agent call that waits for one of its kind.
    fn claim_by_time(&mut self, id: &str, kind: &str) -> bool {
        let fits = |call: &ToolStep, strict: bool| {
            let wanted = call.input.get("subagent_type").and_then(Value::as_str).unwrap_or_default();
            call.class == ToolClass::Agent
                && call.subagent.is_none()
                && (wanted == kind || (!strict && wanted.is_empty()))
        };
        let place = [true, false].into_iter().find_map(|strict| {
            self.open.iter().find(|place| self.call(place).is_some_and(|call| fits(call, strict))).cloned()
        });
        let Some(place) = place else { return false };
        self.change_call(&place, |_, tool| tool.subagent = Some(id.to_owned()));
        true
    }

    /// The result of an Agent call often names its subagent: that beats any guess by time.
    fn claim_by_id(&mut self, place: &Place) {
        let Some(call) = self.call(place).filter(|call| call.class == ToolClass::Agent) else { return };
        let named = self.threads.keys().find(|id| id.len() >= 6 && call.output.contains(id.as_str())).cloned();
        let Some(id) = named.filter(|id| call.subagent.as_ref() != Some(id)) else { return };
        let dropped = call.subagent.clone();
        let owner =
            self.calls.values().find(|other| self.call(other).is_some_and(|c| c.subagent.as_ref() == Some(&id)));
        if let Some(owner) = owner.cloned() {
            let other = dropped.clone();
            self.change_call(&owner, |_, tool| tool.subagent = other);
        } else if let Some(dropped) = dropped {
            self.set_claimed(&dropped, false);
        }
        self.change_call(place, |_, tool| tool.subagent = Some(id.clone()));
        self.set_claimed(&id, true);
    }

    fn set_claimed(&mut self, wanted: &str, now: bool) {
        let Some(turn) = self.threads.get(wanted).map(|thread| thread.turn) else { return };
        for step in &mut self.turns[turn].steps {
            if let What::Subagent { id, claimed } = &step.what
                && id == wanted
                && *claimed != now
            {
                Arc::make_mut(step).what = What::Subagent { id: wanted.to_owned(), claimed: now };
            }
        }
    }

    // ---- ends ----

    fn close_main(&mut self) {
        self.close_where(|lane| matches!(lane, Lane::Turn(_)));
    }

    fn close_lane(&mut self, lane: &Lane) {
        self.close_where(|open| open == lane);
    }

    fn close_all(&mut self) {
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

    fn end_turn(&mut self, at_ms: i64) {
        if let Some(turn) = self.turns.last_mut()
            && turn.ended_ms.is_none()
        {
            turn.ended_ms = Some(at_ms);
        }
    }

    // ---- lanes ----

    fn push(&mut self, lane: &Lane, event: &Event, took_ms: Option<i64>, what: What) -> Place {
        let step = Arc::new(Step { seq: event.seq, at_ms: event.at_ms, took_ms, what });
        let steps = self.steps_mut(lane).expect("lane_of opened the lane");
        steps.push(step);
        Place { lane: lane.clone(), step: steps.len() - 1 }
    }

    fn steps(&self, lane: &Lane) -> &[Arc<Step>] {
        match lane {
            Lane::Turn(at) => self.turns.get(*at).map(|turn| turn.steps.as_slice()).unwrap_or_default(),
            Lane::Thread(id) => self.threads.get(id).map(|thread| thread.steps.as_slice()).unwrap_or_default(),
        }
    }

    fn steps_mut(&mut self, lane: &Lane) -> Option<&mut Vec<Arc<Step>>> {
        match lane {
            Lane::Turn(at) => self.turns.get_mut(*at).map(|turn| &mut turn.steps),
            Lane::Thread(id) => self.threads.get_mut(id).map(|thread| &mut thread.steps),
        }
    }

    fn turn_of(&self, lane: &Lane) -> usize {
        match lane {
            Lane::Turn(at) => *at,
            Lane::Thread(id) => self.threads.get(id).map_or(0, |thread| thread.turn),
        }
    }

    fn since_last(&self, lane: &Lane, at_ms: i64) -> Option<i64> {
        let last = match lane {
            Lane::Turn(at) => self.turns.get(*at)?.last_ms,
            Lane::Thread(id) => self.threads.get(id)?.last_ms,
        };
        Some(at_ms - last).filter(|took| *took > 0)
    }

    fn touch(&mut self, lane: &Lane, at_ms: i64) {
        let last_ms = match lane {
            Lane::Turn(at) => self.turns.get_mut(*at).map(|turn| &mut turn.last_ms),
            Lane::Thread(id) => self.threads.get_mut(id).map(|thread| &mut thread.last_ms),
        };
        if let Some(last_ms) = last_ms {
            *last_ms = at_ms.max(*last_ms);
        }
    }
}

/// What start and end of a call have in common.
struct Call<'a> {
    call_id: &'a str,
    tool: &'a str,
    class: ToolClass,
    target: &'a str,
    input: &'a Value,
}

const NO_CALL: Call<'static> = Call { call_id: "", tool: "", class: ToolClass::Other, target: "", input: &Value::Null };

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

fn new_turn(index: u32, at_ms: i64) -> Turn {
    Turn {
        index,
        prompt: None,
        prompt_seq: None,
        started_ms: at_ms,
        ended_ms: None,
        last_ms: at_ms,
        steps: Vec::new(),
        tools: 0,
        failed: 0,
        lines_added: 0,
        lines_removed: 0,
    }
}
