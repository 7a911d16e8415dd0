//! Claude Code: transcripts, settings.

pub mod settings;
pub mod transcript;
mod usage;
