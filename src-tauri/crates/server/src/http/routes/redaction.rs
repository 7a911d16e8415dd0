//! `GET /api/v1/redaction`: the rules of masking, their switches and how often each was used.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use orrery_types::{Redaction, RedactionRule};

use crate::app::App;
use crate::http::problem::Failure;
use crate::redact::builtin;

pub async fn get(State(app): State<Arc<App>>) -> Result<Json<Redaction>, Failure> {
    let masked = app.read(|store| store.masked()).await?;
    let settings = app.settings.get();
    let total = masked.iter().map(|masked| masked.count).sum();
    let counts: HashMap<&str, (u64, i64)> =
        masked.iter().map(|masked| (masked.rule.as_str(), (masked.count, masked.last_ms))).collect();
    let rules = builtin().list.iter().map(|rule| {
        let found = counts.get(rule.id.as_str());
        RedactionRule {
            id: rule.id.clone(),
            name: rule.name.clone(),
            on: settings.redact && !settings.redact_off.contains(&rule.id),
            count: found.map_or(0, |(count, _)| *count),
            last_ms: found.map(|(_, last_ms)| *last_ms),
        }
    });
    Ok(Json(Redaction { on: settings.redact, total, rules: rules.collect() }))
}
