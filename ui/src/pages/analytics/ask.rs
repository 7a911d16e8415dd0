//! What the page asks the server: pairs of series over the time on screen, and the sums of the time before.

use leptos::prelude::*;
use orrery_types::{Metric, Series, SeriesBy, SeriesQuery, SeriesStep};

use crate::host;
use crate::pages::costs::Span;
use crate::routes::{use_filter, use_query};
use crate::state::answer::{Answer, use_answer};
use crate::state::{AppState, Filter};

const DAY_MS: i64 = 86_400_000;
/// The heat map looks at so many days at most.
const HEAT_DAYS: i64 = 92;

type Pair = RwSignal<Answer<[Series; 2]>>;

/// Everything the page knows. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Figures {
    pub filter: Memo<Filter>,
    pub span: Memo<Span>,
    pub by: Memo<SeriesBy>,
    pub again: RwSignal<u32>,
    /// Events twice: split, and by hour for the heat map.
    pub events: Pair,
    pub events_before: Pair,
    /// Cost and tokens.
    pub money: Pair,
    pub money_before: Pair,
    /// Calls and failed calls, not split.
    pub calls: Pair,
    pub calls_before: Pair,
    /// Median and 95th percentile of tool calls.
    pub times: Pair,
    /// By tool: calls, failed, median, 95th percentile, time in all.
    pub tools: RwSignal<Answer<Vec<Series>>>,
}

pub fn use_figures(app: AppState) -> Figures {
    let query = use_query();
    let filter = use_filter();
    let again = RwSignal::new(0_u32);
    let by = Memo::new(move |_| match query.get("by").as_deref() {
        Some("project") => SeriesBy::Project,
        _ => SeriesBy::Agent,
    });
    // What happened meanwhile is read once a minute.
    let minute = Memo::new(move |_| app.now.get() / 60_000);
    let span = Memo::new(move |_| {
        again.track();
        minute.track();
        Span::of(&filter.get(), app.now.get_untracked())
    });
    let line = move |metric: Metric, split: SeriesBy, step: SeriesStep, from_ms: Option<i64>, to_ms: Option<i64>| {
        let filter = filter.get();
        SeriesQuery {
            metric,
            by: split,
            step,
            from_ms,
            to_ms,
            agent: filter.agent,
            project: filter.project,
            utc_offset_minutes: host::utc_offset_minutes(app.now.get_untracked()),
            limit: Some(7),
        }
    };
    let ask = move |queries: [SeriesQuery; 2]| async move {
        let api = app.api();
        Ok([api.series(&queries[0]).await?, api.series(&queries[1]).await?])
    };
    let now = move |one: Metric, two: Metric, is_split: bool| {
        use_answer(
            Signal::derive(move || {
                let span = span.get();
                let split = if is_split { by.get() } else { SeriesBy::None };
                [one, two].map(|metric| line(metric, split, span.step(), span.from_ms, span.to_ms))
            }),
            ask,
        )
    };
    let before = move |one: Metric, two: Metric| {
        use_answer(
            Signal::derive(move || {
                span.get().before().map(|(from, to)| {
                    [one, two].map(|metric| line(metric, SeriesBy::None, SeriesStep::Day, Some(from), Some(to)))
                })
            }),
            move |queries: Option<[SeriesQuery; 2]>| async move {
                match queries {
                    Some(queries) => ask(queries).await,
                    None => Ok(Default::default()),
                }
            },
        )
    };
    let events = use_answer(
        Signal::derive(move || {
            let span = span.get();
            let heat_from = span
                .from_ms
                .map_or(span.now_ms - HEAT_DAYS * DAY_MS, |from| from.max(span.now_ms - HEAT_DAYS * DAY_MS));
            [
                line(Metric::Events, by.get(), span.step(), span.from_ms, span.to_ms),
                line(Metric::Events, SeriesBy::None, SeriesStep::Hour, Some(heat_from), span.to_ms),
            ]
        }),
        ask,
    );
    let tools = use_answer(
        Signal::derive(move || {
            let span = span.get();
            [Metric::Calls, Metric::Errors, Metric::ToolP50, Metric::ToolP95, Metric::ToolMs].map(|metric| {
                SeriesQuery {
                    limit: Some(200),
                    ..line(metric, SeriesBy::Tool, SeriesStep::Day, span.from_ms, span.to_ms)
                }
            })
        }),
        move |queries: [SeriesQuery; 5]| async move {
            let mut series = Vec::new();
            for query in &queries {
                series.push(app.api().series(query).await?);
            }
            Ok(series)
        },
    );
    Figures {
        filter,
        span,
        by,
        again,
        events,
        events_before: before(Metric::Events, Metric::Events),
        money: now(Metric::Cost, Metric::Tokens, true),
        money_before: before(Metric::Cost, Metric::Tokens),
        calls: now(Metric::Calls, Metric::Errors, false),
        calls_before: before(Metric::Calls, Metric::Errors),
        times: now(Metric::ToolP50, Metric::ToolP95, false),
        tools,
    }
}
