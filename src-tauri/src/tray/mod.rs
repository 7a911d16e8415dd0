//! The tray: how things stand, who needs you, pause, quit.

mod face;
mod watcher;

use std::sync::Mutex;

use anyhow::Context as _;
use orrery_server::clock;
use orrery_types::Overview;
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};
use url::Url;

use crate::shell::{self, Shell};
use crate::{ipc, login, window};
use face::{Face, Mood};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// In front of the id of a session's entry.
const SESSION: &str = "session:";

/// The tray icon, and what it shows by now.
pub struct Tray {
    app: AppHandle,
    icon: TrayIcon,
    shown: Mutex<Option<(Face, Entries)>>,
}

/// Entries whose words change while the menu stays.
struct Entries {
    today: MenuItem<Wry>,
    activity: MenuItem<Wry>,
}

/// Puts Orrery in the tray. Empty where the desktop has none: then closing the window ends the program.
pub fn build(app: &AppHandle) -> Option<Tray> {
    if !watcher::has_host() {
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
    let (menu, entries) = menu(app, &Face::offline())?;
    let icon = TrayIconBuilder::with_id("main")
        .icon(picture(Mood::Calm)?)
        .icon_as_template(true)
        .tooltip("Orrery")
        .menu(&menu)
        .on_menu_event(chosen)
        .build(app)?;
    Ok(Tray { app: app.clone(), icon, shown: Mutex::new(Some((Face::offline(), entries))) })
}

impl Tray {
    /// Shows new figures.
    pub fn show(&self, overview: &Overview) {
        self.wear(Face::of(overview));
    }

    /// The server is away.
    pub fn show_offline(&self) {
        self.wear(Face::offline());
    }

    fn wear(&self, face: Face) {
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let before = shown.take();
        match self.change(before, &face) {
            Ok(entries) => *shown = Some((face, entries)),
            Err(error) => tracing::debug!(%error, "the tray does not change"),
        }
    }

    /// Changes what differs. A menu is only made anew when entries come or go: an open one would close.
    fn change(&self, before: Option<(Face, Entries)>, face: &Face) -> anyhow::Result<Entries> {
        let differs = |part: fn(&Face) -> String| before.as_ref().is_none_or(|(old, _)| part(old) != part(face));
        if before.as_ref().is_none_or(|(old, _)| old.mood != face.mood) {
            // A colored picture must not be tinted by the desktop.
            let is_plain = !matches!(face.mood, Mood::Asks | Mood::OverBudget);
            self.icon.set_icon_with_as_template(Some(picture(face.mood)?), is_plain)?;
        }
        if differs(|face| face.count.clone()) {
            self.icon.set_title(Some(face.count.as_str()))?;
        }
        if differs(|face| face.tooltip.clone()) {
            self.icon.set_tooltip(Some(&face.tooltip))?;
        }
        match before {
            Some((old, entries)) if (&old.waiting, old.more, old.paused) == (&face.waiting, face.more, face.paused) => {
                if old.today != face.today {
                    entries.today.set_text(&face.today)?;
                }
                if old.activity != face.activity {
                    entries.activity.set_text(&face.activity)?;
                }
                Ok(entries)
            }
            _ => {
                let (menu, entries) = menu(&self.app, face)?;
                self.icon.set_menu(Some(menu))?;
                Ok(entries)
            }
        }
    }
}

fn picture(mood: Mood) -> anyhow::Result<Image<'static>> {
    let bytes: &[u8] = match mood {
        Mood::Calm => include_bytes!("../../../icons/tray.png"),
        Mood::Asks => include_bytes!("../../../icons/tray-attention.png"),
        Mood::OverBudget => include_bytes!("../../../icons/tray-over.png"),
        Mood::Paused => include_bytes!("../../../icons/tray-paused.png"),
        Mood::Offline => include_bytes!("../../../icons/tray-offline.png"),
    };
    Image::from_bytes(bytes).context("the tray's picture")
}

fn menu(app: &AppHandle, face: &Face) -> anyhow::Result<(Menu<Wry>, Entries)> {
    let item = |id: &str, text: &str| MenuItem::with_id(app, id, text, true, None::<&str>);
    let menu = Menu::new(app)?;
    let add = |entries: &[&dyn IsMenuItem<Wry>]| {
        menu.append_items(entries).and_then(|()| menu.append(&PredefinedMenuItem::separator(app)?))
    };
    add(&[&item("open", "Open Orrery")?])?;
    if !face.waiting.is_empty() {
        for waiting in &face.waiting {
            menu.append(&item(&format!("{SESSION}{}", waiting.session_id), &waiting.text)?)?;
        }
        if face.more > 0 {
            menu.append(&item("open", &format!("{} more need you", face.more))?)?;
        }
        menu.append(&PredefinedMenuItem::separator(app)?)?;
    }
    let entries = Entries { today: item("today", &face.today)?, activity: item("activity", &face.activity)? };
    add(&[&entries.today, &entries.activity])?;
    let login = CheckMenuItem::with_id(app, "login", "Start at login", true, login::is_on(app), None::<&str>)?;
    let browser = item("browser", "Open in browser")?;
    if face.paused {
        add(&[&item("resume", "Resume alerts")?, &login, &browser])?;
    } else {
        let hour = item("pause-hour", "For an hour")?;
        let tomorrow = item("pause-tomorrow", "Until tomorrow")?;
        add(&[&Submenu::with_items(app, "Pause alerts", true, &[&hour, &tomorrow])?, &login, &browser])?;
    }
    menu.append(&item("quit", "Quit")?)?;
    Ok((menu, entries))
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    let now_ms = clock::now_ms();
    match event.id().as_ref() {
        "open" | "today" | "activity" => window::raise(app),
        "pause-hour" => pause(app, Some(now_ms + HOUR_MS)),
        "pause-tomorrow" => pause(app, Some(clock::next_midnight(now_ms))),
        "resume" => pause(app, None),
        "login" => login::toggle(app),
        "browser" => open_in_browser(app),
        "quit" => app.exit(0),
        other => {
            if let Some(session_id) = other.strip_prefix(SESSION) {
                shell::open_session(app, session_id);
            }
        }
    }
}

fn pause(app: &AppHandle, until_ms: Option<i64>) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Ok(host) = app.state::<Shell>().host().await {
            host.pause_alerts(until_ms).await;
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
