//! Claude Code: transcripts, settings.

pub mod line;
pub mod settings;
pub mod transcript;
mod usage;
