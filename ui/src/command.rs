//! Every action of a person: palette, keys and buttons share it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Appearance, Density, ExportFormat, Theme};

use crate::api::ApiError;
use crate::host;
use crate::routes::{self, Room};
use crate::state::AppState;

/// Text sizes one can choose, percent.
pub const TEXT_SIZES: [u16; 5] = [90, 100, 110, 125, 150];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Go(Room),
    GoWelcome,
    Palette,
    Keys,
    FocusSearch,
    PauseStream,
    CopyLink,
    /// The session on screen as a file.
    Export(ExportFormat),
    PinDrawer,
    CloseDrawer,
    ClearFilters,
    CustomRange,
    InstallHooks,
    ImportHistory,
    StartDemo,
    RemoveDemo,
    PauseAlerts,
    ResumeAlerts,
    ToggleTheme,
    Theme(Theme),
    Density(Density),
    TextLarger,
    TextSmaller,
    TextNormal,
    ToggleRail,
    Reconnect,
}

impl Command {
    /// Every command there is, in the order of the palette.
    pub fn all() -> Vec<Command> {
        let rooms = Room::ALL.iter().copied().map(Command::Go);
        let exports = ExportFormat::ALL.map(Command::Export);
        let themes = [Theme::System, Theme::Dark, Theme::Light, Theme::Contrast].map(Command::Theme);
        let mut all: Vec<Command> = rooms.collect();
        all.extend([
            Command::GoWelcome,
            Command::Palette,
            Command::Keys,
            Command::FocusSearch,
            Command::PauseStream,
            Command::CopyLink,
            Command::CustomRange,
            Command::ClearFilters,
            Command::PinDrawer,
            Command::CloseDrawer,
        ]);
        all.extend(exports);
        all.extend([
            Command::InstallHooks,
            Command::ImportHistory,
            Command::StartDemo,
            Command::RemoveDemo,
            Command::PauseAlerts,
            Command::ResumeAlerts,
            Command::ToggleTheme,
        ]);
        all.extend(themes);
        all.extend([
            Command::Density(Density::Dense),
            Command::Density(Density::Roomy),
            Command::TextLarger,
            Command::TextSmaller,
            Command::TextNormal,
            Command::ToggleRail,
            Command::Reconnect,
        ]);
        all
    }

    pub fn label(self) -> String {
        let word = match self {
            Command::Go(room) => return format!("Go to {}", room.label()),
            Command::Export(form) => return format!("Export this session as {}", form.label()),
            Command::GoWelcome => "Set up agents",
            Command::Palette => "Find a command or session",
            Command::Keys => "Show keys",
            Command::FocusSearch => "Search",
            Command::PauseStream => "Pause or resume events",
            Command::CopyLink => "Copy link to this page",
            Command::PinDrawer => "Pin or unpin the drawer",
            Command::CloseDrawer => "Close the drawer",
            Command::ClearFilters => "Clear project, agent and time",
            Command::CustomRange => "Choose a time from and to",
            Command::InstallHooks => "Install or check hooks",
            Command::ImportHistory => "Import history",
            Command::StartDemo => "Play the demo",
            Command::RemoveDemo => "Remove the demo",
            Command::PauseAlerts => "Pause alerts for an hour",
            Command::ResumeAlerts => "Resume alerts",
            Command::Theme(Theme::System) => "Theme: as the system",
            Command::Theme(Theme::Dark) => "Theme: dark",
            Command::Theme(Theme::Light) => "Theme: light",
            Command::Theme(Theme::Contrast) => "Theme: high contrast",
            Command::Density(Density::Dense) => "Rows: dense",
            Command::Density(Density::Roomy) => "Rows: roomy",
            Command::TextLarger => "Larger text",
            Command::TextSmaller => "Smaller text",
            Command::TextNormal => "Text at normal size",
            Command::ToggleTheme => "Switch between dark and light",
            Command::ToggleRail => "Open or close the rail",
            Command::Reconnect => "Connect to the server now",
        };
        word.to_owned()
    }

    /// How it is reached by keys. Empty when only the palette has it.
    pub fn keys(self) -> String {
        let word = match self {
            Command::Go(room) => return room.keys(),
            Command::Palette => "Ctrl K",
            Command::Keys => "?",
            Command::FocusSearch => "/",
            Command::PauseStream => "P",
            Command::ToggleRail => "Ctrl B",
            Command::ToggleTheme => "Ctrl Shift L",
            Command::CloseDrawer => "Esc",
            _ => "",
        };
        word.to_owned()
    }

