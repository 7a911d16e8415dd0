//! The only files that know HTTP and WebSocket.

mod client;
mod live;
mod query;

pub use client::{Api, ApiError, RawPayload};
pub use live::follow;
pub use query::percent_encode;
