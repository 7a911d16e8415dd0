//! The family's event JSON: what its senders post and its dashboards read.

pub mod text;

use std::collections::HashMap;
use std::sync::Mutex;

use orrery_store::{Raw, Store, StoreError};
use orrery_types::{Body, Event, EventId, Source};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{clock, token};

/// Equal bodies without a time of their own are one event within this long.
const SAME_MS: i64 = 60_000;
const MAX_RECENT: usize = 20_000;

/// A posted object that holds what the contract asks for.
#[derive(Debug)]
pub struct Posted {
    pub value: Value,
    /// The object's text, as posted but for bytes that are no text.
    pub text: String,
}

/// Reads and checks one posted event. The error is the message for the sender.
pub fn parse(bytes: &[u8]) -> Result<Posted, String> {
    let (value, text) = text::read(bytes).map_err(|error| format!("Invalid JSON: {error}"))?;
    let Value::Object(fields) = &value else {
        return Err("The event must be a JSON object".to_owned());
    };
    for name in ["source_app", "session_id", "hook_event_type"] {
        match fields.get(name) {
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(Value::String(_) | Value::Null) | None => return Err(format!("Missing required field: {name}")),
            Some(_) => return Err(format!("Field {name} must be a text")),
        }
    }
    if !fields.get("payload").is_some_and(truthy) {
        return Err("Missing required field: payload".to_owned());
    }
    Ok(Posted { value, text })
}

/// The posted object's text with the stored event's `id`, and `timestamp` where it had none.
pub fn echo(posted: &Posted, seq: i64, at_ms: i64) -> String {
    let fields = posted.value.as_object();
    let has = |name: &str| fields.is_some_and(|fields| fields.contains_key(name));
    if has("id") || (has("timestamp") && own_timestamp(&posted.value).is_none()) {
        let mut value = posted.value.clone();
        value["id"] = json!(seq);
        if own_timestamp(&value).is_none() {
            value["timestamp"] = json!(at_ms);
        }
        return value.to_string();
    }
    // Everything else of the sender's text, escapes and number forms included, comes back as it was.
    let text = posted.text.trim_end();
    let open = text.strip_suffix('}').unwrap_or(text);
    let timestamp = if has("timestamp") { String::new() } else { format!(",\"timestamp\":{at_ms}") };
    format!("{open},\"id\":{seq}{timestamp}}}")
}

/// The time a sender gave, ms. `None` when it gave none or no number.
pub fn own_timestamp(posted: &Value) -> Option<i64> {
    let timestamp = posted.get("timestamp")?;
    timestamp.as_i64().or_else(|| timestamp.as_f64().map(|ms| ms as i64)).filter(|ms| *ms > 0)
}

/// One event as the family's dashboards read it. `raw` is the payload it was decoded from, where it is at hand.
pub fn event_json(event: &Event, raw: Option<(Source, &[u8])>) -> Value {
    let parsed = raw.and_then(|(source, bytes)| Some((source, text::read(bytes).ok()?.0)));
    let mut fields = match parsed {
        Some((Source::Sender, Value::Object(posted))) => posted,
        other => built(event, other.map(|(_, payload)| payload)),
    };
    fields.insert("id".to_owned(), json!(event.seq));
    if !fields.get("timestamp").is_some_and(Value::is_number) {
        fields.insert("timestamp".to_owned(), json!(event.at_ms));
    }
    if let Body::Question { answer: Some(answer), .. } = &event.body {
        let status = json!({"status": "responded", "respondedAt": answer.at_ms, "response": answer.value});
        fields.insert("humanInTheLoopStatus".to_owned(), status);
    }
    Value::Object(fields)
}

/// Events in the family's shape, each with its own raw payload. Blocks: for the store's reading threads.
pub fn events_json(store: &dyn Store, events: &[Event]) -> Result<Vec<Value>, StoreError> {
    events
        .iter()
        .map(|event| {
            let raws = store.raw(event.seq)?;
            Ok(event_json(event, best_raw(&raws).map(|raw| (raw.source, raw.bytes.as_slice()))))
        })
        .collect()
}

/// The vendor the family calls an agent by.
pub fn vendor(agent: &str) -> &str {
    match agent {
        "claude-code" => "claude",
        "gemini-cli" => "gemini",
        "copilot-cli" => "copilot",
        other => other,
    }
}

/// Our slug for a vendor of the family.
pub fn slug(vendor: &str) -> &str {
    match vendor {
        "claude" => "claude-code",
        "gemini" => "gemini-cli",
        "copilot" => "copilot-cli",
        other => other,
    }
}

fn best_raw(raws: &[Raw]) -> Option<&Raw> {
    raws.iter().find(|raw| raw.source == Source::Sender).or(raws.first())
}

