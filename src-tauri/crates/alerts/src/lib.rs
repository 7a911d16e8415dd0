//! What is worth a person's attention, as data, and the ways to tell them.
//!
//! Rules are pure: they take what was appended (or a tick) and `now`, and return an alert. Each alert carries a key that
//! names its occasion; the store's log takes every key once, which is why nothing here remembers what was sent. Policy
//! decides whether an alert is shown; sinks show it.

pub mod check;
pub mod digest;
pub mod policy;
pub mod retry;
pub mod rules;
pub mod sinks;
pub mod summary;
pub mod zone;

pub use sinks::{Sink, SinkError};
pub use zone::Zone;
