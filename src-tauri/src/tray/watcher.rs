//! Whether somebody shows tray icons.

/// On Linux that is a watcher of StatusNotifierItems with a host behind it; without one an icon is drawn nowhere.
#[cfg(all(unix, not(target_os = "macos")))]
pub fn has_host() -> bool {
    status_notifier_host().unwrap_or_else(|error| {
        tracing::debug!(%error, "no session bus to ask for a tray");
        false
    })
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
pub fn has_host() -> bool {
    true
}

#[cfg(all(unix, not(target_os = "macos")))]
fn status_notifier_host() -> zbus::Result<bool> {
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    let bus = zbus::blocking::Connection::session()?;
    let owned = zbus::blocking::fdo::DBusProxy::new(&bus)?.name_has_owner(WATCHER.try_into()?)?;
    if !owned {
        return Ok(false);
    }
    let watcher = zbus::blocking::Proxy::new(&bus, WATCHER, "/StatusNotifierWatcher", WATCHER)?;
    // Some watchers leave the property out.
    Ok(watcher.get_property::<bool>("IsStatusNotifierHostRegistered").unwrap_or(true))
}
