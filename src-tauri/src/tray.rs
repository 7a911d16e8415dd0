//! The tray: today's cost, who needs you, pause, quit.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use orrery_alerts::summary;
use orrery_types::Overview;
use tauri::image::Image;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager};
use url::Url;

use crate::shell::Shell;
use crate::{ipc, window};

const ICON: &[u8] = include_bytes!("../../icons/tray.png");
/// The same with the body that asks for the person in brass.
const ICON_ATTENTION: &[u8] = include_bytes!("../../icons/tray-attention.png");
const PAUSE_MS: i64 = 60 * 60 * 1000;

/// The tray icon and the entries that change.
pub struct Tray {
    icon: TrayIcon,
    today: MenuItem<tauri::Wry>,
    activity: MenuItem<tauri::Wry>,
    pause: MenuItem<tauri::Wry>,
    asks: AtomicBool,
}

/// Puts Orrery in the tray. Empty where the desktop has none: then closing the window ends the program.
pub fn build(app: &AppHandle) -> Option<Tray> {
    if !has_host() {
        tracing::info!("this desktop has no tray: closing the window quits");
        return None;
    }
    // The library panics when the system's indicator library is missing.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| assemble(app)));
    std::panic::set_hook(hook);
    match built {
        Ok(Ok(tray)) => Some(tray),
        Ok(Err(error)) => {
            tracing::warn!("no tray: {error:#}");
            None
        }
        Err(_) => {
            tracing::warn!("no tray: libayatana-appindicator3 is not installed");
            None
        }
    }
}

fn assemble(app: &AppHandle) -> anyhow::Result<Tray> {
    let item = |id: &str, text: &str| MenuItem::with_id(app, id, text, true, None::<&str>);
    let open = item("open", "Open Orrery")?;
    let today = item("today", "Today")?;
    let activity = item("activity", "Starting")?;
    let pause = item("pause", "Pause alerts for 1 h")?;
    let browser = item("browser", "Open in browser")?;
    let quit = item("quit", "Quit")?;
    let line = || PredefinedMenuItem::separator(app);
    let menu =
        Menu::with_items(app, &[&open, &line()?, &today, &activity, &line()?, &pause, &browser, &line()?, &quit])?;
    let icon = TrayIconBuilder::with_id("main")
        .icon(Image::from_bytes(ICON).context("tray.png")?)
        .icon_as_template(true)
        .tooltip("Orrery")
        .menu(&menu)
        .on_menu_event(chosen)
        .build(app)?;
    Ok(Tray { icon, today, activity, pause, asks: AtomicBool::new(false) })
}

impl Tray {
    /// Shows new figures.
    pub fn show(&self, overview: &Overview) {
        let pause = if overview.alerts_paused_until_ms.is_some() { "Resume alerts" } else { "Pause alerts for 1 h" };
        let shown = self
            .today
            .set_text(summary::today(overview))
            .and_then(|()| self.activity.set_text(summary::activity(overview)))
            .and_then(|()| self.pause.set_text(pause))
            .and_then(|()| self.show_attention(overview.needs_you > 0));
        if let Err(error) = shown {
            tracing::debug!(%error, "the tray does not change");
        }
    }

    fn show_attention(&self, asks: bool) -> tauri::Result<()> {
        if self.asks.swap(asks, Ordering::Relaxed) == asks {
            return Ok(());
        }
        let icon = Image::from_bytes(if asks { ICON_ATTENTION } else { ICON })?;
        self.icon.set_icon_with_as_template(Some(icon), !asks)
    }
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        "open" | "today" | "activity" => window::raise(app),
        "pause" => pause_or_resume(app),
        "browser" => open_in_browser(app),
        "quit" => app.exit(0),
        _ => {}
    }
}

fn pause_or_resume(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Ok(host) = app.state::<Shell>().host().await {
            host.pause_or_resume(PAUSE_MS).await;
        }
    });
}

fn open_in_browser(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Ok(host) = app.state::<Shell>().host().await else { return window::raise(&app) };
        let link = host.browser_link("/app/live").await;
        let opened = Url::parse(&link).map_err(|error| error.to_string()).and_then(|url| ipc::open_outside(&app, &url));
        if let Err(words) = opened {
            tracing::warn!(words, "the browser does not open");
            window::raise(&app);
        }
    });
}

/// Whether somebody shows tray icons. On Linux that is a watcher of StatusNotifierItems with a host behind it; without one
/// an icon is drawn nowhere.
fn has_host() -> bool {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        status_notifier_host().unwrap_or_else(|error| {
            tracing::debug!(%error, "no session bus to ask for a tray");
            false
        })
    }
    #[cfg(not(all(unix, not(target_os = "macos"))))]
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
