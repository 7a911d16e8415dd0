//! `message.usage` of a transcript line.

use orrery_types::{RequestUsage, Tokens};
use serde_json::Value;

use crate::json::{any, count, filled, number, owned};

/// What the line says beside its usage.
pub struct Line<'a> {
    pub value: &'a Value,
    pub message: &'a Value,
    pub file_name: &'a str,
    pub line_no: u64,
}

/// The billed request that this line reports. `None` without usage, and for messages Claude Code made itself.
///
/// One response is written as a line per content block, each with usage: the key makes them one row. A copy of the line
/// in a subagent's or a forked session's file has the same key.
pub fn of_line(line: &Line, base: RequestUsage) -> Option<RequestUsage> {
    let usage = line.message.get("usage").filter(|usage| usage.is_object())?;
    let model = owned(line.message, &["model"]);
    if model.as_deref() == Some("<synthetic>") {
        return None;
    }
    let key = match (filled(line.message, &["id"]), filled(line.value, &["requestId"])) {
        (Some(message), Some(request)) => format!("{message}:{request}"),
        (Some(message), None) => message.to_owned(),
        // Without an id every line counts. Files of one name in two folders can be those of two sessions.
        (None, _) => format!(":{}:{}:{}", base.session_id, line.file_name, line.line_no),
    };
    Some(RequestUsage {
        key,
        request_id: owned(line.value, &["requestId"]),
        model,
        tokens: tokens(usage),
        web_searches: searches(usage),
        fast: filled(usage, &["speed"]) == Some("fast"),
        geo: owned(usage, &["inference_geo"])
            .filter(|geo| !matches!(geo.as_str(), "global" | "not_available" | "default")),
        tier: owned(usage, &["service_tier"]).filter(|tier| tier != "standard"),
        reported_usd_micros: line.value.get("costUSD").and_then(number).map(|usd| (usd * 1e6).round() as i64),
        ..base
    })
}

fn tokens(usage: &Value) -> Tokens {
    let of = |name: &str| count(usage, name).unwrap_or(0);
    let written = of("cache_creation_input_tokens");
    let split = any(usage, &["cache_creation"]);
    let hour = split.and_then(|split| count(split, "ephemeral_1h_input_tokens")).unwrap_or(0);
    let minutes = split.and_then(|split| count(split, "ephemeral_5m_input_tokens"));
    // Without a split everything was written for five minutes. A split that says less than the sum leaves the rest there.
    let written = written.max(hour.saturating_add(minutes.unwrap_or(0)));
    let details = any(usage, &["output_tokens_details"]).unwrap_or(&Value::Null);
    Tokens {
        input: of("input_tokens"),
        output: of("output_tokens"),
        cache_read: of("cache_read_input_tokens"),
        cache_write: written - hour.min(written),
        cache_write_1h: hour.min(written),
        reasoning: count(details, "thinking_tokens").unwrap_or(0),
    }
}

fn searches(usage: &Value) -> u32 {
    let used = any(usage, &["server_tool_use"]).unwrap_or(&Value::Null);
    count(used, "web_search_requests").map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX))
}
