//! `/api/v1/prices`: the table in force, and putting another one in force.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use orrery_views::pricing::PricesError;
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::clock;
use crate::http::problem::Failure;
use crate::http::request::{Params, Payload};
use crate::prices::{self, Refused};

/// The table in force, and all that are kept.
pub async fn show(State(app): State<Arc<App>>) -> Json<Value> {
    Json(prices::shown(&app.ingest.prices()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UpdateParams {
    /// File or address the table came from, as the person knows it.
    origin: Option<String>,
    dry_run: Option<String>,
}

/// Puts the table of the body in force for what comes in from now on, or with `dry_run=1` says what that would change.
pub async fn update(
    State(app): State<Arc<App>>,
    Params(params): Params<UpdateParams>,
    Payload(body): Payload,
) -> Result<Json<Value>, Failure> {
    let dry_run = matches!(params.dry_run.as_deref(), Some("1" | "true" | ""));
    let now_ms = app.clock.now_ms();
    let origin = params.origin.unwrap_or_else(|| "a table that was sent".to_owned());
    let known = app.ingest.prices();
    let plan = prices::plan(&known, &body, &clock::day(now_ms), &origin, now_ms)?;
    let answer = plan.told(!dry_run && !plan.is_empty());
    if !dry_run && !plan.is_empty() {
        app.ingest.add_prices(plan.stored).await?;
    }
    Ok(Json(answer))
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        let hint = match &refused {
            Refused::TooLarge | Refused::NoText => {
                "Give LiteLLM's model_prices_and_context_window.json, or a table in our own form"
            }
            Refused::Prices(PricesError::BadPrice { .. }) => {
                "Prices are dollars per token in JSON; repair the entry or leave it out"
            }
            Refused::Prices(_) => "Give LiteLLM's JSON, or what `orrery prices show --table` prints",
        };
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "prices_refused", refused.to_string(), hint)
    }
}
