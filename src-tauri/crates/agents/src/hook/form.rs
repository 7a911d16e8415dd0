//! One form for all agents: each agent's folder says how its own payloads read in it.
//!
//! The common form is Claude Code's, in snake case. A payload without a form of its own is read as it is, in either spelling.

use serde_json::{Map, Value};

use super::chat;
use crate::{copilot_cli, cursor, gemini_cli, grok_build, opencode};

/// Where the common form keeps the event's canonical name. The payload's own name stays what is shown.
pub(super) const KIND: &str = "orrery_event";

/// `value` in the common form. `None` when it can be read as it is.
pub(super) fn common_form(agent: &str, value: &Value) -> Option<Value> {
    let form = match agent {
        "gemini-cli" => gemini_cli::common_form(value),
        "opencode" => opencode::common_form(value),
        "cursor" => cursor::common_form(value),
        "copilot-cli" => copilot_cli::common_form(value),
        "grok-build" => grok_build::common_form(value),
        _ => None,
    };
    form.or_else(|| chat::common_form(value))
}

/// `value` as the event `kind`, with the fields that the common form has instead of its own. Fields that are null change
/// nothing; an empty `kind` is an event without a shape.
pub(crate) fn common(value: &Value, kind: &str, fields: Value) -> Value {
    let mut form = value.as_object().cloned().unwrap_or_default();
    if let Value::Object(fields) = fields {
        form.extend(fields.into_iter().filter(|(_, field)| !field.is_null()).collect::<Map<_, _>>());
    }
    let kind = if kind.is_empty() { "Other" } else { kind };
    form.insert(KIND.to_owned(), Value::String(kind.to_owned()));
    Value::Object(form)
}
