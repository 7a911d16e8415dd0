//! One line of the stream: a turn's head or an event.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{Body, Event};
use orrery_views::format;

use super::describe::{End, describe, inside};
use super::events::row_id;
use super::stream::{Line, Row};
use crate::components::{AgentGlyph, Clock, Elapsed, Icon};
use crate::routes;
use crate::state::{AppState, use_app};

#[component]
pub fn LineView(
    line: Line,
    /// Place among all lines, from 1.
    place: Signal<usize>,
    cursor: RwSignal<Option<i64>>,
    selected: Memo<Option<i64>>,
    choose: impl Fn(i64, i64) + Copy + 'static,
) -> impl IntoView {
    match line {
        Line::Head { session, agent, turns_ago, prompt, .. } => {
            view! { <Head session agent turns_ago prompt place/> }.into_any()
        }
        Line::Row(row) => view! { <EventRow row place cursor selected choose/> }.into_any(),
    }
}

#[component]
fn Head(session: String, agent: String, turns_ago: u32, prompt: Arc<str>, place: Signal<usize>) -> impl IntoView {
    let app = use_app();
    let link = routes::session(&session);
    let row = app.feed_untracked(|feed| feed.session(&session));
    let project = row
        .as_ref()
        .map(|row| row.project.clone())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format::agent(&agent).to_owned());
    let turn = row.as_ref().and_then(|row| row.turns.checked_sub(turns_ago)).filter(|turn| *turn > 0);
    let title = if prompt.is_empty() {
        row.as_ref()
            .map(|row| row.turn_prompt.clone().filter(|_| turns_ago == 0).unwrap_or_else(|| row.title.clone()))
            .unwrap_or_default()
    } else {
        prompt.to_string()
    };
    view! {
        <div class="turn" role="row" aria-rowindex=move || place.get().to_string()>
            <span class="row grow" role="gridcell">
                <AgentGlyph agent/>
                <a class="turn__link medium" href=link tabindex="-1">{project}</a>
                {turn.map(|turn| view! { <span class="faint">{format!("turn {turn}")}</span> })}
                <span class="clip muted grow">{title}</span>
            </span>
        </div>
    }
}

#[component]
fn EventRow(
    row: Row,
    place: Signal<usize>,
    cursor: RwSignal<Option<i64>>,
    selected: Memo<Option<i64>>,
    choose: impl Fn(i64, i64) + Copy + 'static,
) -> impl IntoView {
    let app = use_app();
    let mut said = describe(&row.event);
    if row.is_repeat {
        said.text = "its turn".into();
    }
    let cwd = app.feed_untracked(|feed| feed.session(&row.event.session_id)).and_then(|row| row.cwd.clone());
    if let (true, Some(cwd)) = (said.is_code, cwd) {
        said.text = inside(&said.text, &cwd);
    }
    let (key, seq) = (row.key, row.event.seq);
    let is_selected = Memo::new(move |_| selected.get().is_some_and(|chosen| chosen == seq || chosen == key));
    let class = move || if cursor.get() == Some(key) { "ev ev--cursor" } else { "ev" };
    let in_subagent = row
        .event
        .subagent
        .as_ref()
        .map(|sub| if sub.kind.is_empty() { "subagent".to_owned() } else { sub.kind.clone() });
    view! {
        <div
            class=class
            role="row"
            id=row_id(key)
            aria-rowindex=move || place.get().to_string()
            aria-selected=move || is_selected.get().to_string()
            on:click=move |_| choose(key, seq)
        >
            <span role="gridcell" class="faint"><Clock at_ms=row.at_ms/></span>
            <span role="gridcell" class=format!("ev__icon {}", said.tone)><Icon name=said.icon/></span>
            <span role="gridcell" class="ev__name clip" title=said.name.clone()>{said.name.clone()}</span>
            <span role="gridcell" class=if said.is_code { "clip code" } else { "clip" } title=said.text.clone()>
                {in_subagent.map(|kind| view! { <span class="ev__sub">{kind}</span> })}
                {said.text.clone()}
            </span>
            <span role="gridcell" class="num right ev__end">{end(app, &row.event, row.at_ms, said.end)}</span>
        </div>
    }
}

fn end(app: AppState, event: &Arc<Event>, since_ms: i64, end: End) -> AnyView {
    match end {
        End::Nothing => ().into_any(),
        End::Took(took) => view! { <span class="muted">{took}</span> }.into_any(),
        End::Lines(added, removed) => {
            view! { <span class="plusminus"><b>{format!("+{added}")}</b> " " <i>{format!("−{removed}")}</i></span> }
                .into_any()
        }
        End::Failed(why) => view! { <span class="danger clip" title=why.clone()>{why.clone()}</span> }.into_any(),
        End::Word(word) => view! { <span class="muted clip" title=word.clone()>{word.clone()}</span> }.into_any(),
        End::Open => open_end(app, event, since_ms),
    }
}

/// Still running, still waiting, or over without a word: the session's row knows.
fn open_end(app: AppState, event: &Arc<Event>, since_ms: i64) -> AnyView {
    let (session, seq) = (event.session_id.clone(), event.seq);
    let call = match &event.body {
        Body::ToolStart { call_id, .. } => Some(call_id.clone()),
        _ => None,
    };
    let is_open = Memo::new(move |_| {
        app.feed(|feed| feed.session(&session)).is_some_and(|row| match &call {
            Some(call) => row.open_calls.contains_key(call),
            None => row.needs.as_ref().is_some_and(|needs| needs.seq == seq),
        })
    });
    let waits = !matches!(event.body, Body::ToolStart { .. });
    let class = if waits { "attention row ev__open" } else { "muted row ev__open" };
    let glyph = if waits { "#g-wait" } else { "#g-run" };
    view! {
        <Show when=move || is_open.get()>
            <span class=class>
                <svg class="glyph" aria-hidden="true"><use href=glyph/></svg>
                <Elapsed since_ms=Signal::stored(since_ms)/>
            </span>
        </Show>
    }
    .into_any()
}
