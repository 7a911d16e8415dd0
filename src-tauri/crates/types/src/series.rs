//! `GET /api/v1/series`: figures over time, from the rollups.

use serde::{Deserialize, Serialize};

/// Which figure, split by what, over which time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesQuery {
    pub metric: Metric,
    pub by: SeriesBy,
    pub step: SeriesStep,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    pub agent: Option<String>,
    pub project: Option<String>,
    /// The person's zone: days begin at its midnight.
    pub utc_offset_minutes: i32,
    /// At most so many lines; the rest is summed up as one line with `rest` set.
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Events of all kinds.
    #[default]
    Events,
    /// Tool calls that ended.
    Calls,
    /// Calls and turns that failed.
    Errors,
    /// Micro-dollars.
    Cost,
    /// Tokens billed.
    Tokens,
    /// Billed requests.
    Requests,
    /// Median duration of tool calls, ms.
    ToolP50,
    /// 95 of 100 tool calls took no longer, ms.
    ToolP95,
    /// Sum of the durations of tool calls, ms.
    ToolMs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesBy {
    #[default]
    None,
    Agent,
    Project,
    /// Money and tokens only: an event has no model.
    Model,
    /// Calls, errors and durations only.
    Tool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesStep {
    Hour,
    #[default]
    Day,
}

/// Lines over the same steps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Series {
    pub step_ms: i64,
    /// Beginning of the first step.
    pub from_ms: i64,
    /// Largest sum first; a single line with an empty key when nothing splits it.
    pub series: Vec<SeriesLine>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesLine {
    /// The agent, project, model or tool.
    pub key: String,
    /// The lines beyond the limit, summed up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rest: bool,
    /// One value a step; 0 where nothing happened.
    pub values: Vec<i64>,
    /// Sum of the values; of medians and the like the figure over the whole time.
    pub total: i64,
}
