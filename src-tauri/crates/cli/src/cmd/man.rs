//! `orrery man`: manual pages, for packages.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory;

#[derive(Debug, clap::Args)]
pub struct Man {
    /// Folder to write them into
    folder: PathBuf,
}

impl Man {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let folder = self.folder.display();
        clap_mangen::generate_to(crate::Cli::command(), &self.folder)
            .with_context(|| format!("no manual pages could be written into {folder}"))?;
        Ok(ExitCode::SUCCESS)
    }
}
