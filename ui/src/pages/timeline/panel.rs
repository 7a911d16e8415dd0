//! Below the lanes: sums of the selection and the critical path, or the lanes as a table.

use leptos::prelude::*;
use orrery_types::{SliceKind, Sums};
use orrery_views::format;

use super::model::{Chart, Row};
use super::toolbar::color_of;
use crate::components::Icon;
use crate::host;

/// Steps of the critical path that are listed.
const MOST_STEPS: usize = 10;
/// Lanes that the table shows.
const MOST_LANES: usize = 200;

#[component]
pub fn Panel(chart: Chart) -> impl IntoView {
    let has_sums = Memo::new(move |_| chart.sums.with(Option::is_some));
    view! {
        <Show when=move || chart.shows_table.get() fallback=move || view! {
            <Show when=move || has_sums.get()>
                <div class="tl__sums">
                    {move || chart.sums.get().map(|sums| selection(chart, &sums))}
                    {move || chart.sums.get().and_then(|sums| path(chart, &sums))}
                </div>
            </Show>
        }>
            <Twin chart/>
        </Show>
    }
}

fn selection(chart: Chart, sums: &Sums) -> impl IntoView + use<> {
    let is_selected = chart.selection.get_untracked().is_some();
    let wall = (sums.to_ms - sums.from_ms).max(1);
    let clock = |at_ms: i64| format::clock(at_ms, host::utc_offset_minutes(at_ms));
    let longest = sums.kinds.first().map_or(1, |kind| kind.total_ms.max(1));
    let rows = sums
        .kinds
        .iter()
        .filter(|kind| kind.kind != SliceKind::Agent.code())
        .map(|sum| {
            let kind = SliceKind::from_code(sum.kind);
            let failed = if sum.failed > 0 { format::count(sum.failed) } else { "\u{2013}".to_owned() };
            let share = sum.total_ms as f64 / longest as f64 * 100.0;
            view! {
                <tr>
                    <th scope="row"><i class="swatch" style=format!("background:{}", color_of(kind))></i>{kind.label()}</th>
                    <td class="n muted">{format::count(sum.count)}</td>
                    <td class="n">{format::duration_ms(sum.total_ms)}</td>
                    <td class="tl__barcell"><span class="bar"><i style=format!("width:{share:.1}%;background:{}", color_of(kind))></i></span></td>
                    <td class="n muted">{format::duration_ms(sum.p50_ms)}</td>
                    <td class="n muted">{format::duration_ms(sum.p95_ms)}</td>
                    <td class="n" class:danger=sum.failed != 0>{failed}</td>
                </tr>
            }
        })
        .collect_view();
    let parallel = format!("{:.1}\u{d7}", sums.busy_ms as f64 / wall as f64);
    let failed = sums.failed;
    view! {
        <section aria-label="Sums">
            <div class="head">
                <h2>{if is_selected { "Selection" } else { "All of the time" }}</h2>
                <span class="num">{format!("{} \u{2013} {}", clock(sums.from_ms), clock(sums.to_ms))}</span>
                <span class="push tl__figures small muted">
                    <span><b class="num">{format::duration_ms(sums.busy_ms)}</b>" busy"</span>
                    <span><b class="num">{parallel}</b>" parallel"</span>
                    <span><b class="num">{format::count(sums.calls)}</b>" calls"</span>
                    <span class:danger=move || failed != 0><b class="num">{format::count(failed)}</b>" failed"</span>
                    <b class="num">{format::money(sums.cost_usd_micros)}</b>
                </span>
                <button type="button" class="iconbtn" aria-label="Clear selection" title="Clear (Esc)" on:click=move |_| chart.clear()><Icon name="i-x"/></button>
            </div>
            <table class="sumtable">
                <thead><tr><th scope="col">"Kind"</th><th scope="col" class="n">"Count"</th><th scope="col" class="n">"Time"</th><td></td><th scope="col" class="n">"p50"</th><th scope="col" class="n">"p95"</th><th scope="col" class="n">"Failed"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
}

fn path(chart: Chart, sums: &Sums) -> Option<impl IntoView + use<>> {
    let of = sums.path_of.clone()?;
    let name = chart.with(|drawn| {
        let session = drawn.timeline.sessions.iter().find(|session| session.id == of)?;
        Some(if session.title.is_empty() { session.project.clone() } else { session.title.clone() })
    });
    let wall: i64 = sums.path.iter().map(|step| step.total_ms).sum();
    let longest = sums.path.first().map_or(1, |step| step.total_ms.max(1));
    let rows = sums
        .path
        .iter()
        .take(MOST_STEPS)
        .map(|step| {
            let share = step.total_ms as f64 / longest as f64 * 100.0;
            let color = color_of(SliceKind::from_code(step.kind));
            view! {
                <li>
                    <span class="clip" title=step.name.clone()>{step.name.clone()}</span>
                    <span class="bar"><i style=format!("width:{share:.1}%;background:{color}")></i></span>
                    <span class="num right">{format::duration_ms(step.total_ms)}</span>
                    <span class="num right muted">{format::share(step.total_ms.unsigned_abs(), wall.unsigned_abs())}</span>
                </li>
            }
        })
        .collect_view();
    let more = sums.path.len().saturating_sub(MOST_STEPS);
    Some(view! {
        <section aria-label="Critical path">
            <div class="head"><h2>"Critical path"</h2><span class="small muted clip">{name}</span></div>
            <ol class="cp">{rows}</ol>
            {sums.path.is_empty().then(|| view! { <p class="small faint tl__note">"Nothing of this session ran in the selection"</p> })}
            {(more > 0).then(|| view! { <p class="small faint tl__note">{format!("and {more} shorter ones")}</p> })}
        </section>
    })
}

/// The lanes of the view in words and figures: the twin of the picture.
#[component]
fn Twin(chart: Chart) -> impl IntoView {
    let rows = move || {
        chart.revision.track();
        let view = chart.view.get();
        let all = chart.rows.get();
        let lines = all.iter().take(MOST_LANES).map(|row| line(chart, *row, view.from_ms as i64, view.to_ms as i64));
        lines.collect_view()
    };
    let more = move || chart.rows.with(|rows| rows.len()).saturating_sub(MOST_LANES);
    view! {
        <section class="tl__twin" aria-label="Lanes as a table" tabindex="0">
            <table class="sumtable">
                <caption class="visually-hidden">"What each lane did in the time in view"</caption>
                <thead><tr>
                    <th scope="col">"Lane"</th><th scope="col" class="n">"Model"</th><th scope="col" class="n">"Calls"</th><th scope="col" class="n">"In calls"</th><th scope="col" class="n">"Waited for you"</th><th scope="col" class="n">"Failed"</th><th scope="col">"Longest"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {move || (more() > 0).then(|| view! { <p class="small faint tl__note">{format!("{} more lanes are in the picture only", more())}</p> })}
        </section>
    }
}

fn line(chart: Chart, row: Row, from_ms: i64, to_ms: i64) -> Option<impl IntoView + use<>> {
    let now = chart.app.now.get_untracked();
    chart.with(|drawn| {
        let session = drawn.timeline.sessions.get(row.session)?;
        let name = match session.lanes.get(row.lane).filter(|_| row.lane > 0) {
            Some(lane) => format!("{}, {}", session.project, if lane.kind.is_empty() { "subagent" } else { &lane.kind }),
            None => format!("{} {}", session.project, session.branch),
        };
        let (mut model, mut calls, mut in_calls, mut waits, mut failed) = (0_i64, 0_u64, 0_i64, 0_i64, 0_u64);
        let mut longest = None::<(i64, &orrery_types::Slice)>;
        for slice in drawn.slices(row) {
            let end = if slice.open { slice.to_ms.max(now) } else { slice.to_ms };
            let inside = end.min(to_ms) - slice.from_ms.max(from_ms);
            if inside < 0 {
                continue;
            }
            failed += u64::from(slice.failed);
            match slice.kind {
                SliceKind::Model => model += inside,
                SliceKind::Wait => waits += inside,
                _ => {
                    calls += u64::from(slice.count.max(1));
                    in_calls += inside;
                    if longest.is_none_or(|(known, _)| inside > known) {
                        longest = Some((inside, slice));
                    }
                }
            }
        }
        let longest = longest.map(|(took, slice)| {
            let word = drawn.word(slice);
            let word = if word.is_empty() { slice.kind.label() } else { word };
            (format!("{word}, {}", format::duration_ms(took)), slice.seq)
        });
        let open = longest.map(|(words, seq)| {
            view! { <button type="button" class="linklike clip" on:click=move |_| chart.query.set("event", Some(&seq.to_string()))>{words}</button> }
        });
        let time = |ms: i64| if ms > 0 { format::duration_ms(ms) } else { "\u{2013}".to_owned() };
        Some(view! {
            <tr>
                <th scope="row" class={if row.lane > 0 { "tl__sub" } else { "" }}>{name}</th>
                <td class="n">{time(model)}</td>
                <td class="n">{format::count(calls)}</td>
                <td class="n">{time(in_calls)}</td>
                <td class="n">{time(waits)}</td>
                <td class="n" class:danger=failed != 0>{format::count(failed)}</td>
                <td>{open}</td>
            </tr>
        })
    })
}