    pub const fn icon(self) -> &'static str {
        match self {
            Command::Go(room) => room.icon(),
            Command::GoWelcome | Command::InstallHooks => "i-agent",
            Command::Palette | Command::FocusSearch => "i-search",
            Command::Keys => "i-keys",
            Command::PauseStream => "i-pause",
            Command::CopyLink => "i-link",
            Command::Export(_) | Command::ImportHistory => "i-download",
            Command::PinDrawer => "i-pin",
            Command::CloseDrawer => "i-x",
            Command::ClearFilters => "i-filter",
            Command::CustomRange => "i-clock",
            Command::StartDemo => "i-play",
            Command::RemoveDemo => "i-undo",
            Command::PauseAlerts | Command::ResumeAlerts => "i-alerts",
            Command::Reconnect => "i-retry",
            Command::ToggleRail => "i-menu",
            Command::Density(_) => "i-sessions",
            Command::ToggleTheme
            | Command::Theme(_)
            | Command::TextLarger
            | Command::TextSmaller
            | Command::TextNormal => "i-sun",
        }
    }

    /// Whether it would do something now. The palette leaves out what would not.
    pub fn is_possible(self, app: AppState) -> bool {
        let path = window().location().pathname().unwrap_or_default();
        let query = window().location().search().unwrap_or_default();
        let room = Room::of(&path);
        let overview = || app.feed_untracked(|feed| feed.overview());
        match self {
            Command::PauseStream => room == Some(Room::Live),
            Command::Export(_) => session_on_screen().is_some(),
            Command::PinDrawer | Command::CloseDrawer => query.contains("event="),
            Command::ClearFilters => routes::SHARED.iter().any(|key| query.contains(&format!("{key}="))),
            Command::CustomRange => room.is_some_and(|room| room.filters() == routes::Filters::All),
            Command::RemoveDemo => overview().is_some_and(|overview| overview.demo),
            Command::StartDemo => overview().is_some_and(|overview| !overview.demo),
            Command::ResumeAlerts => overview().is_some_and(|it| it.alerts_paused_until_ms.is_some()),
            Command::PauseAlerts => overview().is_some_and(|it| it.alerts_paused_until_ms.is_none()),
            _ => true,
        }
    }

    pub fn run(self, app: AppState) {
        match self {
            Command::Go(room) => app.go(&routes::carried(room.path())),
            Command::GoWelcome => app.go(routes::WELCOME),
            Command::Palette => app.palette_open.set(true),
            Command::Keys => app.keys_open.set(true),
            Command::FocusSearch => focus_search(),
            Command::PauseStream => app.paused.update(|paused| *paused = !*paused),
            Command::CopyLink => copy_link(app),
            Command::Export(form) => export(app, form),
            Command::PinDrawer => app.drawer_pinned.update(|pinned| *pinned = !*pinned),
            Command::CloseDrawer => {
                app.drawer_pinned.set(false);
                app.go(&routes::without(&["event"]));
            }
            Command::ClearFilters => app.go(&routes::without(&routes::SHARED)),
            Command::CustomRange => app.range_open.set(true),
            Command::InstallHooks => app.go(&format!("{}#agents", routes::SETTINGS)),
            Command::ImportHistory => {
                work(app, "Importing history", async move { app.api().start_import().await.map(|_| ()) })
            }
            Command::StartDemo => work(app, "The demo plays", async move { app.api().start_demo().await.map(|_| ()) }),
            Command::RemoveDemo => work(app, "The demo is removed", async move { app.api().remove_demo().await }),
            Command::PauseAlerts => pause_alerts(app, Some(host::now_ms() + 3_600_000)),
            Command::ResumeAlerts => pause_alerts(app, None),
            Command::Theme(theme) => set_theme(app, theme),
            Command::Density(density) => set_density(app, density),
            Command::ToggleTheme => {
                set_theme(app, other_theme(app.settings.get_untracked().appearance.theme, host::prefers_light()))
            }
            Command::TextLarger => step_text(app, 1),
            Command::TextSmaller => step_text(app, -1),
            Command::TextNormal => set_text(app, 100),
            Command::ToggleRail => {
                app.rail_open.update(|open| *open = !*open);
                host::store("orrery.rail", if app.rail_open.get_untracked() { "open" } else { "closed" });
            }
            Command::Reconnect => app.retry.update(|tries| *tries += 1),
        }
    }
}

/// Id of the session whose page is shown.
fn session_on_screen() -> Option<String> {
    let path = window().location().pathname().ok()?;
    let id = path.strip_prefix("/app/session/")?.split('/').next()?;
    js_sys::decode_uri_component(id).ok().map(String::from)
}

