//! Scripts of `tests/browser`: what a person does in a browser, driven by playwright-core.

use std::process::Command;

use crate::{Server, tool, work_tree};

/// Runs `tests/browser/NAME.mjs` against `server` and fails with its words.
pub fn run_page_script(name: &str, server: &Server) {
    assert!(
        work_tree().join("scripts/node/node_modules/playwright-core").is_dir(),
        "playwright-core is not installed: scripts/test installs it (npm install in scripts/node)"
    );
    let output = Command::new(tool("node"))
        .arg(work_tree().join(format!("tests/browser/{name}.mjs")))
        .env("ORRERY_BASE", &server.base)
        .env("ORRERY_LINK", server.one_time_link())
        .env("ORRERY_PID", server.pid().to_string())
        .output()
        .unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {words}");
    eprintln!("{words}");
}
