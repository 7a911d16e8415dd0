//! The real server on a scratch data directory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::place::Place;

pub struct Server {
    child: Child,
    pub port: u16,
    pub data: TempDir,
}

impl Server {
    pub fn start(place: &Place) -> anyhow::Result<Server> {
        let data = tempfile::tempdir()?;
        let child = Command::new(place.orrery()?)
            .args(["serve", "--port", "0", "--no-token", "--no-watch", "--no-open", "--data-dir"])
            .arg(data.path())
            .env("ORRERY_CONFIG_DIR", data.path().join("config"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (child, port) = wait_for_port(child)?;
        Ok(Server { child, port, data })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends the server as a person's system would, so that everything is where it stays.
    pub fn end(mut self) -> anyhow::Result<TempDir> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        let ended = self.child.wait()?;
        if !asked.success() || !ended.success() {
            bail!("the server ended with {ended}");
        }
        Ok(std::mem::replace(&mut self.data, tempfile::tempdir()?))
    }

    pub fn database(&self) -> std::path::PathBuf {
        self.data.path().join("orrery.db")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Reads `listening on http://127.0.0.1:PORT`.
pub fn wait_for_port(mut child: Child) -> anyhow::Result<(Child, u16)> {
    let stdout = child.stdout.take().context("its standard output was not asked for")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let Some(port) = line.trim().rsplit(':').next().and_then(|port| port.parse().ok()) else {
        stop(&mut child);
        bail!("the server did not say where it listens, but: {line:?}");
    };
    Ok((child, port))
}

fn stop(child: &mut Child) {
    if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
        eprintln!("a server could not be stopped: {error}");
    }
}

/// Size of a file, or of everything in a folder.
pub fn size_of(path: &Path) -> u64 {
    let Ok(meta) = path.metadata() else { return 0 };
    if meta.is_file() {
        return meta.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size_of(&entry.path())).sum()
}
