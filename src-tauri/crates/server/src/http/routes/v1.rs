//! `/api/v1`: rows and figures of the pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use orrery_types::{Event, EventQuery, Overview, Page, Problem, SessionDetail, SessionFile, SessionQuery, SessionRow};
use orrery_views::files::Files;
use orrery_views::session::status_at;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Params;

/// Most rows of one page.
const MOST: u32 = 1_000;

pub async fn overview(State(app): State<Arc<App>>) -> Json<Overview> {
    let overview = app.overview.borrow().clone();
    Json(overview)
}

pub async fn events(
    State(app): State<Arc<App>>,
    Params(query): Params<EventQuery>,
) -> Result<Json<Page<Event>>, Failure> {
    let query = EventQuery { limit: query.limit.map(|limit| limit.min(MOST)), ..query };
    Ok(Json(app.read(move |store| store.events(&query)).await?))
}

pub async fn event(State(app): State<Arc<App>>, Path(seq): Path<i64>) -> Result<Json<Event>, Failure> {
    let event = app.read(move |store| store.event(seq)).await?;
    event.map(Json).ok_or_else(|| Failure::not_found("This event"))
}

/// The payloads an event was read from, as text; bytes that are no text are replaced.
pub async fn raw(State(app): State<Arc<App>>, Path(seq): Path<i64>) -> Result<Json<Value>, Failure> {
    let raws = app.read(move |store| store.raw(seq)).await?;
    let raws: Vec<Value> = raws
        .iter()
        .map(|raw| json!({"source": raw.source, "place": raw.place, "text": String::from_utf8_lossy(&raw.bytes)}))
        .collect();
    Ok(Json(Value::Array(raws)))
}

pub async fn sessions(
    State(app): State<Arc<App>>,
    Params(query): Params<SessionQuery>,
) -> Result<Json<Page<SessionRow>>, Failure> {
    let now_ms = app.clock.now_ms();
    let query = SessionQuery { limit: query.limit.map(|limit| limit.min(MOST)), ..query };
    let mut page = app.read(move |store| store.sessions(&query)).await?;
    page.items.iter_mut().for_each(|row| row.status = status_at(row, now_ms));
    Ok(Json(page))
}

pub async fn session(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<SessionDetail>, Failure> {
    let now_ms = app.clock.now_ms();
    let detail = app.read(move |store| {
        let Some(mut detail) = store.session(&id)? else { return Ok(None) };
        let transcripts = store.transcripts_of(&id)?;
        detail.archived =
            !transcripts.is_empty() && transcripts.iter().all(|path| !std::path::Path::new(path).exists());
        Ok(Some(detail))
    });
    let detail = detail.await?;
    let mut detail = detail.ok_or_else(|| Failure::not_found("This session"))?;
    let rows = detail.children.iter_mut().chain(detail.parent.iter_mut()).chain(std::iter::once(&mut detail.row));
    rows.for_each(|row| row.status = status_at(row, now_ms));
    Ok(Json(detail))
}

/// The files of a session, last touched first. Empty for one that is not here.
pub async fn files(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Vec<SessionFile>>, Failure> {
    let files = app.read(move |store| {
        let mut files = Files::default();
        let mut after = 0;
        loop {
            let query = EventQuery {
                session: Some(id.clone()),
                after: Some(after),
                limit: Some(MOST),
                ..EventQuery::default()
            };
            let page = store.events(&query)?.items;
            page.iter().for_each(|event| files.apply(event));
            match page.last() {
                Some(last) if page.len() == MOST as usize => after = last.seq,
                _ => return Ok(files.list()),
            }
        }
    });
    Ok(Json(files.await?))
}

/// What lists can be narrowed by.
pub async fn filters(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let options = app.read(|store| store.filter_options()).await?;
    Ok(Json(json!({
        "agents": options.agents,
        "projects": options.projects,
        "models": options.models,
        "names": options.names,
    })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LimitParams {
    pub limit: Option<u32>,
}

pub async fn problems(
    State(app): State<Arc<App>>,
    Params(params): Params<LimitParams>,
) -> Result<Json<Vec<Problem>>, Failure> {
    let limit = params.limit.unwrap_or(100).min(MOST);
    Ok(Json(app.read(move |store| store.problems(limit)).await?))
}
