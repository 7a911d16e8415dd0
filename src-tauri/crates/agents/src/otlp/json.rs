//! OTLP/JSON: ids in hex, 64-bit integers as numbers or texts, enums as numbers or names, unknown fields ignored.

use serde_json::Value;

use super::record::{Record, attributes};
use super::{Parsed, Signal};
use crate::json::{any, read, text};

/// Nested values deeper than this become their JSON text.
const DEPTH: usize = 32;

/// Reads an export request. Parts of another shape than the format has are counted, not refused.
pub fn parse(signal: Signal, bytes: &[u8]) -> Result<Parsed, String> {
    let request = read(bytes)?.value;
    if !request.is_object() {
        return Err("the request is no object".to_owned());
    }
    let (resources, scopes) = match signal {
        Signal::Logs => (["resourceLogs", "resource_logs"], ["scopeLogs", "scope_logs"]),
        Signal::Metrics => (["resourceMetrics", "resource_metrics"], ["scopeMetrics", "scope_metrics"]),
        Signal::Traces => (["resourceSpans", "resource_spans"], ["scopeSpans", "scope_spans"]),
    };
    let items = match signal {
        Signal::Logs => ["logRecords", "log_records"],
        Signal::Metrics => ["metrics", "metrics"],
        Signal::Traces => ["spans", "spans"],
    };
    let mut parsed = Parsed::default();
    for group in list(&request, &resources) {
        let resource = attributes_of(group.get("resource").unwrap_or(&Value::Null));
        for scope in list(group, &scopes) {
            let name = scope.get("scope").and_then(|scope| text(scope, &["name"])).unwrap_or_default();
            for item in list(scope, &items) {
                if !item.is_object() {
                    parsed.rejected += 1;
                    continue;
                }
                let base = Record { resource: resource.clone(), scope: name.to_owned(), ..Record::default() };
                match signal {
                    Signal::Logs => parsed.records.push(log(item, base)),
                    Signal::Traces => parsed.records.push(span(item, base)),
                    Signal::Metrics => points(item, &base, &mut parsed),
                }
            }
        }
    }
    Ok(parsed)
}

fn log(item: &Value, base: Record) -> Record {
    let time = nano(item, &["timeUnixNano", "time_unix_nano"]);
    Record {
        name: owned(item, &["eventName", "event_name"]),
        time_unix_nano: if time == 0 { nano(item, &["observedTimeUnixNano", "observed_time_unix_nano"]) } else { time },
        attributes: attributes_of(item),
        body: item.get("body").map(|body| value(body, DEPTH)).unwrap_or_default(),
        trace_id: owned(item, &["traceId", "trace_id"]).to_ascii_lowercase(),
        span_id: owned(item, &["spanId", "span_id"]).to_ascii_lowercase(),
        ..base
    }
}

fn span(item: &Value, base: Record) -> Record {
    let status = any(item, &["status"]).filter(|status| status.as_object().is_some_and(|fields| !fields.is_empty()));
    let events: Vec<Value> = list(item, &["events"])
        .iter()
        .map(|event| {
            let at = nano(event, &["timeUnixNano", "time_unix_nano"]);
            serde_json::json!({"name": owned(event, &["name"]), "timeUnixNano": at, "attributes": attributes_of(event)})
        })
        .collect();
    Record {
        name: owned(item, &["name"]),
        start_unix_nano: nano(item, &["startTimeUnixNano", "start_time_unix_nano"]),
        time_unix_nano: nano(item, &["endTimeUnixNano", "end_time_unix_nano"]),
        attributes: attributes_of(item),
        body: status.cloned().unwrap_or_default(),
        trace_id: owned(item, &["traceId", "trace_id"]).to_ascii_lowercase(),
        span_id: owned(item, &["spanId", "span_id"]).to_ascii_lowercase(),
        parent_span_id: owned(item, &["parentSpanId", "parent_span_id"]).to_ascii_lowercase(),
        events: if events.is_empty() { Value::Null } else { Value::Array(events) },
        ..base
    }
}

fn points(item: &Value, base: &Record, parsed: &mut Parsed) {
    const KINDS: [&str; 6] = ["gauge", "sum", "histogram", "exponentialHistogram", "exponential_histogram", "summary"];
    let Some(data) = any(item, &KINDS) else { return };
    for point in list(data, &["dataPoints", "data_points"]) {
        if !point.is_object() {
            parsed.rejected += 1;
            continue;
        }
        let whole = any(point, &["asInt", "as_int"]).map(integer);
        let body = whole.or_else(|| any(point, &["asDouble", "as_double", "sum", "count"]).map(number));
        parsed.records.push(Record {
            name: owned(item, &["name"]),
            unit: owned(item, &["unit"]),
            start_unix_nano: nano(point, &["startTimeUnixNano", "start_time_unix_nano"]),
            time_unix_nano: nano(point, &["timeUnixNano", "time_unix_nano"]),
            attributes: attributes_of(point),
            body: body.unwrap_or_default(),
            ..base.clone()
        });
    }
}

fn attributes_of(item: &Value) -> Value {
    attributes(list(item, &["attributes"]).iter().filter_map(|pair| {
        let name = text(pair, &["key"])?.to_owned();
        Some((name, pair.get("value").map(|held| value(held, DEPTH)).unwrap_or_default()))
    }))
}

/// An `AnyValue`. An empty or unknown one is null.
fn value(held: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::String(held.to_string());
    }
    let Some(fields) = held.as_object() else { return held.clone() };
    let Some((kind, inner)) = fields.iter().find(|(_, inner)| !inner.is_null()) else { return Value::Null };
    match kind.as_str() {
        "intValue" | "int_value" => integer(inner),
        "doubleValue" | "double_value" => number(inner),
        "arrayValue" | "array_value" => list(inner, &["values"]).iter().map(|item| value(item, depth - 1)).collect(),
        "kvlistValue" | "kvlist_value" => {
            let pairs = list(inner, &["values"]).iter();
            attributes(
                pairs.filter_map(|pair| Some((text(pair, &["key"])?.to_owned(), value(pair.get("value")?, depth - 1)))),
            )
        }
        _ => inner.clone(),
    }
}

/// Also written as a text. What is no whole number stays as it is.
fn integer(held: &Value) -> Value {
    held.as_str().and_then(|text| text.trim().parse::<i64>().ok()).map_or_else(|| held.clone(), Value::from)
}

fn number(held: &Value) -> Value {
    let parsed = held.as_f64().or_else(|| held.as_str()?.trim().parse().ok());
    parsed.map_or_else(|| held.clone(), super::record::number)
}

fn nano(item: &Value, names: &[&str]) -> u64 {
    match any(item, names) {
        Some(Value::String(text)) => text.trim().parse().unwrap_or(0),
        Some(Value::Number(number)) => number.as_u64().unwrap_or_else(|| number.as_f64().map_or(0, |at| at as u64)),
        _ => 0,
    }
}

fn owned(item: &Value, names: &[&str]) -> String {
    text(item, names).unwrap_or_default().to_owned()
}

fn list<'a>(item: &'a Value, names: &[&str]) -> &'a [Value] {
    any(item, names).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
