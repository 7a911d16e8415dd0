//! `orrery hook`: here for the help text; `main` runs it before any command line is parsed.

use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Hook {
    /// Whose payload it is
    #[arg(long, default_value = "claude-code")]
    agent: String,
    /// URL of the server; anything but plain http on this machine goes to the spool
    #[arg(long, env = "ORRERY_SERVER")]
    server: Option<String>,
    /// The payload, instead of stdin
    payload: Option<String>,
}

impl Hook {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let args = orrery_client::hook::Args { agent: Some(self.agent), server: self.server, payload: self.payload };
        orrery_client::hook::run(&args);
        Ok(ExitCode::SUCCESS)
    }
}
