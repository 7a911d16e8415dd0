//! `orrery track codex -- ARGS...`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub struct Track {
    /// The agent to run
    #[arg(value_enum)]
    agent: Tracked,
    /// Server that hears of the run: a name of this machine, a port or a URL; anything else goes to the spool
    #[arg(long, env = "ORRERY_SERVER", value_name = "NAME_OR_URL")]
    server: Option<String>,
    /// What the agent gets, word for word
    #[arg(last = true)]
    args: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tracked {
    Codex,
}

impl Track {
    /// # Errors
    /// On systems without Unix signals.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Track { agent: Tracked::Codex, server, args } = self;
        codex(&args, server)
    }
}

/// Whether the program was called by a name that stands for a tracked Codex.
pub fn is_name(program: &std::ffi::OsStr) -> bool {
    let name = std::path::Path::new(program).file_stem().and_then(|name| name.to_str());
    matches!(name, Some("codex-tracked" | "codex"))
}

/// Codex with `args`, tracked.
///
/// # Errors
/// On systems without Unix signals.
#[cfg(unix)]
pub fn codex(args: &[OsString], server: Option<String>) -> anyhow::Result<ExitCode> {
    Ok(crate::track::codex(args, server).into())
}

/// Codex with `args`, tracked.
///
/// # Errors
/// Always: this system has no Unix signals.
#[cfg(not(unix))]
pub fn codex(_args: &[OsString], _server: Option<String>) -> anyhow::Result<ExitCode> {
    anyhow::bail!("codex is tracked on Linux and macOS only; its rollouts are read here as well")
}
