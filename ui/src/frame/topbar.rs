//! The top bar: filters of the page, search, connection.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_views::format;

use super::connection::ConnectionState;
use crate::components::{Icon, Pick};
use crate::routes::{self, Room, use_filter, use_query};
use crate::state::{AppState, Range, use_app};

#[component]
pub fn Topbar(room: Memo<Option<Room>>) -> impl IntoView {
    let query = use_query();
    let filter = use_filter();
    let has_filters =
        move || matches!(room.get(), Some(Room::Live | Room::Sessions)) && !query.path().starts_with("/app/session/");
    let has_range = move || has_filters() && room.get() == Some(Room::Sessions);
    let range = move || match filter.get().range {
        Range::All => String::new(),
        range => range.slug().to_owned(),
    };
    let ranges = Range::EVERY
        .iter()
        .rev()
        .map(|range| {
            (if *range == Range::All { String::new() } else { range.slug().to_owned() }, range.label().to_owned())
        })
        .collect::<Vec<_>>();
    let ranges = Signal::stored(ranges);
    view! {
        <header class="topbar">
            <span class="topbar__title" aria-hidden="true">
                <svg><use href="#mark"/></svg>
                <b>{move || room.get().map_or("Orrery", Room::label)}</b>
            </span>
            <Show when=has_filters>
                <ProjectPick/>
                <Show when=has_range>
                    <Pick
                        name="Time"
                        icon="i-clock"
                        value=Signal::derive(range)
                        options=ranges
                        choose=move |value: String| query.set("range", Some(&value))
                    />
                </Show>
                <AgentPick/>
            </Show>
            <DemoTag/>
            <Search/>
            <ConnectionState/>
        </header>
    }
}

/// Says that made-up sessions are among what is shown, and leads to where they are removed.
#[component]
fn DemoTag() -> impl IntoView {
    let app = use_app();
    let is_demo = Memo::new(move |_| app.feed(|feed| feed.overview().is_some_and(|overview| overview.demo)));
    view! {
        <Show when=move || is_demo.get()>
            <a class="tag topbar__demo" href=routes::SETTINGS title="Some sessions are made up: remove them in Settings">"demo"</a>
        </Show>
    }
}

#[component]
fn ProjectPick() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let fetched = RwSignal::new(Vec::<String>::new());
    let value = Signal::derive(move || query.get("project").unwrap_or_default());
    let options = Signal::derive(move || {
        let mut names = app.feed(|feed| feed.sessions().map(|row| row.project.clone()).collect::<Vec<_>>());
        names.extend(fetched.get());
        names.extend(query.get("project"));
        with_all("All projects", names, |name| name.to_owned())
    });
    let opening = Callback::new(move |()| fetch_projects(app, fetched));
    view! { <Pick name="Project" value options opening choose=move |value: String| query.set("project", Some(&value))/> }
}

#[component]
fn AgentPick() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let value = Signal::derive(move || query.get("agent").unwrap_or_default());
    let options = Signal::derive(move || {
        let mut slugs = app.feed(|feed| feed.sessions().map(|row| row.agent.clone()).collect::<Vec<_>>());
        slugs.extend(["claude-code".to_owned(), "codex".to_owned()]);
        slugs.extend(query.get("agent"));
        with_all("All agents", slugs, |slug| format::agent(slug).to_owned())
    });
    view! { <Pick name="Agent" value options choose=move |value: String| query.set("agent", Some(&value))/> }
}

/// Sorted, each once, after the option that narrows nothing.
fn with_all(all: &str, mut values: Vec<String>, label: impl Fn(&str) -> String) -> Vec<(String, String)> {
    values.retain(|value| !value.is_empty());
    values.sort_unstable();
    values.dedup();
    let mut options = vec![(String::new(), all.to_owned())];
    options.extend(values.into_iter().map(|value| (value.clone(), label(&value))));
    options
}

/// Projects of sessions that this page has not seen; without an answer the list is what we know.
fn fetch_projects(app: AppState, into: RwSignal<Vec<String>>) {
    spawn_local(async move {
        if let Ok(options) = app.api().filters().await {
            into.set(options.projects);
        }
    });
}

/// Jumps to Sessions with the words as its filter.
#[component]
fn Search() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let words = document().get_element_by_id("search").and_then(|element| {
            use wasm_bindgen::JsCast;
            element.dyn_into::<web_sys::HtmlInputElement>().ok().map(|field| field.value())
        });
        let words = words.unwrap_or_default();
        if query.path() == routes::SESSIONS {
            query.set("text", Some(words.trim()));
        } else {
            app.go(&format!("{}?text={}", routes::SESSIONS, routes::encode(words.trim())));
        }
    };
    view! {
        <form class="search" role="search" on:submit=submit>
            <Icon name="i-search"/>
            <input
                id="search"
                type="search"
                placeholder="Search sessions"
                aria-label="Search sessions"
                autocomplete="off"
                spellcheck="false"
                prop:value=move || query.get("text").unwrap_or_default()
                on:keydown=move |event| {
                    if event.key() == "Escape" {
                        use wasm_bindgen::JsCast;
                        event.stop_propagation();
                        if let Some(field) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok()) {
                            let _ = field.blur();
                        }
                    }
                }
            />
            <kbd aria-hidden="true">"/"</kbd>
        </form>
    }
}
