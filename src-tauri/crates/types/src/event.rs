//! One thing an agent did or said, from whichever source it reached us.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Idempotency key of an event: 32 lowercase hex digits.
///
/// Made at the source. Facts that several sources report (a tool call, a prompt, a subagent) hash what identifies the
/// fact, so that the hook's report and the transcript's meet in one row; anything else carries a uuid v7 or a hash of
/// file and position.
pub type EventId = String;

/// Where a report came from. An event may be reported by more than one source: see [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The agent's own hook, through `orrery-hook` or an http hook.
    Hook,
    /// A transcript or rollout file on this machine.
    Transcript,
    /// `POST /events`, the shape of the family's senders.
    Sender,
    /// OpenTelemetry.
    Otel,
    /// Orrery itself (the Codex wrapper, a session closed on silence).
    Orrery,
}

/// The set of sources that reported an event. Bit set on disk, list on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Source>", into = "Vec<Source>")]
pub struct Sources(pub u8);

impl Source {
    const ALL: [Source; 5] = [Source::Hook, Source::Transcript, Source::Sender, Source::Otel, Source::Orrery];

    /// The bit of this source in [`Sources`]; stored on disk, never renumber.
    pub const fn bit(self) -> u8 {
        match self {
            Source::Hook => 1,
            Source::Transcript => 2,
            Source::Sender => 4,
            Source::Otel => 8,
            Source::Orrery => 16,
        }
    }

    /// The word that serde writes.
    pub const fn word(self) -> &'static str {
        match self {
            Source::Hook => "hook",
            Source::Transcript => "transcript",
            Source::Sender => "sender",
            Source::Otel => "otel",
            Source::Orrery => "orrery",
        }
    }
}

impl Sources {
    pub const fn one(source: Source) -> Self {
        Sources(source.bit())
    }
    pub const fn has(self, source: Source) -> bool {
        self.0 & source.bit() != 0
    }
    pub const fn with(self, other: Sources) -> Self {
        Sources(self.0 | other.0)
    }
}

impl From<Vec<Source>> for Sources {
    fn from(list: Vec<Source>) -> Self {
        Sources(list.into_iter().fold(0, |bits, source| bits | source.bit()))
    }
}

impl From<Sources> for Vec<Source> {
    fn from(set: Sources) -> Self {
        Source::ALL.into_iter().filter(|source| set.has(*source)).collect()
    }
}

/// One event as it is stored, streamed and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the store, growing, never reused. 0 before it is stored.
    #[serde(default)]
    pub seq: i64,
    pub id: EventId,
    pub session_id: String,
    /// Slug of the agent: `claude-code`, `codex`, `gemini-cli`, `opencode`, `cursor`, `copilot-cli`, or what a sender said.
    pub agent: String,
    /// The name the agent itself gave: `PreToolUse`, `assistant`, `event_msg/token_count`. Shown for unknown events.
    pub name: String,
    /// When it happened, ms since 1970 UTC. The source's clock where the source has one, else our receipt.
    pub at_ms: i64,
    /// When the first report reached us, ms since 1970 UTC.
    pub received_ms: i64,
    /// The subagent that did it. Empty on the main thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<Subagent>,
    /// The prompt or turn it belongs to, as the agent numbers them. Empty in old versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<String>,
    pub sources: Sources,
    pub body: Body,
    /// Made by `orrery demo`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
}

