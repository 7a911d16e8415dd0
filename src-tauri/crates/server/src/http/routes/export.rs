//! `GET /sessions/{id}/export` and `GET /api/v1/export`: sessions as a file, and what masking would take out of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use orrery_types::{ExportFormat, ExportPreview};
use serde::Deserialize;

use crate::app::App;
use crate::export::{self, Wish};
use crate::http::problem::Failure;
use crate::http::request::Params;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ExportParams {
    format: ExportFormat,
    /// Ids joined by commas, each with its own commas as `%2C`. For the route that names no session.
    sessions: String,
    from_seq: Option<i64>,
    to_seq: Option<i64>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    /// `0` leaves secrets in.
    redact: Option<String>,
}

impl ExportParams {
    fn wish(self, sessions: Vec<String>) -> Wish {
        Wish {
            format: self.format,
            sessions,
            from_seq: self.from_seq,
            to_seq: self.to_seq,
            from_ms: self.from_ms,
            to_ms: self.to_ms,
            redact: !matches!(self.redact.as_deref(), Some("0" | "false")),
        }
    }

    fn ids(&self) -> Vec<String> {
        let parts = self.sessions.split(',').map(|id| id.replace("%2C", ",").replace("%25", "%"));
        parts.filter(|id| !id.is_empty()).collect()
    }
}

/// One session.
pub async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Params(params): Params<ExportParams>,
) -> Result<Response, Failure> {
    export::response(&app, params.wish(vec![id])).await
}

/// Several sessions: one file, or an archive of pages or texts.
pub async fn several(State(app): State<Arc<App>>, Params(params): Params<ExportParams>) -> Result<Response, Failure> {
    let ids = params.ids();
    export::response(&app, params.wish(ids)).await
}

/// What masking would take out of one session.
pub async fn preview(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Params(params): Params<ExportParams>,
) -> Result<Json<ExportPreview>, Failure> {
    export::preview(&app, params.wish(vec![id])).await.map(Json)
}

/// What masking would take out of several sessions.
pub async fn preview_several(
    State(app): State<Arc<App>>,
    Params(params): Params<ExportParams>,
) -> Result<Json<ExportPreview>, Failure> {
    let ids = params.ids();
    export::preview(&app, params.wish(ids)).await.map(Json)
}
