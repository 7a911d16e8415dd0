//! Theme, density and text size: from the settings to the page's root element.

use leptos::prelude::*;
use orrery_types::{Appearance, Density, Theme};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use super::AppState;
use super::themes::{COLORS, CustomTheme};
use crate::host;

const THEME: &str = "orrery.theme";
const SIZE: &str = "orrery.text-size";
const DENSITY: &str = "orrery.density";
/// Its tokens, as the boot script sets them.
const PAINT: &str = "orrery.paint";
/// The custom theme in use, as JSON: the next start shows it before the server is asked.
const CUSTOM: &str = "orrery.custom-theme";

/// What this browser showed last, until the server says more.
pub fn last_appearance() -> Appearance {
    let theme = match host::stored(THEME).as_deref() {
        Some("dark") => Theme::Dark,
        Some("light") => Theme::Light,
        Some("contrast") => Theme::Contrast,
        _ => Theme::System,
    };
    let density = if host::stored(DENSITY).as_deref() == Some("roomy") { Density::Roomy } else { Density::Dense };
    let text_size = host::stored(SIZE).and_then(|size| size.parse().ok()).unwrap_or_default();
    let custom = kept_custom().map(|theme| theme.id);
    Appearance { theme, custom, density, text_size }
}

fn kept_custom() -> Option<CustomTheme> {
    host::stored(CUSTOM).and_then(|text| serde_json::from_str(&text).ok())
}

/// Remembers the custom theme in this browser, or forgets it.
pub fn keep_custom(theme: Option<&CustomTheme>) {
    let text = theme.and_then(|theme| serde_json::to_string(theme).ok()).unwrap_or_default();
    host::store(CUSTOM, &text);
    let paint = theme.map(|theme| serde_json::json!({ "dark": theme.is_dark(), "tokens": theme.tokens() }).to_string());
    host::store(PAINT, &paint.unwrap_or_default());
}

/// The value of a token on screen as `#rrggbb`. Empty where it is no plain color.
pub fn shown_color(token: &str) -> Option<String> {
    let root = document().document_element()?;
    let value = window().get_computed_style(&root).ok()??.get_property_value(token).ok()?;
    super::themes::parse(&value).map(|[red, green, blue]| format!("#{red:02x}{green:02x}{blue:02x}"))
}

/// Puts a custom theme's colors over those of the page, and takes away those of the one before.
fn paint(root: &web_sys::HtmlElement, theme: Option<&CustomTheme>) {
    for color in &COLORS {
        color.tokens.iter().for_each(|token| drop(root.style().remove_property(token)));
    }
    for (token, value) in theme.map(CustomTheme::tokens).unwrap_or_default() {
        let _ = root.style().set_property(token, &value);
    }
}

/// Keeps the root element as the settings say, also when the system changes its mind.
pub fn follow_appearance(app: AppState) {
    let system_light = RwSignal::new(host::prefers_light());
    if let Ok(Some(media)) = window().match_media("(prefers-color-scheme: light)") {
        let changed = Closure::<dyn FnMut()>::new(move || system_light.set(host::prefers_light()));
        media.set_onchange(Some(changed.as_ref().unchecked_ref()));
        // Lives as long as the page.
        changed.forget();
    }
    let appearance = Memo::new(move |_| app.settings.with(|settings| settings.appearance.clone()));
    let custom = RwSignal::new(kept_custom());
    Effect::new(move |_| {
        let wanted = appearance.with(|appearance| appearance.custom.clone());
        let kept = kept_custom().filter(|theme| Some(&theme.id) == wanted.as_ref());
        custom.set(kept);
        // Another browser may have chosen or changed it.
        if let (Some(id), true) = (wanted, app.settings_known.get()) {
            leptos::task::spawn_local(async move {
                let Ok(themes) = app.api().themes().await else { return };
                let theme = themes.into_iter().find(|theme| theme.id == id);
                keep_custom(theme.as_ref());
                custom.set(theme);
            });
        }
    });
    Effect::new(move |_| {
        let Some(root) = document().document_element().and_then(|root| root.dyn_into::<web_sys::HtmlElement>().ok())
        else {
            return;
        };
        let appearance = appearance.get();
        let chosen = slug(appearance.theme);
        let over = custom.get().filter(|theme| Some(&theme.id) == appearance.custom.as_ref());
        paint(&root, over.as_ref());
        let shown = if let Some(theme) = &over {
            if theme.is_dark() { "dark" } else { "light" }
        } else if appearance.theme != Theme::System {
            chosen
        } else if system_light.get() {
            "light"
        } else {
            "dark"
        };
        let _ = root.set_attribute("data-theme", shown);
        let density = if appearance.density == Density::Roomy { "roomy" } else { "dense" };
        let _ = root.set_attribute("data-density", density);
        let _ = root.style().set_property("--text-scale", &scale(&appearance).to_string());
        host::store(THEME, chosen);
        host::store(DENSITY, density);
        host::store(SIZE, &appearance.text_size.to_string());
    });
}

/// The factor of the text size: 0.9 to 1.5.
pub fn scale(appearance: &Appearance) -> f64 {
    if appearance.text_size == 0 { 1.0 } else { f64::from(appearance.text_size.clamp(90, 150)) / 100.0 }
}

fn slug(theme: Theme) -> &'static str {
    match theme {
        Theme::System => "system",
        Theme::Dark => "dark",
        Theme::Light => "light",
        Theme::Contrast => "contrast",
    }
}