fn built(event: &Event, payload: Option<Value>) -> Map<String, Value> {
    let payload = payload.filter(truthy).unwrap_or_else(|| json!(event.body));
    let cwd = payload.get("cwd").and_then(Value::as_str).unwrap_or_default();
    let project = cwd.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
    let source_app = if project.is_empty() { event.agent.as_str() } else { project };
    let fields = json!({
        "source_app": source_app,
        "session_id": event.session_id,
        "hook_event_type": event.name,
        "agent_type": vendor(&event.agent),
        "payload": payload,
        "timestamp": event.at_ms,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// As JavaScript sees it.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Bodies without a time of their own, so that a sender's second try meets its first.
#[derive(Debug, Default)]
pub struct Recent {
    seen: Mutex<HashMap<EventId, (EventId, i64)>>,
}

impl Recent {
    /// Id and time of receipt of a posted body: those of its first try within the last minute, else new ones.
    pub fn id(&self, posted: &Value, now_ms: i64) -> (EventId, i64) {
        if own_timestamp(posted).is_some() {
            return (orrery_agents::sender::event_id(posted, 0), now_ms);
        }
        let key = orrery_agents::sender::event_id(posted, 0);
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((id, at_ms)) = seen.get(&key).filter(|(_, at_ms)| (0..SAME_MS).contains(&(now_ms - at_ms))) {
            return (id.clone(), *at_ms);
        }
        if seen.len() >= MAX_RECENT {
            seen.retain(|_, (_, at_ms)| now_ms - *at_ms < SAME_MS);
        }
        // The minute in the id lets a try after a restart of the server meet the first one as well.
        let minute = now_ms.div_euclid(SAME_MS).to_le_bytes();
        let id = token::hex(&Sha256::new().chain_update(&key).chain_update(minute).finalize()[..16]);
        seen.insert(key, (id.clone(), now_ms));
        (id, now_ms)
    }
}

/// The family's CSV row of an event, in the order of [`CSV_HEAD`].
pub fn csv_row(event: &Event) -> String {
    let fields = [
        event.seq.to_string(),
        clock::rfc3339(event.at_ms),
        event.session_id.clone(),
        event.agent.clone(),
        event.name.clone(),
        headline(&event.body),
    ];
    let cells: Vec<String> = fields.iter().map(|field| csv_cell(field)).collect();
    cells.join(",") + "\r\n"
}

/// First line of the CSV export.
pub const CSV_HEAD: &str = "id,time,session_id,agent,event,text\r\n";

/// One line that says what the event is about.
pub fn headline(body: &Body) -> String {
    match body {
        Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => text.clone(),
        Body::ToolStart { tool, target, .. } | Body::Permission { tool, target, .. } => format!("{tool} {target}"),
        Body::ToolEnd { tool, target, error, .. } => match error {
            Some(error) => format!("{tool} {target}: {error}"),
            None => format!("{tool} {target}"),
        },
        Body::PermissionDenied { tool, target, reason, .. } => format!("{tool} {target}: {reason}"),
        Body::Question { question, .. } => question.text.clone(),
        Body::Notification { message, .. } | Body::SubagentStop { message } | Body::Stop { message } => message.clone(),
        Body::Failure { error, details } => format!("{error} {details}"),
        Body::Rewind { text, .. } => text.clone(),
        Body::Other { summary } => summary.clone(),
        Body::SessionStart { reason, .. } | Body::SessionEnd { reason } => reason.clone(),
        Body::Compact { trigger, .. } => trigger.clone(),
        Body::SubagentStart | Body::Interrupt => String::new(),
    }
}

/// Quoted, and with a leading apostrophe where a spreadsheet would read a formula.
fn csv_cell(text: &str) -> String {
    let first = text
        .chars()
        .find(|letter| !(letter.is_whitespace() || letter.is_control() || "\u{feff}\u{200b}".contains(*letter)));
    let formula = first.is_some_and(|first| "=+-@＝＋－＠".contains(first)) || text.starts_with(['\t', '\r']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"source_app":"a","session_id":"s","hook_event_type":"Stop","payload":{"x":{"y":1e2}}}"#;

    #[test]
    fn the_echo_is_the_posted_text_and_two_fields() {
        let posted = parse(WHOLE.as_bytes()).unwrap();
        let expected = format!("{},\"id\":7,\"timestamp\":9}}", &WHOLE[..WHOLE.len() - 1]);
        assert_eq!(echo(&posted, 7, 9), expected);
        assert!(serde_json::from_str::<Value>(&expected).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        for (name, broken) in [
            ("source_app", WHOLE.replace("\"a\"", "\"\"")),
            ("session_id", WHOLE.replace("session_id", "sid")),
            ("hook_event_type", WHOLE.replace("\"Stop\"", "null")),
            ("payload", WHOLE.replace(r#"{"x":{"y":1e2}}"#, "0")),
        ] {
            assert_eq!(parse(broken.as_bytes()).unwrap_err(), format!("Missing required field: {name}"));
        }
        assert!(parse(b"[]").is_err());
        assert!(parse(b"{").unwrap_err().starts_with("Invalid JSON"));
    }

    #[test]
    fn a_second_try_meets_the_first() {
        let recent = Recent::default();
        let body = json!({"a": 1});
        let first = recent.id(&body, 1_000_000);
        assert_eq!(recent.id(&body, 1_059_999), first);
        assert_ne!(recent.id(&body, 1_060_000).0, first.0);
    }

    #[test]
    fn csv_cells_hold_no_formula() {
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
        assert_eq!(csv_cell("a \"b\""), "\"a \"\"b\"\"\"");
    }
}
