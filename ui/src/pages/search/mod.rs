//! Search: one query language over everything that is stored.

mod export;
mod facets;
mod field;
mod hits;
mod load;
mod presets;

use leptos::prelude::*;
use orrery_views::filter::{FACTS, parse};
use orrery_views::format;

use self::facets::Facets;
use self::field::QueryField;
use self::hits::Hits;
use self::load::{Results, open_results};
use self::presets::Presets;
use crate::components::Icon;
use crate::routes::use_query;
use crate::state::use_keys;

/// Queries to begin with: what they find, and how they are written.
const EXAMPLES: [(&str, &str); 8] = [
    ("Failed commands of today", "is:error class:shell since:today"),
    ("Edits of one file", "file:main.rs class:edit"),
    ("Words in order", "\"no such file\""),
    ("A regular expression", "/panicked at .+\\.rs/"),
    ("Long tool calls", "duration>60s"),
    ("Either of two", "agent:codex (timeout OR \"timed out\")"),
    ("All but one project", "is:error -project:website"),
    ("What you were asked", "kind:permission,question"),
];

#[component]
pub fn SearchPage() -> impl IntoView {
    let query = use_query();
    let text = Memo::new(move |_| query.get("q").unwrap_or_default());
    let error = Memo::new(move |_| text.with(|text| parse(text).err()));
    let results = open_results(text, error);
    use_keys(
        &[
            ("/", "To the query"),
            ("\u{2191}  \u{2193}", "Hit above, below"),
            ("Enter", "Details of the hit"),
            ("o", "Open its session there"),
            ("Esc", "From the query to the hits"),
        ],
        move |event| {
            if event.key() == "o"
                && let Some(path) = results.active_path()
            {
                results.app.go(&path);
                return true;
            }
            false
        },
    );
    let is_blank = Memo::new(move |_| text.with(|text| text.trim().is_empty()));
    view! {
        <div class="page search-page">
            <div class="searchhead">
                <h1 class="visually-hidden">"Search"</h1>
                <QueryField results text error/>
                <Presets text/>
                <Status results/>
            </div>
            <Show when=move || !is_blank.get() fallback=Start>
                <div class="searchbody">
                    <Facets results text/>
                    <Hits results/>
                </div>
            </Show>
        </div>
    }
}

/// What was found, how thoroughly, and the way to more.
#[component]
fn Status(results: Results) -> impl IntoView {
    let words = move || {
        let found = results.found.get()?;
        let count = found.hits.len() as u64;
        let more = found.next.is_some();
        let all = found.facets.as_ref().map(|facets| {
            let plus = if facets.complete { "" } else { "+" };
            format!("{}{plus} {}", format::count(facets.counted), if facets.counted == 1 { "hit" } else { "hits" })
        });
        let shown = match all {
            Some(all) if more => format!("{all}, {} here", format::count(count)),
            Some(all) => all,
            None => format!("{}{}", format::plural(count, "hit"), if more { ", more below" } else { "" }),
        };
        let sessions = found.sessions() as u64;
        let within = if count > 0 { format!(" in {}", format::plural(sessions, "session")) } else { String::new() };
        Some(format!("{shown}{within}, {} ms", results.took_ms.get()))
    };
    let stopped = move || results.found.with(|found| found.as_ref().is_some_and(|found| found.stopped));
    view! {
        <div class="searchstatus small muted">
            <span role="status" aria-live="polite">{words}</span>
            {move || stopped().then(|| view! {
                <span class="attention">"It takes long: older events were not looked at yet"</span>
                <button type="button" class="btn btn--small" on:click=move |_| results.more()>"Go on"</button>
            })}
            {move || results.failed.get().map(|error| view! {
                <span class="danger" role="alert">{error.to_string()}</span>
                <button type="button" class="btn btn--small" on:click=move |_| results.again()>"Try again"</button>
            })}
            <span class="push"></span>
            <export::Export results/>
            <span class="progressline" class:progressline--on=move || results.reading.get() aria-hidden="true"></span>
        </div>
    }
}

/// Nothing asked yet: what can be asked, to be clicked.
#[component]
fn Start() -> impl IntoView {
    let query = use_query();
    let example = move |(about, text): (&'static str, &'static str)| {
        view! {
            <li>
                <button type="button" class="searchexample" on:click=move |_| query.set("q", Some(text))>
                    <span>{about}</span>
                    <code class="code">{text}</code>
                </button>
            </li>
        }
    };
    let fields =
        FACTS.iter().map(|fact| view! { <dt class="code">{fact.names[0]}</dt><dd>{fact.about}</dd> }).collect_view();
    view! {
        <div class="searchstart">
            <section>
                <h2><Icon name="i-search"/>"Find anything an agent did, said or was asked"</h2>
                <ul>{EXAMPLES.map(example).collect_view()}</ul>
            </section>
            <section>
                <h2>"Fields"</h2>
                <dl class="searchfields">{fields}</dl>
                <p class="small muted">"Words narrow: all must occur. OR, NOT or a minus, quotes, parentheses and /regex/ work as you expect"</p>
            </section>
        </div>
    }
}
