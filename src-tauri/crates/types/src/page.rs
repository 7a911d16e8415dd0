//! Queries and pages of the REST API. Pages are keyset pages: pass `next` back as `after`.

use serde::{Deserialize, Serialize};

use crate::{CostRow, SessionRow};

/// One page of rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque key of the next page. Empty on the last one.
    pub next: Option<String>,
    /// Rows in all, where it is known without counting everything.
    pub total: Option<u64>,
}

/// `GET /api/v1/events`. All fields narrow; empty means all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventQuery {
    pub session: Option<String>,
    pub agent: Option<String>,
    pub project: Option<String>,
    /// The agent's own event name.
    pub name: Option<String>,
    /// Full-text words, all of which must occur.
    pub words: Option<String>,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    /// Only events with a larger number, oldest first.
    pub after: Option<i64>,
    /// Only events with a smaller number, newest first. The default direction.
    pub before: Option<i64>,
    pub limit: Option<u32>,
}

/// `GET /api/v1/sessions`. Newest activity first by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionQuery {
    pub agent: Option<String>,
    pub project: Option<String>,
    pub model: Option<String>,
    pub status: Option<String>,
    /// Words of the title, project or branch.
    pub text: Option<String>,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    pub sort: SessionSort,
    pub ascending: bool,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionSort {
    #[default]
    Started,
    Last,
    Duration,
    Turns,
    Tools,
    Errors,
    Tokens,
    Cost,
}

/// `GET /api/v1/sessions/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionDetail {
    pub row: SessionRow,
    pub children: Vec<SessionRow>,
    pub parent: Option<SessionRow>,
    /// Cost by model.
    pub models: Vec<CostRow>,
    /// Number of the newest stored event.
    pub newest_seq: i64,
    /// The agent has deleted the transcript that this was read from; what was read is kept.
    pub archived: bool,
}
