//! Sessions in a turn, a card each.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::SessionRow;

use super::card::Card;
use crate::components::Pick;
use crate::routes::{self, use_query};
use crate::state::use_app;

#[component]
pub fn Cards(rows: Memo<Vec<Arc<SessionRow>>>) -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let sort = Signal::derive(move || query.get("sort").unwrap_or_default());
    // By start unless chosen otherwise: cards that do not move can be found again.
    let ids = Memo::new(move |_| {
        let mut rows = rows.get();
        match sort.get().as_str() {
            "activity" => rows.sort_by_key(|row| std::cmp::Reverse(row.last_ms)),
            "cost" => rows.sort_by_key(|row| std::cmp::Reverse(row.cost_usd_micros)),
            _ => rows.sort_by_key(|row| std::cmp::Reverse(row.started_ms)),
        }
        rows.into_iter().map(|row| row.id.clone()).collect::<Vec<_>>()
    });
    let options = Signal::stored(
        [("", "by start"), ("activity", "by last activity"), ("cost", "by cost")]
            .map(|(value, label)| (value.to_owned(), label.to_owned()))
            .to_vec(),
    );
    let is_known = Memo::new(move |_| app.feed(|feed| feed.overview().is_some()));
    view! {
        <section class="live__sessions" aria-label="Active sessions">
            <div class="head">
                <h2>"Active sessions"</h2>
                <span class="num">{move || ids.with(Vec::len)}</span>
                <span class="push small"><Pick name="Order" value=sort options choose=move |value: String| query.set("sort", Some(&value))/></span>
            </div>
            <ul class="live__list" tabindex="0" aria-label="Active sessions">
                <For each=move || ids.get() key=|id| id.clone() let:id>
                    <Card id/>
                </For>
                <Show when=move || is_known.get() && ids.with(Vec::is_empty)>
                    <li><Quiet/></li>
                </Show>
            </ul>
        </section>
    }
}

/// Nobody works right now.
#[component]
fn Quiet() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let last = Memo::new(move |_| {
        app.feed(|feed| feed.sessions().max_by_key(|row| row.last_ms).map(|row| (row.id.clone(), row.title.clone())))
    });
    let is_narrow = move || query.get("project").is_some() || query.get("agent").is_some();
    view! {
        <div class="empty">
            <h3>{move || if is_narrow() { "No such agent works right now" } else { "No agent works right now" }}</h3>
            <p>"A session shows up here with its first prompt"</p>
            <div class="row">
                {move || is_narrow().then(|| view! {
                    <button type="button" class="btn btn--small" on:click=move |_| query.set_all(&[("project", None), ("agent", None)])>"Show all"</button>
                })}
                <a class="btn btn--small" href=routes::SESSIONS>"All sessions"</a>
                {move || last.get().filter(|(_, title)| !title.is_empty()).map(|(id, title)| view! {
                    <a class="btn btn--small" href=routes::session(&id) title=title>"Last session"</a>
                })}
            </div>
        </div>
    }
}
