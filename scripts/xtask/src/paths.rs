//! Where things lie in the work tree, and how tools are found.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The top of the work tree.
pub fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let manifest = manifest.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    manifest.ancestors().nth(2).expect("xtask lies two folders below the top").to_path_buf()
}

/// The target directory of native builds: the one this program was built into.
pub fn target() -> PathBuf {
    if let Some(dir) = std::env::var_os("CARGO_TARGET_DIR") {
        return root().join(dir);
    }
    root().join("target")
}

/// A program of `scripts/node/node_modules/.bin`. Empty before `npm ci` in scripts/node.
pub fn node_bin(name: &str) -> Option<PathBuf> {
    let path = node_modules().join(".bin").join(name);
    path.exists().then_some(path)
}

pub fn node_modules() -> PathBuf {
    root().join("scripts/node/node_modules")
}

/// The first program of that name on the PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Runs a command and fails with its name when it does not end well.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{name} cannot be started"))?;
    if !status.success() {
        bail!("{name} ended with {status}");
    }
    Ok(())
}

/// Runs a command and returns its standard output without the last line break.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} cannot be started"))?;
    if !output.status.success() {
        bail!("{name} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// `path` as seen from the top of the work tree, with forward slashes.
pub fn shown(path: &Path) -> String {
    let root = root();
    path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
