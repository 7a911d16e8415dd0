//! Codex: rollout files, hooks file.

pub mod hooks_file;
pub mod rollout;
mod texts;
mod usage;