/// A subagent, as far as one event names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subagent {
    /// The agent's id for it; equals `<id>` in `subagents/agent-<id>.jsonl`.
    pub id: String,
    /// `Explore`, `Plan`, a custom name. Empty when the payload has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// What happened. Long texts are clipped (see [`clip`]); the raw payload holds all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    SessionStart {
        /// `startup`, `resume`, `clear`, `compact`, `fork`.
        #[serde(default)]
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
    },
    SessionEnd {
        #[serde(default)]
        reason: String,
    },
    Prompt {
        text: String,
    },
    /// Text the model wrote for the person.
    Message {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
    },
    Thinking {
        text: String,
    },
    ToolStart {
        /// Joins the start to its end. Empty in versions of mid-2025.
        #[serde(default)]
        call_id: String,
        /// The agent's name for the tool: `Bash`, `Edit`, `mcp__github__search`.
        tool: String,
        class: ToolClass,
        /// What it acts on, in one line: a command, a path, a pattern, a URL.
        target: String,
        /// The input with each string clipped.
        #[serde(default)]
        input: Value,
    },
    ToolEnd {
        #[serde(default)]
        call_id: String,
        tool: String,
        class: ToolClass,
        target: String,
        ok: bool,
        /// One line in words when it failed: `exit 101`, `File has not been read yet`, `interrupted`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// Without permission and hook time. Empty when no source measured it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<i64>,
        /// What it printed or returned, clipped.
        #[serde(default)]
        output: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines_added: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lines_removed: Option<u32>,
        /// Input as in `ToolStart`, for sources that report only the end.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        input: Value,
    },
    /// The agent waits for the person's permission.
    Permission {
        tool: String,
        class: ToolClass,
        target: String,
        #[serde(default)]
        input: Value,
    },
    PermissionDenied {
        #[serde(default)]
        call_id: String,
        tool: String,
        target: String,
        #[serde(default)]
        reason: String,
    },
    /// A question that a person answers through us (human in the loop) or in the agent.
    Question {
        question: Question,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Answer>,
    },
    Notification {
        /// `permission_prompt`, `idle_prompt`, `agent_needs_input`, ...
        #[serde(default)]
        topic: String,
        message: String,
    },
    SubagentStart,
    SubagentStop {
        #[serde(default)]
        message: String,
    },
    /// The turn ended; the agent waits for the next prompt.
    Stop {
        #[serde(default)]
        message: String,
    },
    /// The turn ended with an error of the API or the agent.
    Failure {
        /// `rate_limit`, `overloaded`, `billing_error`, ... or the agent's own word.
        error: String,
        #[serde(default)]
        details: String,
    },
    /// The person interrupted the turn.
    Interrupt,
    /// The person went back in the conversation: the prompt `to` and everything after it up to here is left behind.
    Rewind {
        /// Id of the first prompt that is left behind.
        to: EventId,
        /// That prompt's first line.
        #[serde(default)]
        text: String,
    },
    Compact {
        /// `manual` or `auto`.
        #[serde(default)]
        trigger: String,
        /// Whether the compaction is over.
        done: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tokens_before: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tokens_after: Option<u64>,
    },
    /// Anything else, under its own name. `summary` is one line taken from the payload.
    Other {
        #[serde(default)]
        summary: String,
    },
}

impl Body {
    /// The agent's name for the tool, of calls and of what concerns them.
    pub fn tool(&self) -> Option<&str> {
        match self {
            Body::ToolStart { tool, .. }
            | Body::ToolEnd { tool, .. }
            | Body::Permission { tool, .. }
            | Body::PermissionDenied { tool, .. } => Some(tool),
            _ => None,
        }
    }

    /// The word that serde writes as `kind`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Body::SessionStart { .. } => "session_start",
            Body::SessionEnd { .. } => "session_end",
            Body::Prompt { .. } => "prompt",
            Body::Message { .. } => "message",
            Body::Thinking { .. } => "thinking",
            Body::ToolStart { .. } => "tool_start",
            Body::ToolEnd { .. } => "tool_end",
            Body::Permission { .. } => "permission",
            Body::PermissionDenied { .. } => "permission_denied",
            Body::Question { .. } => "question",
            Body::Notification { .. } => "notification",
            Body::SubagentStart => "subagent_start",
            Body::SubagentStop { .. } => "subagent_stop",
            Body::Stop { .. } => "stop",
            Body::Failure { .. } => "failure",
            Body::Interrupt => "interrupt",
            Body::Rewind { .. } => "rewind",
            Body::Compact { .. } => "compact",
            Body::Other { .. } => "other",
        }
    }
}

/// What a tool call is, over all agents. Stable on the wire; colors and icons hang on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolClass {
    Shell,
    Edit,
    Read,
    Search,
    Web,
    Agent,
    Ask,
    #[default]
    Other,
}

impl ToolClass {
    /// The word that serde writes.
    pub const fn word(self) -> &'static str {
        match self {
            ToolClass::Shell => "shell",
            ToolClass::Edit => "edit",
            ToolClass::Read => "read",
            ToolClass::Search => "search",
            ToolClass::Web => "web",
            ToolClass::Agent => "agent",
            ToolClass::Ask => "ask",
            ToolClass::Other => "other",
        }
    }
}

/// A human-in-the-loop question as the family's senders post it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub text: String,
    /// `question`, `permission` or `choice`.
    pub ask: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Where the answer goes: a WebSocket URL on loopback. Empty when only the agent's own screen can answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<i64>,
}

/// The person's answer to a [`Question`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub at_ms: i64,
    /// `{response | permission | choice, respondedBy?}` as it was sent to the agent.
    pub value: Value,
    /// Whether the agent's WebSocket took it.
    pub delivered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Cuts `text` to at most `max` bytes at a character border and says how much it cut.
pub fn clip(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\n... {} more bytes in the raw event", &text[..end], text.len() - end)
}
