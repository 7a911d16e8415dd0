//! A home directory of one journey: nothing of the person's own is read or written.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("orrery-home-").tempdir().unwrap();
        let home = Home { dir };
        for folder in ["data", "config", "runtime", "cache"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(home.path().join("runtime"), private).unwrap();
        }
        home
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data/orrery")
    }

    /// Makes `command` live here, and forget every setting of the surroundings that it would honor.
    pub fn own(&self, command: &mut Command) {
        for (name, _) in std::env::vars() {
            if name.starts_with("ORRERY_") || name.starts_with("CLAUDE") || name.starts_with("CODEX") {
                command.env_remove(name);
            }
        }
        for name in ["OBSERVABILITY_SERVER", "SERVER_PORT", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"] {
            command.env_remove(name);
        }
        command
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("XDG_DATA_HOME", self.path().join("data"))
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_RUNTIME_DIR", self.path().join("runtime"))
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .env("XDG_STATE_HOME", self.path().join("data"));
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}
