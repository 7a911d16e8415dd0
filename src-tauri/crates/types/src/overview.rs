//! The figures of the page heads and the status strip, defined once.

use serde::{Deserialize, Serialize};

use crate::{BudgetState, SessionRow, Tokens};

/// What Live's head, the strip and the tray show. Made by the server from the store; streamed when it changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overview {
    pub server_ms: i64,
    /// Sessions in a turn or waiting for the person, newest activity first. At most 200.
    pub active: Vec<SessionRow>,
    pub needs_you: u32,
    pub running_subagents: u32,
    pub today: Spend,
    pub strip: Strip,
    pub blind: Vec<Blind>,
    pub sessions_total: u64,
    pub events_total: u64,
    pub alerts_paused_until_ms: Option<i64>,
    /// Events of the demo are in the store.
    pub demo: bool,
    /// How each budget stands, the fullest first.
    pub budgets: Vec<BudgetState>,
}

/// What the tray says in one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Paused,
    OverBudget,
    /// So many sessions need the person.
    NeedsYou(u32),
    Calm,
}

impl Overview {
    /// The most pressing first, but a pause is what the person asked for.
    pub fn standing(&self) -> Standing {
        if self.alerts_paused_until_ms.is_some() {
            Standing::Paused
        } else if self.needs_you > 0 {
            Standing::NeedsYou(self.needs_you)
        } else if self.budgets.iter().any(BudgetState::is_over) {
            Standing::OverBudget
        } else {
            Standing::Calm
        }
    }
}

/// Spend since midnight in the person's time zone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spend {
    /// `YYYY-MM-DD`, local.
    pub day: String,
    pub tokens: Tokens,
    pub cost_usd_micros: i64,
    pub unpriced_requests: u64,
    pub budget_usd_micros: Option<i64>,
    /// Where today's spend ends at midnight at the rate so far. Empty in the first two hours: too little to go by.
    pub pace_usd_micros: Option<i64>,
    pub failed_last_hour: u32,
    pub calls_last_hour: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strip {
    pub events_last_minute: u32,
    pub active_sessions: u32,
    /// Median duration of the last hour's tool calls that have one, ms.
    pub tool_p50_ms: Option<i64>,
    /// 95 of 100 of these calls took no longer, ms.
    pub tool_p95_ms: Option<i64>,
    pub store_bytes: u64,
    /// Hook events on disk that wait for the server, and their bytes.
    pub spool_files: u32,
    pub spool_bytes: u64,
    /// Hook events that did not fit there since the server started: each left a gap in its session.
    pub spool_lost: u64,
    pub hooked_agents: u32,
    pub found_agents: u32,
}

/// Something Orrery cannot see, in words, with what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    pub what: String,
    pub hint: String,
}