fn export(app: AppState, form: ExportFormat) {
    let form = form.slug();
    let Some(id) = session_on_screen() else { return };
    spawn_local(async move {
        let saved = match app.api().export(&id, form).await {
            Ok(text) => host::save_text(
                &format!("session-{}.{form}", id.replace(|c: char| !c.is_ascii_alphanumeric(), "-")),
                &text,
            ),
            Err(error) => Err(error.to_string()),
        };
        match saved {
            Ok(()) => app.notices.say("Session exported"),
            Err(error) => app.notices.fail(format!("Not exported: {error}")),
        }
    });
}

/// Starts something on the server and says how that went; its progress has a line of its own.
fn work(app: AppState, said: &'static str, doing: impl Future<Output = Result<(), ApiError>> + 'static) {
    spawn_local(async move {
        match doing.await {
            Ok(()) => app.notices.say(said),
            Err(error) => app.notices.fail(error.to_string()),
        }
    });
}

fn pause_alerts(app: AppState, until_ms: Option<i64>) {
    let said = if until_ms.is_some() { "Alerts are paused for an hour" } else { "Alerts are on again" };
    let before = app.feed_untracked(|feed| feed.overview().and_then(|overview| overview.alerts_paused_until_ms));
    spawn_local(async move {
        match app.api().pause_alerts(until_ms).await {
            Ok(()) => app.notices.say_with_undo(
                said,
                Callback::new(move |()| {
                    spawn_local(async move {
                        if let Err(error) = app.api().pause_alerts(before).await {
                            app.notices.fail(error.to_string());
                        }
                    });
                }),
            ),
            Err(error) => app.notices.fail(error.to_string()),
        }
    });
}

fn focus_search() {
    use wasm_bindgen::JsCast;
    // On Search it is the query itself.
    let field = document().get_element_by_id("query").or_else(|| document().get_element_by_id("search"));
    let field = field.and_then(|element| element.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(field) = field {
        let _ = field.focus();
        field.select();
    }
}

fn copy_link(app: AppState) {
    let href = window().location().href().unwrap_or_default();
    copy(app, href, "Link copied");
}

/// Copies text and says so, or shows why not.
pub fn copy(app: AppState, text: String, said: &'static str) {
    spawn_local(async move {
        match host::copy_text(text).await {
            Ok(()) => app.notices.say(said),
            Err(error) => app.notices.fail(error),
        }
    });
}

fn set_theme(app: AppState, theme: Theme) {
    let appearance = app.settings.get_untracked().appearance;
    let word = match theme {
        Theme::System => "as the system",
        Theme::Dark => "dark",
        Theme::Light => "light",
        Theme::Contrast => "high contrast",
    };
    change_appearance(app, Appearance { theme, custom: None, ..appearance }, format!("Theme: {word}"));
}

/// Changes the appearance and offers the way back.
fn change_appearance(app: AppState, appearance: Appearance, said: String) {
    let before = app.settings.get_untracked().appearance;
    if before == appearance {
        return;
    }
    app.set_appearance(appearance);
    app.notices.say_with_undo(said, Callback::new(move |()| app.set_appearance(before.clone())));
}

fn other_theme(theme: Theme, system_is_light: bool) -> Theme {
    match theme {
        Theme::Light => Theme::Dark,
        Theme::System if system_is_light => Theme::Dark,
        _ => Theme::Light,
    }
}

fn set_density(app: AppState, density: Density) {
    let appearance = app.settings.get_untracked().appearance;
    let said = if density == Density::Roomy { "Rows: roomy" } else { "Rows: dense" };
    change_appearance(app, Appearance { density, ..appearance }, said.to_owned());
}

fn step_text(app: AppState, step: i32) {
    let size = match app.settings.get_untracked().appearance.text_size {
        0 => 100,
        size => size,
    };
    let at = TEXT_SIZES.iter().position(|known| *known >= size).unwrap_or(TEXT_SIZES.len() - 1) as i32;
    set_text(app, TEXT_SIZES[(at + step).clamp(0, TEXT_SIZES.len() as i32 - 1) as usize]);
}

fn set_text(app: AppState, text_size: u16) {
    let appearance = app.settings.get_untracked().appearance;
    change_appearance(app, Appearance { text_size, ..appearance }, format!("Text size: {text_size} %"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_listed_once_and_has_words() {
        let all = Command::all();
        for (index, command) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == command), Some(index));
            assert_eq!(all.iter().position(|other| other.label() == command.label()), Some(index));
            assert!(command.icon().starts_with("i-"));
        }
    }

    #[test]
    fn toggling_leaves_the_theme_on_screen() {
        assert_eq!(other_theme(Theme::System, true), Theme::Dark);
        assert_eq!(other_theme(Theme::System, false), Theme::Light);
        assert_eq!(other_theme(Theme::Dark, true), Theme::Light);
        assert_eq!(other_theme(Theme::Contrast, false), Theme::Light);
    }
}
