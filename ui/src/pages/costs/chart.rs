//! Cost over time, one layer per agent, project or model.

use leptos::prelude::*;
use orrery_types::SeriesStep;
use orrery_views::format;

use super::ask::Costs;
use super::split::By;
use crate::components::Chart;
use crate::components::chart::{ChartData, Kind, Limit, Unit, lines};
use crate::routes::use_query;
use crate::state::{Range, use_app};

#[component]
pub fn OverTime(costs: Costs) -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let daily = Memo::new(move |_| {
        let is_all = costs.filter.with(|filter| !filter.is_narrow());
        app.feed(|feed| feed.overview()?.today.budget_usd_micros.filter(|limit| is_all && *limit > 0))
    });
    let data = Memo::new(move |_| {
        let by = costs.by.get();
        costs.series.with(|answer| {
            let Some(series) = answer.value.as_ref() else { return ChartData::default() };
            let name = |key: &str| match by {
                By::Project if key.is_empty() => "no project".to_owned(),
                By::Model if key.is_empty() => "no model".to_owned(),
                By::Project | By::Model => key.to_owned(),
                _ => format::agent(key).to_owned(),
            };
            let is_agent = !matches!(by, By::Project | By::Model);
            let limits = match daily.get().filter(|_| costs.span.get().step() == SeriesStep::Day) {
                Some(value) => vec![Limit { name: "daily budget".to_owned(), value: value as f64 }],
                None => Vec::new(),
            };
            ChartData { kind: Kind::Stack, unit: Unit::Money, limits, ..lines(series, is_agent, name) }
        })
    });
    let title = move || match costs.by.get() {
        By::Project => "Cost by project",
        By::Model => "Cost by model",
        _ => "Cost by agent",
    };
    let say = move || if costs.span.get().step() == SeriesStep::Hour { "per hour" } else { "per day" };
    let zoom = move |span: Option<(i64, i64)>| {
        query.set("range", span.map(|(from, to)| Range::Custom(from, to).slug()).as_deref())
    };
    view! {
        <Chart
            id="cost-over-time"
            title=Signal::derive(move || title().to_owned())
            say=Signal::derive(move || say().to_owned())
            data
            on_zoom=Callback::new(zoom)
            height=200
        />
    }
}
