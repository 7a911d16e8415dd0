//! Events to a story: turns, steps, results.

mod change;
mod fold;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use orrery_types::{Answer, Body, Event, Question, ToolClass};

pub use change::{Change, Edit, changes_of};

/// One session told as turns and steps. A pure function of the set of its events: neither the order in which they
/// arrive nor the size of the pieces matters.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// All events, in the order of the story.
    events: Vec<Event>,
    /// Event id to its place in the order (`at_ms`, rank, `seq`), for events that come again.
    known: HashMap<String, OrderKey>,
    told: fold::Told,
}

/// What the fold makes of the events so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// 1 for the first prompt; 0 for what happened before it.
    pub index: u32,
    pub prompt: Option<String>,
    /// Number of the prompt's event. Empty for turn 0.
    pub prompt_seq: Option<i64>,
    pub started_ms: i64,
    /// When the agent said it was done, failed or was interrupted. Empty while it works, and in sources that do not say.
    pub ended_ms: Option<i64>,
    /// Time of the newest event in the turn.
    pub last_ms: i64,
    pub steps: Vec<Arc<Step>>,
    /// Tool calls, those of subagents that started in this turn included.
    pub tools: u32,
    pub failed: u32,
    pub lines_added: u32,
    pub lines_removed: u32,
    /// The person went back to before this turn: it is no part of the conversation any more.
    pub rewound: bool,
}

/// One row of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Number of the event that opened it; names the step in links.
    pub seq: i64,
    pub at_ms: i64,
    /// How long it took. For thinking and messages: since the step before. Empty when nobody knows.
    pub took_ms: Option<i64>,
    pub what: What,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Thinking {
        text: String,
    },
    Message {
        text: String,
    },
    Tool(Box<ToolStep>),
    /// A permission that no known call waits for.
    Permission {
        tool: String,
        class: ToolClass,
        target: String,
    },
    Question {
        question: Box<Question>,
        answer: Option<Box<Answer>>,
    },
    Notification {
        topic: String,
        message: String,
    },
    /// Where a subagent started. Its steps are in [`Story::subagent`]. `claimed` when a tool step shows them.
    Subagent {
        id: String,
        claimed: bool,
    },
    Session {
        over: bool,
        reason: String,
    },
    Compact {
        trigger: String,
        done: bool,
        before: Option<u64>,
        after: Option<u64>,
    },
    Failure {
        error: String,
        details: String,
    },
    Interrupt,
    Other {
        name: String,
        summary: String,
    },
}

/// Equality of its parts is total: no floats in it.
impl Eq for What {}

/// A tool call: its start and its end, whichever came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolStep {
    pub call_id: String,
    pub tool: String,
    pub class: ToolClass,
    pub target: String,
    pub status: CallStatus,
    /// Number of the start's event. Empty for sources that report only the end.
    pub start_seq: Option<i64>,
    pub end_seq: Option<i64>,
    pub exit_code: Option<i32>,
    /// One line in words when it failed or was denied.
    pub error: Option<String>,
    pub output: String,
    pub input: serde_json::Value,
    pub lines_added: Option<u32>,
    pub lines_removed: Option<u32>,
    /// How long the person let it wait for permission, ms. 0 while it still waits.
    pub waited_ms: Option<i64>,
    /// The subagent this call started, once known.
    pub subagent: Option<String>,
}

/// How a tool call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallStatus {
    Running,
    /// Waits for the person's permission.
    Waits,
    Ok,
    Failed,
    Denied,
    /// The turn or session ended before a result was reported.
    NoResult,
}

/// The steps of one subagent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    pub id: String,
    /// `Explore`, `Plan`, a custom name. May be empty.
    pub kind: String,
    pub started_ms: i64,
    pub last_ms: i64,
    pub over: bool,
    pub steps: Vec<Arc<Step>>,
    pub tools: u32,
    pub failed: u32,
    /// Index of the turn it started in, in [`Story::turns`].
    pub turn: usize,
}

/// Time, rank of the kind, number: the order of a story.
type OrderKey = (i64, u8, i64);

