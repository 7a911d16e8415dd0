//! Alerts: what a rule found, logged before it is delivered.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    BudgetExceeded,
    LongTask,
}

/// One alert. `key` says what it is about, so that it is sent once: `budget/daily/2026-11-22`, `long-task/SESSION/TURN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub key: String,
    pub kind: AlertKind,
    pub at_ms: i64,
    pub title: String,
    pub text: String,
    /// The session a click opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    pub state: AlertState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AlertState {
    /// Logged, not handed to a sink yet.
    Logged,
    Delivered {
        at_ms: i64,
    },
    /// Alerts were paused: it is in the log and was not shown.
    Paused,
    Failed {
        error: String,
    },
}
