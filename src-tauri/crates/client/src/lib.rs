//! What runs beside an agent: find the server, send to it, or spool to disk when it does not answer.
//!
//! The standard library alone: the hook blocks the person's agent on every tool call, so it starts fast and stays small.

pub mod answer;
pub mod discover;
pub mod hook;
pub mod id;
pub mod request;
pub mod runs;
pub mod send;
pub mod spool;
