//! Codex: rollout files, hooks file.

pub mod hooks_file;
mod results;
pub mod rollout;
mod texts;
mod usage;
