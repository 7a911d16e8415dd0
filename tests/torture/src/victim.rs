//! `orrery serve` on a data directory of the row's own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::Plan;
use crate::wire::Wire;

/// A running server; killed when dropped.
pub struct Victim {
    child: Child,
    pub port: u16,
    words: PathBuf,
}

/// The command that serves `data` on a free port, and the file its words go to.
pub fn command(plan: &Plan, data: &Path) -> anyhow::Result<(Command, PathBuf)> {
    command_at(plan, data, 0)
}

/// The same, asking for a port.
pub fn command_at(plan: &Plan, data: &Path, port: u16) -> anyhow::Result<(Command, PathBuf)> {
    let beside = data.parent().context("the data directory lies in a scratch one")?;
    let words = beside.join(format!("{}-words.txt", data.file_name().unwrap_or_default().to_string_lossy()));
    let mut command = Command::new(plan.program("orrery"));
    clean(&mut command)
        .args(["serve", "--no-token", "--no-watch", "--no-open", "--port", &port.to_string(), "--data-dir"])
        .arg(data)
        .env("ORRERY_CONFIG_DIR", beside.join("config"))
        .env("HOME", beside)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::options().create(true).append(true).open(&words)?);
    Ok((command, words))
}

/// Without anything in the surroundings that the programs would honor.
pub fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["ORRERY_", "CLAUDE", "CODEX", "OBSERVABILITY", "SERVER_PORT", "DBUS_SESSION"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            command.env_remove(&name);
        }
    }
    command
}

impl Victim {
    pub fn start(plan: &Plan, data: &Path) -> anyhow::Result<Victim> {
        let (command, words) = command(plan, data)?;
        Victim::spawn(command, words)
    }

    /// Starts what [`command`] made, and waits until it accepts events.
    pub fn spawn(mut command: Command, words: PathBuf) -> anyhow::Result<Victim> {
        let mut child = command.spawn().context("orrery cannot be started")?;
        let stdout = child.stdout.take().context("its standard output was asked for")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        let Some(port) = first.rsplit(':').next().and_then(|port| port.parse().ok()) else {
            let _ = child.kill();
            let status = child.wait()?;
            let said = std::fs::read_to_string(&words).unwrap_or_default();
            bail!("the server did not start ({status}): {}", last_lines(&said));
        };
        // A full pipe must not stop the server.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Victim { child, port, words })
    }

    pub fn wire(&self) -> anyhow::Result<Wire> {
        Wire::open(self.port)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As a power cut of the process: no chance to finish anything.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and the way it ended.
    pub fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        self.signal("TERM")?;
        until("the server ends after SIGTERM", 30, || Ok(self.child.try_wait()?))
    }

    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status()?;
        if !sent.success() {
            bail!("SIG{name} could not be sent");
        }
        Ok(())
    }

    /// Everything it said on standard error so far.
    pub fn words(&self) -> String {
        std::fs::read_to_string(&self.words).unwrap_or_default()
    }

    pub fn has_panicked(&self) -> bool {
        self.words().contains("panicked at")
    }

    /// Resident memory now, in MB.
    pub fn resident_mb(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the kernel tells the size")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of what a program said.
pub fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(4)..].join(" | ")
}

/// Asks again and again until there is an answer; fails with `what` after `seconds`.
pub fn until<T>(
    what: &str,
    seconds: u64,
    mut question: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = question()? {
            return Ok(answer);
        }
        if Instant::now() > end {
            bail!("waited {seconds} s in vain: {what}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
