//! `cargo xtask torture`: builds the programs, then lets `orrery-torture` loose on them.

use std::process::Command;

use crate::paths;

pub fn run(names: &[String], long: bool, record: bool) -> anyhow::Result<()> {
    let profile: &[&str] = if long { &["--release"] } else { &[] };
    let programs = ["--package", "orrery-cli", "--package", "orrery-client", "--package", "orrery-torture"];
    cargo(&[&["build"], profile, &programs].concat())?;
    let mut torture = [&["run", "--quiet"], profile, &["--package", "orrery-torture", "--"]].concat();
    torture.extend(names.iter().map(String::as_str));
    torture.extend(long.then_some("--long"));
    torture.extend(record.then_some("--record"));
    cargo(&torture)
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    paths::run(Command::new(cargo).current_dir(paths::root()).args(args))
}
