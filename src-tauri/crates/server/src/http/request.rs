//! What routes take from a request, refusing in our own words.

use std::error::Error;
use std::time::Duration;

use axum::RequestExt;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::problem::Failure;
use super::seats::FREE_BYTES;
use super::serve::seat_of;

/// A body of which nothing came for so long is not going to end.
const IDLE_TIME: Duration = Duration::from_secs(10);
/// A body may take this long, and longer by its size at [`SLOWEST`].
const BODY_TIME: Duration = Duration::from_secs(20);
/// Bytes a second of the slowest sender that is served.
const SLOWEST: u64 = 64 * 1024;
/// Memory for large bodies is asked for in pieces of this size.
const PIECE: usize = 1024 * 1024;

/// The query string as `T`.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Params(params)),
            Err(error) => Err(Failure::bad("bad_parameter", error.body_text(), "See /openapi.json for the parameters")),
        }
    }
}

/// The whole body, up to the route's limit, from a sender that keeps sending.
pub struct Payload(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let _ = state;
        let seat = seat_of(&request);
        let mut body = request.into_limited_body();
        let began = Instant::now();
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        let mut size = 0;
        let mut paid = FREE_BYTES;
        loop {
            let late = began + BODY_TIME + Duration::from_secs(size as u64 / SLOWEST);
            let frame = match tokio::time::timeout_at(late.min(Instant::now() + IDLE_TIME), body.frame()).await {
                Ok(Some(frame)) => frame.map_err(refusal)?,
                Ok(None) => break,
                Err(_) => return Err(too_slow()),
            };
            let Ok(data) = frame.into_data() else { continue };
            size += data.len();
            if let Some(seat) = &seat
                && size > paid
            {
                if !seat.room(PIECE.max(size - paid)).await {
                    return Err(no_room());
                }
                paid += PIECE.max(size - paid);
            }
            // Nearly every body comes in one piece, and is passed on as it is.
            if all.is_empty() && first.is_empty() {
                first = data;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
        if let Some(seat) = seat {
            seat.works();
        }
        Ok(Payload(if all.is_empty() { first } else { all.freeze() }))
    }
}

/// The body as JSON; an empty one reads as the default.
pub struct Document<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Document<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Payload(bytes) = Payload::from_request(request, state).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Document(T::default()));
        }
        serde_json::from_slice(&bytes).map(Document).map_err(|error| {
            Failure::bad("bad_json", format!("Invalid JSON: {error}"), "Send the fields of /openapi.json")
        })
    }
}

fn refusal(error: axum::Error) -> Failure {
    let error = error.into_inner();
    let mut cause: Option<&(dyn Error + 'static)> = Some(error.as_ref());
    while let Some(one) = cause {
        if one.is::<LengthLimitError>() {
            let title = "The body is too large";
            return Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", title, "Send less at a time");
        }
        cause = one.source();
    }
    Failure::bad("bad_body", error.to_string(), "Send the body again, whole")
}

fn too_slow() -> Failure {
    let title = "The body did not arrive in time";
    Failure::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", title, "Send the body again, without a pause")
}

fn no_room() -> Failure {
    let title = "Too many large bodies at once";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title, "Send this one again in a second")
}
