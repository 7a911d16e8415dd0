//! `cargo xtask ui`: the interface from sources to files a server can send.
//!
//! Compile to wasm, bind, shrink, then write `ui/dist` with hashed names, compressed twins beside them.

mod assets;
mod compile;
mod stamp;
mod wasm;

use std::fs::{self, File};
use std::time::Instant;

use anyhow::Context;

use crate::paths;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

impl Profile {
    /// The profile's name in the root manifest, which is also its folder below the target.
    pub const fn cargo_name(self) -> &'static str {
        match self {
            Profile::Dev => "wasm-dev",
            Profile::Release => "wasm-release",
        }
    }
}

/// Builds `ui/dist` unless the inputs are those of the last build.
pub fn build(profile: Profile, force: bool) -> anyhow::Result<()> {
    let started = Instant::now();
    let target = paths::target().join("wasm");
    fs::create_dir_all(&target)?;
    // Two builds at once would take turns at replacing ui/dist.
    let lock = File::create(target.join("xtask-ui.lock"))?;
    lock.lock().context("the build lock cannot be taken")?;

    let inputs = stamp::inputs(profile)?;
    if !force && stamp::is_current(&inputs) {
        println!("ui/dist is up to date");
        return Ok(());
    }
    let compiled = compile::compile(profile, &target)?;
    let bound = wasm::bind(&compiled, profile)?;
    let files = assets::write(bound, profile)?;
    stamp::write(&inputs)?;
    assets::report(&files);
    println!("ui/dist built in {:.1} s ({})", started.elapsed().as_secs_f32(), profile.cargo_name());
    Ok(())
}
