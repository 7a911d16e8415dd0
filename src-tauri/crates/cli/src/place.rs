//! The directories of one Orrery, as options of several commands.

use std::path::PathBuf;

/// `--data-dir`, shared by the commands that touch the store.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Place {
    /// Directory of the store, the token and the spool
    #[arg(long, env = "ORRERY_DATA_DIR", value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
}

impl Place {
    /// The directory asked for, or the platform's.
    pub fn data_dir(&self) -> PathBuf {
        let given = self.data_dir.clone().filter(|dir| !dir.as_os_str().is_empty());
        given.unwrap_or_else(orrery_server::paths::data_dir)
    }
}
