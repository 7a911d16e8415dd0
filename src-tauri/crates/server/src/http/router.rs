//! Every route and its limits.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{any, delete, get, post};
use axum::{Router, middleware};
use tower_http::decompression::RequestDecompressionLayer;

use super::routes::{
    agents, alerts, costs, events, export, grants, health, hooks, images, jobs, live, otlp, proof, redaction, respond,
    sessions, settings, shared, stream, themes, transcripts, v1,
};
use super::{guard, openapi, pages, routes};
use crate::app::App;
use crate::prices;

/// Largest body of an event, a hook payload or a piece of a transcript.
const INGEST_BYTES: usize = 128 * 1024 * 1024;
const SMALL_BYTES: usize = 1024 * 1024;

/// The whole server, guarded.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(family())
        .merge(ours())
        .layer(DefaultBodyLimit::max(SMALL_BYTES))
        .merge(ingest().layer(DefaultBodyLimit::max(INGEST_BYTES)))
        .merge(tables().layer(DefaultBodyLimit::max(prices::MOST_BYTES)))
        .fallback(pages::fallback)
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}

fn ingest() -> Router<Arc<App>> {
    Router::new()
        .route("/events", post(events::post))
        .route("/hooks/{agent}", post(hooks::post))
        .route("/api/v1/transcripts/{agent}", post(transcripts::post))
        .merge(telemetry())
}

/// What takes a whole price table.
fn tables() -> Router<Arc<App>> {
    Router::new().route("/api/v1/prices", get(routes::prices::show).post(routes::prices::update))
}

/// What exporters of OpenTelemetry call. The limit of the body holds for what is unpacked.
fn telemetry() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/logs", post(otlp::logs))
        .route("/v1/metrics", post(otlp::metrics))
        .route("/v1/traces", post(otlp::traces))
        .layer(RequestDecompressionLayer::new())
}

/// What the family's senders and dashboards call.
fn family() -> Router<Arc<App>> {
    Router::new()
        .route("/events/recent", get(events::recent))
        .route("/events/filter-options", get(events::filter_options))
        .route("/events/search", get(events::search))
        .route("/events/session/{id}", get(events::of_session))
        .route("/events/{id}/respond", post(respond::post))
        .route("/sessions", get(sessions::list))
        .route("/sessions/filter-options", get(sessions::filter_options))
        .route("/sessions/{id}", get(sessions::one))
        .route("/sessions/{id}/export", get(export::get))
        .route("/sessions/{id}/export/preview", get(export::preview))
        .route("/stream", any(stream::socket))
        .route("/health", get(health::get))
        .route("/api/themes", get(themes::list).post(themes::create))
        .route("/api/themes/stats", get(themes::stats))
        .route("/api/themes/import", post(themes::import))
        .route("/api/themes/{id}", get(themes::read).put(themes::replace).delete(themes::remove))
        .route("/api/themes/{id}/export", get(themes::export))
}

/// What Orrery's own pages call.
fn ours() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(pages::root))
        .route("/link/{code}", get(pages::link))
        .route("/openapi.json", get(openapi::get))
        .route("/api/v1/live", any(live::socket))
        .route("/api/v1/overview", get(v1::overview))
        .route("/api/v1/events", get(v1::events))
        .route("/api/v1/events/{seq}", get(v1::event))
        .route("/api/v1/events/{seq}/raw", get(v1::raw))
        .route("/api/v1/events/{seq}/images", get(images::list))
        .route("/api/v1/events/{seq}/images/{index}", get(images::get))
        .route("/api/v1/sessions", get(v1::sessions))
        .route("/api/v1/sessions/{id}", get(v1::session))
        .route("/api/v1/sessions/{id}/files", get(v1::files))
        .route("/api/v1/filters", get(v1::filters))
        .route("/api/v1/problems", get(v1::problems))
        .route("/api/v1/costs", get(costs::table))
        .route("/api/v1/usage", get(costs::usage))
        .route("/api/v1/usage/{key}", get(costs::one))
        .route("/api/v1/usage/{key}/raw", get(costs::raw))
        .route("/api/v1/bill", get(costs::bill))
        .route("/api/v1/settings", get(settings::get).patch(settings::patch))
        .route("/shared/{link}", get(shared::get))
        .route("/api/v1/export", get(export::several))
        .route("/api/v1/export/preview", get(export::preview_several))
        .route("/api/v1/grants", get(grants::list))
        .route("/api/v1/grants/{id}", delete(grants::remove))
        .route("/api/v1/shares", post(grants::share))
        .route("/api/v1/redaction", get(redaction::get))
        .route("/api/v1/agents", get(agents::list))
        .route("/api/v1/agents/{agent}/plan", get(agents::plan))
        .route("/api/v1/agents/{agent}/install", post(agents::install))
        .route("/api/v1/agents/{agent}/uninstall", post(agents::uninstall))
        .route("/api/v1/agents/{agent}/verify", post(agents::verify))
        .route("/api/v1/jobs", get(jobs::list))
        .route("/api/v1/import", post(jobs::import).delete(jobs::cancel_import))
        .route("/api/v1/demo", post(jobs::demo).delete(jobs::remove_demo))
        .route("/api/v1/spool", post(jobs::drain))
        .route("/api/v1/alerts", get(alerts::list))
        .route("/api/v1/alerts/pause", post(alerts::pause))
        .route("/api/v1/links", post(proof::link))
        .route("/api/v1/proof", get(proof::proof))
}
