//! `GET /health`: whether the server is well, and what it cannot see.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;

pub async fn get(State(app): State<Arc<App>>) -> Response {
    let now_ms = app.clock.now_ms();
    let health = match app.read(move |store| store.health(now_ms)).await {
        Ok(health) => health,
        Err(error) => {
            let body = json!({"status": "error", "timestamp": now_ms, "error": error.to_string()});
            return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
        }
    };
    let (blind, strip) = {
        let overview = app.overview.borrow();
        (overview.blind.clone(), overview.strip.clone())
    };
    let lost = app.jobs.lost.load(Ordering::Relaxed).max(strip.spool_lost);
    Json(json!({
        "status": "healthy",
        "timestamp": now_ms,
        "server": {
            "uptime_ms": now_ms - app.started_ms,
            "version": env!("CARGO_PKG_VERSION"),
            "port": app.port,
        },
        "database": {
            "size_bytes": health.size_bytes,
            "size_mb": format!("{:.2}", health.size_bytes as f64 / (1024.0 * 1024.0)),
            "total_events": health.events,
            "active_sessions_24h": health.active_sessions_24h,
            "events_last_minute": health.events_last_minute,
        },
        "websocket": {
            "connected_clients": app.live.clients(),
            "serialized_events": app.live.serialized(),
            "lagged_clients": app.live.lagged(),
        },
        "spool": {"files": strip.spool_files, "size_bytes": strip.spool_bytes, "lost_events": lost},
        "blind": blind,
    }))
    .into_response()
}
