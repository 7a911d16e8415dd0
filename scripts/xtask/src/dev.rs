//! `cargo xtask dev`: the interface rebuilt on save, and a server that shows it.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context;
use notify::{RecursiveMode, Watcher};

use crate::{paths, ui};

/// Folders whose change means a new interface.
const WATCHED: [&str; 4] = ["ui", "src-tauri/crates/types/src", "src-tauri/crates/views/src", "Cargo.lock"];

pub fn run(serve_args: &[String]) -> anyhow::Result<()> {
    ui::build(ui::Profile::Dev, false)?;
    let mut server = Server(start_server(serve_args)?);

    let (sender, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(sender).context("the file watcher cannot be started")?;
    for path in WATCHED {
        watcher.watch(&paths::root().join(path), RecursiveMode::Recursive)?;
    }
    loop {
        if let Some(status) = server.0.try_wait()? {
            anyhow::bail!("the server ended with {status}");
        }
        if has_change(&changes, Duration::from_millis(500)) {
            // An editor writes several files at once: wait until it is quiet.
            while has_change(&changes, Duration::from_millis(120)) {}
            if let Err(error) = ui::build(ui::Profile::Dev, false) {
                eprintln!("{error:#}");
            }
        }
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A debug build reads ui/dist from disk on each request, so a reload of the page is all it takes.
fn start_server(args: &[String]) -> anyhow::Result<Child> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&cargo);
    command.current_dir(paths::root()).args(["build", "--package", "orrery-cli"]);
    paths::run(&mut command)?;
    let binary = paths::target().join("debug/orrery");
    Command::new(&binary)
        .arg("serve")
        .args(args)
        .spawn()
        .with_context(|| format!("{} cannot be started", paths::shown(&binary)))
}

fn has_change(changes: &mpsc::Receiver<notify::Result<notify::Event>>, wait: Duration) -> bool {
    let Ok(Ok(event)) = changes.recv_timeout(wait) else { return false };
    let is_output = |path: &Path| path.to_string_lossy().contains("/ui/dist");
    !event.kind.is_access() && event.paths.iter().any(|path| !is_output(path))
}
