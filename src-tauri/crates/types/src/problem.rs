//! Problems: bad input that was kept and is shown, and errors on the wire.

use serde::{Deserialize, Serialize};

/// Something in the input that could not be read as meant. Stored and shown in Settings and `orrery doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable word: `bad_json`, `truncated_line`, `file_shrank`, `unknown_line`, `empty_session_id`, ...
    pub code: String,
    pub message: String,
    /// File, or endpoint.
    #[serde(default)]
    pub place: String,
    /// 1-based line in `place`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(default)]
    pub at_ms: i64,
}

/// `application/problem+json` (RFC 9457) with the family's `error` beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemJson {
    pub status: u16,
    /// Stable word a program can act on.
    pub code: String,
    pub title: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: String,
    /// Same as `title`, for the family's clients.
    pub error: String,
    /// From where to where, in bytes, the input is wrong: of queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
}
