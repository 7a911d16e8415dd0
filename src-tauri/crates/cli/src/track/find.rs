//! Which program is the real Codex.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// `ORRERY_CODEX`, else the first `name` on the `PATH` that is a program and not this one under another name.
pub fn program(name: &str, named: Option<&OsStr>, path: Option<&OsStr>, own: Option<&Path>) -> Option<PathBuf> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let own = own.and_then(|own| own.canonicalize().ok());
    let is_other = |file: &PathBuf| is_program(file) && (own.is_none() || file.canonicalize().ok() != own);
    std::env::split_paths(path?)
        .map(|dir| if dir.as_os_str().is_empty() { ".".into() } else { dir })
        .map(|dir: PathBuf| dir.join(name))
        .find(is_other)
}

fn is_program(file: &PathBuf) -> bool {
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
