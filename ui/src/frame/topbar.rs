//! The top bar: filters of the page, search, connection.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_views::format;

use super::connection::ConnectionState;
use crate::command::Command;
use crate::components::{Dialog, Icon, Pick};
use crate::routes::{self, Filters, Room, SHARED, use_query};
use crate::state::{AppState, Range, use_app};

#[component]
pub fn Topbar(room: Memo<Option<Room>>) -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let filters = Memo::new(move |_| match room.get() {
        Some(room) if !query.path().starts_with("/app/session/") => room.filters(),
        _ => Filters::None,
    });
    let has_who = move || filters.get() != Filters::None;
    let has_range = move || filters.get() == Filters::All;
    let set = move || SHARED.iter().filter(|key| query.get(key).is_some()).count();
    let sheet = RwSignal::new(false);
    view! {
        <header class="topbar">
            <span class="topbar__title" aria-hidden="true">
                <svg><use href="#mark"/></svg>
                <b>{move || room.get().map_or("Orrery", Room::label)}</b>
            </span>
            <Show when=has_who>
                <div class="topbar__filters">
                    <ProjectPick/>
                    <Show when=has_range><RangePick room/></Show>
                    <AgentPick/>
                </div>
                <button type="button" class="iconbtn topbar__sheet" aria-haspopup="dialog" aria-label=move || format!("Filters, {} set", set()) on:click=move |_| sheet.set(true)>
                    <Icon name="i-filter"/>
                    {move || (set() > 0).then(|| view! { <span class="rail__badge" aria-hidden="true">{set()}</span> })}
                </button>
                <Dialog open=sheet title="Filters" id="filters">
                    <div class="filters">
                        <span id="filters-project">"Project"</span><ProjectPick/>
                        <Show when=has_range><span>"Time"</span><RangePick room/></Show>
                        <span>"Agent"</span><AgentPick/>
                        <button type="button" class="btn" disabled=move || set() == 0 on:click=move |_| Command::ClearFilters.run(app)>"Clear all"</button>
                    </div>
                </Dialog>
            </Show>
            <DemoTag/>
            <Search/>
            <ConnectionState/>
        </header>
    }
}

/// The span of time that the page is narrowed to. Without a choice it is the page's own.
#[component]
fn RangePick(room: Memo<Option<Room>>) -> impl IntoView {
    const CUSTOM: &str = "custom";
    let app = use_app();
    let query = use_query();
    let usual = Memo::new(move |_| room.get().map_or(Range::All, Room::usual_range));
    let chosen = Memo::new(move |_| query.get("range").and_then(|slug| Range::from_slug(&slug)));
    let value =
        Signal::derive(move || chosen.get().filter(|range| *range != usual.get()).map(Range::slug).unwrap_or_default());
    let options = Signal::derive(move || {
        let slug = |range: Range| if range == usual.get() { String::new() } else { range.slug() };
        let mut options: Vec<_> = Range::EVERY.iter().map(|range| (slug(*range), range.label())).collect();
        if let Some(range @ Range::Custom(..)) = chosen.get() {
            options.push((range.slug(), range.label()));
        }
        options.push((CUSTOM.to_owned(), "From and to...".to_owned()));
        options
    });
    let choose = move |value: String| {
        if value == CUSTOM {
            app.range_open.set(true);
        } else {
            query.set("range", Some(&value));
        }
    };
    view! { <Pick name="Time" icon="i-clock" value options choose/> }
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

/// Narrows Sessions to the words; from any other page it leads to Search.
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
            app.go(&format!("{}?q={}", routes::SEARCH, routes::encode(words.trim())));
        }
    };
    let said = move || if query.path() == routes::SESSIONS { "Search sessions" } else { "Search everything" };
    view! {
        <form class="search" role="search" on:submit=submit>
            <Icon name="i-search"/>
            <input
                id="search"
                type="search"
                placeholder=said
                aria-label=said
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
