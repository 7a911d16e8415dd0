//! A chart over time: drawn by uPlot, read by everybody. Every chart has a table twin, values under the pointer and the
//! arrow keys, a picture and a CSV file; dragging across it asks the page for that span of time.

mod data;
mod draw;
mod plot;

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Icon, Menu, MenuItem};
use crate::host;
use crate::state::use_app;

pub use data::{ChartData, Kind, Limit, Series, Unit, csv_field, lines};

/// A chart with its head, legend and table twin. `id` is unique in the page and names the files.
#[component]
pub fn Chart(
    id: &'static str,
    #[prop(into)] title: Signal<String>,
    /// Shown behind the title: what is drawn, in a few words.
    #[prop(into, optional)]
    say: Signal<String>,
    #[prop(into)] data: Signal<ChartData>,
    /// A span was dragged out: from and to, ms since 1970 UTC. `None`: back to what it was before. Empty: no zoom.
    #[prop(into, optional)]
    on_zoom: Option<Callback<Option<(i64, i64)>>>,
    /// Height of the drawing, CSS pixels.
    #[prop(default = 180)]
    height: u32,
    /// Level of the title in the page: 2 or 3.
    #[prop(default = 2)]
    level: u8,
) -> impl IntoView {
    let app = use_app();
    let as_table = RwSignal::new(false);
    let hover = RwSignal::new(None::<usize>);
    let failed = RwSignal::new(None::<String>);
    let plot = plot::Handle::new();
    let picture = move || {
        spawn_local(async move {
            let saved = match plot.png(&title.get_untracked()).await {
                Ok(blob) => host::save_blob(&format!("{id}.png"), &blob),
                Err(error) => Err(error),
            };
            match saved {
                Ok(()) => app.notices.say("Picture saved"),
                Err(error) => app.notices.fail(error),
            }
        });
    };
    let file = move || {
        let csv = data.with_untracked(data::csv);
        match host::save_text(&format!("{id}.csv"), &csv) {
            Ok(()) => app.notices.say("CSV saved"),
            Err(error) => app.notices.fail(error),
        }
    };
    let items = Signal::derive(move || {
        let mut items = vec![MenuItem::new("Save values as CSV", "i-download", file)];
        if !as_table.get() && failed.with(Option::is_none) {
            items.push(MenuItem::new("Save picture as PNG", "i-download", picture));
        }
        items
    });
    let is_empty = Memo::new(move |_| data.with(ChartData::is_empty));
    let shows_table = Memo::new(move |_| as_table.get() || failed.with(Option::is_some));
    view! {
        <figure class="chart" aria-label=move || title.get()>
            <div class="chart__head">
                {match level {
                    3 => view! { <h3 class="chart__title">{move || title.get()}</h3> }.into_any(),
                    _ => view! { <h2 class="chart__title">{move || title.get()}</h2> }.into_any(),
                }}
                <span class="small muted clip">{move || say.get()}</span>
                <Legend data hover/>
                <button
                    type="button"
                    class="iconbtn"
                    aria-label=move || format!("{}: as a table", title.get())
                    title="As a table"
                    aria-pressed=move || as_table.get().to_string()
                    on:click=move |_| as_table.update(|on| *on = !*on)
                ><Icon name="i-table"/></button>
                <Menu name=Signal::derive(move || format!("{}: save", title.get())) items icon="i-download" bare=true right=true/>
            </div>
            {move || failed.get().map(|why| view! { <p class="chart__failed small muted" role="status">{why}</p> })}
            <Show when=move || !is_empty.get() fallback=|| view! { <p class="chart__none muted">"Nothing in this time"</p> }>
                <Show when=move || !shows_table.get() fallback=move || view! { <Twin title data/> }>
                    <Drawing title data hover failed plot on_zoom height/>
                </Show>
            </Show>
        </figure>
    }
}

/// Names of the series, and their values where the pointer is; without a pointer their sums or newest values.
#[component]
fn Legend(data: Signal<ChartData>, hover: RwSignal<Option<usize>>) -> impl IntoView {
    let at = move || hover.get().and_then(|at| data.with(|data| data.label(at)));
    let entry = move |(name, color, value): (String, String, String)| {
        view! {
            <span class="chart__key">
                <i class="swatch" style:background=format!("var({color})")></i>
                <span class="clip">{name}</span>
                <span class="num small">{value}</span>
            </span>
        }
    };
    view! {
        <span class="chart__legend" aria-live="polite" aria-atomic="true">
            {move || at().map(|at| view! { <span class="num small chart__at">{at}</span> })}
            {move || data.with(|data| data.legend(hover.get())).into_iter().map(entry).collect_view()}
        </span>
    }
}

#[component]
fn Drawing(
    title: Signal<String>,
    data: Signal<ChartData>,
    hover: RwSignal<Option<usize>>,
    failed: RwSignal<Option<String>>,
    plot: plot::Handle,
    on_zoom: Option<Callback<Option<(i64, i64)>>>,
    height: u32,
) -> impl IntoView {
    let host = NodeRef::<html::Div>::new();
    plot.follow(host, data, hover, failed, on_zoom);
    let on_key = move |event: web_sys::KeyboardEvent| {
        let count = data.with_untracked(|data| data.at_ms.len());
        let at = hover.get_untracked();
        let next = match event.key().as_str() {
            "ArrowRight" => at.map_or(0, |at| (at + 1).min(count.saturating_sub(1))),
            "ArrowLeft" => at.map_or(count.saturating_sub(1), |at| at.saturating_sub(1)),
            "Home" => 0,
            "End" => count.saturating_sub(1),
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        hover.set(Some(next));
        plot.point(next);
    };
    let label = move || format!("{}: {}. Arrow keys read values", title.get(), data.with(ChartData::summary));
    view! {
        <div
            class="chart__plot"
            class:chart__plot--zoom=on_zoom.is_some()
            node_ref=host
            tabindex="0"
            role="group"
            aria-roledescription="chart"
            aria-label=label
            style:height=format!("{height}px")
            on:keydown=on_key
            on:focusout=move |_| hover.set(None)
        ></div>
    }
}

/// The same values as a table.
#[component]
fn Twin(title: Signal<String>, data: Signal<ChartData>) -> impl IntoView {
    let head = move || {
        data.with(|data| {
            data.series
                .iter()
                .map(|series| view! { <th scope="col" class="n">{series.name.clone()}</th> })
                .collect_view()
        })
    };
    let rows = move || {
        data.with(|data| {
            let row = |at: usize| {
                let cells = data.series.iter().map(|series| view! { <td class="n">{data.value(series, at)}</td> });
                view! { <tr><th scope="row">{data.label(at)}</th>{cells.collect_view()}</tr> }
            };
            (0..data.at_ms.len()).map(row).collect_view()
        })
    };
    view! {
        <div class="chart__twin" tabindex="0" role="region" aria-label=move || format!("{}: values", title.get())>
            <table class="table">
                <caption class="sr">{move || title.get()}</caption>
                <thead><tr><th scope="col">"Time"</th>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
