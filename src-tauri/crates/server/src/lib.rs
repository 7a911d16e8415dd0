//! The bundled server: one ingest pipeline, one live stream, pages and jobs over HTTP on loopback.
//!
//! [`start`] opens the data directory, binds a port and returns a [`Running`] that the command line and the desktop
//! window share. It prints nothing.

pub mod assets;
pub mod attach;
pub mod clock;
pub mod costs;
pub mod jobs;
pub mod offline;
pub mod paths;
pub mod prices;

mod agents;
mod alerting;
mod app;
pub mod demo;
mod export;
mod family;
mod grants;
mod http;
mod ingest;
mod live;
mod overview;
mod port;
mod projects;
mod redact;
mod settings;
mod start;
mod token;

pub use http::tls::Certificate;
pub use ingest::Ingest;
pub use orrery_alerts as alerts;
pub use start::{Options, Reach, Running, StartError, start, start_at};
