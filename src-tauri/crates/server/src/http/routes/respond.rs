//! `POST /events/{id}/respond`: the person's answer to a question of an agent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use futures_util::SinkExt;
use orrery_agents::Decoded;
use orrery_store::Batch;
use orrery_types::{Answer, Body, Event};
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::app::App;
use crate::family;
use crate::http::problem::Failure;
use crate::http::request::Document;
use crate::ingest::Audience;

const DEADLINE: Duration = Duration::from_secs(5);

pub async fn post(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Document(given): Document<Map<String, Value>>,
) -> Result<Json<Value>, Failure> {
    let seq: i64 =
        id.parse().map_err(|_| Failure::bad("bad_id", "The id must be a number", "Take it from the event"))?;
    answer(&app, seq, given).await.map(Json)
}

/// Delivers a person's answer to the agent that asked, and stores it with the question.
///
/// # Errors
/// There is no such question, it was answered, or nothing was given.
pub async fn answer(app: &Arc<App>, seq: i64, given: Map<String, Value>) -> Result<Value, Failure> {
    if !["response", "permission", "choice"].iter().any(|key| given.get(*key).is_some_and(|value| !value.is_null())) {
        let hint = "Send {\"response\": text}, {\"permission\": true} or {\"choice\": text}";
        return Err(Failure::bad("no_answer", "The answer is missing", hint));
    }
    let event = app.read(move |store| store.event(seq)).await?.ok_or_else(|| Failure::not_found("This event"))?;
    let Body::Question { question, answer } = &event.body else {
        return Err(Failure::bad("no_question", "This event asks nothing", "Only questions take an answer"));
    };
    if answer.as_ref().is_some_and(|answer| answer.delivered) {
        return Err(Failure::bad("answered", "This question was answered already", "Load the event again"));
    }
    let at_ms = app.clock.now_ms();
    let mut value = given;
    value.insert("respondedAt".to_owned(), json!(at_ms));
    let hook_event = app
        .read({
            let event = event.clone();
            move |store| family::events_json(store, std::slice::from_ref(&event))
        })
        .await?;
    let outcome = match &question.respond_to {
        Some(url) => {
            let mut message = value.clone();
            message.insert("hookEvent".to_owned(), hook_event.into_iter().next().unwrap_or_default());
            deliver(url, &Value::Object(message)).await
        }
        None => Err("the question names no address for its answer".to_owned()),
    };
    if let Err(error) = &outcome {
        tracing::warn!(seq, error, "an answer did not reach the agent");
    }
    let answer = Answer { at_ms, value: Value::Object(value), delivered: outcome.is_ok(), error: outcome.err() };
    let body = Body::Question { question: question.clone(), answer: Some(answer) };
    let stored = record(app, Event { body, ..event }).await?;
    let shown = app.read(move |store| family::events_json(store, &[stored])).await?;
    Ok(shown.into_iter().next().unwrap_or_default())
}

/// Stores the event with its answer: the same id again, which every stream shows as an update.
async fn record(app: &App, event: Event) -> Result<Event, Failure> {
    let seq = event.seq;
    let (item, problems) =
        app.ingest.item(None, Decoded { events: vec![Event { seq: 0, ..event.clone() }], ..Decoded::default() });
    let appended = app.ingest.append(Batch { items: vec![item], problems, ..Batch::default() }, Audience::All).await?;
    Ok(appended.events.iter().find(|changed| changed.seq == seq).cloned().unwrap_or(event))
}

/// Sends `message` to a WebSocket on this machine. The error is in words.
async fn deliver(url: &str, message: &Value) -> Result<(), String> {
    let address = loopback(url)?;
    let work = async {
        let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.map_err(|error| error.to_string())?;
        socket.send(Message::text(message.to_string())).await.map_err(|error| error.to_string())?;
        socket.close(None).await.map_err(|error| error.to_string())
    };
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(done) => done.map_err(|error| format!("{url} did not take the answer: {error}")),
        Err(_) => Err(format!("{url} did not take the answer within {} s", DEADLINE.as_secs())),
    }
}

/// The address of a `ws://` URL on loopback. A sender must not make us call anywhere else.
fn loopback(url: &str) -> Result<SocketAddr, String> {
    let refuse = || format!("{url} is not a ws:// address on this machine");
    let uri: Uri = url.parse().map_err(|_| refuse())?;
    if uri.scheme_str() != Some("ws") {
        return Err(refuse());
    }
    let host = uri.host().unwrap_or_default();
    let ip = match host.trim_start_matches('[').trim_end_matches(']') {
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        text => text.parse::<IpAddr>().ok().filter(IpAddr::is_loopback),
    };
    Ok(SocketAddr::new(ip.ok_or_else(refuse)?, uri.port_u16().unwrap_or(80)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stay_on_this_machine() {
        for good in ["ws://127.0.0.1:4123/x", "ws://localhost:9", "ws://[::1]:9/"] {
            assert!(loopback(good).is_ok(), "{good}");
        }
        for bad in [
            "ws://example.org/",
            "wss://127.0.0.1:9",
            "http://127.0.0.1:9",
            "ws://127.0.0.1.evil:9",
            "ws://10.0.0.1:9",
            "ws://localhost@evil:9",
            "file:///etc/passwd",
            "",
        ] {
            assert!(loopback(bad).is_err(), "{bad}");
        }
    }
}
