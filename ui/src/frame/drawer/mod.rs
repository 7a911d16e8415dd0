//! Details of one event beside the page; its number stands in the address as `event=SEQ`.

mod body;
mod facts;

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::Event;
use orrery_views::format;

pub use facts::source_word;

use crate::command::{self, Command};
use crate::components::{AgentGlyph, Drawer, Empty, Icon};
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
pub fn EventDrawer() -> impl IntoView {
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
    let is_open = Memo::new(move |_| seq.get().is_some());
    let close = move || {
        app.drawer_pinned.set(false);
        query.set("event", None);
    };
    view! {
        <Drawer label="Event" open=is_open close=Callback::new(move |()| close()) pinned=app.drawer_pinned>
            {move || match shown.get() {
                Some(Shown::Event(event)) => view! { <Details event close/> }.into_any(),
                Some(Shown::Missing(reason)) => view! {
                    <Empty title="This event cannot be shown" say=reason failed=true>
                        <button type="button" class="btn" on:click=move |_| close()>"Close"</button>
                    </Empty>
                }
                .into_any(),
                _ => view! { <div class="empty" aria-busy="true"><p>"Reading the event from the store"</p></div> }.into_any(),
            }}
        </Drawer>
    }
}

/// Keeps the drawer open over page changes, or lets it go again.
#[component]
fn Pin() -> impl IntoView {
    let app = use_app();
    let said = move || {
        if app.drawer_pinned.get() { "Pinned: stays open on other pages" } else { "Pin: keep open on other pages" }
    };
    view! {
        <button
            type="button"
            class="iconbtn"
            class:iconbtn--on=move || app.drawer_pinned.get()
            aria-label="Keep open on other pages"
            title=said
            aria-pressed=move || app.drawer_pinned.get().to_string()
            on:click=move |_| Command::PinDrawer.run(app)
        ><Icon name="i-pin"/></button>
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
                    <button type="button" class="iconbtn" aria-label="Copy link" title="Copy link" on:click=move |_| Command::CopyLink.run(app)>
                        <Icon name="i-link"/>
                    </button>
                    <Pin/>
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
