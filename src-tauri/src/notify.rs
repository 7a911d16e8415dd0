//! The shell's own word to the person. Alerts come from the server.

use std::path::PathBuf;
use std::sync::Arc;

use tauri::{AppHandle, Manager};

use crate::shell::Shell;

/// Stands in the data directory once the person was told.
const TOLD: &str = "told-of-tray";

/// The first time the window hides: says that Orrery goes on, and how to end it.
pub fn say_hidden_once(app: &AppHandle) {
    let told = told_path();
    if told.exists() {
        return;
    }
    let sink = Arc::clone(&app.state::<Shell>().sink);
    tauri::async_runtime::spawn_blocking(move || {
        let said =
            sink.say("Orrery keeps running", "It is in the tray, and agents go on being recorded. Quit is in its menu");
        match said {
            Ok(()) => {
                if let Err(error) = std::fs::write(&told, "") {
                    tracing::debug!(%error, "it will be said again");
                }
            }
            Err(error) => tracing::debug!(%error, "not said"),
        }
    });
}

fn told_path() -> PathBuf {
    orrery_server::paths::data_dir().join(TOLD)
}
