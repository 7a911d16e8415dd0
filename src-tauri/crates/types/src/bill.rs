//! "How do we know": the arithmetic behind a sum of costs, and behind the cost of one request.

use serde::{Deserialize, Serialize};

use crate::{Basis, CostLine, CostTotals, Source, Sources, UsageRow};

/// `GET /api/v1/usage` and `GET /api/v1/bill`: which requests. All fields narrow; empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UsageQuery {
    pub session: Option<String>,
    pub agent: Option<String>,
    pub project: Option<String>,
    /// As the agent wrote it.
    pub model: Option<String>,
    /// A subagent's id.
    pub subagent: Option<String>,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    /// Only rows behind this page's `next`.
    pub after: Option<String>,
    pub limit: Option<u32>,
}

/// A sum of costs, taken apart. `totals.cost_usd_micros` is the sum of `lines` and of `reported` where only the agent
/// knows a cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bill {
    pub totals: CostTotals,
    /// Dearest model first, within it by kind.
    pub lines: Vec<BillLine>,
    /// Models whose tokens have no price.
    pub unpriced: Vec<Unpriced>,
    /// How many requests each source told of; one request can have several.
    pub sources: Vec<(Source, u64)>,
    /// Requests whose cost the agent itself reported. Empty when there are none.
    pub reported: Option<Reported>,
    /// The price tables that were used.
    pub prices: Vec<PricesUsed>,
    /// Further reports of requests that are counted already.
    pub repeats: Repeats,
}

/// One kind of token of one model at one price.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BillLine {
    /// The model as the agent wrote it.
    pub model: String,
    #[serde(flatten)]
    pub line: CostLine,
    /// The price is no published one for just these requests.
    pub estimated: bool,
}

/// Tokens that no price is known for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unpriced {
    /// Empty when no line named a model.
    pub model: String,
    pub requests: u64,
    pub tokens: u64,
}

/// What the agent says, and what the price table makes of the same requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reported {
    pub requests: u64,
    pub usd_micros: i64,
    /// Of those, the requests that the table has a price for: what the agent says, and what the table says.
    pub compared_usd_micros: i64,
    pub calculated_usd_micros: i64,
}

/// A price table, and how many requests it priced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PricesUsed {
    #[serde(flatten)]
    pub table: PriceVersion,
    pub requests: u64,
}

/// A price table by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PriceVersion {
    /// `YYYY-MM-DD`, with `.2` behind for the second of a day.
    pub version: String,
    /// `built in`, a file or an address. Empty when this program does not have the table any more.
    pub origin: String,
    /// When it was put in force, ms since 1970; 0 for built-in ones.
    pub added_ms: i64,
}

/// Lines and exports that repeat counted requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Repeats {
    pub reports: u64,
    /// What counting each of them would add.
    pub usd_micros: i64,
}

/// `GET /api/v1/usage/{key}`: one request's cost, explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UsageDetail {
    pub row: UsageRow,
    /// Tokens times price, with the table that was in force. They add up to the calculated cost. Empty when unpriced.
    pub lines: Vec<CostLine>,
    /// The table that was used. Empty when unpriced.
    pub prices: Option<PriceVersion>,
    /// In the order of their places. Empty for requests read by a version that kept none.
    pub reports: Vec<UsageReport>,
}

/// One line or export that reported a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    pub source: Source,
    /// A file, or an endpoint.
    pub place: String,
    /// Counted from 1. Empty for endpoints.
    pub line: Option<u64>,
    pub at_ms: i64,
    /// All tokens of this report.
    pub tokens: u64,
    /// What it would cost by itself.
    pub cost_usd_micros: Option<i64>,
    /// Its count is the one that the row has.
    pub counted: bool,
}

/// Requests that are priced alike, summed up: what a bill is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageGroup {
    pub model: Option<String>,
    pub price_date: String,
    pub basis: Basis,
    pub fast: bool,
    pub geo: Option<String>,
    pub tier: Option<String>,
    /// The largest border that the prompts exceed, tokens.
    pub above: u64,
    pub sources: Sources,
    pub totals: CostTotals,
    pub web_searches: u64,
    /// Requests that the table has a price for; what it makes of them, and what the agent said of the same ones.
    pub calculated: u64,
    pub calculated_usd_micros: i64,
    pub compared_usd_micros: i64,
    pub repeats: Repeats,
}
