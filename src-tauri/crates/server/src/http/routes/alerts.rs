//! `/api/v1/alerts`: the log, and the pause.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use orrery_types::Alert;
use serde::Deserialize;
use serde_json::{Value, json};

use super::v1::LimitParams;
use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::{Document, Params};

/// Newest first.
pub async fn list(
    State(app): State<Arc<App>>,
    Params(params): Params<LimitParams>,
) -> Result<Json<Vec<Alert>>, Failure> {
    let limit = params.limit.unwrap_or(100).min(1_000);
    Ok(Json(app.read(move |store| store.alerts(limit)).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PauseParams {
    /// End of the pause, ms since 1970.
    until_ms: Option<i64>,
    /// Or its length.
    minutes: Option<i64>,
}

/// Silences alerts for a while; without a time the pause ends now.
pub async fn pause(State(app): State<Arc<App>>, Document(params): Document<PauseParams>) -> Json<Value> {
    let now_ms = app.clock.now_ms();
    let minutes = params
        .minutes
        .filter(|minutes| *minutes > 0)
        .map(|minutes| now_ms.saturating_add(minutes.saturating_mul(60_000)));
    app.pause_alerts(params.until_ms.or(minutes).filter(|until_ms| *until_ms > now_ms));
    Json(json!({"paused_until_ms": app.paused_until()}))
}