impl Story {
    /// The story of `events`, which may come in any order.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Story {
        let mut story = Story::default();
        story.extend(events);
        story
    }

    /// Takes one more event, or a known one that another source completed.
    pub fn apply(&mut self, event: Event) {
        self.extend([event]);
    }

    /// Takes several events. Those that only append cost their own fold; anything else tells the story again.
    pub fn extend(&mut self, events: impl IntoIterator<Item = Event>) {
        let mut fresh: Vec<Event> = Vec::new();
        let mut fresh_at: HashMap<String, usize> = HashMap::new();
        let mut completed: Vec<(usize, Event)> = Vec::new();
        for event in events {
            if let Some(at) = fresh_at.get(&event.id) {
                fresh[*at] = event;
            } else if let Some(key) = self.known.get(&event.id) {
                let place = self.events.binary_search_by(|known| order_key(known).cmp(key));
                let place = place.expect("known keys are the keys of events");
                completed.push((place, event));
            } else {
                fresh_at.insert(event.id.clone(), fresh.len());
                fresh.push(event);
            }
        }
        let mut again = false;
        for (place, event) in completed {
            again |= self.events[place] != event;
            self.known.insert(event.id.clone(), order_key(&event));
            self.events[place] = event;
        }
        fresh.sort_by_key(order_key);
        if let (Some(last), Some(first)) = (self.events.last(), fresh.first()) {
            again |= order_key(last) > order_key(first);
        }
        let mut from = self.events.len();
        self.known.extend(fresh.iter().map(|event| (event.id.clone(), order_key(event))));
        self.events.extend(fresh);
        if again {
            self.events.sort_by_key(order_key);
            self.told = fold::Told::default();
            from = 0;
        }
        for event in &self.events[from..] {
            self.told.tell(event);
        }
    }

    pub fn turns(&self) -> &[Turn] {
        &self.told.turns
    }

    pub fn subagent(&self, id: &str) -> Option<&Thread> {
        self.told.threads.get(id)
    }

    pub fn subagents(&self) -> &BTreeMap<String, Thread> {
        &self.told.threads
    }

    /// All events in the story's order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Highest event number seen; 0 for none.
    pub fn newest_seq(&self) -> i64 {
        self.events.iter().map(|event| event.seq).max().unwrap_or(0)
    }

    /// Position in [`Self::turns`] of the turn that holds the event, and the number of the step that shows it (the
    /// step of the turn itself, for an event inside a subagent).
    pub fn find(&self, seq: i64) -> Option<(usize, i64)> {
        for (at, turn) in self.turns().iter().enumerate() {
            if turn.prompt_seq == Some(seq) {
                return Some((at, seq));
            }
            for step in &turn.steps {
                let inside = match &step.what {
                    What::Tool(call) => call.subagent.as_deref(),
                    What::Subagent { id, claimed: false } => Some(id.as_str()),
                    _ => None,
                };
                let nested = inside
                    .and_then(|id| self.subagent(id))
                    .is_some_and(|thread| thread.steps.iter().any(|step| step.shows(seq)));
                if nested || step.shows(seq) {
                    return Some((at, step.seq));
                }
            }
        }
        None
    }
}

impl Step {
    /// Whether the event with this number is shown by this step.
    pub fn shows(&self, seq: i64) -> bool {
        self.seq == seq
            || matches!(&self.what, What::Tool(call) if call.start_seq == Some(seq) || call.end_seq == Some(seq))
    }

    pub fn failed(&self) -> bool {
        match &self.what {
            What::Tool(call) => call.status == CallStatus::Failed,
            What::Failure { .. } => true,
            _ => false,
        }
    }
}

impl Turn {
    /// From its start to its end, or to the newest event while it works.
    pub fn took_ms(&self) -> i64 {
        (self.ended_ms.unwrap_or(self.last_ms) - self.started_ms).max(0)
    }
}

fn order_key(event: &Event) -> OrderKey {
    let rank = match &event.body {
        Body::SessionStart { .. } | Body::Rewind { .. } => 0,
        Body::Prompt { .. } => 1,
        Body::ToolEnd { .. } | Body::PermissionDenied { .. } => 3,
        Body::SubagentStop { .. } => 4,
        Body::Stop { .. } | Body::Failure { .. } | Body::Interrupt => 5,
        Body::SessionEnd { .. } => 6,
        _ => 2,
    };
    (event.at_ms, rank, event.seq)
}

#[cfg(test)]
mod tests;
