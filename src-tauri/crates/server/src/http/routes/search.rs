//! `/api/v1/search` and `/api/v1/presets`; `/events/search` asks the same.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use orrery_store::{Cancel, Search};
use orrery_types::{Event, Field, Filter, FilterError, Moment, Op, Preset, SearchPage, SearchQuery};
use orrery_views::filter::{Clock, parse};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::family;
use crate::http::problem::Failure;
use crate::http::request::{Document, Params};

const LIMIT: u32 = 50;
const MOST: u32 = 1_000;
const FAMILY_MOST: u32 = 10_000;
/// A search that has not found enough by then answers what it has and where to go on.
const TIME: Duration = Duration::from_secs(2);
const NAME_CHARS: usize = 80;

/// Searches at a time. Each holds one of the store's few readers; pages must not wait behind them.
static SEATS: Semaphore = Semaphore::const_new(2);

/// Ends the search when the client has gone: axum drops the handler's future then.
struct Gone(Cancel);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set();
    }
}

pub async fn get(State(app): State<Arc<App>>, Params(query): Params<SearchQuery>) -> Result<Json<SearchPage>, Failure> {
    let filter = parse(&query.q).map_err(refusal)?;
    let clock = Clock { now_ms: app.clock.now_ms(), utc_offset_minutes: query.utc_offset_minutes };
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, MOST);
    let cancel = Cancel::default();
    let search = Search { filter, clock, before: query.before, limit, facets: query.facets, time: TIME, cancel };
    run(&app, search).await.map(Json)
}

async fn run(app: &App, search: Search) -> Result<SearchPage, Failure> {
    let _seat = SEATS.acquire().await.map_err(Failure::internal)?;
    let _gone = Gone(search.cancel.clone());
    Ok(app.read(move |store| store.search(&search)).await?)
}

/// What cannot be read, with its place in the query.
fn refusal(error: FilterError) -> Failure {
    let mut failure = Failure::bad("bad_query", error.message, &error.hint);
    failure.0.span = Some((error.start, error.end));
    failure
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct FamilyParams {
    q: String,
    from: Option<i64>,
    to: Option<i64>,
    agent_type: Option<String>,
    event_type: Option<String>,
    session_id: Option<String>,
    limit: Option<u32>,
}

/// `GET /events/search`: newest first. What cannot be read as a query is looked for as it stands.
pub async fn of_family(
    State(app): State<Arc<App>>,
    Params(params): Params<FamilyParams>,
) -> Result<Json<Value>, Failure> {
    let words = params.q.trim().to_owned();
    let asked = parse(&words).unwrap_or_else(|_| {
        Filter::And(words.split_whitespace().map(|word| Filter::Phrase(word.to_owned())).collect())
    });
    let value = |field, value: String| Filter::Value { field, any: vec![value] };
    let time = |op, ms| Filter::Time { op, moment: Moment::Utc(ms) };
    let parts = [
        Some(asked),
        params.session_id.clone().map(|id| value(Field::Session, id)),
        params.agent_type.map(|agent| value(Field::Agent, family::slug(&agent).to_owned())),
        params.event_type.map(|name| value(Field::Name, name)),
        params.from.map(|ms| time(Op::AtLeast, ms)),
        params.to.map(|ms| time(Op::Less, ms)),
    ];
    let filter = Filter::And(parts.into_iter().flatten().collect());
    let clock = Clock { now_ms: app.clock.now_ms(), utc_offset_minutes: 0 };
    let limit = params.limit.unwrap_or(100).min(FAMILY_MOST);
    let cancel = Cancel::default();
    let search = Search { filter, clock, before: None, limit, facets: false, time: TIME, cancel };
    let page = if limit == 0 { SearchPage::default() } else { run(&app, search).await? };
    // A session is named in full here.
    let is_wanted = |event: &Event| params.session_id.as_ref().is_none_or(|id| *id == event.session_id);
    let events: Vec<Event> = page.hits.into_iter().map(|hit| hit.event).filter(is_wanted).collect();
    let events = app.read(move |store| family::events_json(store, &events)).await?;
    Ok(Json(json!({"total": events.len(), "events": events, "query": words})))
}

pub async fn presets(State(app): State<Arc<App>>) -> Result<Json<Vec<Preset>>, Failure> {
    Ok(Json(app.read(|store| store.presets()).await?))
}

pub async fn add_preset(
    State(app): State<Arc<App>>,
    Document(preset): Document<Preset>,
) -> Result<(StatusCode, Json<Preset>), Failure> {
    let preset = Preset { id: 0, created_ms: app.clock.now_ms(), ..checked(preset)? };
    Ok((StatusCode::CREATED, Json(save(&app, preset).await?)))
}

pub async fn change_preset(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    Document(preset): Document<Preset>,
) -> Result<Json<Preset>, Failure> {
    let known = app.read(move |store| store.presets()).await?.into_iter().find(|preset| preset.id == id);
    let known = known.ok_or_else(|| Failure::not_found("This saved search"))?;
    Ok(Json(save(&app, Preset { id, created_ms: known.created_ms, ..checked(preset)? }).await?))
}

pub async fn remove_preset(State(app): State<Arc<App>>, Path(id): Path<i64>) -> Result<StatusCode, Failure> {
    if app.store.remove_preset(id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Failure::not_found("This saved search"))
}

async fn save(app: &App, preset: Preset) -> Result<Preset, Failure> {
    let id = app.store.save_preset(preset.clone()).await.map_err(|error| match error {
        orrery_store::StoreError::BadQuery(words) => {
            Failure::conflict("name_taken", words, "Choose another name, or change the one that is there")
        }
        other => other.into(),
    })?;
    Ok(Preset { id, ..preset })
}

/// A preset with a name whose query can be read.
fn checked(preset: Preset) -> Result<Preset, Failure> {
    let name = preset.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS {
        return Err(Failure::bad("bad_name", "A saved search needs a name of 1 to 80 letters", "Give it a name"));
    }
    parse(&preset.query).map_err(refusal)?;
    Ok(Preset { name, ..preset })
}
