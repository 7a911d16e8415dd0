//! Where data and settings lie: the same answer for the command, the server and the window.

use std::path::PathBuf;

use etcetera::{BaseStrategy, choose_base_strategy};

/// The data directory: `ORRERY_DATA_DIR`, else `orrery` in the platform's data directory. The hook, which is built
/// without this crate, asks the same function.
pub fn data_dir() -> PathBuf {
    orrery_client::discover::data_dir().unwrap_or_else(|| PathBuf::from(".orrery"))
}

/// The directory of `config.toml`: `ORRERY_CONFIG_DIR`, else `orrery` in the platform's config directory.
pub fn config_dir() -> PathBuf {
    if let Some(dir) = from_environment("ORRERY_CONFIG_DIR") {
        return dir;
    }
    if cfg!(target_os = "macos") {
        return data_dir();
    }
    match choose_base_strategy() {
        Ok(base) => base.config_dir().join("orrery"),
        Err(_) => PathBuf::from(".orrery"),
    }
}

fn from_environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
