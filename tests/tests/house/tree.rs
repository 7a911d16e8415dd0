//! What lies at the top, and how long a file may grow.

use std::collections::BTreeSet;

use crate::{check, root, tracked_files};

/// Everything the top level holds. A new name needs a reason in ARCHITECTURE.md first.
const TOP: [&str; 21] = [
    ".cargo",
    ".ci",
    ".editorconfig",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "icons",
    "rustfmt.toml",
    "scripts",
    "src-tauri",
    "tauri.conf.json",
    "tests",
    "ui",
];

/// Long for a reason.
const MAY_BE_LONG: [(&str, &str); 0] = [];

const MAX_LINES: usize = 600;

#[test]
fn the_top_level_is_the_prescribed_one() {
    let found: BTreeSet<String> =
        tracked_files().iter().map(|file| file.split('/').next().unwrap().to_owned()).collect();
    let wanted: BTreeSet<String> = TOP.iter().map(|&name| name.to_owned()).collect();
    let mut findings: Vec<String> = found.difference(&wanted).map(|name| format!("{name} has no place here")).collect();
    findings.extend(wanted.difference(&found).map(|name| format!("{name} is missing")));
    check("the top level", findings);
}

#[test]
fn files_stay_readable_in_one_sitting() {
    let is_code = |file: &String| [".rs", ".css", ".mjs", ".js", ".sh"].iter().any(|ending| file.ends_with(ending));
    let mut findings = Vec::new();
    for file in tracked_files().iter().filter(|file| is_code(file)) {
        let lines = std::fs::read_to_string(root().join(file)).unwrap().lines().count();
        if lines > MAX_LINES && !MAY_BE_LONG.iter().any(|(name, _)| name == file) {
            findings.push(format!("{file} has {lines} lines: split it by the reader's question"));
        }
    }
    check("no file over 600 lines", findings);
}
