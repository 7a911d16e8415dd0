//! Details of one event beside the page; its number stands in the address as `event=SEQ`.

mod body;
mod facts;

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::Event;
use orrery_views::format;
use wasm_bindgen::JsCast;

pub use facts::source_word;

use crate::command;
use crate::components::{AgentGlyph, Icon};
use crate::host;
use crate::pages::live::describe::{describe, inside};
use crate::routes::{self, use_query};
use crate::state::{AppState, use_app};

/// What the drawer knows of the event it was asked for.
#[derive(Clone, PartialEq)]
enum Shown {
    Loading,
    Event(Arc<Event>),
    /// Why it cannot be shown.
    Missing(String),
}

#[component]
pub fn Drawer() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let seq = Memo::new(move |_| query.get("event").and_then(|seq| seq.parse::<i64>().ok()));
    let fetched = RwSignal::new(None::<(i64, Shown)>);
    let shown = Memo::new(move |_| {
        let seq = seq.get()?;
        if let Some(event) = app.feed(|feed| feed.event(seq)) {
            return Some(Shown::Event(event));
        }
        Some(fetched.get().filter(|(known, _)| *known == seq).map_or(Shown::Loading, |(_, shown)| shown))
    });
    Effect::new(move |_| {
        if let Some(seq) = seq.get().filter(|seq| app.feed_untracked(|feed| feed.event(*seq)).is_none()) {
            fetch(app, seq, fetched);
        }
    });

    let panel = NodeRef::<html::Aside>::new();
    let opener = StoredValue::new_local(None::<web_sys::HtmlElement>);
    let is_open = Memo::new(move |_| seq.get().is_some());
    Effect::new(move |was_open: Option<bool>| {
        let open = is_open.get();
        if open && was_open != Some(true) {
            opener.set_value(document().active_element().and_then(|element| element.dyn_into().ok()));
            // On a phone the sheet covers the page, so the focus must be in it.
            if host::is_narrow() {
                request_animation_frame(move || focus(panel));
            }
        }
        open
    });
    let close = move || {
        let had_focus =
            panel.get_untracked().is_some_and(|panel| panel.contains(document().active_element().as_deref()));
        query.set("event", None);
        if let (true, Some(opener)) = (had_focus, opener.get_value()) {
            let _ = opener.focus();
        }
    };
    let id = app.add_keys(std::rc::Rc::new(move |event: &KeyboardEvent| {
        let closes = event.key() == "Escape" && is_open.get_untracked();
        if closes {
            close();
        }
        closes
    }));
    on_cleanup(move || app.remove_keys(id));

    view! {
        <Show when=move || is_open.get()>
            <aside class="drawer" aria-label="Event" tabindex="-1" node_ref=panel on:keydown=move |event| host::keep_focus_inside(panel.get_untracked().as_ref(), &event)>
                {move || match shown.get() {
                    Some(Shown::Event(event)) => view! { <Details event close/> }.into_any(),
                    Some(Shown::Missing(reason)) => view! {
                        <div class="empty">
                            <h2>"This event cannot be shown"</h2>
                            <p>{reason}</p>
                            <button type="button" class="btn" on:click=move |_| close()>"Close"</button>
                        </div>
                    }
                    .into_any(),
                    _ => view! { <div class="empty" aria-busy="true"><p>"Reading the event from the store"</p></div> }.into_any(),
                }}
            </aside>
        </Show>
    }
}

#[component]
fn Details(event: Arc<Event>, close: impl Fn() + Copy + 'static) -> impl IntoView {
    let app = use_app();
    let mut said = describe(&event);
    let row = app.feed_untracked(|feed| feed.session(&event.session_id));
    let full = said.text.clone();
    if let (true, Some(cwd)) = (said.is_code, row.as_ref().and_then(|row| row.cwd.as_deref())) {
        said.text = inside(&said.text, cwd);
    }
    let project = row.as_ref().map(|row| row.project.clone()).filter(|name| !name.is_empty());
    let branch = row.as_ref().and_then(|row| row.branch.clone());
    let session = routes::session(&event.session_id);
    let json = serde_json::to_string_pretty(&*event).unwrap_or_default();
    let subagent =
        event.subagent.as_ref().map(|sub| if sub.kind.is_empty() { "subagent".to_owned() } else { sub.kind.clone() });
    view! {
        <div class="drawer__head">
            <div class="row small muted">
                <AgentGlyph agent=event.agent.clone()/>
                <span class="medium clip">{project.unwrap_or_else(|| format::agent(&event.agent).to_owned())}</span>
                {branch.map(|branch| view! { <span class="faint">"/"</span><span class="clip">{branch}</span> })}
                {subagent.map(|kind| view! { <span class="tag">{kind}</span> })}
                {event.demo.then(|| view! { <span class="tag">"demo"</span> })}
                <span class="push row" style:gap="0">
                    <button type="button" class="iconbtn" aria-label="Copy link" title="Copy link" on:click=move |_| command::Command::CopyLink.run(app)>
                        <Icon name="i-link"/>
                    </button>
                    <button type="button" class="iconbtn" aria-label="Close" title="Close (Esc)" on:click=move |_| close()><Icon name="i-x"/></button>
                </span>
            </div>
            <h2 class="row">
                <span class=said.tone><Icon name=said.icon/></span>
                <span class="drawer__title clip grow" title=full>
                    {said.name.clone()} " " <span class=if said.is_code { "code" } else { "muted" }>{said.text.clone()}</span>
                </span>
            </h2>
        </div>
        <facts::Facts event=event.clone()/>
        <body::Body event=event.clone()/>
        <div class="drawer__foot">
            <a class="btn" href=session>"Open session"</a>
            <button type="button" class="btn btn--plain push" on:click=move |_| command::copy(app, json.clone(), "Event copied as JSON")>
                <Icon name="i-copy"/>
                "Copy as JSON"
            </button>
        </div>
    }
}

fn fetch(app: AppState, seq: i64, into: RwSignal<Option<(i64, Shown)>>) {
    spawn_local(async move {
        let shown = match app.api().event(seq).await {
            Ok(Some(event)) => Shown::Event(Arc::new(event)),
            Ok(None) => Shown::Missing("It is not in the store: it may have been removed with the demo".into()),
            Err(error) => Shown::Missing(error.to_string()),
        };
        into.set(Some((seq, shown)));
    });
}

fn focus(panel: NodeRef<html::Aside>) {
    if let Some(panel) = panel.get_untracked() {
        let _ = panel.focus();
    }
}
