//! A screen that nobody looks at.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::tool;

/// An X server in memory; ended when dropped.
pub struct Display {
    child: Child,
    /// `:7`
    pub name: String,
}

impl Display {
    pub fn start() -> Display {
        let mut child = Command::new(tool("Xvfb"))
            // It picks a free display and names it on stdout.
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb named no display");
        Display { child, name: format!(":{}", number.trim()) }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
