//! One file per URL family.

pub mod agents;
pub mod alerts;
pub mod costs;
pub mod events;
pub mod export;
pub mod grants;
pub mod health;
pub mod hooks;
pub mod images;
pub mod jobs;
pub mod live;
pub mod otlp;
pub mod prices;
pub mod proof;
pub mod redaction;
pub mod respond;
pub mod sessions;
pub mod settings;
pub mod shared;
pub mod stream;
pub mod themes;
pub mod transcripts;
pub mod v1;
