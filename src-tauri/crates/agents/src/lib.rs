//! One folder per coding agent: what its hooks and files say, where they lie, how our hook gets in.
//!
//! Bytes in, [`Decoded`] out. No clock, no disk: whoever calls reads both and passes them in.

pub mod hook;
pub mod images;
pub mod install;
pub mod otlp;
pub mod paths;
pub mod sender;
pub mod transcript;

mod claude_code;
mod codex;
mod copilot_cli;
mod cursor;
mod draft;
mod gemini_cli;
mod grok_build;
mod id;
mod json;
mod opencode;
mod outcome;
mod time;
mod tool;

use orrery_types::{Event, Problem, RequestUsage, SessionFacts, Source};

pub use tool::{class_of, target_of};

/// What a decoder found in one payload or line. Bad input gives events *and* problems, never an error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded {
    pub events: Vec<Event>,
    pub usage: Vec<RequestUsage>,
    pub facts: Vec<SessionFacts>,
    pub problems: Vec<Problem>,
}

/// What the caller knows of one delivery.
#[derive(Debug, Clone)]
pub struct Context {
    pub source: Source,
    pub received_ms: i64,
    /// Id minted at the source or on receipt, 32 hex digits: the event's id where the payload identifies no fact.
    pub delivery_id: String,
    /// File, or endpoint.
    pub place: String,
    pub demo: bool,
}

impl Context {
    /// A problem found in this delivery. `line` is 1-based, for files.
    fn problem(&self, code: &str, message: impl Into<String>, line: Option<u64>) -> Problem {
        Problem {
            code: code.to_owned(),
            message: message.into(),
            place: self.place.clone(),
            line,
            at_ms: self.received_ms,
        }
    }
}
