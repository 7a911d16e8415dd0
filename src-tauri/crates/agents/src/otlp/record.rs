//! One log record, span or metric point, whichever encoding it came in.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Signal;
use crate::id;
use crate::json::{filled, one_line};

/// Attributes that name a person. They are left out before anything is kept.
const PERSONAL: [&str; 2] = ["user.email", "enduser.id"];

/// What the three signals have in common. Times are ns since 1970 UTC; 0 when the sender gave none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Name of the event, the span or the metric.
    pub name: String,
    /// Start of a span, or of the time a metric point sums over.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_unix_nano: u64,
    /// Time of the event, end of the span, time of the metric point.
    #[serde(skip_serializing_if = "is_zero")]
    pub time_unix_nano: u64,
    pub attributes: Value,
    /// Body of a log record, value of a metric point, status of a span.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub body: Value,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Lowercase hex.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trace_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub span_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parent_span_id: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub events: Value,
    /// Attributes of what sent it.
    pub resource: Value,
    /// Name of the library that made it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Record {
    /// The name an exporter gave, wherever it puts it: `event.name`, the field of that name, or the body's text.
    pub fn log_name(&self) -> String {
        let name = filled(&self.attributes, &["event.name"])
            .or_else(|| Some(self.name.as_str()).filter(|name| !name.is_empty()))
            .or_else(|| self.body.as_str())
            .unwrap_or("log");
        one_line(name, 120)
    }

    /// Time in ms since 1970 UTC. `None` when the record has no believable one.
    pub fn at_ms(&self) -> Option<i64> {
        let stamp = crate::time::parse(self.attributes.get("event.timestamp"));
        stamp.or_else(|| ms(self.time_unix_nano)).or_else(|| ms(self.start_unix_nano))
    }

    pub fn start_ms(&self) -> Option<i64> {
        ms(self.start_unix_nano)
    }

    /// Length of a span in ms.
    pub fn duration_ms(&self) -> i64 {
        i64::try_from(self.time_unix_nano.saturating_sub(self.start_unix_nano) / 1_000_000).unwrap_or(0)
    }

    /// The session that the sender names. Spans without one belong to their trace, other records to who sent them.
    pub fn session(&self) -> String {
        const NAMES: [&str; 6] = [
            "session.id",
            "conversation.id",
            "gen_ai.conversation.id",
            "session_id",
            "thread.id",
            "copilot_chat.session_id",
        ];
        let named = filled(&self.attributes, &NAMES).or_else(|| filled(&self.resource, &NAMES));
        let named = named.map(|name| one_line(name, 200)).filter(|name| !name.is_empty());
        named.unwrap_or_else(|| match self.trace_id.as_str() {
            "" => format!("otel-{}", &self.hash("sender", &[])[..16]),
            trace => format!("trace-{trace}"),
        })
    }

    /// Whether the sender names the session.
    pub fn names_session(&self) -> bool {
        !self.session().starts_with("trace-") && !self.session().starts_with("otel-")
    }

    /// An id that the same record has whenever it is sent again. `what` tells facts of one record apart.
    pub fn id(&self, signal: Signal, what: &str) -> String {
        match signal {
            Signal::Traces if !self.span_id.is_empty() => id::hash(&["otel-span", &self.trace_id, &self.span_id, what]),
            Signal::Logs if self.attributes.get("event.sequence").is_some() => {
                let sequence = self.attributes.get("event.sequence").map(ToString::to_string).unwrap_or_default();
                let time = self.time_unix_nano.to_string();
                id::hash(&["otel-log", &self.session(), sequence.trim_matches('"'), &self.log_name(), &time, what])
            }
            _ => self.hash(
                what,
                &[
                    &self.name,
                    &self.attributes.to_string(),
                    &self.body.to_string(),
                    &self.start_unix_nano.to_string(),
                    &self.time_unix_nano.to_string(),
                    &self.trace_id,
                    &self.span_id,
                ],
            ),
        }
    }

    fn hash(&self, what: &str, parts: &[&str]) -> String {
        let sender = self.resource.to_string();
        let mut all = vec!["otel", what, sender.as_str()];
        all.extend(parts);
        id::hash(&all)
    }
}

fn ms(nano: u64) -> Option<i64> {
    let ms = nano / 1_000_000;
    crate::time::parse(Some(&Value::from(ms))).filter(|_| ms > 0)
}

/// A number, whole ones without a fraction whichever way the sender wrote them.
pub fn number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT { Value::from(number as i64) } else { Value::from(number) }
}

/// Attributes as an object. Of two with one name the last counts.
pub fn attributes(pairs: impl IntoIterator<Item = (String, Value)>) -> Value {
    let kept = pairs.into_iter().filter(|(name, _)| !PERSONAL.contains(&name.as_str()));
    Value::Object(kept.collect::<Map<_, _>>())
}
