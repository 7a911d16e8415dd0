//! The head of the timeline: the time in view, what the colors mean, and its switches.

use leptos::prelude::*;
use orrery_types::SliceKind;
use orrery_views::format;

use super::model::Chart;
use crate::components::{AgentGlyph, Icon};
use crate::host;

/// Kinds and the tokens of their colors.
pub const KINDS: [(SliceKind, &str); 7] = [
    (SliceKind::Model, "--tool-model"),
    (SliceKind::Shell, "--tool-shell"),
    (SliceKind::Edit, "--tool-edit"),
    (SliceKind::Read, "--tool-read"),
    (SliceKind::Search, "--tool-search"),
    (SliceKind::Web, "--tool-web"),
    (SliceKind::Agent, "--tool-agent"),
];

/// The color of a kind, for marks beside its name.
pub fn color_of(kind: SliceKind) -> String {
    match kind {
        SliceKind::Wait => "var(--attention-mark)".to_owned(),
        SliceKind::Other => "var(--series-8)".to_owned(),
        kind => {
            let token = KINDS.iter().find(|(known, _)| *known == kind).map_or("--mark", |(_, token)| *token);
            format!("var({token})")
        }
    }
}

#[component]
pub fn Toolbar(chart: Chart, title: bool) -> impl IntoView {
    let time = move || {
        let view = chart.view.get();
        let words = |at: f64| format::clock(at as i64, host::utc_offset_minutes(at as i64));
        let day = |at: f64| format::day_short(at as i64, host::utc_offset_minutes(at as i64));
        let (from, to) = (day(view.from_ms), day(view.to_ms));
        let today = day(chart.app.now.get_untracked() as f64);
        if from != to {
            format!("{from} {} \u{2013} {to} {}", words(view.from_ms), words(view.to_ms))
        } else if from != today {
            format!("{from} {} \u{2013} {}", words(view.from_ms), words(view.to_ms))
        } else {
            format!("{} \u{2013} {}", words(view.from_ms), words(view.to_ms))
        }
    };
    let tools = move || {
        KINDS
            .map(|(kind, _)| view! { <span><i class="swatch" style=format!("background:{}", color_of(kind))></i>{kind.label()}</span> })
            .collect_view()
            .into_any()
    };
    let agents = move || {
        chart.revision.track();
        let mut slugs: Vec<String> =
            chart.with(|drawn| drawn.timeline.sessions.iter().map(|session| session.agent.clone()).collect());
        slugs.sort();
        slugs.dedup();
        slugs
            .into_iter()
            .map(|slug| {
                let name = format::agent(&slug).to_owned();
                view! { <span><AgentGlyph agent=slug/>{name}</span> }
            })
            .collect_view()
            .into_any()
    };
    let cut = move || {
        let cut = chart.cut();
        (cut > 0).then(|| format!("{} older sessions are left out: choose a shorter time", format::count(cut)))
    };
    let zoom = move |factor: f64| {
        let view = chart.view.get_untracked();
        chart.set_view(view.zoom(factor, (view.from_ms + view.to_ms) / 2.0));
    };
    view! {
        <div class="toolbar tl__toolbar">
            {title.then(|| view! { <h1>"Timeline"</h1> })}
            <span class="num muted tl__time">{time}</span>
            <span class="tl__key small muted">
                {move || if chart.by_agent.get() { agents() } else { tools() }}
                <span><svg class="glyph attention" aria-hidden="true"><use href="#g-wait"></use></svg>"Waits for you"</span>
                <span><svg class="glyph danger" aria-hidden="true"><use href="#g-fail"></use></svg>"Failed"</span>
            </span>
            <span class="small attention" role="status">{cut}</span>
            <span class="push"></span>
            <span class="progressline" class:progressline--on=move || chart.reading.get() aria-hidden="true"></span>
            <span class="seg" role="group" aria-label="Colors">
                <button type="button" aria-pressed=move || (!chart.by_agent.get()).to_string() on:click=move |_| chart.by_agent.set(false)>"By tool"</button>
                <button type="button" aria-pressed=move || chart.by_agent.get().to_string() on:click=move |_| chart.by_agent.set(true)>"By agent"</button>
            </span>
            <button type="button" class="btn btn--small" aria-pressed=move || chart.shows_path.get().to_string() on:click=move |_| chart.shows_path.update(|shows| *shows = !*shows)>
                {move || chart.shows_path.get().then(|| view! { <Icon name="i-check"/> })}
                "Critical path"
            </button>
            <button type="button" class="btn btn--small" aria-pressed=move || chart.shows_table.get().to_string() on:click=move |_| chart.shows_table.update(|shows| *shows = !*shows)>"Table"</button>
            <span class="row tl__zoom">
                <button type="button" class="iconbtn" aria-label="Zoom out" title="Zoom out (S)" on:click=move |_| zoom(1.5)>"\u{2212}"</button>
                <button type="button" class="iconbtn" aria-label="Zoom in" title="Zoom in (W)" on:click=move |_| zoom(1.0 / 1.5)>"+"</button>
                <button type="button" class="btn btn--small" title="Show all of the time (0)" on:click=move |_| chart.fit()>"Fit"</button>
            </span>
        </div>
    }
}
