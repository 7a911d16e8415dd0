//! What goes on now: who needs the person, the sessions at work, the stream of events.

mod card;
mod cards;
pub mod describe;
mod events;
mod head;
mod line;
mod need;
mod needs;
mod sound;
mod stream;

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::SessionRow;
use orrery_views::session::needs_person_at;

use crate::routes::{self, use_filter};
use crate::state::use_app;

#[component]
pub fn LivePage() -> impl IntoView {
    let app = use_app();
    let filter = use_filter();
    let active = Memo::new(move |_| {
        let now = app.now.get();
        let filter = filter.get();
        let mut rows = app.feed(|feed| feed.active(now));
        rows.retain(|row| filter.takes_session(row));
        rows
    });
    let needs = Memo::new(move |_| {
        let now = app.now.get();
        let mut rows: Vec<Arc<SessionRow>> = active.get().into_iter().filter(|row| needs_person_at(row, now)).collect();
        rows.sort_by_key(|row| row.needs.as_ref().map(|needs| (needs::rank(needs.kind), needs.since_ms)));
        rows
    });
    // Known and empty is another page than not known yet.
    let is_new = Memo::new(move |_| {
        app.feed(|feed| feed.overview().is_some_and(|overview| overview.events_total == 0) && feed.arrived() == 0)
    });
    view! {
        <div class="page">
            <h1 class="sr">"Live"</h1>
            <head::Head active needs/>
            <Show when=move || !is_new.get() fallback=Nothing>
                <needs::Needs rows=needs/>
                <div class="live">
                    <cards::Cards rows=active/>
                    <events::Events needs/>
                </div>
            </Show>
        </div>
    }
}

/// No event was ever stored.
#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="empty empty--center">
            <h2>"No agent has been seen yet"</h2>
            <p>"Start Claude Code or Codex and its work appears here by itself once its hooks are installed. What happened before can be imported"</p>
            <div class="row">
                <a class="btn btn--primary" href=routes::WELCOME>"Set up agents"</a>
                <a class="btn" href=routes::SETTINGS>"Settings"</a>
            </div>
        </div>
    }
}
