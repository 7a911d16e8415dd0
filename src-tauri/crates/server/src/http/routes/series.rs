//! `/api/v1/series`: figures over time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use orrery_types::{Series, SeriesQuery, SeriesStep};

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Params;

const HOURS: i64 = 48;
const DAYS: i64 = 30;
const HOUR_MS: i64 = 3_600_000;

/// Without times: the last 48 hours, or the last 30 days.
pub async fn get(State(app): State<Arc<App>>, Params(query): Params<SeriesQuery>) -> Result<Json<Series>, Failure> {
    let to_ms = query.to_ms.unwrap_or_else(|| app.clock.now_ms() + 1);
    let hours = if query.step == SeriesStep::Hour { HOURS } else { DAYS * 24 };
    let from_ms = query.from_ms.unwrap_or(to_ms - hours * HOUR_MS);
    let query = SeriesQuery { from_ms: Some(from_ms), to_ms: Some(to_ms), ..query };
    Ok(Json(app.read(move |store| store.series(&query)).await?))
}
