//! A small file system of its own, where the machine lets us make one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;

/// A tmpfs, unmounted when dropped.
pub struct Mount {
    path: PathBuf,
}

impl Mount {
    /// `None`, and said loudly, where this user may not mount.
    pub fn tmpfs(path: &Path, options: &str) -> anyhow::Result<Option<Mount>> {
        if !rustix::process::getuid().is_root() {
            eprintln!("SKIPPED: only root can mount a small disk; run this row as root to try it");
            return Ok(None);
        }
        std::fs::create_dir_all(path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: this system lets even root mount nothing (a container?)");
            return Ok(None);
        }
        Ok(Some(Mount { path: path.to_owned() }))
    }

    /// Makes it read-only from now on.
    pub fn forbid_writing(&self) -> anyhow::Result<()> {
        let done = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.path).status()?;
        if !done.success() {
            bail!("the small disk could not be made read-only");
        }
        Ok(())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
