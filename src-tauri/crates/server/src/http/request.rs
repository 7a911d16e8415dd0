//! What routes take from a request, refusing in our own words.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::problem::Failure;

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

/// The whole body, up to the route's limit.
pub struct Payload(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        Bytes::from_request(request, state).await.map(Payload).map_err(refusal)
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

fn refusal(error: BytesRejection) -> Failure {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The body is too large",
            "Send less at a time",
        );
    }
    Failure::bad("bad_body", error.body_text(), "Send the body again, whole")
}
