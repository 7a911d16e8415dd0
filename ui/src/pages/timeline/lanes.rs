//! Names of the lanes in sight.

use leptos::prelude::*;
use orrery_views::format;

use super::model::{Chart, Row};
use crate::components::{AgentGlyph, Icon};
use crate::routes;

/// Names drawn above and below those in sight.
const SPARE: usize = 4;

#[component]
pub fn Lanes(chart: Chart, row_height: Memo<f64>) -> impl IntoView {
    let range = Memo::new(move |_| {
        let (first, count) = chart.sight.get();
        let rows = chart.rows.with(|rows| rows.len());
        (first.saturating_sub(SPARE).min(rows), (first + count + SPARE).min(rows))
    });
    let shown = move || {
        let (from, to) = range.get();
        let revision = chart.revision.get();
        chart.rows.with(|rows| {
            rows[from.min(rows.len())..to.min(rows.len())]
                .iter()
                .enumerate()
                .map(|(n, row)| (from + n, *row, revision))
                .collect::<Vec<_>>()
        })
    };
    view! {
        <ul class="tl__lanes" aria-label="Sessions and subagents">
            {move || {
                let height = row_height.get();
                shown()
                    .into_iter()
                    .filter_map(|(at, row, _)| name(chart, at, row, height))
                    .collect_view()
            }}
        </ul>
    }
}

fn name(chart: Chart, at: usize, row: Row, height: f64) -> Option<AnyView> {
    let session = chart.with(|drawn| drawn.timeline.sessions.get(row.session).cloned())?;
    let style = format!("top:{}px;height:{height}px", at as f64 * height);
    if row.lane > 0 {
        let lane = session.lanes.get(row.lane)?;
        let kind = if lane.kind.is_empty() { "Subagent".to_owned() } else { lane.kind.clone() };
        return Some(
            view! {
                <li class="lane lane--sub" style=style>
                    <span class="clip grow">{kind}</span>
                    <span class="num">{(lane.cost_usd_micros > 0).then(|| format::money(lane.cost_usd_micros))}</span>
                </li>
            }
            .into_any(),
        );
    }
    let lanes = session.lanes.len();
    let id = StoredValue::new(session.id.clone());
    let is_chosen = move || chart.chosen.get() == Some(id.get_value());
    let is_folded = move || chart.is_folded(&id.get_value(), lanes);
    let toggle = move |_| {
        let folded = untrack(is_folded);
        chart.folded.update(|known| {
            known.insert(id.get_value(), !folded);
        });
    };
    let label =
        if session.project.is_empty() { format::agent(&session.agent).to_owned() } else { session.project.clone() };
    let about = if session.branch.is_empty() { session.title.clone() } else { session.branch.clone() };
    let fold = (lanes > 1).then(|| {
        view! {
            <button
                type="button"
                class="lane__fold"
                aria-expanded=move || (!is_folded()).to_string()
                aria-label=format!("Subagents of {label}")
                on:click=toggle
            >
                <Icon name=Signal::derive(move || if is_folded() { "i-right" } else { "i-down" }) small=true/>
            </button>
        }
    });
    Some(
        view! {
            <li class="lane lane--top" class:lane--chosen=is_chosen style=style>
                {fold}
                <AgentGlyph agent=session.agent.clone()/>
                <button
                    type="button"
                    class="lane__name clip grow"
                    aria-pressed=move || is_chosen().to_string()
                    title=format!("{}: show its critical path", session.title)
                    on:click=move |_| chart.choose((!untrack(is_chosen)).then(|| id.get_value()))
                >
                    <span class="medium">{label}</span>" "<span class="muted">{about}</span>
                </button>
                <a class="lane__open" href=routes::session(&session.id) aria-label=format!("Open {}", session.title) title="Open session"><Icon name="i-right" small=true/></a>
                <span class="num">{format::money(session.cost_usd_micros)}</span>
            </li>
        }
        .into_any(),
    )
}
