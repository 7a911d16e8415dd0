//! Starting with the desktop session: the person's choice in the tray's menu.

use tauri::AppHandle;
use tauri_plugin_autostart::ManagerExt as _;

/// Started so, the program stays in the tray until it is wanted.
pub const FLAG: &str = "--hidden";

pub fn is_on(app: &AppHandle) -> bool {
    app.autolaunch().is_enabled().unwrap_or_else(|error| {
        tracing::debug!(%error, "whether it starts at login is not known");
        false
    })
}

pub fn toggle(app: &AppHandle) {
    let launch = app.autolaunch();
    let done = if is_on(app) { launch.disable() } else { launch.enable() };
    if let Err(error) = done {
        tracing::warn!(%error, "starting at login did not change");
    }
}
