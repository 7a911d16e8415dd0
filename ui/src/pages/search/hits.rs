//! The hits, in groups by session, each with its context and what was found in it.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{Hit, Snippet};
use orrery_views::format;

use super::load::{Found, Results};
use crate::components::virtual_list::{Rows, VirtualList, row_key};
use crate::components::{AgentGlyph, Clock, Icon};
use crate::host;
use crate::pages::live::describe::describe;
use crate::routes::{self, use_query};

/// Bytes of a snippet's line that are drawn.
const LINE_BYTES: usize = 600;

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    Session { id: String, agent: String, project: String, title: String, hits: usize, newest_ms: i64 },
    Hit(Arc<Hit>),
}

#[component]
pub fn Hits(results: Results) -> impl IntoView {
    let query = use_query();
    let items = Memo::new_with_compare(
        move |_: Option<&Arc<Vec<Line>>>| {
            Arc::new(results.found.with(|found| found.as_ref().map(|found| lines(found)).unwrap_or_default()))
        },
        |_, _| true,
    );
    let active = RwSignal::new(None);
    Effect::new(move |_| {
        let at: Option<usize> = active.get();
        let hit = at.and_then(|at| items.with_untracked(|items| items.get(at).cloned()));
        results.active.set(match hit {
            Some(Line::Hit(hit)) => Some(hit),
            _ => None,
        });
    });
    let rows = Rows {
        key: |line: &Line| match line {
            Line::Session { id, hits, .. } => row_key((0, id, hits)),
            Line::Hit(hit) => row_key((1, hit.event.seq)),
        },
        cells: Arc::new(cells),
        class: |line| match line {
            Line::Session { .. } => "hitgroup",
            Line::Hit(_) => "hit",
        },
        stops: |line| matches!(line, Line::Hit(_)),
    };
    let on_open = Callback::new(move |line: Line| {
        if let Line::Hit(hit) = line {
            query.replace("event", Some(&hit.event.seq.to_string()));
        }
    });
    let chosen = move |line: &Line| match line {
        Line::Hit(hit) => query.get("event").is_some_and(|seq| seq == hit.event.seq.to_string()),
        Line::Session { .. } => false,
    };
    let nothing =
        Memo::new(move |_| results.found.with(|found| found.as_ref().is_some_and(|found| found.hits.is_empty())));
    view! {
        <section class="searchhits" aria-label="Hits">
            <Show when=move || !nothing.get() fallback=move || view! { <NoHits results/> }>
                <VirtualList items rows=rows.clone() active label="Hits by session" id="hit" row_px=44.0 selected=Arc::new(chosen) on_open on_end=Callback::new(move |()| results.more())/>
            </Show>
        </section>
    }
}

#[component]
fn NoHits(results: Results) -> impl IntoView {
    let more = move || results.found.with(|found| found.as_ref().is_some_and(|found| found.next.is_some()));
    view! {
        <div class="empty">
            <Icon name="i-search"/>
            <h2>"Nothing found"</h2>
            <p>{move || if more() { "Not in the newest events; older ones were not looked at yet" } else { "No event has all of this. Fewer words, or OR between them, find more" }}</p>
            {move || more().then(|| view! { <button type="button" class="btn" on:click=move |_| results.more()>"Look further back"</button> })}
        </div>
    }
}

/// Hits by session: sessions in the order of their newest hit, hits newest first.
fn lines(found: &Found) -> Vec<Line> {
    let mut order: Vec<&str> = Vec::new();
    let mut groups: HashMap<&str, Vec<Arc<Hit>>> = HashMap::new();
    for hit in &found.hits {
        let id = hit.event.session_id.as_str();
        groups.entry(id).or_insert_with(|| {
            order.push(id);
            Vec::new()
        });
        groups.entry(id).and_modify(|group| group.push(hit.clone()));
    }
    let mut lines = Vec::with_capacity(found.hits.len() + order.len());
    for id in order {
        let Some(hits) = groups.remove(id) else { continue };
        let Some(first) = hits.first() else { continue };
        lines.push(Line::Session {
            id: id.to_owned(),
            agent: first.event.agent.clone(),
            project: first.project.clone(),
            title: first.title.clone(),
            hits: hits.len(),
            newest_ms: first.event.at_ms,
        });
        lines.extend(hits.into_iter().map(Line::Hit));
    }
    lines
}

