//! `POST /hooks/{agent}`: an agent's own payload, as it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use orrery_agents::{Context, hook};
use orrery_store::{Appended, Raw, StoreError};

use crate::alerting::guard;
use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Payload;
use crate::{clock, ingest};

/// A sender's clock may be off; a payload from further ahead than this was stamped by a broken one.
const MAX_AHEAD_MS: i64 = 60_000;

/// Stores the payload, whatever it is, and answers 200 with an empty body: any text would be read as the hook's answer. Only
/// the budget's guard, which a person switches on, ever has one.
pub async fn post(
    State(app): State<Arc<App>>,
    Path(agent): Path<String>,
    headers: HeaderMap,
    Payload(body): Payload,
) -> Result<Response, Failure> {
    let now_ms = app.clock.now_ms();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let sent_ms =
        text("x-orrery-at").and_then(|at| at.parse::<i64>().ok()).filter(|at| *at > 0 && *at <= now_ms + MAX_AHEAD_MS);
    let delivery = Delivery {
        id: text("x-orrery-id").filter(|id| is_id(id)).map_or_else(clock::new_id, str::to_ascii_lowercase),
        at_ms: sent_ms.unwrap_or(now_ms),
        agent: agent.chars().take(64).collect(),
        demo: text("x-orrery-demo") == Some("1"),
    };
    let appended = store(&app, delivery, body.clone()).await.map_err(Failure::from)?;
    Ok(match guard::answer(&app, &agent, &body, appended.sessions.first()) {
        Some(decision) => Json(decision).into_response(),
        None => StatusCode::OK.into_response(),
    })
}

/// One hook payload on its way in, from the port or from the spool.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// 32 hex digits.
    pub id: String,
    pub at_ms: i64,
    pub agent: String,
    pub demo: bool,
}

/// Decodes and appends one payload; answers after the commit.
pub async fn store(app: &App, delivery: Delivery, body: Bytes) -> Result<Arc<Appended>, StoreError> {
    let context = Context {
        source: ingest::reporter_of(&body),
        received_ms: delivery.at_ms,
        delivery_id: delivery.id,
        place: format!("/hooks/{}", delivery.agent),
        demo: delivery.demo,
    };
    let mut decoded = hook::decode(Some(&delivery.agent), &body, &context);
    if decoded.events.is_empty() {
        let start = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
        decoded.events.push(ingest::unreadable(&context, &delivery.agent, start));
    }
    let raw = Raw { source: context.source, place: context.place, bytes: body.to_vec() };
    app.ingest.one(raw, decoded).await
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
