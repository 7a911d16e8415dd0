//! The house rules: what may import what, what lies where, what never gets in.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod imports;
mod lock;
mod text;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The top of the work tree.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files that git has or would take, relative to the top.
fn tracked_files() -> Vec<String> {
    let output = Command::new("git")
        // A checkout may belong to another user than the one who tests it.
        .args(["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git lists the files of the work tree");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    // A file deleted but not yet staged is still listed.
    names.split('\0').filter(|name| !name.is_empty() && root().join(name).is_file()).map(str::to_owned).collect()
}

/// Fails with every finding at once: one run shows all there is to mend.
fn check(rule: &str, findings: Vec<String>) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