fn cells(line: Line) -> AnyView {
    match line {
        Line::Session { id, agent, project, title, hits, newest_ms } => {
            let name = if title.is_empty() { "Untitled session".to_owned() } else { title };
            view! {
                <div role="gridcell" class="hitgroup__cell">
                    <AgentGlyph agent/>
                    <a class="medium clip" href=routes::session(&id) title=name.clone()>{name.clone()}</a>
                    <span class="muted clip">{project}</span>
                    <span class="push small faint num">{format::plural(hits as u64, "hit")}</span>
                    <span class="small faint num">{format::day_short(newest_ms, host::utc_offset_minutes(newest_ms))}</span>
                </div>
            }
            .into_any()
        }
        Line::Hit(hit) => {
            let said = describe(&hit.event);
            let target = said.text.clone();
            let subagent = hit
                .event
                .subagent
                .as_ref()
                .map(|sub| if sub.kind.is_empty() { "subagent".to_owned() } else { sub.kind.clone() });
            view! {
                <div role="gridcell" class="hit__cell">
                    <span class="num faint"><Clock at_ms=hit.event.at_ms/></span>
                    <span class=said.tone><Icon name=said.icon/></span>
                    <span class="hit__words">
                        <span class="clip"><b class="medium">{said.name}</b>" "{subagent.map(|kind| view! { <span class="tag">{kind}</span>" " })}<span class=if said.is_code { "code muted" } else { "muted" }>{target}</span></span>
                        <span class="clip small hit__found">{marked(&hit.snippet)}</span>
                    </span>
                </div>
            }
            .into_any()
        }
    }
}

/// The line of the snippet that holds the first thing found, with everything found in it marked.
fn marked(snippet: &Snippet) -> AnyView {
    let (text, ranges) = around(snippet);
    let mut parts: Vec<AnyView> = Vec::new();
    let mut at = 0;
    for (from, to) in ranges {
        if let (Some(front), Some(found)) = (text.get(at..from), text.get(from..to)) {
            let found = found.to_owned();
            parts.push(view! { <span>{front.to_owned()}</span><mark>{found}</mark> }.into_any());
            at = to;
        }
    }
    let rest = text.get(at..).unwrap_or_default().to_owned();
    view! { {parts}<span>{rest}</span> }.into_any()
}

/// One line around the first range, cut, with the ranges inside it.
fn around(snippet: &Snippet) -> (String, Vec<(usize, usize)>) {
    let text = &snippet.text;
    let first = snippet.ranges.first().map_or(0, |range| range.0.min(text.len()));
    let start = text.get(..first).and_then(|front| front.rfind('\n')).map_or(0, |at| at + 1);
    // A long line begins a little before what was found.
    let start = if first - start > 120 { text.floor_char_boundary(first - 80) } else { start };
    let rest = &text[start..];
    let end = rest.find('\n').unwrap_or(rest.len()).min(rest.floor_char_boundary(LINE_BYTES));
    let line = &rest[..end];
    let ranges = snippet
        .ranges
        .iter()
        .filter(|(from, to)| *from >= start && *to <= start + end && from < to)
        .map(|(from, to)| (from - start, to - start))
        .collect();
    (line.to_owned(), ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_shown_around_what_was_found() {
        let snippet = Snippet {
            text: "first\nsecond with \u{1f980} found here\nthird".into(),
            ranges: vec![(23, 28), (99, 120)],
        };
        let (line, ranges) = around(&snippet);
        assert_eq!(line, "second with \u{1f980} found here");
        assert_eq!(ranges.iter().map(|(from, to)| &line[*from..*to]).collect::<Vec<_>>(), ["found"]);
        let long = format!("{}needle{}", "x".repeat(5_000), "y".repeat(5_000));
        let (line, ranges) = around(&Snippet { text: long, ranges: vec![(5_000, 5_006)] });
        assert_eq!((line.len() <= LINE_BYTES, &line[ranges[0].0..ranges[0].1]), (true, "needle"));
        assert_eq!(around(&Snippet::default()), (String::new(), vec![]));
    }
}
