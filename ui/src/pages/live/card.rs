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

/// Subagents named in a card; more are counted.
const MOST_SUBAGENTS: usize = 6;

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
    // Subagents at work, each with what it does.
    let subagents = Memo::new(move |_| {
        row.with(|row| {
            let running = row.subagents.iter().filter(|(_, subagent)| subagent.running);
            running
                .map(|(id, subagent)| {
                    let call = row
                        .open_calls
                        .values()
                        .filter(|call| call.subagent.as_ref() == Some(id))
                        .max_by_key(|call| call.since_ms);
                    let words = call.map(|call| format!("{} {}", call.tool, one_line(&call.target)));
                    let since_ms = call.map_or(subagent.last_ms, |call| call.since_ms);
                    (subagent.kind.clone(), words.unwrap_or_else(|| "Thinks".to_owned()), since_ms)
                })
                .collect::<Vec<_>>()
        })
    });
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
            {move || {
                let running = subagents.get();
                (!running.is_empty()).then(|| {
                    let more = running.len().saturating_sub(MOST_SUBAGENTS);
                    let rows = running.into_iter().take(MOST_SUBAGENTS).map(|(kind, words, since_ms)| {
                        let kind = if kind.is_empty() { "Subagent".to_owned() } else { kind };
                        view! {
                            <li>
                                <span class="medium">{kind}</span>
                                <span class="code muted clip grow" title=words.clone()>{words.clone()}</span>
                                <span class="muted"><Elapsed since_ms=Signal::stored(since_ms)/></span>
                            </li>
                        }
                    });
                    view! {
                        <ul class="sess__subs" aria-label="Subagents at work">
                            {rows.collect_view()}
                            {(more > 0).then(|| view! { <li class="faint">{format!("and {more} more")}</li> })}
                        </ul>
                    }
                })
            }}
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
