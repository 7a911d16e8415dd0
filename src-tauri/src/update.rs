//! Updates from the project's releases, for builds that no package manager looks after.
//!
//! A release machine builds with `ORRERY_UPDATE_KEY` (the public half of its minisign key) and `ORRERY_UPDATE_URL` (where
//! the newest release is described). Without both, and in every package of a distribution, there is no updater in the
//! program at all: whoever installed it updates it.

use serde::Serialize;
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Wry};
use tauri_plugin_updater::{Config, UpdaterExt as _};
use url::Url;

const KEY: Option<&str> = option_env!("ORRERY_UPDATE_KEY");
const ADDRESS: Option<&str> = option_env!("ORRERY_UPDATE_URL");

/// What the person learns about updates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Update {
    /// Something else keeps this program up to date, and what.
    NotOurs {
        by: String,
    },
    Newest,
    /// Installed; it runs from the next start on.
    Installed {
        version: String,
    },
}

/// Whether this program updates itself.
fn is_ours() -> Result<(&'static str, Url), String> {
    if let Some(by) = packaged_by() {
        return Err(by);
    }
    let (Some(key), Some(address)) = (KEY, ADDRESS) else { return Err("this build has no release channel".to_owned()) };
    let address = Url::parse(address).map_err(|error| format!("its release address is unreadable: {error}"))?;
    Ok((key, address))
}

/// The package manager that installed this program. On Linux only an AppImage updates itself.
fn packaged_by() -> Option<String> {
    let is_linux = cfg!(target_os = "linux");
    (is_linux && std::env::var_os("APPIMAGE").is_none()).then(|| "the system's package manager".to_owned())
}

/// The updater, for a program that updates itself.
pub fn plugin() -> Option<TauriPlugin<Wry, Config>> {
    is_ours().ok().map(|(key, _)| tauri_plugin_updater::Builder::new().pubkey(key).build())
}

/// Looks for a newer release and installs it. Fails with words for the person.
pub async fn run(app: &AppHandle) -> Result<Update, String> {
    let address = match is_ours() {
        Ok((_, address)) => address,
        Err(by) => return Ok(Update::NotOurs { by }),
    };
    let failed = |error: tauri_plugin_updater::Error| format!("no update could be fetched: {error}");
    let updater = app.updater_builder().endpoints(vec![address]).and_then(|builder| builder.build()).map_err(failed)?;
    let Some(update) = updater.check().await.map_err(failed)? else { return Ok(Update::Newest) };
    update.download_and_install(|_, _| (), || ()).await.map_err(failed)?;
    Ok(Update::Installed { version: update.version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_a_channel_has_no_updater() {
        assert!(plugin().is_none());
        assert!(is_ours().is_err_and(|by| !by.is_empty()));
    }
}
