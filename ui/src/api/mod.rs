//! The only files that know HTTP and WebSocket.

mod client;
mod live;
mod query;

pub use client::{Api, ApiError, FilterOptions, RawPayload, UsageLine};
pub use live::follow;
pub use query::{percent_decode, percent_encode, to_query};
