//! The hits as a file: all of them, page by page, until the person stops it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::Hit;
use orrery_views::format;

use super::load::{Results, question};
use crate::components::Icon;
use crate::host;

/// A file holds so many hits; more are better exported by session.
const MOST_HITS: usize = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Jsonl,
    Csv,
}

#[component]
pub fn Export(results: Results) -> impl IntoView {
    // Hits read so far, while an export is under way.
    let done = RwSignal::new(None::<usize>);
    let start = move |form: Form| {
        let Some(found) = results.found.get_untracked() else { return };
        done.set(Some(0));
        spawn_local(async move {
            let mut text = String::new();
            if form == Form::Csv {
                text.push_str("time,session,project,agent,event,number,found\n");
            }
            let (mut before, mut count) = (None, 0);
            loop {
                let page = match results.app.api().search(&question(&found.query, before, false)).await {
                    Ok(page) => page,
                    Err(error) => {
                        done.try_set(None);
                        results.app.notices.fail(format!("The hits were not exported: {error}"));
                        return;
                    }
                };
                for hit in &page.hits {
                    match form {
                        Form::Jsonl => text.push_str(&serde_json::to_string(&hit.event).unwrap_or_default()),
                        Form::Csv => text.push_str(&csv_line(hit)),
                    }
                    text.push('\n');
                }
                count += page.hits.len();
                if done.try_get_untracked().flatten().is_none() {
                    return; // Stopped, or the page is gone.
                }
                done.set(Some(count));
                match page.next {
                    Some(next) if count < MOST_HITS => before = Some(next),
                    _ => break,
                }
            }
            done.set(None);
            let name = if form == Form::Csv { "orrery-hits.csv" } else { "orrery-hits.jsonl" };
            let cut = if count >= MOST_HITS { ", the newest; narrow the search for the rest" } else { "" };
            match host::save_text(name, &text) {
                Ok(()) => {
                    results.app.notices.say(format!("Saved {} in {name}{cut}", format::plural(count as u64, "hit")))
                }
                Err(why) => results.app.notices.fail(why),
            }
        });
    };
    let has_hits = move || results.found.with(|found| found.as_ref().is_some_and(|found| !found.hits.is_empty()));
    move || {
        match done.get() {
        Some(count) => view! {
            <span class="row" role="status">
                <span class="num">{format!("{} exported", format::plural(count as u64, "hit"))}</span>
                <button type="button" class="btn btn--small btn--plain" on:click=move |_| done.set(None)>"Cancel"</button>
            </span>
        }
        .into_any(),
        None if has_hits() => view! {
            <span class="row">
                <button type="button" class="btn btn--small btn--plain" on:click=move |_| start(Form::Jsonl)><Icon name="i-download"/>"JSONL"</button>
                <button type="button" class="btn btn--small btn--plain" on:click=move |_| start(Form::Csv)>"CSV"</button>
            </span>
        }
        .into_any(),
        None => ().into_any(),
    }
    }
}

fn csv_line(hit: &Hit) -> String {
    let event = &hit.event;
    let found = hit.snippet.text.replace(['\r', '\n'], " ");
    let cells = [
        format::moment(event.at_ms, 0),
        event.session_id.clone(),
        hit.project.clone(),
        event.agent.clone(),
        event.name.clone(),
        event.seq.to_string(),
        found,
    ];
    cells.map(|cell| csv_cell(&cell)).join(",")
}

/// Quoted where it must be. A cell that a spreadsheet would calculate begins with a mark.
fn csv_cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_any_text_and_calculate_nothing() {
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(csv_cell("=1+1"), "'=1+1");
    }
}
