//! `/events...`: what the family's senders post and its dashboards read.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use orrery_agents::{Context, sender};
use orrery_store::{Raw, Store, StoreError};
use orrery_types::{Event, EventQuery, Source};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::{Params, Payload};
use crate::{family, ingest};

const PLACE: &str = "/events";
const RECENT: u32 = 300;
const MOST: u32 = 10_000;

/// `POST /events`: stores one event and answers with it, exactly 200 and after the commit.
pub async fn post(State(app): State<Arc<App>>, Payload(body): Payload) -> Result<Response, Failure> {
    let posted = family::parse(&body).map_err(|words| {
        Failure::bad("bad_event", words, "Send an object with source_app, session_id, hook_event_type and payload")
    })?;
    let (id, received_ms) = app.recent.id(&posted.value, app.clock.now_ms());
    let context =
        Context { source: Source::Sender, received_ms, delivery_id: id, place: PLACE.to_owned(), demo: false };
    let mut decoded = sender::decode(&posted.value, &context);
    if decoded.events.is_empty() {
        decoded.events.push(ingest::unreadable(&context, "custom", "An event without a reading".to_owned()));
    }
    let at_ms = family::own_timestamp(&posted.value).unwrap_or(received_ms);
    let raw = Raw { source: Source::Sender, place: PLACE.to_owned(), bytes: posted.text.clone().into_bytes() };
    let appended = app.ingest.one(raw, decoded).await?;
    let seq = appended.seqs.first().and_then(|seqs| seqs.first()).copied().unwrap_or_default();
    let body = family::echo(&posted, seq, at_ms);
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RecentParams {
    limit: Option<u32>,
    agent_type: Option<String>,
}

/// `GET /events/recent`: the newest events, oldest first.
pub async fn recent(
    State(app): State<Arc<App>>,
    Params(params): Params<RecentParams>,
) -> Result<Json<Vec<Value>>, Failure> {
    let limit = params.limit.unwrap_or(RECENT);
    Ok(Json(app.read(move |store| newest(store, limit, params.agent_type.as_deref())).await?))
}

/// The newest `limit` events in the family's shape, oldest first.
pub fn newest(store: &dyn Store, limit: u32, agent_type: Option<&str>) -> Result<Vec<Value>, StoreError> {
    let query = EventQuery { agent: agent_type.map(own_slug), ..EventQuery::default() };
    let mut events = pages(store, query, limit.min(MOST))?;
    events.reverse();
    family::events_json(store, &events)
}

/// Up to `limit` events, newest first, over as many pages as that takes.
fn pages(store: &dyn Store, query: EventQuery, limit: u32) -> Result<Vec<Event>, StoreError> {
    let mut events: Vec<Event> = Vec::new();
    let mut before = query.before;
    while (events.len() as u32) < limit {
        let wanted = (limit - events.len() as u32).min(500);
        let page = store.events(&EventQuery { before, limit: Some(wanted), ..query.clone() })?;
        let Some(last) = page.items.last() else { break };
        before = Some(last.seq);
        events.extend(page.items);
    }
    Ok(events)
}

fn own_slug(agent_type: &str) -> String {
    family::slug(agent_type).to_owned()
}

/// `GET /events/filter-options`: what a dashboard can narrow by.
pub async fn filter_options(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let options = app.read(|store| store.filter_options()).await?;
    let agents: BTreeSet<&str> = options.agents.iter().map(|agent| family::vendor(agent)).collect();
    Ok(Json(json!({
        "source_apps": options.projects,
        "session_ids": options.session_ids,
        "hook_event_types": options.names,
        "agent_types": agents,
    })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SliceParams {
    limit: Option<u32>,
    offset: u32,
}

/// `GET /events/session/{id}`: one session's events, oldest first.
pub async fn of_session(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Params(params): Params<SliceParams>,
) -> Result<Json<Value>, Failure> {
    let limit = params.limit.unwrap_or(100).min(MOST);
    let offset = params.offset;
    let body = app
        .read(move |store| {
            let Some(detail) = store.session(&id)? else { return Ok(None) };
            let events = oldest(store, &id, offset, limit)?;
            let row = detail.row;
            let more = u64::from(offset) + (events.len() as u64) < row.events;
            Ok(Some(json!({
                "session_id": id,
                "event_count": events.len(),
                "total_event_count": row.events,
                "duration_ms": row.last_ms - row.started_ms,
                "start_time": row.started_ms,
                "end_time": row.last_ms,
                "pagination": {"limit": limit, "offset": offset, "has_more": more},
                "events": family::events_json(store, &events)?,
            })))
        })
        .await?;
    body.map(Json).ok_or_else(|| Failure::not_found("This session"))
}

/// `limit` events of a session from the `offset`-th on, oldest first. Skipping walks pages: dashboards ask for early ones.
pub fn oldest(store: &dyn Store, session: &str, offset: u32, limit: u32) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    let mut after = 0;
    let mut to_skip = offset as usize;
    while (events.len() as u32) < limit {
        let query = EventQuery {
            session: Some(session.to_owned()),
            after: Some(after),
            limit: Some(500),
            ..EventQuery::default()
        };
        let page = store.events(&query)?.items;
        let Some(last) = page.last() else { break };
        after = last.seq;
        let skipped = to_skip.min(page.len());
        to_skip -= skipped;
        events.extend(page.into_iter().skip(skipped));
    }
    events.truncate(limit as usize);
    Ok(events)
}
