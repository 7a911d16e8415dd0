//! Whether `ui/dist` already is what the sources say: one hash over every input.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Profile;
use crate::paths;

/// Files and folders the interface is made from.
const INPUTS: [&str; 11] = [
    "Cargo.toml",
    "Cargo.lock",
    "ui/Cargo.toml",
    "ui/src",
    "ui/styles",
    "ui/static",
    "ui/index.html",
    "icons/256x256.png",
    "icons/512x512.png",
    "src-tauri/crates/types",
    "src-tauri/crates/views",
];

/// Lies beside dist, not in it: dist holds only what is served.
fn stamp_file() -> PathBuf {
    paths::root().join("ui/dist.stamp")
}

/// Hash over profile, tools and the names and bytes of all inputs, as hex.
pub fn inputs(profile: Profile) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    hash.update(profile.cargo_name());
    hash.update(include_bytes!("mod.rs"));
    hash.update(include_bytes!("compile.rs"));
    hash.update(include_bytes!("wasm.rs"));
    hash.update(include_bytes!("assets.rs"));
    for optional in ["binaryen/package.json", "@fontsource-variable/inter/package.json", "uplot/package.json"] {
        hash.update(fs::read(paths::node_modules().join(optional)).unwrap_or_default());
        hash.update([0]);
    }
    for input in INPUTS {
        let path = paths::root().join(input);
        if path.exists() {
            add(&mut hash, &path)?;
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn add(hash: &mut Sha256, path: &Path) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            hash.update(paths::shown(entry.path()));
            hash.update([0]);
            hash.update(Sha256::digest(fs::read(entry.path())?));
        }
    }
    Ok(())
}

/// True when the last build had these inputs and its page is still there.
pub fn is_current(inputs: &str) -> bool {
    let stamp = fs::read_to_string(stamp_file()).unwrap_or_default();
    stamp == inputs && paths::root().join("ui/dist/index.html").exists()
}

pub fn write(inputs: &str) -> anyhow::Result<()> {
    fs::write(stamp_file(), inputs)?;
    Ok(())
}
