//! Theme, density and text size: from the settings to the page's root element.

use leptos::prelude::*;
use orrery_types::{Appearance, Density, Theme};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use super::AppState;
use crate::host;

const THEME: &str = "orrery.theme";
const SIZE: &str = "orrery.text-size";
const DENSITY: &str = "orrery.density";

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
    Appearance { theme, density, text_size }
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
    Effect::new(move |_| {
        let Some(root) = document().document_element().and_then(|root| root.dyn_into::<web_sys::HtmlElement>().ok())
        else {
            return;
        };
        let appearance = appearance.get();
        let chosen = slug(appearance.theme);
        let shown = if appearance.theme != Theme::System {
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
