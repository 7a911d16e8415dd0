//! Where the programs under test and the tools that drive them are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The top of the work tree.
pub fn work_tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A program built into the same target directory as this test.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/journeys-0123 -> target/debug
    let file = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(file.is_file(), "{} is not built: scripts/test builds it, or cargo build it first", file.display());
    file
}

/// A tool on the PATH. A journey without its tool fails; it never passes by being skipped.
pub fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed: scripts/test installs it"))
}

/// A Python that has dbusmock; the first on the PATH may be another than the system's.
pub fn python() -> PathBuf {
    let has_dbusmock = |python: &Path| {
        let answer = Command::new(python).args(["-c", "import dbus, dbusmock"]).output();
        answer.is_ok_and(|output| output.status.success())
    };
    ["/usr/bin/python3", "python3"]
        .into_iter()
        .map(PathBuf::from)
        .find(|python| has_dbusmock(python))
        .unwrap_or_else(|| panic!("python3 with dbusmock is not installed: scripts/test installs it"))
}
