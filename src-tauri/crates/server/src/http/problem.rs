//! Refusals as `application/problem+json`, with the family's `error` beside.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orrery_store::StoreError;
use orrery_types::ProblemJson;

/// Seconds after which a sender that was not served may try again.
const RETRY_AFTER: &str = "1";

/// A refusal on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub ProblemJson);

impl Failure {
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>, hint: &str) -> Failure {
        let title = title.into();
        let error = title.clone();
        Failure(ProblemJson {
            status: status.as_u16(),
            code: code.to_owned(),
            title,
            hint: hint.to_owned(),
            error,
            span: None,
        })
    }

    pub fn bad(code: &str, title: impl Into<String>, hint: &str) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, code, title, hint)
    }

    pub fn not_found(what: &str) -> Failure {
        let title = format!("{what} is not here");
        Failure::new(StatusCode::NOT_FOUND, "not_found", title, "It may have been removed; load the list again")
    }

    pub fn conflict(code: &str, title: impl Into<String>, hint: &str) -> Failure {
        Failure::new(StatusCode::CONFLICT, code, title, hint)
    }

    /// Something of ours went wrong: the words are for the log and the person.
    pub fn internal(title: impl std::fmt::Display) -> Failure {
        let title = title.to_string();
        tracing::error!(error = %title, "a request failed");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", title, "Try again; the server's log says more")
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            StoreError::BadQuery(words) => {
                Failure::bad("bad_query", words, "Search for plain words; quotes hold a phrase together")
            }
            StoreError::Unwritable(_) => {
                tracing::error!(%error, "nothing can be stored");
                let hint = "Make room on the disk or make the data directory writable, then send again";
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, "store_unwritable", error.to_string(), hint)
            }
            StoreError::Busy => {
                tracing::warn!("more arrives than the disk takes; a sender was asked to come back");
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string(), "Send again in a second")
            }
            other => Failure::internal(other),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
