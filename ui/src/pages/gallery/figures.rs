//! Figures: stats, bars, sparklines, charts, tables, long lists.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{Job, JobKind, JobState};
use orrery_views::format;

use super::Exhibit;
use crate::components::chart::{ChartData, Kind, Limit, Series, Unit};
use crate::components::progress::Progress;
use crate::components::table::{Column, Order, TableHead};
use crate::components::virtual_list::{Rows, VirtualList, row_key};
use crate::components::{Bar, Chart, Sparkline, Stat};

const COLUMNS: [Column<u8>; 3] = [
    Column { name: "Name", number: false, sort: Some(0) },
    Column { name: "Cost", number: true, sort: Some(1) },
    Column { name: "Note", number: false, sort: None },
];
const DAY_MS: i64 = 86_400_000;
/// 1 November 2026, noon UTC: the same day everywhere but at the date line.
const FIRST_MS: i64 = 1_793_534_400_000;

#[component]
pub fn Figures() -> impl IntoView {
    let rows = Rows {
        key: |row: &usize| row_key(row),
        cells: Arc::new(|row: usize| {
            view! {
                <div role="gridcell" class="cell">{format!("Row {}", row + 1)}</div>
                <div role="gridcell" class="cell n">{format::money(row as i64 * 1_370_000)}</div>
                <div role="gridcell" class="cell muted">{if row.is_multiple_of(3) { "every third" } else { "" }}</div>
            }
            .into_any()
        }),
        class: |_| "",
        stops: |_| true,
    };
    let order = RwSignal::new(Order { by: 1_u8, ascending: false });
    view! {
        <Exhibit id="stat" name="Figures" tall=true>
            <dl class="figures">
                <Stat name="Spent today" value="$41.87" small="of $60"/>
                <Stat name="This week" value="$268.90" small="of $300, over on Saturday" tone=Signal::stored("attention")/>
                <Stat name="Failed, last hour" value="18" small="of 640 calls" tone=Signal::stored("danger")/>
                <Stat name="Not known" value="–"/>
            </dl>
        </Exhibit>
        <Exhibit id="bar" name="Bar" tall=true>
            {[(0.3, "30 %"), (0.9, "90 %: near"), (1.2, "120 %: over")].map(|(share, label)| view! {
                <Bar share=Signal::stored(share) label=Signal::stored(label.to_owned()) mark=Signal::stored(Some(0.6))/>
            })}
            <Progress job=job(JobState::Running) on_cancel=Callback::new(|_| ())/>
            <Progress job=job(JobState::Failed)/>
        </Exhibit>
        <Exhibit id="sparkline" name="Sparkline">
            <Sparkline cells=Signal::stored((0..24).map(|at| (at * 7 % 13) as u16).collect::<Vec<_>>()) age_min=Signal::stored(0)/>
            <Sparkline cells=Signal::stored(vec![3, 9, 20]) age_min=Signal::stored(6)/>
            <Sparkline cells=Signal::stored(Vec::new()) age_min=Signal::stored(0)/>
        </Exhibit>
        <Exhibit id="chart" name="Chart" tall=true>
            <Chart id="gallery-stack" title="Cost by agent" say="per day" level=3 data=Signal::stored(stack()) on_zoom=Callback::new(|_| ())/>
            <Chart id="gallery-lines" title="Tool time" say="median and 95th percentile" level=3 data=Signal::stored(lines())/>
            <Chart id="gallery-share" title="Failed calls" level=3 height=100 data=Signal::stored(share())/>
            <Chart id="gallery-none" title="Nothing to show" level=3 data=Signal::stored(chart(Kind::Lines, Unit::Tokens, Vec::new()))/>
        </Exhibit>
        <Exhibit id="table" name="Table" tall=true>
            <table class="table">
                <caption class="sr">"Example table"</caption>
                <thead><tr><th scope="col">"Model"</th><th scope="col" class="n">"Requests"</th><th scope="col" class="n">"Cost"</th></tr></thead>
                <tbody>
                    <tr><th scope="row">"opus-5.5"</th><td class="n sub">"11,204"</td><td class="n">"$581.68"</td></tr>
                    <tr><th scope="row">"haiku-5.5"</th><td class="n sub">"302"</td><td class="n">"$2.36"</td></tr>
                </tbody>
            </table>
        </Exhibit>
        <Exhibit id="list" name="Virtual list" tall=true>
            <div class="exhibit__list">
                <VirtualList
                    items=Signal::stored(Arc::new((0..10_000).collect::<Vec<usize>>()))
                    rows
                    active=RwSignal::new(Some(1))
                    label="Ten thousand rows"
                    id="gallery-row"
                    head=move || view! { <TableHead columns=&COLUMNS order on_sort=move |to| order.set(to)/> }
                    on_open=|_| ()
                />
            </div>
        </Exhibit>
    }
}

fn job(state: JobState) -> Job {
    Job {
        id: "gallery".into(),
        kind: JobKind::Import,
        state,
        started_ms: 0,
        updated_ms: 0,
        done: 420,
        total: 1_000,
        parts: Vec::new(),
        events: 52_400,
        sessions: 31,
        problems: 2,
        files_parsed: 420,
        lines: 0,
        rows_written: 0,
        rate: 1_840.0,
        eta_ms: Some(74_000),
        error: (state == JobState::Failed).then(|| "The disk is full".to_owned()),
    }
}

fn series(name: &str, color: &str, of: impl Fn(usize) -> Option<f64>) -> Series {
    Series { name: name.into(), color: color.into(), values: (0..14).map(of).collect(), dashed: false }
}

fn chart(kind: Kind, unit: Unit, series: Vec<Series>) -> ChartData {
    let at_ms = (0..14).map(|day| FIRST_MS + day * DAY_MS).collect();
    ChartData { kind, unit, at_ms, step_ms: DAY_MS, series, limits: Vec::new() }
}

fn stack() -> ChartData {
    let spent = |at: usize, most: f64| Some(((at * 5 % 9) as f64 + 1.0) * most);
    let series = vec![
        series("Claude Code", "--agent-claude", |at| spent(at, 4.1e6)),
        series("Codex", "--agent-codex", |at| spent(at + 3, 1.3e6)),
        series("Gemini CLI", "--agent-gemini", |at| (at > 6).then_some(2.2e6)),
    ];
    let limits = vec![Limit { name: "daily budget".into(), value: 60e6 }];
    ChartData { limits, ..chart(Kind::Stack, Unit::Money, series) }
}

fn share() -> ChartData {
    chart(Kind::Lines, Unit::Share, vec![series("share", "--danger-mark", |at| Some((at * 5 % 7) as f64 / 100.0))])
}

fn lines() -> ChartData {
    let series = vec![
        series("p50", "--series-1", |at| Some(800.0 + (at * 3 % 5) as f64 * 90.0)),
        series("p95", "--series-4", |at| (at != 6).then(|| 4_000.0 + (at * 7 % 11) as f64 * 420.0)),
        Series { dashed: true, ..series("expected", "--mark", |at| (at > 8).then_some(5_000.0 + at as f64 * 100.0)) },
    ];
    chart(Kind::Lines, Unit::Ms, series)
}
