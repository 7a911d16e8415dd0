//! The session row: everything the interface says about one session without opening it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Project, Sources, Tokens, ToolClass};

/// One session, as the fold in `orrery-views` keeps it. Times are ms since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionRow {
    pub id: String,
    pub agent: String,
    pub agent_version: Option<String>,
    /// The first real prompt, or the title the agent gave. Empty until one is seen.
    pub title: String,
    /// Whether `title` came from the agent (a summary or a custom title) and a prompt must not replace it.
    pub title_given: bool,
    /// Name of the project, unique among projects: that of its repository or folder, with its owner where two share it.
    pub project: String,
    /// The project itself: see [`crate::Project::id`]. Equal to `project` when a sender named it.
    pub project_id: String,
    pub cwd: Option<String>,
    pub branch: Option<String>,
    /// Commit that was checked out when the session started, hex.
    pub commit: Option<String>,
    /// Whether the work tree had changes when the session started. Empty when nobody looked.
    pub dirty: Option<bool>,
    /// What the agent may do by itself, in its own words: `acceptEdits`, `workspace-write, on-request`.
    pub mode: Option<String>,
    /// Model of the last request of the main thread.
    pub model: Option<String>,
    /// Session that started this one (Codex under Claude, a fork's origin).
    pub parent: Option<String>,
    pub status: Status,
    pub started_ms: i64,
    /// Time of the newest event.
    pub last_ms: i64,
    pub ended_ms: Option<i64>,
    /// Prompts of the person.
    pub turns: u32,
    pub tools: u32,
    pub errors: u32,
    pub lines_added: u32,
    pub lines_removed: u32,
    pub events: u64,
    pub tokens: Tokens,
    /// API value of all requests with a price, micro-dollars.
    pub cost_usd_micros: i64,
    /// Requests whose model has no price: their tokens are in `tokens`, their cost is unknown.
    pub unpriced_requests: u32,
    pub requests: u32,
    /// Prompt size of the newest request of the main thread: input + cache read + cache write.
    pub context_tokens: Option<u64>,
    /// Largest prompt the model takes, where the price table knows it.
    pub context_window: Option<u64>,
    pub doing: Doing,
    pub needs: Option<Needs>,
    /// Start of the turn in work. Empty between turns.
    pub turn_started_ms: Option<i64>,
    pub turn_prompt: Option<String>,
    /// Calls that started and have no end yet, by call id.
    pub open_calls: BTreeMap<String, OpenCall>,
    /// Subagents seen, by id.
    pub subagents: BTreeMap<String, SubagentRow>,
    /// Events per minute, newest last; the last cell is the minute of `last_ms`. At most 24 cells.
    pub activity: Vec<u16>,
    pub sources: Sources,
    pub demo: bool,
    /// Last prompt seen (hash, ms), so that hook and transcript reporting one prompt without an id count it once.
    pub last_prompt: Option<(u64, i64)>,
    /// Time of the prompt that gave `title`: an older prompt that arrives later replaces it.
    pub title_ms: i64,
    /// Time of the newest event that moved `status`; older ones that arrive later leave it alone.
    pub state_ms: i64,
    /// Time of the request that gave `context_tokens`.
    pub context_ms: i64,
    /// Ends whose start has not arrived. Bounded.
    pub early_ends: Vec<String>,
    /// The call that failed last, and how often in a row.
    pub failing: Option<Failing>,
}

/// A call that fails again and again: same tool, same target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    pub tool: String,
    pub target: String,
    pub times: u32,
    pub since_ms: i64,
}

/// Where a session stands, as its events say. Silence is judged by the reader (`views::status_at`), who has a clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In a turn.
    Running,
    /// Waits for the person: see `needs`.
    NeedsYou,
    /// Repeats a failing call without progress.
    Stuck,
    /// Between turns.
    #[default]
    Idle,
    /// Over.
    Ended,
    /// The last turn ended with an error.
    Failed,
    /// The person interrupted it.
    Stopped,
}

impl Status {
    /// The word that serde writes; queries name it so.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::NeedsYou => "needs_you",
            Status::Stuck => "stuck",
            Status::Idle => "idle",
            Status::Ended => "ended",
            Status::Failed => "failed",
            Status::Stopped => "stopped",
        }
    }
}

/// What a session does now: "Runs cargo test", "Thinks after reading 6 files".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Doing {
    pub verb: Verb,
    pub target: String,
    pub since_ms: i64,
}

/// Verbs of [`Doing`]; the interface spells them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Runs,
    Edits,
    Reads,
    Searches,
    Browses,
    /// Waits for subagents.
    Delegates,
    Uses,
    Thinks,
    Asks,
    Compacts,
    #[default]
    Waits,
    Ended,
}

/// Why a session needs the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    pub kind: NeedsKind,
    /// One sentence: "Wants to run a command that your rules do not allow".
    pub text: String,
    /// The command, path or question itself.
    pub target: String,
    pub since_ms: i64,
    /// The event that asked.
    pub seq: i64,
    /// Choices of a question that can be answered from here. Empty when only the agent's own screen can answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// `question`, `permission`, `choice` when Orrery can deliver an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answerable: Option<String>,
    /// The subagent that asks. Empty on the main thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedsKind {
    Permission,
    Question,
    /// The agent has waited for a prompt for a while and said so.
    Idle,
    Stuck,
    Error,
}

/// A tool call without an end yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenCall {
    pub tool: String,
    pub class: ToolClass,
    pub target: String,
    pub since_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<String>,
}

/// One subagent of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubagentRow {
    pub kind: String,
    pub running: bool,
    pub started_ms: i64,
    pub last_ms: i64,
    pub tools: u32,
    pub errors: u32,
    pub tokens: Tokens,
    pub cost_usd_micros: i64,
    pub model: Option<String>,
}

/// Facts about a session that are no events: a decoder finds them on the way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionFacts {
    pub session_id: String,
    pub agent: String,
    pub agent_version: Option<String>,
    /// A title given by the agent or the person, better than the first prompt.
    pub title: Option<String>,
    pub cwd: Option<String>,
    /// Name of the project where the source says one; it beats `repository`.
    pub project: Option<String>,
    /// The project that `cwd` lies in. Filled in by the server, which sees the disk.
    pub repository: Option<Project>,
    pub branch: Option<String>,
    /// Of the checked-out commit when the session started.
    pub commit: Option<String>,
    pub dirty: Option<bool>,
    /// See [`SessionRow::mode`].
    pub mode: Option<String>,
    /// Remote of the repository, where the source names it.
    pub remote: Option<String>,
    pub model: Option<String>,
    pub parent: Option<String>,
    pub demo: bool,
}
