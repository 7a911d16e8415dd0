//! Budgets: what may be spent on what, in which time; and how each stands.

use serde::{Deserialize, Serialize};

/// A limit in dollars over a day, week or month of the person's calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Unique among the budgets; part of its alerts' keys.
    pub id: String,
    pub period: Period,
    pub scope: Scope,
    /// The project, agent, model or session meant. Empty: each of them has the limit for itself.
    pub of: String,
    /// Hard limit, dollars. Above 0.
    pub limit_usd: f64,
    /// Soft limit, percent of the hard one. 0: none.
    pub soft_percent: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            id: String::new(),
            period: Period::Daily,
            scope: Scope::All,
            of: String::new(),
            limit_usd: 0.0,
            soft_percent: 80,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    #[default]
    Daily,
    Weekly,
    Monthly,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    All,
    Project,
    Agent,
    Model,
    Session,
}

/// What Orrery answers an agent that wants to use a tool while a hard limit is passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Nothing at all.
    #[default]
    Off,
    /// The agent asks the person first.
    Ask,
    /// The agent is refused, with the reason.
    Deny,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeekStart {
    #[default]
    Monday,
    Sunday,
    Saturday,
}

/// How one budget stands; for a budget of each project, agent, model or session, how its dearest stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BudgetState {
    pub id: String,
    pub period: Period,
    pub scope: Scope,
    /// The project, agent, model or session. Empty with the scope `All`.
    pub of: String,
    /// "today", "today in lattice-api", "this week with codex".
    pub what: String,
    /// First day of the period, `YYYY-MM-DD`.
    pub day: String,
    pub from_ms: i64,
    pub to_ms: i64,
    pub spent_usd_micros: i64,
    pub limit_usd_micros: i64,
    pub soft_usd_micros: Option<i64>,
    /// When the limit is passed at the rate of the last hour (day, for weeks and months). Empty when it is passed
    /// already, and when the period ends before.
    pub passes_ms: Option<i64>,
}

impl BudgetState {
    /// Whether more than the hard limit is spent, in whole cents: `$40.00 of $40.00` is not over.
    pub fn is_over(&self) -> bool {
        cents(self.spent_usd_micros) > cents(self.limit_usd_micros)
    }

    /// Whether the soft limit is reached and the hard one is not passed.
    pub fn is_near(&self) -> bool {
        let soft = self.soft_usd_micros;
        !self.is_over() && soft.is_some_and(|soft| cents(self.spent_usd_micros) >= cents(soft))
    }
}

/// Whole cents of micro-dollars, rounded.
pub fn cents(micros: i64) -> i64 {
    micros.saturating_add(5_000).div_euclid(10_000)
}
