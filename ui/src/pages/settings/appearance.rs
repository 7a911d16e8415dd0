//! Theme, density and text size.

use leptos::prelude::*;
use orrery_types::{Appearance, Density, Theme};

use super::Section;
use super::themes::Themes;
use crate::command::TEXT_SIZES;
use crate::components::field::{Choice, Field};
use crate::state::use_app;

const THEMES: [(&str, Theme, &str); 4] = [
    ("system", Theme::System, "System"),
    ("dark", Theme::Dark, "Dark"),
    ("light", Theme::Light, "Light"),
    ("contrast", Theme::Contrast, "High contrast"),
];

#[component]
pub fn AppearanceSection() -> impl IntoView {
    let app = use_app();
    let now = move || app.settings.get().appearance;
    let change = move |change: &dyn Fn(&mut Appearance)| {
        let mut appearance = app.settings.get_untracked().appearance;
        change(&mut appearance);
        app.set_appearance(appearance);
    };
    let theme = Signal::derive(move || {
        THEMES.iter().find(|(_, theme, _)| *theme == now().theme).map_or("system", |(key, ..)| key).to_owned()
    });
    let density = Signal::derive(move || if now().density == Density::Roomy { "roomy" } else { "dense" }.to_owned());
    let size = Signal::derive(move || match now().text_size {
        0 => "100".to_owned(),
        size => size.to_string(),
    });
    let sizes = TEXT_SIZES.map(|size| (size_key(size), format!("{size} %"))).to_vec();
    view! {
        <Section id="appearance" title="Appearance">
            <Field label="Theme" id="theme" hint=|| "System follows the desktop">
                <Choice id="theme" label="Theme" options=THEMES.map(|(key, _, word)| (key, word.to_owned())).to_vec() value=theme on_change=Callback::new(move |key: String| {
                    let theme = THEMES.iter().find(|(known, ..)| **known == key).map_or(Theme::System, |(_, theme, _)| *theme);
                    change(&|appearance: &mut Appearance| (appearance.theme, appearance.custom) = (theme, None));
                })/>
            </Field>
            <Themes/>
            <Field label="Density" id="density" hint=|| "Roomy rows are easier to hit">
                <Choice id="density" label="Density" options=vec![("dense", "Dense".to_owned()), ("roomy", "Roomy".to_owned())] value=density on_change=Callback::new(move |key: String| {
                    let density = if key == "roomy" { Density::Roomy } else { Density::Dense };
                    change(&|appearance: &mut Appearance| appearance.density = density);
                })/>
            </Field>
            <Field label="Text size" id="text-size" hint=|| "Of everything, figures and code as well">
                <Choice id="text-size" label="Text size" options=sizes value=size on_change=Callback::new(move |key: String| {
                    let size = key.parse().unwrap_or(100);
                    change(&|appearance: &mut Appearance| appearance.text_size = size);
                })/>
            </Field>
        </Section>
    }
}

fn size_key(size: u16) -> &'static str {
    match size {
        90 => "90",
        110 => "110",
        125 => "125",
        150 => "150",
        _ => "100",
    }
}
