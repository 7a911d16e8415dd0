//! One session at work: who, where, what now, for how long, at what price.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{SessionRow, Status, Verb};
use orrery_views::format;
use orrery_views::session::status_at;

use super::describe::{inside, one_line};
use crate::components::{AgentGlyph, Bar, Elapsed, Sparkline, StatusBadge};
use crate::frame::{BillLink, Billed};
use crate::routes;
use crate::state::use_app;

#[component]
pub fn Card(id: String) -> impl IntoView {
    let app = use_app();
    let link = routes::session(&id);
    let billed = Billed::session(&id);
    let handle = id.clone();
    let row = Memo::new(move |_| app.feed(|feed| feed.session(&id)).unwrap_or_default());
    let agent = Memo::new(move |_| row.with(|row| row.agent.clone()));
    let status = Memo::new(move |_| row.with(|row| status_at(row, app.now.get())));
    let activity = Memo::new(move |_| row.with(|row| row.activity.clone()));
    let silent_min =
        Memo::new(move |_| usize::try_from((app.now.get() - row.with(|row| row.last_ms)) / 60_000).unwrap_or(0));
    let context = Memo::new(move |_| row.with(|row| context(row)));
    view! {
        <li class="sess" draggable="true" data-session=handle>
            <a class="sess__link" href=link title=move || row.with(|row| row.title.clone())>
                <span class="row">
                    <span class="row grow">
                        {move || view! { <AgentGlyph agent=agent.get()/> }}
                        <b class="sess__name medium clip">{move || row.with(|row| name(row))}</b>
                        <span class="muted clip">{move || row.with(|row| row.branch.clone())}</span>
                    </span>
                    <Show when=move || status.get() != Status::Running>
                        <span class="sess__state"><StatusBadge status/></span>
                    </Show>
                    // The figure lies over this place: a button cannot stand inside a link.
                    <span class="num sess__cost" aria-hidden="true" style:visibility="hidden">{move || row.with(cost)}</span>
                </span>
                <span class="row sess__now">
                    <span class="grow clip">
                        <span class="muted">{move || row.with(|row| format::verb(row.doing.verb))}</span>
                        " "
                        <span class=move || if row.with(|row| is_code(row.doing.verb)) { "code" } else { "" }>{move || row.with(|row| inside(&one_line(&row.doing.target), row.cwd.as_deref().unwrap_or_default()))}</span>
                    </span>
                    <span class="muted"><Elapsed since_ms=Signal::derive(move || row.with(|row| if row.doing.since_ms > 0 { row.doing.since_ms } else { row.last_ms }))/></span>
                </span>
                <span class="small muted sess__meta">
                    <Sparkline cells=activity age_min=silent_min/>
                    <span class="num small right" title="Since its start">{move || format::elapsed_ms((app.now.get() - row.with(|row| row.started_ms)) / 1_000 * 1_000)}</span>
                    <span class="num small right">{move || row.with(|row| format::tokens(row.tokens.total()))}" "<span class="u">"tok"</span></span>
                    {move || context.get().map(|(share, word)| view! {
                        <span class="row sess__context" title=word.clone()>
                            <span class="u">"context"</span>
                            <Bar share=Signal::stored(share)/>
                            <span class="num small">{format!("{:.0} %", share * 100.0)}</span>
                        </span>
                    })}
                </span>
            </a>
            <BillLink
                billed=billed
                text=Signal::derive(move || row.with(cost))
                title=Signal::derive(move || row.with(|row| format::money_exact(row.cost_usd_micros)))
                class="num sess__cost sess__bill"
            />
        </li>
    }
}

fn name(row: &SessionRow) -> String {
    if row.project.is_empty() { format::agent(&row.agent).to_owned() } else { row.project.clone() }
}

/// The session's cost; unknown where nothing of it has a price.
fn cost(row: &Arc<SessionRow>) -> String {
    if row.cost_usd_micros == 0 && row.unpriced_requests > 0 {
        "no price".to_owned()
    } else {
        format::money(row.cost_usd_micros)
    }
}

fn is_code(verb: Verb) -> bool {
    matches!(verb, Verb::Runs | Verb::Edits | Verb::Reads | Verb::Searches | Verb::Browses | Verb::Uses | Verb::Asks)
}

/// How full the context is, and the exact words. Empty when the model's window is unknown.
fn context(row: &SessionRow) -> Option<(f64, String)> {
    let (used, window) = (row.context_tokens?, row.context_window.filter(|window| *window > 0)?);
    Some((used as f64 / window as f64, format!("{} of {} tokens", format::count(used), format::count(window))))
}
