//! What is masked before anything is stored: the rules, their switches and their counts.

use serde::{Deserialize, Serialize};

/// `GET /api/v1/redaction`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// Masking as a whole.
    pub on: bool,
    /// Secrets masked so far.
    pub total: u64,
    /// In the order in which they win over each other.
    pub rules: Vec<RedactionRule>,
}

/// One kind of secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedactionRule {
    /// Stable word, as in the setting `redact_off`.
    pub id: String,
    pub name: String,
    pub on: bool,
    /// Secrets of this kind masked so far.
    pub count: u64,
    /// When the newest of them arrived, ms. Empty when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
}
