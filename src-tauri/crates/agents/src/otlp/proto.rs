//! OTLP in protobuf: the fields we read, by their numbers in opentelemetry-proto 1.x. Anything else is skipped.
//!
//! Texts are declared as bytes: one text that is not UTF-8 must not lose the batch it came in.

use prost::{Message, Oneof};
use serde_json::Value;

use super::record::{Record, attributes, number};
use super::{Parsed, Signal};
use crate::id::hex;

/// Reads an export request.
pub fn parse(signal: Signal, bytes: &[u8]) -> Result<Parsed, String> {
    let wrong = |error: prost::DecodeError| error.to_string();
    let mut parsed = Parsed::default();
    match signal {
        Signal::Logs => {
            for group in Logs::decode(bytes).map_err(wrong)?.groups {
                let base = base(group.resource);
                for scope in group.scopes {
                    let base = scoped(&base, scope.scope);
                    parsed.records.extend(scope.records.into_iter().map(|item| item.record(&base)));
                }
            }
        }
        Signal::Traces => {
            for group in Traces::decode(bytes).map_err(wrong)?.groups {
                let base = base(group.resource);
                for scope in group.scopes {
                    let base = scoped(&base, scope.scope);
                    parsed.records.extend(scope.spans.into_iter().map(|item| item.record(&base)));
                }
            }
        }
        Signal::Metrics => {
            for group in Metrics::decode(bytes).map_err(wrong)?.groups {
                let base = base(group.resource);
                for scope in group.scopes {
                    let base = scoped(&base, scope.scope);
                    scope.metrics.into_iter().for_each(|metric| metric.points(&base, &mut parsed.records));
                }
            }
        }
    }
    Ok(parsed)
}

/// An empty answer, or one that tells how many items were of no use.
pub fn answer(rejected: u64, message: &str) -> Vec<u8> {
    let partial =
        PartialSuccess { rejected: i64::try_from(rejected).unwrap_or(i64::MAX), message: message.as_bytes().to_vec() };
    Answer { partial: (rejected > 0).then_some(partial) }.encode_to_vec()
}

/// The `google.rpc.Status` that the protocol wants of a refusal.
pub fn refusal(message: &str) -> Vec<u8> {
    Refusal { message: message.as_bytes().to_vec() }.encode_to_vec()
}

#[derive(Message)]
struct Answer {
    #[prost(message, optional, tag = "1")]
    partial: Option<PartialSuccess>,
}

#[derive(Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(bytes = "vec", tag = "2")]
    message: Vec<u8>,
}

#[derive(Message)]
struct Refusal {
    #[prost(bytes = "vec", tag = "2")]
    message: Vec<u8>,
}

#[derive(Message)]
struct Logs {
    #[prost(message, repeated, tag = "1")]
    groups: Vec<ResourceLogs>,
}

#[derive(Message)]
struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeLogs>,
}

#[derive(Message)]
struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    records: Vec<LogRecord>,
}

#[derive(Message)]
struct Traces {
    #[prost(message, repeated, tag = "1")]
    groups: Vec<ResourceSpans>,
}

#[derive(Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeSpans>,
}

#[derive(Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Message)]
struct Metrics {
    #[prost(message, repeated, tag = "1")]
    groups: Vec<ResourceMetrics>,
}

#[derive(Message)]
struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeMetrics>,
}

#[derive(Message)]
struct ScopeMetrics {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
}

#[derive(Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct Scope {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
}

#[derive(Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time: u64,
    #[prost(message, optional, tag = "5")]
    body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
    #[prost(bytes = "vec", tag = "9")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    span_id: Vec<u8>,
    #[prost(fixed64, tag = "11")]
    observed: u64,
    #[prost(bytes = "vec", tag = "12")]
    event_name: Vec<u8>,
}

impl LogRecord {
    fn record(self, base: &Record) -> Record {
        Record {
            name: text(self.event_name),
            time_unix_nano: if self.time == 0 { self.observed } else { self.time },
            attributes: pairs(self.attributes),
            body: self.body.map(AnyValue::json).unwrap_or_default(),
            trace_id: hex(&self.trace_id),
            span_id: hex(&self.span_id),
            ..base.clone()
        }
    }
}

#[derive(Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    name: Vec<u8>,
    #[prost(fixed64, tag = "7")]
    start: u64,
    #[prost(fixed64, tag = "8")]
    end: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "11")]
    events: Vec<SpanEvent>,
    #[prost(message, optional, tag = "15")]
    status: Option<SpanStatus>,
}

