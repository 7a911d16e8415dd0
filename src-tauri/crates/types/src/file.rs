//! Files that a session read or changed.

use serde::{Deserialize, Serialize};

/// One file of `GET /api/v1/sessions/{id}/files`. Only calls that succeeded count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionFile {
    /// As the agent wrote it: mostly absolute, in patches relative to the working directory.
    pub path: String,
    pub reads: u32,
    pub edits: u32,
    pub lines_added: u32,
    pub lines_removed: u32,
    /// Numbers and times (ms) of the first and last event that touched it.
    pub first_seq: i64,
    pub last_seq: i64,
    pub first_ms: i64,
    pub last_ms: i64,
}
