//! Analytics: figures of now, figures over time against the time before, tools, and the hours of the week.

mod ask;
mod hours;
mod tools;

use leptos::prelude::*;
use orrery_types::{Series, SeriesBy, SeriesStep};
use orrery_views::format;
use orrery_views::tiles::{Tile, tiles};

use self::ask::{Figures, use_figures};
use crate::components::chart::{ChartData, Kind, Unit, lines};
use crate::components::{Chart, Empty, Pick, Stat};
use crate::routes::{self, use_query};
use crate::state::answer::Answer;
use crate::state::{Range, use_app};

#[component]
pub fn AnalyticsPage() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let figures = use_figures(app);
    let failed = move || figures.events.with(|answer| if answer.value.is_none() { answer.error.clone() } else { None });
    let slow = move || figures.events.with(|answer| answer.is_slow) || figures.tools.with(|answer| answer.is_slow);
    let nothing = Memo::new(move |_| {
        figures
            .events
            .with(|answer| answer.value.as_ref().is_some_and(|it| it[0].series.iter().all(|line| line.total == 0)))
    });
    let zoom = Callback::new(move |span: Option<(i64, i64)>| {
        query.set("range", span.map(|(from, to)| Range::Custom(from, to).slug()).as_deref());
    });
    let by = Signal::derive(move || query.get("by").unwrap_or_default());
    let options =
        [("", "by agent"), ("project", "by project")].map(|(key, word)| (key.to_owned(), word.to_owned())).to_vec();
    view! {
        <div class="page analytics" tabindex="0" role="region" aria-label="Analytics">
            <h1 class="sr">"Analytics"</h1>
            <div class="progress-line" class:progress-line--on=slow aria-hidden="true"></div>
            <LiveTiles/>
            {move || failed().map(|error| view! {
                <Empty title="The figures could not be read" say=error.to_string() failed=true>
                    <button type="button" class="btn btn--small" on:click=move |_| figures.again.update(|times| *times += 1)>"Try again"</button>
                </Empty>
            })}
            <Show when=move || !nothing.get() fallback=|| view! {
                <Empty title="Nothing happened in this time" say="Choose a longer time, or another project or agent, above" center=true>
                    <a class="btn" href=format!("{}?range=all", routes::ANALYTICS)>"All time"</a>
                </Empty>
            }>
                <Compared figures/>
                <div class="head">
                    <h2>"Over time"</h2>
                    <span class="small muted">"drag across a chart to look closer, double-click to go back"</span>
                    <span class="push small"><Pick name="Split" value=by options=Signal::stored(options.clone()) choose=move |value: String| query.set("by", Some(&value))/></span>
                </div>
                <div class="analytics__charts">
                    <Chart id="events" title="Events" say=step_word(figures) level=3 data=stack(figures, figures.events, 0, Unit::Count) on_zoom=zoom/>
                    <Chart id="cost" title="Cost" say=step_word(figures) level=3 data=stack(figures, figures.money, 0, Unit::Money) on_zoom=zoom/>
                    <Chart id="tokens" title="Tokens" say=step_word(figures) level=3 data=stack(figures, figures.money, 1, Unit::Tokens) on_zoom=zoom/>
                    <Chart id="errors" title="Failed calls" say="share of all tool calls" level=3 data=rate(figures) on_zoom=zoom/>
                    <Chart id="tool-time" title="Tool time" say="median, and what 95 of 100 calls stay below" level=3 data=times(figures) on_zoom=zoom/>
                    <hours::Hours figures/>
                </div>
                <tools::Tools figures/>
            </Show>
        </div>
    }
}

/// The live tiles: the same words as in the strip.
#[component]
fn LiveTiles() -> impl IntoView {
    let app = use_app();
    let shown = Memo::new(move |_| app.feed(|feed| feed.overview().map(|overview| tiles(&overview))));
    let tile = move |pick: fn(&orrery_views::tiles::Tiles) -> Tile| {
        let told = Memo::new(move |_| {
            shown
                .with(|tiles| tiles.as_ref().map(pick))
                .unwrap_or_else(|| Tile { value: "–".into(), ..Tile::default() })
        });
        let name = pick(&tiles(&orrery_types::Overview::default())).name;
        view! {
            <Stat
                name
                value=Signal::derive(move || told.with(|tile| tile.value.clone()))
                small=Signal::derive(move || told.with(|tile| tile.small.clone()))
                exact=Signal::derive(move || told.with(|tile| tile.about.to_owned()))
                tone=Signal::derive(move || if told.with(|tile| tile.is_over) { "danger" } else { "" })
            />
        }
    };
    view! {
        <dl class="figures analytics__tiles" tabindex="0" aria-label="Figures">
            {tile(|it| it.active.clone())}
            {tile(|it| it.events.clone())}
            {tile(|it| it.tools.clone())}
            {tile(|it| it.cost.clone())}
            {tile(|it| it.errors.clone())}
        </dl>
    }
}

