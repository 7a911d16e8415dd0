//! `POST /v1/{logs,metrics,traces}`: OTLP/HTTP, in protobuf or JSON. Compressed bodies are unpacked before they come here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use orrery_agents::Context;
use orrery_agents::otlp::{self, Encoding, Export, Signal};
use orrery_store::{Batch, Raw, StoreError};
use orrery_types::{Problem, Source};

use crate::app::App;
use crate::clock;
use crate::http::problem::Failure;
use crate::http::request::Payload;
use crate::ingest::Audience;

/// Seconds after which an exporter may try again when nothing can be stored.
const RETRY_AFTER: &str = "5";

pub async fn logs(State(app): State<Arc<App>>, headers: HeaderMap, Payload(body): Payload) -> Response {
    export(&app, Signal::Logs, &headers, body).await
}

pub async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap, Payload(body): Payload) -> Response {
    export(&app, Signal::Metrics, &headers, body).await
}

pub async fn traces(State(app): State<Arc<App>>, headers: HeaderMap, Payload(body): Payload) -> Response {
    export(&app, Signal::Traces, &headers, body).await
}

/// Stores what can be read and answers after the commit, in the encoding that was sent. A body that cannot be read is
/// refused with 400, which exporters do not repeat.
async fn export(app: &Arc<App>, signal: Signal, headers: &HeaderMap, body: Bytes) -> Response {
    let encoding = encoding(headers, &body);
    let place = match signal {
        Signal::Logs => "/v1/logs",
        Signal::Metrics => "/v1/metrics",
        Signal::Traces => "/v1/traces",
    };
    let context = Context {
        source: Source::Otel,
        received_ms: app.clock.now_ms(),
        delivery_id: clock::new_id(),
        place: place.to_owned(),
        demo: false,
    };
    let decoding = context.clone();
    let decoded = tokio::task::spawn_blocking(move || otlp::decode(signal, encoding, &body, &decoding)).await;
    let decoded = match decoded {
        Ok(decoded) => decoded,
        Err(error) => return Failure::internal(error).into_response(),
    };
    match decoded {
        Ok(export) => {
            let rejected = export.rejected;
            match store(app, export, &context).await {
                Ok(()) => answer(StatusCode::OK, encoding, otlp::answer(signal, encoding, rejected)),
                Err(error) => {
                    let mut refusal = Failure::from(error).into_response();
                    refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
                    refusal
                }
            }
        }
        Err(words) => {
            let problem = Problem {
                code: "bad_otlp".to_owned(),
                message: format!("an export cannot be read: {words}"),
                place: context.place.clone(),
                line: None,
                at_ms: context.received_ms,
            };
            let batch = Batch { problems: vec![problem], ..Batch::default() };
            if let Err(error) = app.ingest.append(batch, Audience::Rows).await {
                tracing::warn!(%error, "a problem was not stored");
            }
            answer(StatusCode::BAD_REQUEST, encoding, otlp::refusal(encoding, &words))
        }
    }
}

async fn store(app: &App, export: Export, context: &Context) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for item in export.items {
        let raw = (!item.decoded.events.is_empty()).then(|| Raw {
            source: Source::Otel,
            place: context.place.clone(),
            bytes: item.raw,
        });
        let (item, problems) = app.ingest.item(raw, item.decoded);
        batch.items.push(item);
        batch.problems.extend(problems);
    }
    app.ingest.append(batch, Audience::All).await.map(|_| ())
}

/// As the sender says; else as the body looks.
fn encoding(headers: &HeaderMap, body: &[u8]) -> Encoding {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let looks_like_json = || body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if kind.contains("json") || (!kind.contains("protobuf") && looks_like_json()) {
        Encoding::Json
    } else {
        Encoding::Protobuf
    }
}

fn answer(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Response {
    let kind = match encoding {
        Encoding::Json => "application/json",
        Encoding::Protobuf => "application/x-protobuf",
    };
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
