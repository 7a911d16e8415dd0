//! A query as a tree: what `orrery_views::filter` reads from text, evaluates in memory and the store compiles to SQL.

use serde::{Deserialize, Serialize};

/// What a person searches for, or a rule watches for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Everything.
    #[default]
    All,
    /// At least two parts, none of them an `And`.
    And(Vec<Filter>),
    /// At least two parts, none of them an `Or`.
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// Text in which some word begins with this. Case does not matter.
    Word(String),
    /// Text that contains this anywhere. Case does not matter.
    Phrase(String),
    /// Text with a line that matches.
    Regex(Pattern),
    /// A field that has one of these values. How a value is compared is the field's: see [`Compare`].
    Value {
        field: Field,
        any: Vec<String>,
    },
    /// A field whose value matches.
    Match {
        field: Field,
        pattern: Pattern,
    },
    /// A field of numbers, in its unit: micro-dollars, milliseconds, tokens, or a plain count.
    Number {
        field: Field,
        op: Op,
        value: i64,
    },
    /// When it happened; of a session: whether some of it did.
    Time {
        op: Op,
        moment: Moment,
    },
    /// Whether a call ended well.
    Ok(bool),
    Is(Flag),
    /// The field has any value at all.
    Has(Field),
}

/// A regular expression in the syntax of Rust's `regex`. It is matched line by line, as grep does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    pub source: String,
    pub ignore_case: bool,
}

/// What can be asked for by name. Facts of an event come first; what an event does not know is its session's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Id of the session.
    Session,
    Agent,
    Project,
    Model,
    Branch,
    Cwd,
    Title,
    /// Where a session stands, as [`crate::Status`] is written.
    Status,
    /// The agent's name for a tool.
    Tool,
    /// What a tool is, as [`crate::ToolClass`] is written.
    Class,
    /// The name the agent gave the event.
    Name,
    /// What an event is, as [`crate::Body`] is tagged.
    Kind,
    /// A path that a call works on.
    File,
    /// Words of what went wrong.
    Error,
    Source,
    Turn,
    /// Id or kind of the subagent.
    Subagent,
    /// Micro-dollars of the session.
    Cost,
    /// Milliseconds of a call; of a session: from its first to its last event.
    Duration,
    /// Tokens of the session.
    Tokens,
    /// Prompts of the session.
    Turns,
    /// Calls of the session.
    Tools,
    /// Failures of the session.
    Errors,
    /// Lines added and removed.
    Lines,
    /// Exit code of a command.
    Exit,
}

/// How a value is compared with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// The whole value, case apart; `*` stands for anything.
    Name,
    /// Some part of it, case apart.
    Part,
    /// Its beginning, exactly.
    Start,
    Money,
    Time,
    Count,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// A point in time that may depend on now and on the person's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// So many milliseconds before now.
    Ago(i64),
    /// Midnight so many days before today.
    Midnight(u32),
    /// The person's clock: milliseconds from 1970-01-01 00:00 as that clock shows them.
    Wall(i64),
    /// Milliseconds since 1970 UTC.
    Utc(i64),
}

/// What `is:` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// A failure; of a session: it had one.
    Error,
    /// In a turn, waiting for the person, or stuck.
    Active,
    Running,
    /// Waits for the person.
    Needs,
    Stuck,
    Idle,
    Ended,
    Failed,
    Stopped,
    /// Done by a subagent; of a session: started by another one.
    Subagent,
    Demo,
}

/// Why a query cannot be read, and where. Positions are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterError {
    pub start: usize,
    pub end: usize,
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl Op {
    pub fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Op::Less => left < right,
            Op::AtMost => left <= right,
            Op::Equal => left == right,
            Op::AtLeast => left >= right,
            Op::More => left > right,
        }
    }

    pub const fn sign(self) -> &'static str {
        match self {
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::Equal => "=",
            Op::AtLeast => ">=",
            Op::More => ">",
        }
    }
}

impl Field {
    pub const fn compare(self) -> Compare {
        match self {
            Field::Agent
            | Field::Project
            | Field::Branch
            | Field::Status
            | Field::Tool
            | Field::Class
            | Field::Name
            | Field::Kind
            | Field::Source
            | Field::Subagent => Compare::Name,
            Field::Model | Field::Cwd | Field::Title | Field::File | Field::Error => Compare::Part,
            Field::Session | Field::Turn => Compare::Start,
            Field::Cost => Compare::Money,
            Field::Duration => Compare::Time,
            Field::Tokens | Field::Turns | Field::Tools | Field::Errors | Field::Lines | Field::Exit => Compare::Count,
        }
    }
}

impl std::fmt::Display for FilterError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}. {}", self.message, self.hint)
    }
}

impl std::error::Error for FilterError {}