/// Sums of this time against the equally long time before.
#[component]
fn Compared(figures: Figures) -> impl IntoView {
    let sum = |answer: RwSignal<Answer<[Series; 2]>>, at: usize| {
        move || {
            answer.with(|answer| {
                answer.value.as_ref().map(|series| series[at].series.iter().map(|line| line.total).sum::<i64>())
            })
        }
    };
    let cell = move |name: &'static str, now: Option<i64>, was: Option<i64>, words: fn(i64) -> String| {
        let small = match (now, was) {
            (Some(now), Some(was)) if was > 0 => {
                let percent = ((now - was) as f64 / was as f64 * 100.0).round();
                format!("{}{} % against {} before", if percent < 0.0 { "−" } else { "+" }, percent.abs(), words(was))
            }
            (Some(_), Some(_)) => "none before".to_owned(),
            _ => String::new(),
        };
        view! { <div><dt>{name}</dt><dd>{now.map_or("–".to_owned(), words)}<small>{small}</small></dd></div> }
    };
    let count = |value: i64| format::count(value.unsigned_abs());
    let tokens = |value: i64| format::tokens(value.unsigned_abs());
    let range = move || figures.span.get();
    view! {
        <section aria-label="Against the time before">
            <div class="head"><h2>{move || range_words(figures)}</h2><span class="small muted">{move || range().before().map(|_| "against the equally long time before")}</span></div>
            <dl class="figures analytics__compared">
                {move || cell("Events", sum(figures.events, 0)(), sum(figures.events_before, 0)(), count)}
                {move || cell("Tool calls", sum(figures.calls, 0)(), sum(figures.calls_before, 0)(), count)}
                {move || cell("Failed", sum(figures.calls, 1)(), sum(figures.calls_before, 1)(), count)}
                {move || cell("Cost", sum(figures.money, 0)(), sum(figures.money_before, 0)(), format::money)}
                {move || cell("Tokens", sum(figures.money, 1)(), sum(figures.money_before, 1)(), tokens)}
            </dl>
        </section>
    }
}

fn range_words(figures: Figures) -> String {
    figures.filter.get().range.label()
}

fn step_word(figures: Figures) -> Signal<String> {
    Signal::derive(move || {
        if figures.span.get().step() == SeriesStep::Hour { "per hour" } else { "per day" }.to_owned()
    })
}

fn stack(figures: Figures, answer: RwSignal<Answer<[Series; 2]>>, at: usize, unit: Unit) -> Memo<ChartData> {
    Memo::new(move |_| {
        answer.with(|answer| {
            let Some(series) = answer.value.as_ref() else { return ChartData::default() };
            let is_agent = figures.by.get() != SeriesBy::Project;
            let name = |key: &str| match (is_agent, key) {
                (true, key) => format::agent(key).to_owned(),
                (false, "") => "no project".to_owned(),
                (false, key) => key.to_owned(),
            };
            ChartData { kind: Kind::Stack, unit, ..lines(&series[at], is_agent, name) }
        })
    })
}

/// Failed calls as a share of all, where there were any.
fn rate(figures: Figures) -> Memo<ChartData> {
    Memo::new(move |_| {
        figures.calls.with(|answer| {
            let Some([calls, errors]) = answer.value.as_ref() else { return ChartData::default() };
            let mut data = ChartData { unit: Unit::Share, ..lines(errors, false, |_| "failed".to_owned()) };
            let all = calls.series.first().map(|line| line.values.clone()).unwrap_or_default();
            for series in &mut data.series {
                series.color = "--danger-mark".to_owned();
                for (value, all) in series.values.iter_mut().zip(&all) {
                    *value = value.filter(|_| *all > 0).map(|failed| failed / *all as f64);
                }
            }
            data
        })
    })
}

fn times(figures: Figures) -> Memo<ChartData> {
    Memo::new(move |_| {
        figures.times.with(|answer| {
            let Some([p50, p95]) = answer.value.as_ref() else { return ChartData::default() };
            let mut data = ChartData { unit: Unit::Ms, ..lines(p50, false, |_| "p50".to_owned()) };
            data.series.extend(lines(p95, false, |_| "p95".to_owned()).series);
            for (series, color) in data.series.iter_mut().zip(["--series-1", "--series-4"]) {
                series.color = color.to_owned();
                // No call ended in a step without a time.
                series.values.iter_mut().for_each(|value| *value = value.filter(|value| *value > 0.0));
            }
            data
        })
    })
}
