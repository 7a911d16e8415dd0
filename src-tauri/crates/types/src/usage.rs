//! Tokens and money: one row per billed request, and the sums made of them.

use serde::{Deserialize, Serialize};

/// Tokens by kind. `input` is what was neither read from nor written to a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    /// Cache writes kept five minutes (and writes of agents that do not say how long).
    pub cache_write: u64,
    /// Cache writes kept one hour.
    pub cache_write_1h: u64,
    /// Part of `output` spent on reasoning, where the agent says so. Never added to totals.
    pub reasoning: u64,
}

impl Tokens {
    /// Everything that is billed: `reasoning` is inside `output`.
    pub fn total(&self) -> u64 {
        self.input
            .saturating_add(self.output)
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write)
            .saturating_add(self.cache_write_1h)
    }

    /// The size of the prompt: what the model read.
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write).saturating_add(self.cache_write_1h)
    }

    pub fn plus(self, other: Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            reasoning: self.reasoning.saturating_add(other.reasoning),
        }
    }

    pub fn minus(self, other: Tokens) -> Tokens {
        Tokens {
            input: self.input.saturating_sub(other.input),
            output: self.output.saturating_sub(other.output),
            cache_read: self.cache_read.saturating_sub(other.cache_read),
            cache_write: self.cache_write.saturating_sub(other.cache_write),
            cache_write_1h: self.cache_write_1h.saturating_sub(other.cache_write_1h),
            reasoning: self.reasoning.saturating_sub(other.reasoning),
        }
    }
}

/// One report of one billed request, as a decoder reads it from a line, span or payload. No price yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestUsage {
    /// Identifies the request over all files and sources: `message.id` + `requestId`, a response id, or file and position.
    pub key: String,
    /// The provider's id of the request, where the source names one: reports of other sources meet on it. See
    /// [`RequestUsage::by_request_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    pub session_id: String,
    pub agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subagent: Option<String>,
    /// As the agent wrote it. `None` when no line before it named one.
    pub model: Option<String>,
    pub at_ms: i64,
    pub tokens: Tokens,
    pub web_searches: u32,
    /// `speed: fast`.
    pub fast: bool,
    /// `inference_geo: us` and the like; empty otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<String>,
    /// `batch`, `priority`, `flex`; empty for standard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// What the agent itself says it cost, micro-dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_usd_micros: Option<i64>,
    /// Read from a subagent's file: a line of the main file for the same request wins.
    pub sidechain: bool,
    pub source: crate::Source,
    /// File and line, or the endpoint: what "how do we know" shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
}

impl RequestUsage {
    /// Key of a report that knows the request's id but not the message's: it yields to the key of a report that knows both.
    pub fn by_request_id(request_id: &str) -> String {
        format!("request:{request_id}")
    }

    /// The id of the message that answered the request, where a transcript named one.
    pub fn message_id(&self) -> Option<&str> {
        match &self.request_id {
            Some(id) => {
                self.key.strip_suffix(id.as_str())?.strip_suffix(':').filter(|_| self.key != Self::by_request_id(id))
            }
            None => Some(self.key.as_str()).filter(|key| !key.starts_with(':') && self.stand_in().is_none()),
        }
    }

    /// Whether this is a copy, in a subagent's file, of a response of the main thread that `main` reports under another key.
    pub fn replays(&self, main: &RequestUsage) -> bool {
        self.sidechain
            && !main.sidechain
            && self.key != main.key
            && self.agent == main.agent
            && self.message_id().is_some_and(|id| main.message_id() == Some(id))
    }

    /// Key of a report without any id, which only stands as long as nothing better tells of the session: one row per
    /// `what`. See [`RequestUsage::stand_in`].
    pub fn stand_in_key(kind: StandIn, session_id: &str, what: &str) -> String {
        format!("{}{what}", kind.prefix(session_id))
    }

    /// Whether, and with which trust, this report is a stand-in for better ones of its session.
    pub fn stand_in(&self) -> Option<StandIn> {
        StandIn::ALL.into_iter().find(|kind| self.key.starts_with(&kind.prefix(&self.session_id)))
    }
}

/// Reports of requests without an id. They count only while the session has no better ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StandIn {
    /// One response as the agent's telemetry counted it.
    Counted,
    /// A running total of the whole session.
    Total,
}

impl StandIn {
    /// Best first.
    pub const ALL: [StandIn; 2] = [StandIn::Counted, StandIn::Total];

    /// What the keys of a session's stand-ins of this kind begin with.
    pub fn prefix(self, session_id: &str) -> String {
        let word = match self {
            StandIn::Counted => "counted",
            StandIn::Total => "total",
        };
        format!("{word}/{session_id}/")
    }
}

/// How a cost is known, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The agent said so.
    Reported,
    /// From usage and the price table.
    Calculated,
    /// From usage and a price that is a guess (a name's prefix, a missing cache price).
    Estimated,
    /// No price known: the cost is unknown, not zero.
    Unpriced,
}

/// One row of the ledger: a billed request, counted once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageRow {
    #[serde(flatten)]
    pub request: RequestUsage,
    /// Micro-dollars. `None` exactly when `basis` is unpriced.
    pub cost_usd_micros: Option<i64>,
    pub basis: Basis,
    /// What the price table makes of the tokens, micro-dollars: the cost, unless the agent reported one. Empty when the
    /// table has no price.
    #[serde(default)]
    pub calculated_usd_micros: Option<i64>,
    /// The price table's entry that was used. Empty when the table has no price.
    pub price_model: Option<String>,
    /// Date of the price table in force when the cost was computed, `YYYY-MM-DD`.
    pub price_date: String,
    /// All sources that reported the request.
    #[serde(default)]
    pub sources: crate::Sources,
}

/// One line of a bill: so many of what, at which price.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CostLine {
    pub what: String,
    pub count: u64,
    /// Dollars per million.
    pub usd_per_million: f64,
    pub cost_usd_micros: i64,
}

/// What a cost table is grouped by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    #[default]
    Daily,
    Weekly,
    Monthly,
    Session,
    Project,
    Model,
    Agent,
}

/// Sums over some requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CostTotals {
    pub tokens: Tokens,
    pub cost_usd_micros: i64,
    pub requests: u64,
    pub unpriced_requests: u64,
    pub estimated_requests: u64,
}

/// One row of a cost table. `key` is a date, month, session id, project, model or agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CostRow {
    pub key: String,
    pub totals: CostTotals,
    pub models: Vec<String>,
}
