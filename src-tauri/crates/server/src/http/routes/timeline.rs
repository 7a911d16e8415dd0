//! `/api/v1/timeline...` and a session's track.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use orrery_store::{Store, StoreError};
use orrery_types::{Busy, Sums, Timeline, TimelineQuery, Track};
use serde::Deserialize;

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Params;
use crate::timeline::Timelines;

pub async fn track(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Track>, Failure> {
    let track = app.read(move |store| store.track(&id)).await?;
    track.map(Json).ok_or_else(|| Failure::not_found("This session"))
}

pub async fn picture(
    State(app): State<Arc<App>>,
    Params(query): Params<TimelineQuery>,
) -> Result<Json<Timeline>, Failure> {
    let now_ms = app.clock.now_ms();
    read(&app, query, move |timelines, store, query| timelines.picture(store, query, now_ms)).await
}

pub async fn busy(State(app): State<Arc<App>>, Params(query): Params<TimelineQuery>) -> Result<Json<Busy>, Failure> {
    let now_ms = app.clock.now_ms();
    read(&app, query, move |timelines, store, query| timelines.busy(store, query, now_ms)).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SumsParams {
    from_ms: i64,
    to_ms: i64,
    project: Option<String>,
    agent: Option<String>,
    session: Option<String>,
    /// Session whose critical path is wanted.
    path_of: Option<String>,
}

pub async fn sums(State(app): State<Arc<App>>, Params(params): Params<SumsParams>) -> Result<Json<Sums>, Failure> {
    let now_ms = app.clock.now_ms();
    let SumsParams { from_ms, to_ms, project, agent, session, path_of } = params;
    let query = TimelineQuery { from_ms, to_ms, project, agent, session, ..TimelineQuery::default() };
    read(&app, query, move |timelines, store, query| timelines.sums(store, query, path_of.as_deref(), now_ms)).await
}

async fn read<T: Send + 'static>(
    app: &Arc<App>,
    query: TimelineQuery,
    work: impl FnOnce(&Timelines, &dyn Store, &TimelineQuery) -> Result<T, StoreError> + Send + 'static,
) -> Result<Json<T>, Failure> {
    if query.to_ms <= query.from_ms {
        let hint = "Send from_ms and to_ms in ms since 1970, the earlier first";
        return Err(Failure::bad("bad_range", "The time is empty", hint));
    }
    let timelines = app.timelines.clone();
    Ok(Json(app.read(move |store| work(&timelines, store, &query)).await?))
}
