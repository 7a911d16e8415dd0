//! Grok Build: Claude-like hook payloads in its own spelling. It reads Claude Code's hook files and has none of ours.

use serde_json::{Value, json};

use crate::hook::common;
use crate::json::filled;

/// The payload in the common form. `None` when it has that form already.
pub fn common_form(value: &Value) -> Option<Value> {
    let name = filled(value, &["hookEventName"])?;
    let reason = filled(value, &["reason"]).unwrap_or_default();
    match (name, reason) {
        ("stop", "cancelled" | "canceled" | "aborted" | "interrupted" | "user_cancelled") => {
            Some(common(value, "Interrupt", json!({})))
        }
        ("stop", "error") => Some(common(value, "StopFailure", json!({"error": reason}))),
        _ => None,
    }
}
