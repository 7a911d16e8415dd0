//! What was acknowledged, against what is stored.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::wire::Wire;

/// A posted event whose text names it. The same name is the same event, however often it is sent.
pub fn event(session: &str, name: &str, number: usize) -> Vec<u8> {
    let event = json!({
        "source_app": "torture",
        "session_id": session,
        "hook_event_type": "UserPromptSubmit",
        "timestamp": 1_795_000_000_000_i64 + number as i64,
        "payload": {"prompt": name, "filler": "x".repeat(600)},
    });
    event.to_string().into_bytes()
}

/// Posts one named event: its number when it was acknowledged. An error is a broken connection.
pub fn post(wire: &mut Wire, session: &str, name: &str, number: usize) -> anyhow::Result<Option<i64>> {
    let answer = wire.post("/events", &event(session, name, number))?;
    Ok(if answer.status == 200 { answer.json()?["id"].as_i64() } else { None })
}

/// Everything stored, in the order of its numbers.
pub fn stored(wire: &mut Wire) -> anyhow::Result<Vec<Stored>> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last.seq);
        let page = wire.read(&format!("/api/v1/events?after={after}&limit=1000"))?;
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            return Ok(all);
        }
        all.extend(items.iter().map(Stored::of));
    }
}

pub struct Stored {
    pub seq: i64,
    pub session: String,
    pub name: String,
    /// The event's own text.
    pub text: String,
}

impl Stored {
    fn of(event: &Value) -> Stored {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let body = &event["body"];
        let words = ["text", "message", "summary"].iter().find_map(|field| body[*field].as_str());
        Stored {
            seq: event["seq"].as_i64().unwrap_or_default(),
            session: text(&event["session_id"]),
            name: text(&event["name"]),
            text: words.unwrap_or_default().to_owned(),
        }
    }
}

/// Of the acknowledged `(name, number)`: how many are not stored under that number, and how many names are stored twice.
pub fn lost_and_doubled(acked: &[(String, i64)], stored: &[Stored]) -> (usize, usize) {
    let mut by_name: HashMap<&str, Vec<i64>> = HashMap::new();
    for one in stored {
        by_name.entry(&one.text).or_default().push(one.seq);
    }
    let is_lost = |(name, seq): &&(String, i64)| !by_name.get(name.as_str()).is_some_and(|seqs| seqs.contains(seq));
    let lost = acked.iter().filter(is_lost).count();
    (lost, by_name.values().filter(|seqs| seqs.len() > 1).count())
}
