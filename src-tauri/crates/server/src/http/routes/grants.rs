//! `/api/v1/grants` and `/api/v1/shares`: signed-in browsers and shared sessions, listed, given and taken back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use orrery_types::{Grant, GrantKind, ShareRequest, Shared};

use crate::app::App;
use crate::grants::DAY_MS;
use crate::http::guard::session_cookie;
use crate::http::problem::Failure;
use crate::http::request::Document;

const MOST_DAYS: u32 = 365;

/// `GET /api/v1/grants`: newest first.
pub async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<Vec<Grant>> {
    Json(app.grants.list(app.clock.now_ms(), session_cookie(&headers, app.port)))
}

/// `DELETE /api/v1/grants/{id}`: from now on it opens nothing.
pub async fn remove(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    match app.grants.take_back(app.store.as_ref(), &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::not_found("This sign-in or link")),
    }
}

/// `POST /api/v1/shares`: a link that shows one session to whoever has it.
pub async fn share(
    State(app): State<Arc<App>>,
    Document(wish): Document<ShareRequest>,
) -> Result<Json<Shared>, Failure> {
    let days = if wish.days == 0 { 7 } else { wish.days };
    if days > MOST_DAYS {
        return Err(Failure::bad("bad_days", "A link lasts at most 365 days", "Send days from 1 to 365"));
    }
    let id = wish.session.clone();
    let detail = app.read(move |store| store.session(&id)).await?.ok_or_else(|| Failure::not_found("This session"))?;
    let now_ms = app.clock.now_ms();
    let title = if detail.row.title.is_empty() { &wish.session } else { &detail.row.title };
    let grant = Grant {
        id: String::new(),
        kind: GrantKind::Share,
        label: title.chars().take(120).collect(),
        session: wish.session,
        created_ms: now_ms,
        expires_ms: now_ms + i64::from(days) * DAY_MS,
        used_ms: None,
        unmasked: wish.unmasked,
        current: false,
    };
    let (secret, grant) = app.grants.give(app.store.as_ref(), grant).await?;
    Ok(Json(Shared { url: format!("{}/shared/{secret}", app.base_url()), grant }))
}
