//! The fold: one event after the other, in the story's order.

mod calls;
mod subagents;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use orrery_types::{Body, Event, ToolClass};
use serde_json::Value;

use self::calls::Call;
use super::{Step, Thread, Turn, What};

/// A prompt that hook and transcript report apart, without an id to join them, lies this close together.
const SAME_PROMPT_MS: i64 = 10_000;

/// What is told so far, and what the next event must know of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) turns: Vec<Turn>,
    pub(super) threads: BTreeMap<String, Thread>,
    calls: HashMap<String, Place>,
    /// Id of a prompt's event to the turn it opened.
    prompts: HashMap<String, usize>,
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
        if let Body::Rewind { to, .. } = &event.body {
            self.rewind(to);
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
                self.prompts.insert(event.id.clone(), self.turns.len() - 1);
                return;
            }
        }
        self.prompts.insert(event.id.clone(), self.turns.len());
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
            Body::Rewind { .. } => {}
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

    /// Leaves everything behind from the turn that the prompt `to` opened.
    fn rewind(&mut self, to: &str) {
        self.close_main();
        if let Some(first) = self.prompts.get(to) {
            self.turns[*first..].iter_mut().for_each(|turn| turn.rewound = true);
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
        rewound: false,
    }
}
