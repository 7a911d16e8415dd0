//! Every action of a person: palette, keys and buttons share it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Appearance, Theme};

use crate::host;
use crate::routes;
use crate::state::AppState;

/// Text sizes one can choose, percent.
pub const TEXT_SIZES: [u16; 5] = [90, 100, 110, 125, 150];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    GoLive,
    GoSessions,
    GoSettings,
    GoWelcome,
    Palette,
    Keys,
    FocusSearch,
    PauseStream,
    CopyLink,
    ThemeSystem,
    ThemeDark,
    ThemeLight,
    ThemeContrast,
    ToggleTheme,
    TextLarger,
    TextSmaller,
    TextNormal,
    ToggleRail,
    Reconnect,
}

impl Command {
    pub const ALL: [Command; 19] = [
        Command::GoLive,
        Command::GoSessions,
        Command::GoSettings,
        Command::GoWelcome,
        Command::Palette,
        Command::Keys,
        Command::FocusSearch,
        Command::PauseStream,
        Command::CopyLink,
        Command::ToggleTheme,
        Command::ThemeSystem,
        Command::ThemeDark,
        Command::ThemeLight,
        Command::ThemeContrast,
        Command::TextLarger,
        Command::TextSmaller,
        Command::TextNormal,
        Command::ToggleRail,
        Command::Reconnect,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Command::GoLive => "Go to Live",
            Command::GoSessions => "Go to Sessions",
            Command::GoSettings => "Go to Settings",
            Command::GoWelcome => "Set up agents",
            Command::Palette => "Find a command or session",
            Command::Keys => "Show keys",
            Command::FocusSearch => "Search sessions",
            Command::PauseStream => "Pause or resume events",
            Command::CopyLink => "Copy link to this page",
            Command::ThemeSystem => "Theme: as the system",
            Command::ThemeDark => "Theme: dark",
            Command::ThemeLight => "Theme: light",
            Command::ThemeContrast => "Theme: high contrast",
            Command::ToggleTheme => "Switch between dark and light",
            Command::TextLarger => "Larger text",
            Command::TextSmaller => "Smaller text",
            Command::TextNormal => "Text at normal size",
            Command::ToggleRail => "Open or close the rail",
            Command::Reconnect => "Connect to the server now",
        }
    }

    /// How it is reached by keys. Empty when only the palette has it.
    pub const fn keys(self) -> &'static str {
        match self {
            Command::GoLive => "Alt 1",
            Command::GoSessions => "Alt 2",
            Command::GoSettings => "Alt 3",
            Command::Palette => "Ctrl K",
            Command::Keys => "?",
            Command::FocusSearch => "/",
            Command::PauseStream => "P",
            Command::ToggleRail => "Ctrl B",
            _ => "",
        }
    }

    pub const fn icon(self) -> &'static str {
        match self {
            Command::GoLive => "i-live",
            Command::GoSessions => "i-sessions",
            Command::GoSettings => "i-settings",
            Command::GoWelcome => "i-agent",
            Command::Palette | Command::FocusSearch => "i-search",
            Command::Keys => "i-keys",
            Command::PauseStream => "i-pause",
            Command::CopyLink => "i-link",
            Command::Reconnect => "i-retry",
            Command::ToggleRail => "i-menu",
            _ => "i-sun",
        }
    }

    pub fn run(self, app: AppState) {
        match self {
            Command::GoLive => app.go(routes::LIVE),
            Command::GoSessions => app.go(routes::SESSIONS),
            Command::GoSettings => app.go(routes::SETTINGS),
            Command::GoWelcome => app.go(routes::WELCOME),
            Command::Palette => app.palette_open.set(true),
            Command::Keys => app.keys_open.set(true),
            Command::FocusSearch => focus_search(),
            Command::PauseStream => app.paused.update(|paused| *paused = !*paused),
            Command::CopyLink => copy_link(app),
            Command::ThemeSystem => set_theme(app, Theme::System),
            Command::ThemeDark => set_theme(app, Theme::Dark),
            Command::ThemeLight => set_theme(app, Theme::Light),
            Command::ThemeContrast => set_theme(app, Theme::Contrast),
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

fn focus_search() {
    use wasm_bindgen::JsCast;
    let field =
        document().get_element_by_id("search").and_then(|element| element.dyn_into::<web_sys::HtmlInputElement>().ok());
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
    change_appearance(app, Appearance { theme, ..appearance }, format!("Theme: {word}"));
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
        for (index, command) in Command::ALL.iter().enumerate() {
            assert_eq!(Command::ALL.iter().position(|other| other == command), Some(index));
            assert!(!command.label().is_empty() && command.icon().starts_with("i-"));
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
