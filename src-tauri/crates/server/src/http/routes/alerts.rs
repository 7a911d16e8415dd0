//! `/api/v1/alerts`: the log and its deliveries, rules, sinks and their secrets, silence.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use orrery_alerts::{Zone, check};
use orrery_store::DeliveryQuery;
use orrery_types::{
    Alert, Delivery, DeliveryState, Digest, Period, Settings, SinkKind, SinkSettings, SinkState, Snooze, rules,
};
use orrery_views::rule;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::v1::LimitParams;
use crate::alerting::{Order, PAUSE, TestError, digests};
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

/// The rules in force, each with its sentence.
pub async fn rule_list(State(app): State<Arc<App>>) -> Json<Value> {
    let settings = app.settings.get();
    let name = |id: &String| sink_name(&settings, id);
    let rows = rules(&settings).into_iter().map(|rule| {
        let sinks: Vec<String> = rule.sinks.iter().map(name).collect();
        json!({"sentence": rule::sentence(&rule, &sinks), "rule": rule})
    });
    Json(rows.collect())
}

/// Sends a made-up alert of a rule to where its alerts go. Answers how that went, by sink.
pub async fn test_rule(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Failure> {
    let settings = app.settings.get();
    let rule =
        rules(&settings).into_iter().find(|rule| rule.id == id).ok_or_else(|| Failure::not_found("This rule"))?;
    let now_ms = app.clock.now_ms();
    let alert = Alert {
        key: format!("test/{id}/{now_ms}"),
        at_ms: now_ms,
        title: format!("Test: {}", rule.name),
        text: format!("You hear of this when {}", rule::when(&rule)),
        rule: rule.id.clone(),
        urgency: rule.urgency,
        test: true,
        ..Alert::default()
    };
    let desktop = (settings.notifications && app.desk.desktop.is_some()).then(|| "desktop".to_owned());
    let others = settings.sinks.iter().filter(|sink| sink.on).map(|sink| sink.id.clone());
    let meant = |id: &String| rule.sinks.is_empty() || rule.sinks.contains(id);
    let mut told = Vec::new();
    for sink in desktop.into_iter().chain(others).filter(meant) {
        told.push(test(&app, sink, alert.clone()).await);
    }
    if told.is_empty() {
        let hint = "Switch native notifications on, or add a sink";
        return Err(Failure::conflict("no_sink", "There is nothing that could tell you", hint));
    }
    Ok(Json(json!({"sinks": told})))
}

/// How each sink stands.
pub async fn sinks(State(app): State<Arc<App>>) -> Result<Json<Vec<SinkState>>, Failure> {
    let settings = app.settings.get();
    let desktop = SinkSettings { id: "desktop".to_owned(), on: settings.notifications, ..SinkSettings::default() };
    let mut states = Vec::new();
    for sink in std::iter::once(desktop).chain(settings.sinks) {
        let query = DeliveryQuery { sink: Some(sink.id.clone()), limit: 200, ..DeliveryQuery::default() };
        let deliveries = app.read(move |store| store.deliveries(&query)).await?;
        let newest = |wanted: DeliveryState| deliveries.iter().find(|delivery| delivery.state == wanted);
        let last_delivered_ms = newest(DeliveryState::Delivered).map(|delivery| delivery.at_ms);
        let failed = deliveries.iter().find(|delivery| delivery.error.is_some());
        let error = failed.filter(|failed| last_delivered_ms.is_none_or(|at_ms| failed.at_ms > at_ms));
        let count =
            |wanted: DeliveryState| deliveries.iter().filter(|delivery| delivery.state == wanted).count() as u32;
        let wrong = match sink.kind {
            SinkKind::Desktop if sink.on && app.desk.desktop.is_none() => {
                Some("This server runs without a desktop; an Orrery window on this machine shows its alerts".to_owned())
            }
            SinkKind::Desktop => None,
            _ => missing_secret(&app, &sink).or_else(|| check::sink_wrong(&sink).map(|(_, words)| words)),
        };
        states.push(SinkState {
            secrets: app.desk.secrets.of(&sink.id).into_keys().collect(),
            last_delivered_ms,
            error: error.and_then(|delivery| delivery.error.clone()),
            waiting: count(DeliveryState::Waiting),
            dead: count(DeliveryState::Dead),
            wrong,
            settings: sink,
        });
    }
    Ok(Json(states))
}

fn missing_secret(app: &App, sink: &SinkSettings) -> Option<String> {
    let known = app.desk.secrets.of(&sink.id);
    let missing = sink.kind.secrets().iter().find(|(name, _, needed)| *needed && !known.contains_key(*name));
    missing.map(|(_, words, _)| format!("{words} is not set"))
}

/// Sends a made-up alert to one sink and answers when it was taken.
pub async fn test_sink(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, Failure> {
    let now_ms = app.clock.now_ms();
    let alert = Alert {
        key: format!("test/{id}/{now_ms}"),
        at_ms: now_ms,
        title: "Orrery can reach you".to_owned(),
        text: "This is a test. Alerts arrive here".to_owned(),
        test: true,
        ..Alert::default()
    };
    let told = test(&app, id, alert).await;
    match told["error"].as_str() {
        None => Ok(Json(told)),
        Some(error) => {
            let hint = "Correct the sink and test again; nothing else depends on it";
            Err(Failure::new(StatusCode::BAD_GATEWAY, "not_delivered", error.to_owned(), hint))
        }
    }
}

async fn test(app: &Arc<App>, sink: String, alert: Alert) -> Value {
    let (answer, told) = oneshot::channel();
    let order = Order::Test { alert: Box::new(alert), sink: sink.clone(), answer };
    let ended = || TestError::Failed("the server is ending".to_owned());
    let told = if app.desk.order(order).await { told.await.unwrap_or_else(|_| Err(ended())) } else { Err(ended()) };
    match told {
        Ok(took_ms) => json!({"sink": sink, "took_ms": took_ms}),
        Err(error) => json!({"sink": sink, "error": error.to_string()}),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Secret {
    name: String,
    /// Empty removes it.
    value: String,
}

/// Sets a secret of a sink. It is never told again.
pub async fn secret(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Document(secret): Document<Secret>,
) -> Result<Json<Value>, Failure> {
    let settings = app.settings.get();
    let sink = settings.sinks.iter().find(|sink| sink.id == id).ok_or_else(|| Failure::not_found("This sink"))?;
    if !sink.kind.secrets().iter().any(|(name, ..)| *name == secret.name) {
        return Err(Failure::bad("bad_secret", "This sink has no such secret", "See /api/v1/alerts/sinks"));
    }
    let worker = app.clone();
    let sink = id.clone();
    let done = tokio::task::spawn_blocking(move || worker.desk.secrets.set(&sink, &secret.name, &secret.value)).await;
    done.map_err(Failure::internal)?
        .map_err(|error| Failure::bad("bad_secret", error.to_string(), "Nothing was changed"))?;
    app.desk.order(Order::Reopen).await;
    let names: Vec<String> = app.desk.secrets.of(&id).into_keys().collect();
    Ok(Json(json!({"secrets": names})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DeliveryParams {
    alert: Option<String>,
    sink: Option<String>,
    state: Option<DeliveryState>,
    limit: Option<u32>,
}

/// What became of alerts at their sinks, newest first.
pub async fn deliveries(
    State(app): State<Arc<App>>,
    Params(params): Params<DeliveryParams>,
) -> Result<Json<Vec<Delivery>>, Failure> {
    let DeliveryParams { alert, sink, state, limit } = params;
    let query = DeliveryQuery { alert, sink, state, limit: limit.unwrap_or(200).min(1_000) };
    Ok(Json(app.read(move |store| store.deliveries(&query)).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Again {
    key: String,
    /// Empty: every sink it is for.
    sink: Option<String>,
}

/// Sends a logged alert again, now.
pub async fn resend(State(app): State<Arc<App>>, Document(again): Document<Again>) -> Result<Json<Value>, Failure> {
    let key = again.key.clone();
    let alert = app.read(move |store| store.alert(&key)).await?.ok_or_else(|| Failure::not_found("This alert"))?;
    app.desk.order(Order::Send { alert: Box::new(alert), sink: again.sink }).await;
    Ok(Json(json!({"sending": true})))
}

/// Snoozes that run.
pub async fn snoozes(State(app): State<Arc<App>>) -> Json<Vec<Snooze>> {
    Json(app.desk.snoozes(app.clock.now_ms()).into_iter().filter(|snooze| snooze.target != PAUSE).collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SnoozeParams {
    /// `rule/ID`, `session/ID` or `alert/KEY`.
    target: String,
    /// End, ms since 1970.
    until_ms: Option<i64>,
    /// Or its length. Without either the snooze ends now.
    minutes: Option<i64>,
}

/// Silences a rule, a session or one occasion for a while.
pub async fn snooze(
    State(app): State<Arc<App>>,
    Document(params): Document<SnoozeParams>,
) -> Result<Json<Vec<Snooze>>, Failure> {
    let kind = params.target.split_once('/').filter(|(_, name)| !name.is_empty()).map(|(kind, _)| kind);
    if !matches!(kind, Some("rule" | "session" | "alert")) || params.target.len() > 500 {
        let hint = "Name a rule/ID, a session/ID or an alert/KEY";
        return Err(Failure::bad("bad_target", "There is nothing of that name to snooze", hint));
    }
    let now_ms = app.clock.now_ms();
    let minutes = params
        .minutes
        .filter(|minutes| *minutes > 0)
        .map(|minutes| now_ms.saturating_add(minutes.saturating_mul(60_000)));
    let until_ms = params.until_ms.or(minutes).filter(|until_ms| *until_ms > now_ms).unwrap_or(0);
    app.desk.snooze(app.store.as_ref(), Snooze { target: params.target, until_ms }).await?;
    Ok(snoozes(State(app)).await)
}

/// What the summary of a day or week would say now.
pub async fn digest(State(app): State<Arc<App>>, Path(period): Path<String>) -> Result<Json<Digest>, Failure> {
    let period = match period.as_str() {
        "daily" => Period::Daily,
        "weekly" => Period::Weekly,
        _ => return Err(Failure::not_found("This digest")),
    };
    let settings = app.settings.get();
    let zone = Zone::of(&settings.zone).unwrap_or_default();
    let now_ms = app.clock.now_ms();
    Ok(Json(app.read(move |store| digests::figures(store, zone, period, settings.week_start, now_ms)).await?))
}

fn sink_name(settings: &Settings, id: &str) -> String {
    let named = settings.sinks.iter().find(|sink| sink.id == id).map(|sink| sink.name.clone());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| if id == "desktop" { "the desktop".to_owned() } else { id.to_owned() })
}
