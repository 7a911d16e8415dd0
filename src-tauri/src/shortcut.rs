//! Keys that bring the window up from anywhere. Off until the person names some in the settings.
//!
//! X11, macOS and Windows let a program ask for them; Wayland does not yet.

use std::sync::Mutex;

use tauri::{AppHandle, Manager};
use tauri_plugin_global_shortcut::{GlobalShortcutExt as _, ShortcutState};

use crate::{display, window};

/// The keys in force, as the settings spell them.
#[derive(Debug, Default)]
pub struct Keys(Mutex<String>);

/// Asks the desktop for `keys` instead of the ones before. Fails with words for the person.
pub fn set(app: &AppHandle, keys: &str) -> Result<(), String> {
    let state = app.state::<Keys>();
    let mut known = state.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let keys = keys.trim();
    if *known == keys {
        return Ok(());
    }
    let desktop = app.global_shortcut();
    if !known.is_empty() {
        desktop.unregister(known.as_str()).map_err(|error| error.to_string())?;
        known.clear();
    }
    if keys.is_empty() {
        return Ok(());
    }
    if display::is_wayland() {
        return Err("Wayland gives no program keys that work everywhere".to_owned());
    }
    desktop
        .on_shortcut(keys, |app, _, event| {
            if event.state() == ShortcutState::Pressed {
                window::raise(app);
            }
        })
        .map_err(|error| format!("the keys {keys} are not to be had: {error}"))?;
    keys.clone_into(&mut known);
    Ok(())
}
