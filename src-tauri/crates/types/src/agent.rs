//! Agents found on this machine, and what installing our hooks would change.

use serde::{Deserialize, Serialize};

/// Agents with a folder of their own in `orrery-agents`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentId {
    ClaudeCode,
    Codex,
    GeminiCli,
    Opencode,
    Cursor,
    CopilotCli,
}

impl AgentId {
    pub const ALL: [AgentId; 6] = [
        AgentId::ClaudeCode,
        AgentId::Codex,
        AgentId::GeminiCli,
        AgentId::Opencode,
        AgentId::Cursor,
        AgentId::CopilotCli,
    ];

    pub const fn slug(self) -> &'static str {
        match self {
            AgentId::ClaudeCode => "claude-code",
            AgentId::Codex => "codex",
            AgentId::GeminiCli => "gemini-cli",
            AgentId::Opencode => "opencode",
            AgentId::Cursor => "cursor",
            AgentId::CopilotCli => "copilot-cli",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            AgentId::ClaudeCode => "Claude Code",
            AgentId::Codex => "Codex",
            AgentId::GeminiCli => "Gemini CLI",
            AgentId::Opencode => "opencode",
            AgentId::Cursor => "Cursor",
            AgentId::CopilotCli => "Copilot CLI",
        }
    }

    pub fn from_slug(slug: &str) -> Option<AgentId> {
        Self::ALL.into_iter().find(|agent| agent.slug() == slug)
    }
}

/// An agent as the Settings and Welcome pages show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundAgent {
    pub agent: AgentId,
    pub label: String,
    pub status: AgentStatus,
    /// From `--version`. Empty when the program is not on the PATH.
    pub version: Option<String>,
    /// The file our hooks go into.
    pub settings_path: String,
    pub hooks: HookState,
    /// Some events are posted to us by the agent itself.
    #[serde(default)]
    pub over_http: bool,
    /// Where its transcripts lie.
    pub history_paths: Vec<String>,
    pub history_files: u64,
    /// Modification time of the oldest transcript, ms since 1970. Empty without any.
    pub history_since_ms: Option<i64>,
    /// When its last hook event arrived, ms since 1970.
    pub last_hook_ms: Option<i64>,
    /// What the person should know: "Approve the hook once in /hooks".
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Program or configuration is here.
    Found,
    /// Only old transcripts are here.
    HistoryOnly,
    Absent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HookState {
    Absent,
    /// Some events lack our entry, or an entry points to another place.
    Partial {
        installed: u32,
        wanted: u32,
    },
    Installed {
        events: u32,
    },
    /// The settings file cannot be read: nothing will be changed.
    Unreadable {
        error: String,
    },
}

/// What installing or removing would change. Data only: whoever shows it also decides to apply it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstallPlan {
    pub agent: AgentId,
    pub changes: Vec<FileChange>,
    pub notes: Vec<String>,
}

/// One file's change. `before` is `None` for a new file; `after` is `None` when the file would be removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileChange {
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub diff: Vec<DiffLine>,
}

/// A line of a unified diff with its numbers on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffLine {
    pub op: DiffOp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<u32>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffOp {
    Same,
    Added,
    Removed,
    /// Lines left out between two hunks.
    Gap,
}
