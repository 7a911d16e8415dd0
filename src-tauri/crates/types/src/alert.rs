//! Alerts: what a rule found, logged before it is delivered, and how delivering it went.

use serde::{Deserialize, Serialize};

use crate::Tokens;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    BudgetExceeded,
    /// The soft limit of a budget is reached.
    BudgetNear,
    /// At this rate a budget is passed before its period ends.
    Forecast,
    LongTask,
    AgentError,
    /// One call fails or repeats without progress.
    Loop,
    NeedsYou,
    Completed,
    /// No event for long while in a turn.
    Silent,
    ContextFull,
    CostSpike,
    HooksSilent,
    /// Events that a filter of the person picks.
    Match,
    /// The summary of a day or week.
    Digest,
    /// What came during quiet hours.
    Quiet,
    /// A word of Orrery itself: a test.
    #[default]
    Notice,
}

/// How much an alert presses. The desktop shows `Critical` until it is dismissed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    Low,
    #[default]
    Normal,
    Critical,
}

/// One alert. `key` says what it is about, so that it is sent once: `budget/daily/2026-11-22`, `long-task/SESSION/TURN`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The rule that raised it. Empty in logs of older versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    #[serde(default)]
    pub urgency: Urgency,
    /// A question that can be answered from the notification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
    /// Sessions that are told of in one word: "3 sessions need you". Empty for an alert about one thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Box<Digest>>,
    /// Made by a test button: nothing of it is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// Where it is to be told: ids of sinks. Empty: everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sinks: Vec<String>,
    /// Sinks that took it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delivered: Vec<String>,
}

impl Alert {
    /// Whether this sink is meant.
    pub fn is_for(&self, sink: &str) -> bool {
        self.sinks.is_empty() || self.sinks.iter().any(|id| id == sink)
    }
}

/// The question behind an alert, as `POST /events/{seq}/respond` takes its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    pub seq: i64,
    /// `permission`, `choice` or `question`.
    pub ask: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AlertState {
    /// Logged, not handed to a sink yet.
    #[default]
    Logged,
    Delivered {
        at_ms: i64,
    },
    /// Alerts were paused: it is in the log and was not shown.
    Paused,
    /// Its rule, session or occasion is snoozed.
    Snoozed {
        until_ms: i64,
    },
    /// It came in quiet hours and is told in one word when they end.
    Quiet {
        until_ms: i64,
    },
    /// The same rule spoke of the same session a moment ago.
    Cooling,
    Failed {
        error: String,
    },
}

/// What became of one alert at one sink. One row per alert and sink; sending it again is counted on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub alert: String,
    pub sink: String,
    /// The last attempt, ms. The time of logging before the first.
    pub at_ms: i64,
    pub attempts: u32,
    pub state: DeliveryState,
    /// When it is tried again, ms. Empty unless it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the last attempt took.
    #[serde(default)]
    pub took_ms: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    #[default]
    Waiting,
    Delivered,
    /// Given up: a dead letter. It can be sent again by hand.
    Dead,
}

/// Silence about one thing. `target` is `all`, `rule/ID`, `session/ID` or `alert/KEY`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    pub target: String,
    pub until_ms: i64,
}

/// A day or week in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Digest {
    /// `daily` or `weekly`.
    pub period: String,
    /// "Tuesday, 24 November", "16 to 22 November".
    pub label: String,
    pub from_ms: i64,
    pub to_ms: i64,
    pub cost_usd_micros: i64,
    /// Of the day or week before. Empty when nothing was recorded then.
    pub before_usd_micros: Option<i64>,
    pub unpriced_requests: u64,
    pub tokens: Tokens,
    pub sessions: u64,
    pub turns: u64,
    pub tools: u64,
    pub errors: u64,
    pub alerts: u64,
    /// Name and cost, dearest first. At most five each.
    pub projects: Vec<(String, i64)>,
    pub agents: Vec<(String, i64)>,
    pub models: Vec<(String, i64)>,
    /// The dearest sessions: id, title, cost.
    pub dearest: Vec<(String, String, i64)>,
}
