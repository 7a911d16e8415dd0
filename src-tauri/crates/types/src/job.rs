//! Long work with progress: import, demo, removal of the demo.

use serde::{Deserialize, Serialize};

/// One piece of long work. Survives page changes: it lives in the server and is streamed to every client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: String,
    pub kind: JobKind,
    pub state: JobState,
    pub started_ms: i64,
    pub updated_ms: i64,
    /// Files or steps done and known in all; `total` grows while the work is still being found.
    pub done: u64,
    pub total: u64,
    /// Per agent slug: done and total.
    #[serde(default)]
    pub parts: Vec<(String, u64, u64)>,
    pub events: u64,
    pub sessions: u64,
    pub problems: u64,
    /// Of an import: files with something new, lines read, rows written. 0 for other work.
    #[serde(default)]
    pub files_parsed: u64,
    #[serde(default)]
    pub lines: u64,
    #[serde(default)]
    pub rows_written: u64,
    /// Events per second so far.
    pub rate: f64,
    /// Estimated ms to the end. Empty until a rate is known.
    pub eta_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    Import,
    Demo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Running,
    Done,
    Canceled,
    Failed,
}
