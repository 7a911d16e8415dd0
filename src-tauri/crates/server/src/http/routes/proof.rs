//! `/api/v1/proof` and `/api/v1/links`: who the server is, and a way in for a browser.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::{Document, Params};
use crate::token;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProofParams {
    nonce: String,
}

/// Hex of HMAC-SHA256 over the nonce with the token as key: what only a server on the same data directory can say.
pub async fn proof(State(app): State<Arc<App>>, Params(params): Params<ProofParams>) -> Result<String, Failure> {
    if !(16..=256).contains(&params.nonce.len()) {
        return Err(Failure::bad("bad_nonce", "The nonce must have 16 to 256 characters", "Send random hex digits"));
    }
    Ok(token::proof(&app.token, &params.nonce))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LinkParams {
    /// The page to open, `/app/...`.
    path: String,
}

/// A URL that signs a browser in once.
pub async fn link(State(app): State<Arc<App>>, Document(params): Document<LinkParams>) -> Result<Json<Value>, Failure> {
    let code = app.links.mint(&params.path, app.clock.now_ms());
    let code = code.ok_or_else(|| Failure::internal("the system has no random numbers"))?;
    Ok(Json(json!({"url": format!("{}/link/{code}", app.base_url())})))
}
