//! Codex: rollout files, the stream of `codex exec --json`, hooks file.

mod exec;
pub mod hooks_file;
mod results;
pub mod rollout;
mod texts;
mod usage;
