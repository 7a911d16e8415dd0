//! `cargo xtask check`: the house rules, which live as tests in `tests/tests/house.rs`.

use std::process::Command;

use crate::paths;

pub fn run() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    paths::run(Command::new(cargo).current_dir(paths::root()).args([
        "test",
        "--quiet",
        "--package",
        "orrery-tests",
        "--test",
        "house",
    ]))
}
