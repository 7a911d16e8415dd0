//! `cargo xtask shots`: the README's screenshots, taken by a browser from `orrery demo`.

use std::process::Command;

use anyhow::{Context, bail};

use crate::{paths, ui};

/// Builds what is shown, then lets scripts/node/shots.mjs start it, play the demo and take the pictures.
pub fn take() -> anyhow::Result<()> {
    if !paths::node_modules().join("playwright-core").is_dir() {
        bail!("playwright-core is not installed: npm install in scripts/node");
    }
    ui::build(ui::Profile::Dev, false)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    paths::run(Command::new(cargo).current_dir(paths::root()).args(["build", "--package", "orrery-cli"]))?;
    paths::run(
        Command::new("node")
            .arg(paths::root().join("scripts/node/shots.mjs"))
            .arg(paths::target().join("debug/orrery"))
            .arg(paths::root().join("docs/shots")),
    )
    .context("the screenshots were not taken")
}
