//! Arguments and results of Codex's calls, from the several shapes they have.

use serde_json::Value;

use crate::json::{any, filled, first_line};
use crate::outcome::{Outcome, diff_lines, of_codex};

/// Arguments are JSON in a text, a free text (patches), or an object.
pub fn arguments(payload: &Value) -> Value {
    match any(payload, &["arguments", "input", "action"]) {
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => value,
            _ => Value::String(text.clone()),
        },
        Some(value) => value.clone(),
        None => Value::Null,
    }
}

/// The result in an `..._end` event or a completed item.
pub fn measured(end: &Value) -> Outcome {
    let result = any(end, &["result", "aggregated_output", "formatted_output"]);
    let mut outcome = match result {
        Some(result) => of_codex(result.get("Ok").or_else(|| result.get("Err")).unwrap_or(result)),
        None => of_codex(end),
    };
    let failed = end.get("success").and_then(Value::as_bool) == Some(false)
        || result.is_some_and(|result| result.get("Err").is_some())
        || matches!(filled(end, &["status"]), Some("failed" | "declined"));
    if let Some(code) = end.get("exit_code").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok()) {
        outcome.exit_code = Some(code);
        outcome.ok = code == 0;
        outcome.error = (code != 0).then(|| format!("exit {code}"));
    }
    if failed && outcome.ok {
        outcome.ok = false;
        let said = first_line(&outcome.output, 200);
        outcome.error = Some(if said.is_empty() { "failed".to_owned() } else { said });
    }
    outcome.duration_ms = any(end, &["duration"]).and_then(duration_ms);
    outcome.lines = any(end, &["changes"]).and_then(changed_lines).filter(|_| outcome.ok);
    outcome
}

/// `{secs, nanos}`, or a text such as `1.2s`.
fn duration_ms(duration: &Value) -> Option<i64> {
    if let Some(secs) = duration.get("secs").and_then(Value::as_i64) {
        let nanos = duration.get("nanos").and_then(Value::as_i64).unwrap_or(0);
        return Some(secs.saturating_mul(1000).saturating_add(nanos / 1_000_000));
    }
    let seconds: f64 = duration.as_str()?.strip_suffix('s')?.parse().ok()?;
    Some((seconds * 1000.0) as i64)
}

fn changed_lines(changes: &Value) -> Option<(u32, u32)> {
    let changes = changes.as_object()?;
    let mut sum = (0, 0);
    for change in changes.values() {
        let change = any(change, &["add", "update", "delete"]).unwrap_or(change);
        let lines = |text: &str| u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        let (added, removed) = match (filled(change, &["unified_diff"]), filled(change, &["type"])) {
            (Some(diff), _) => diff_lines(diff),
            (None, Some("delete")) => (0, filled(change, &["content"]).map_or(0, lines)),
            (None, _) => (filled(change, &["content"]).map_or(0, lines), 0),
        };
        sum = (sum.0 + added, sum.1 + removed);
    }
    Some(sum)
}

pub fn changed_paths(end: &Value) -> Value {
    let paths: Vec<&str> = match end.get("changes") {
        Some(Value::Object(changes)) => changes.keys().map(String::as_str).collect(),
        Some(Value::Array(changes)) => changes.iter().filter_map(|change| filled(change, &["path"])).collect(),
        _ => Vec::new(),
    };
    serde_json::json!({ "path": paths.join(", ") })
}