#[derive(Message)]
struct SpanEvent {
    #[prost(fixed64, tag = "1")]
    time: u64,
    #[prost(bytes = "vec", tag = "2")]
    name: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct SpanStatus {
    #[prost(bytes = "vec", tag = "2")]
    message: Vec<u8>,
    #[prost(int32, tag = "3")]
    code: i32,
}

impl Span {
    fn record(self, base: &Record) -> Record {
        let events: Vec<Value> = self
            .events
            .into_iter()
            .map(|event| {
                let (name, at) = (text(event.name), event.time);
                serde_json::json!({"name": name, "timeUnixNano": at, "attributes": pairs(event.attributes)})
            })
            .collect();
        let status = self.status.filter(|status| status.code != 0 || !status.message.is_empty());
        Record {
            name: text(self.name),
            start_unix_nano: self.start,
            time_unix_nano: self.end,
            attributes: pairs(self.attributes),
            body: status.map(|status| status.json()).unwrap_or_default(),
            trace_id: hex(&self.trace_id),
            span_id: hex(&self.span_id),
            parent_span_id: hex(&self.parent_span_id),
            events: if events.is_empty() { Value::Null } else { Value::Array(events) },
            ..base.clone()
        }
    }
}

impl SpanStatus {
    fn json(self) -> Value {
        let message = text(self.message);
        if message.is_empty() {
            return serde_json::json!({ "code": self.code });
        }
        serde_json::json!({"code": self.code, "message": message})
    }
}

#[derive(Message)]
struct Metric {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    unit: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    gauge: Option<Numbers>,
    #[prost(message, optional, tag = "7")]
    sum: Option<Numbers>,
    #[prost(message, optional, tag = "9")]
    histogram: Option<Histogram>,
    #[prost(message, optional, tag = "10")]
    exponential: Option<Exponential>,
    #[prost(message, optional, tag = "11")]
    summary: Option<Summary>,
}

#[derive(Message)]
struct Numbers {
    #[prost(message, repeated, tag = "1")]
    points: Vec<NumberPoint>,
}

#[derive(Message)]
struct NumberPoint {
    #[prost(fixed64, tag = "2")]
    start: u64,
    #[prost(fixed64, tag = "3")]
    time: u64,
    #[prost(double, optional, tag = "4")]
    double: Option<f64>,
    #[prost(sfixed64, optional, tag = "6")]
    int: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct Histogram {
    #[prost(message, repeated, tag = "1")]
    points: Vec<HistogramPoint>,
}

#[derive(Message)]
struct HistogramPoint {
    #[prost(fixed64, tag = "2")]
    start: u64,
    #[prost(fixed64, tag = "3")]
    time: u64,
    #[prost(double, optional, tag = "5")]
    sum: Option<f64>,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct Exponential {
    #[prost(message, repeated, tag = "1")]
    points: Vec<ExponentialPoint>,
}

#[derive(Message)]
struct ExponentialPoint {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
    #[prost(fixed64, tag = "2")]
    start: u64,
    #[prost(fixed64, tag = "3")]
    time: u64,
    #[prost(double, optional, tag = "5")]
    sum: Option<f64>,
}

#[derive(Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    points: Vec<SummaryPoint>,
}

#[derive(Message)]
struct SummaryPoint {
    #[prost(fixed64, tag = "2")]
    start: u64,
    #[prost(fixed64, tag = "3")]
    time: u64,
    #[prost(double, tag = "5")]
    sum: f64,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
}

impl Metric {
    fn points(self, base: &Record, out: &mut Vec<Record>) {
        let base = Record { name: text(self.name), unit: text(self.unit), ..base.clone() };
        let mut push = |(start, time): (u64, u64), body: Value, attributes: Vec<KeyValue>| {
            let attributes = pairs(attributes);
            out.push(Record { start_unix_nano: start, time_unix_nano: time, attributes, body, ..base.clone() });
        };
        for point in [self.gauge, self.sum].into_iter().flatten().flat_map(|numbers| numbers.points) {
            let body = point.int.map(Value::from).or(point.double.map(number)).unwrap_or_default();
            push((point.start, point.time), body, point.attributes);
        }
        for point in self.histogram.into_iter().flat_map(|data| data.points) {
            push((point.start, point.time), point.sum.map(number).unwrap_or_default(), point.attributes);
        }
        for point in self.exponential.into_iter().flat_map(|data| data.points) {
            push((point.start, point.time), point.sum.map(number).unwrap_or_default(), point.attributes);
        }
        for point in self.summary.into_iter().flat_map(|data| data.points) {
            push((point.start, point.time), number(point.sum), point.attributes);
        }
    }
}

#[derive(Message)]
struct KeyValue {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Message)]
struct AnyValue {
    #[prost(oneof = "Held", tags = "1, 2, 3, 4, 5, 6, 7")]
    held: Option<Held>,
}

#[derive(Oneof)]
enum Held {
    #[prost(bytes, tag = "1")]
    Text(Vec<u8>),
    #[prost(bool, tag = "2")]
    Flag(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    List(Values),
    #[prost(message, tag = "6")]
    Pairs(Pairs),
    #[prost(bytes, tag = "7")]
    Bytes(Vec<u8>),
}

#[derive(Message)]
struct Values {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

#[derive(Message)]
struct Pairs {
    #[prost(message, repeated, tag = "1")]
    values: Vec<KeyValue>,
}

impl AnyValue {
    /// The decoder allows a hundred levels, so this ends.
    fn json(self) -> Value {
        match self.held {
            None => Value::Null,
            Some(Held::Text(bytes)) => Value::String(text(bytes)),
            Some(Held::Flag(flag)) => Value::Bool(flag),
            Some(Held::Int(held)) => Value::from(held),
            Some(Held::Double(held)) => number(held),
            Some(Held::List(list)) => list.values.into_iter().map(AnyValue::json).collect(),
            Some(Held::Pairs(held)) => pairs(held.values),
            Some(Held::Bytes(bytes)) => Value::String(hex(&bytes)),
        }
    }
}

fn base(resource: Option<Resource>) -> Record {
    let resource = resource.map(|resource| resource.attributes).unwrap_or_default();
    Record { resource: pairs(resource), ..Record::default() }
}

fn scoped(base: &Record, scope: Option<Scope>) -> Record {
    Record { scope: scope.map(|scope| text(scope.name)).unwrap_or_default(), ..base.clone() }
}

fn pairs(list: Vec<KeyValue>) -> Value {
    attributes(list.into_iter().map(|pair| (text(pair.key), pair.value.map(AnyValue::json).unwrap_or_default())))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
