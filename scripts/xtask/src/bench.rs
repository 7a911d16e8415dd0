//! `cargo xtask bench`: builds what is shipped, then lets `orrery-bench` measure it.

use std::process::Command;

use crate::{paths, ui};

pub fn run(names: &[String]) -> anyhow::Result<()> {
    let wants = |name: &str| names.is_empty() || names.iter().any(|named| named == name);
    if ["sizes", "page", "ui", "desktop"].into_iter().any(wants) {
        ui::build(ui::Profile::Release, false)?;
    }
    cargo(&["build", "--profile", "hook", "--package", "orrery-client"])?;
    cargo(&["build", "--release", "--package", "orrery-cli"])?;
    if wants("desktop") {
        cargo(&["build", "--release", "--package", "orrery-desktop", "--bin", "orrery-desktop"])?;
    }
    let mut measure = vec!["run", "--quiet", "--release", "--package", "orrery-bench", "--"];
    measure.extend(names.iter().map(String::as_str));
    cargo(&measure)
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    paths::run(Command::new(cargo).current_dir(paths::root()).args(args))
}
