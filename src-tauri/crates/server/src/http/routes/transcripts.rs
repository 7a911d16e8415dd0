//! `POST /api/v1/transcripts/{agent}`: lines of a transcript that is not on this machine's disk.

use std::collections::HashMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use orrery_agents::transcript::{FileInfo, Reader};
use orrery_agents::{Context, paths};
use orrery_store::{Batch, Raw};
use orrery_types::{AgentId, Source};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Remote};
use crate::http::problem::Failure;
use crate::http::request::{Params, Payload};
use crate::ingest::Audience;
use crate::jobs::tail::line_id;

/// Readers kept at a time; the one unused for longest goes first.
const MOST_READERS: usize = 256;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TranscriptParams {
    /// The file's name, with the folders that say whose it is: `projects/x/SESSION.jsonl`.
    name: String,
    demo: Option<String>,
}

/// Reads the lines after those posted before under the same name. Answers how many lines and new events there were.
pub async fn post(
    State(app): State<Arc<App>>,
    Path(agent): Path<String>,
    Params(params): Params<TranscriptParams>,
    Payload(body): Payload,
) -> Result<Json<Value>, Failure> {
    let agent = AgentId::from_slug(&agent).ok_or_else(|| Failure::not_found("This agent"))?;
    if params.name.is_empty() || params.name.len() > 1_024 {
        return Err(Failure::bad("bad_name", "The transcript needs a name", "Add ?name=SESSION.jsonl"));
    }
    let demo = params.demo.as_deref() == Some("1");
    let now_ms = app.clock.now_ms();
    let mut readers = app.readers.lock().await;
    let remote = open(&mut readers, agent, &params.name, now_ms);
    let mut batch = Batch::default();
    let (mut reader, mut lines) = (remote.reader.clone(), remote.lines);
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        lines += 1;
        let context = Context {
            source: Source::Transcript,
            received_ms: now_ms,
            delivery_id: line_id(FilePath::new(&params.name), lines, line),
            place: params.name.clone(),
            demo,
        };
        let decoded = reader.line(line, lines, &context);
        let raw = (!decoded.events.is_empty()).then(|| Raw {
            source: Source::Transcript,
            place: format!("{}:{lines}", params.name),
            bytes: line.to_vec(),
        });
        let (item, problems) = app.ingest.item(raw, decoded);
        batch.items.push(item);
        batch.problems.extend(problems);
    }
    let read = lines - remote.lines;
    let appended = app.ingest.append(batch, Audience::All).await?;
    // Only what is committed counts as read: a sender may try the same piece again.
    (remote.reader, remote.lines) = (reader, lines);
    Ok(Json(json!({"lines": read, "events": appended.new_events})))
}

fn open<'a>(
    readers: &'a mut HashMap<(String, String), Remote>,
    agent: AgentId,
    name: &str,
    now_ms: i64,
) -> &'a mut Remote {
    let key = (agent.slug().to_owned(), name.to_owned());
    if !readers.contains_key(&key) && readers.len() >= MOST_READERS {
        let oldest = readers.iter().min_by_key(|(_, remote)| remote.used_ms).map(|(key, _)| key.clone());
        oldest.and_then(|key| readers.remove(&key));
    }
    let remote = readers.entry(key).or_insert_with(|| {
        let path = FilePath::new(name);
        let info = paths::is_any_transcript(agent, path);
        let info = info.unwrap_or_else(|| FileInfo { path: name.to_owned(), ..FileInfo::default() });
        Remote { reader: Reader::open(agent, &info, None), lines: 0, used_ms: now_ms }
    });
    remote.used_ms = now_ms;
    remote
}
