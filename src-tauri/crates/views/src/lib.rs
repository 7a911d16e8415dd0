//! Pure folds: events to session rows, usage to costs, events to a story; and the query language. No IO, no clock, no async; builds for wasm.
//!
//! The store runs these inside the append transaction and the browser runs the same on live messages, so that a row is
//! defined once.

pub mod bill;
mod export_name;
pub mod files;
pub mod filter;
pub mod format;
pub mod merge;
pub mod pricing;
pub mod project;
pub mod session;
pub mod story;
pub mod usage;

pub use export_name::export_name;
