//! `/sessions...` in the family's shape.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use orrery_types::{Body, Event, SessionQuery, SessionRow, SessionSort, Status};
use orrery_views::session::status_at;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::events::oldest;
use crate::app::App;
use crate::family;
use crate::http::problem::Failure;
use crate::http::request::Params;

const EVENTS: u32 = 1_000;

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct ListParams {
    limit: Option<u32>,
    offset: Option<u32>,
    source_app: Option<String>,
    status: Option<String>,
    agent_type: Option<String>,
    search: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
}

/// `GET /sessions`: newest first.
pub async fn list(State(app): State<Arc<App>>, Params(params): Params<ListParams>) -> Result<Json<Value>, Failure> {
    let now_ms = app.clock.now_ms();
    let (limit, offset) = (params.limit.unwrap_or(50).min(1_000), params.offset.unwrap_or(0));
    let query = SessionQuery {
        agent: params.agent_type.as_deref().map(|vendor| family::slug(vendor).to_owned()),
        project: params.source_app.clone(),
        status: params.status.clone(),
        text: params.search.clone(),
        from_ms: params.from,
        to_ms: params.to,
        sort: SessionSort::Last,
        limit: Some(limit.saturating_add(offset)),
        ..SessionQuery::default()
    };
    let page = app.read(move |store| store.sessions(&query)).await?;
    let rows: Vec<Value> =
        page.items.iter().skip(offset as usize).take(limit as usize).map(|row| session_json(row, now_ms)).collect();
    let total = page.total.unwrap_or(page.items.len() as u64);
    Ok(Json(json!({"sessions": rows, "total_count": total, "params": params})))
}

/// `GET /sessions/filter-options`.
pub async fn filter_options(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let options = app.read(|store| store.filter_options()).await?;
    let statuses: BTreeSet<&str> = STATUSES.into_iter().collect();
    Ok(Json(json!({"repos": options.projects, "source_apps": options.projects, "statuses": statuses})))
}

const STATUSES: [&str; 7] = ["running", "needs_you", "stuck", "idle", "ended", "failed", "stopped"];

/// `GET /sessions/{id}`: the session, its first events, and those that went wrong or ask for the person.
pub async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Failure> {
    let now_ms = app.clock.now_ms();
    let body = app
        .read(move |store| {
            let Some(detail) = store.session(&id)? else { return Ok(None) };
            let events = oldest(store, &id, 0, EVENTS)?;
            let critical: Vec<Event> = events.iter().filter(|event| is_critical(event)).cloned().collect();
            Ok(Some(json!({
                "session": session_json(&detail.row, now_ms),
                "events": family::events_json(store, &events)?,
                "critical_events": family::events_json(store, &critical)?,
            })))
        })
        .await?;
    body.map(Json).ok_or_else(|| Failure::not_found("This session"))
}

fn is_critical(event: &Event) -> bool {
    match &event.body {
        Body::ToolEnd { ok, .. } => !ok,
        Body::Failure { .. } | Body::Permission { .. } | Body::PermissionDenied { .. } | Body::Question { .. } => true,
        _ => false,
    }
}

fn session_json(row: &SessionRow, now_ms: i64) -> Value {
    let status: Status = status_at(row, now_ms);
    json!({
        "session_id": row.id,
        "source_app": row.project,
        "repo": row.project,
        "agent_type": family::vendor(&row.agent),
        "agent_version": row.agent_version,
        "status": status,
        "title": row.title,
        "model_name": row.model,
        "parent_session_id": row.parent,
        "cwd": row.cwd,
        "git_branch": row.branch,
        "start_time": row.started_ms,
        "end_time": row.last_ms,
        "duration_ms": row.last_ms - row.started_ms,
        "event_count": row.events,
        "tool_count": row.tools,
        "error_count": row.errors,
        "input_tokens": row.tokens.prompt(),
        "output_tokens": row.tokens.output,
        "cost_usd": row.cost_usd_micros as f64 / 1e6,
    })
}
