//! `GET /shared/{link}`: one session as its replay, for whoever has the link. Nothing else is reachable with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orrery_types::{ExportFormat, GrantKind};

use crate::app::App;
use crate::export::{self, Wish};
use crate::http::problem::Failure;

/// Wrong links answered in a minute; then guessers wait. Right links always open.
const GUESSES: u32 = 60;

/// Counts links that lead nowhere.
#[derive(Debug, Default)]
pub struct Guesses {
    minute: AtomicI64,
    count: AtomicU32,
    told: AtomicBool,
}

impl Guesses {
    /// Whether this wrong link is one too many.
    fn too_many(&self, now_ms: i64) -> bool {
        let minute = now_ms.div_euclid(60_000);
        if self.minute.swap(minute, Ordering::Relaxed) != minute {
            self.count.store(0, Ordering::Relaxed);
        }
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        if count >= GUESSES && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!("somebody tries share links; each wrong one is refused");
        }
        count >= GUESSES
    }
}

pub async fn get(State(app): State<Arc<App>>, Path(link): Path<String>) -> Response {
    let now_ms = app.clock.now_ms();
    let grant = app.grants.find(GrantKind::Share, &link, now_ms);
    let Some(grant) = grant else { return refusal(&app, now_ms) };
    app.grants.used(app.store.as_ref(), &link, now_ms).await;
    let wish =
        Wish { format: ExportFormat::Html, sessions: vec![grant.session], redact: !grant.unmasked, ..Wish::default() };
    match export::response(&app, wish).await {
        Ok(mut response) => {
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
            headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow, noarchive"));
            // A page without an origin: whatever it did, it could ask this server for nothing.
            let policy = format!("{}; frame-ancestors 'none'; sandbox allow-scripts", export::html::policy());
            if let Ok(policy) = HeaderValue::from_str(&policy) {
                headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            response
        }
        Err(_) => refusal(&app, now_ms),
    }
}

/// The same for a link that never was, ended, was taken back, or whose session is gone.
fn refusal(app: &App, now_ms: i64) -> Response {
    if app.guesses.too_many(now_ms) {
        let hint = "Wait a minute";
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_links", "Too many wrong links", hint);
        return ([(header::RETRY_AFTER, "60")], failure).into_response();
    }
    let hint = "Ask whoever sent it for a new one";
    Failure::new(StatusCode::NOT_FOUND, "no_such_link", "This link leads nowhere", hint).into_response()
}
