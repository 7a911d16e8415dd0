//! Settings: each value is saved as it is changed, and says so in place.

mod about;
mod agents;
mod alerts;
mod appearance;
mod demo;
mod history;
mod prices;
mod privacy;
mod problems;
mod save;
mod themes;

use leptos::prelude::*;

use self::about::About;
use self::agents::Agents;
use self::alerts::Alerts;
use self::appearance::AppearanceSection;
use self::demo::Demo;
use self::history::History;
use self::prices::PricesSection;
use self::privacy::Privacy;
use self::problems::Problems;
use crate::host;
use crate::state::use_app;

pub use self::agents::{PlanDiff, read_agents};
pub use self::demo::start_demo;
pub use self::history::{ImportProgress, import_job, start_import};

/// Sections in their order: id and name.
const SECTIONS: [(&str, &str); 9] = [
    ("agents", "Agents"),
    ("alerts", "Alerts and budget"),
    ("privacy", "Privacy"),
    ("history", "History"),
    ("prices", "Prices"),
    ("demo", "Demo"),
    ("appearance", "Appearance"),
    ("problems", "Problems"),
    ("about", "About"),
];

#[component]
pub fn SettingsPage() -> impl IntoView {
    let app = use_app();
    host::on_next_paint(|| {
        let hash = window().location().hash().unwrap_or_default();
        show_section(hash.trim_start_matches('#'));
    });
    let nav = SECTIONS.map(|(id, name)| {
        view! {
            <li><a class="settings__link" href=format!("#{id}") on:click=move |event| {
                event.prevent_default();
                event.stop_propagation();
                show_section(id);
                if let Ok(history) = window().history() {
                    let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&format!("#{id}")));
                }
            }>{name}</a></li>
        }
    });
    let known = move || app.settings_known.get();
    view! {
        <div class="settings">
            <nav class="settings__nav" aria-label="Sections">
                <h1>"Settings"</h1>
                <ul>{nav}</ul>
            </nav>
            <div class="settings__scroll" tabindex="0" role="region" aria-label="Settings">
                <div class="settings__body" aria-busy=move || (!known()).to_string()>
                    <Agents/>
                    <Alerts/>
                    <Privacy/>
                    <History/>
                    <PricesSection/>
                    <Demo/>
                    <AppearanceSection/>
                    <Problems/>
                    <About/>
                </div>
            </div>
        </div>
    }
}

/// A section with its head.
#[component]
pub fn Section(
    id: &'static str,
    title: &'static str,
    #[prop(optional)] say: &'static str,
    children: Children,
) -> impl IntoView {
    let (labelled, heading) = (format!("{id}-title"), format!("{id}-title"));
    view! {
        <section class="settings__section" id=id aria-labelledby=labelled>
            <h2 id=heading tabindex="-1">{title}</h2>
            {(!say.is_empty()).then(|| view! { <p class="muted settings__say">{say}</p> })}
            {children()}
        </section>
    }
}

fn show_section(id: &str) {
    use wasm_bindgen::JsCast;
    let heading =
        document().get_element_by_id(&format!("{id}-title")).and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok());
    if let (Some(section), Some(heading)) = (document().get_element_by_id(id), heading) {
        section.scroll_into_view();
        let _ = heading.focus();
    }
}
