//! What the page asks the server, and when it asks again.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{
    Bill, CostRow, CostTotals, GroupBy, Metric, Page, Series, SeriesBy, SeriesQuery, SeriesStep, SessionQuery,
    SessionRow, SessionSort, UsageQuery,
};
use serde::{Deserialize, Serialize};

use super::split::By;
use crate::frame::Billed;
use crate::host;
use crate::routes::{self, use_filter, use_query};
use crate::state::answer::{Answer, use_answer};
use crate::state::{AppState, Filter, Range};

const DAY_MS: i64 = 86_400_000;
/// Days of history behind the forecast, and this month before them.
const HISTORY_DAYS: i64 = 62;
/// Lines of the chart; the rest is one more.
const MOST_LINES: u32 = 7;

/// Sums of one grouping.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CostTable {
    pub group: GroupBy,
    pub rows: Vec<CostRow>,
    pub totals: CostTotals,
}

/// `GET /api/v1/costs`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct CostQuery {
    group: GroupBy,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    agent: Option<String>,
    project: Option<String>,
}

/// The time on screen, and the equally long time before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    pub now_ms: i64,
}

impl Span {
    /// The span of a filter, its open end rounded to the minute that runs.
    pub fn of(filter: &Filter, now_ms: i64) -> Span {
        let from_ms = filter.range.start_ms(now_ms, host::utc_offset_minutes(now_ms));
        Span { from_ms, to_ms: filter.range.end_ms(), now_ms }
    }
    /// As long as this one, up to its beginning. Empty for all time.
    pub fn before(&self) -> Option<(i64, i64)> {
        let from = self.from_ms?;
        Some((from - (self.to_ms.unwrap_or(self.now_ms) - from), from))
    }
    pub fn length_ms(&self) -> i64 {
        self.from_ms.map_or(i64::MAX, |from| self.to_ms.unwrap_or(self.now_ms) - from)
    }
    /// Hours for a few days, days for more.
    pub fn step(&self) -> SeriesStep {
        if self.length_ms() <= 3 * DAY_MS { SeriesStep::Hour } else { SeriesStep::Day }
    }
}

/// Everything the page knows. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Costs {
    pub by: Memo<By>,
    pub filter: Memo<Filter>,
    pub span: Memo<Span>,
    /// Grown by "Try again".
    pub again: RwSignal<u32>,
    pub rows: RwSignal<Answer<CostTable>>,
    /// Sums of the time before, by the same grouping.
    pub before: RwSignal<Answer<CostTable>>,
    pub sessions: RwSignal<Answer<CostTable>>,
    /// The last two months by day, whatever time is chosen: budgets and forecast.
    pub days: RwSignal<Answer<CostTable>>,
    pub bill: RwSignal<Answer<Bill>>,
    pub series: RwSignal<Answer<Series>>,
    pub calls: RwSignal<Answer<[Series; 3]>>,
    pub titles: Memo<HashMap<String, Arc<SessionRow>>>,
}

/// Asks for everything the page shows; again when address, money or day change.
pub fn use_costs(app: AppState) -> Costs {
    let query = use_query();
    let filter = use_filter();
    let by = Memo::new(move |_| query.get("by").and_then(|slug| By::from_slug(&slug)).unwrap_or_default());
    let again = RwSignal::new(0_u32);
    // New costs are read at most every 15 seconds; the minute moves spans that end now.
    let tick = Memo::new(move |_| app.now.get() / 15_000);
    let spent = Memo::new(move |_| {
        tick.track();
        app.feed_untracked(|feed| feed.overview().map(|it| (it.today.cost_usd_micros, it.today.tokens.total())))
    });
    let span = Memo::new(move |_| {
        again.track();
        spent.track();
        Span::of(&filter.get(), app.now.get_untracked())
    });
    let asked = move |group: GroupBy, from_ms: Option<i64>, to_ms: Option<i64>| {
        let filter = filter.get();
        CostQuery { group, from_ms, to_ms, agent: filter.agent, project: filter.project }
    };
    let table = move |query: CostQuery| async move {
        app.api().get::<CostTable>(&format!("/costs{}", crate::api::to_query(&query))).await
    };
    let rows = use_answer(Signal::derive(move || asked(by.get().group(), span.get().from_ms, span.get().to_ms)), table);
    let before = use_answer(
        Signal::derive(move || {
            let (from, to) = span.get().before().unwrap_or((0, 1));
            asked(by.get().group(), Some(from), Some(to))
        }),
        table,
    );
    let sessions =
        use_answer(Signal::derive(move || asked(GroupBy::Session, span.get().from_ms, span.get().to_ms)), table);
    let days = use_answer(
        Signal::derive(move || {
            span.track();
            let now = app.now.get_untracked();
            let today = Range::Today.start_ms(now, host::utc_offset_minutes(now)).unwrap_or(now);
            asked(GroupBy::Daily, Some(today - HISTORY_DAYS * DAY_MS), None)
        }),
        table,
    );
    let bill = use_answer(
        Signal::derive(move || {
            let (filter, span) = (filter.get(), span.get());
            UsageQuery {
                agent: filter.agent,
                project: filter.project,
                from_ms: span.from_ms,
                to_ms: span.to_ms,
                ..UsageQuery::default()
            }
        }),
        move |query: UsageQuery| async move { app.api().bill(&query).await },
    );
    let line = move |metric: Metric, split: SeriesBy, step: SeriesStep| {
        let (filter, span) = (filter.get(), span.get());
        SeriesQuery {
            metric,
            by: split,
            step,
            from_ms: span.from_ms,
            to_ms: span.to_ms,
            agent: filter.agent,
            project: filter.project,
            utc_offset_minutes: host::utc_offset_minutes(span.now_ms),
            limit: Some(MOST_LINES),
        }
    };
    let series = use_answer(
        Signal::derive(move || {
            let split = match by.get() {
                By::Project => SeriesBy::Project,
                By::Model => SeriesBy::Model,
                _ => SeriesBy::Agent,
            };
            line(Metric::Cost, split, span.get().step())
        }),
        move |query: SeriesQuery| async move { app.api().series(&query).await },
    );
    let calls = use_answer(
        Signal::derive(move || {
            let wanted = by.get() == By::Tool;
            let tool = |metric| SeriesQuery { limit: Some(200), ..line(metric, SeriesBy::Tool, SeriesStep::Day) };
            wanted.then(|| [tool(Metric::Calls), tool(Metric::Errors), tool(Metric::ToolMs)])
        }),
        move |queries: Option<[SeriesQuery; 3]>| async move {
            let Some([calls, errors, took]) = queries else { return Ok(Default::default()) };
            let api = app.api();
            Ok([api.series(&calls).await?, api.series(&errors).await?, api.series(&took).await?])
        },
    );
    let names = use_answer(
        Signal::derive(move || {
            let (filter, span) = (filter.get(), span.get());
            SessionQuery {
                agent: filter.agent,
                project: filter.project,
                sort: SessionSort::Cost,
                // A session may have begun before the time in which it cost something.
                from_ms: span.from_ms.map(|from| from - 30 * DAY_MS),
                limit: Some(500),
                ..SessionQuery::default()
            }
        }),
        move |query: SessionQuery| async move { app.api().sessions(&query).await },
    );
    let titles = Memo::new(move |_| {
        names.with(|names: &Answer<Page<SessionRow>>| {
            let rows = names.value.as_ref().map(|page| page.items.clone()).unwrap_or_default();
            rows.into_iter().map(|row| (row.id.clone(), Arc::new(row))).collect()
        })
    });
    Costs { by, filter, span, again, rows, before, sessions, days, bill, series, calls, titles }
}

impl Costs {
    /// The row of a session, where it is known.
    pub fn title_of(&self, id: &str) -> Option<Arc<SessionRow>> {
        self.titles.with_untracked(|titles| titles.get(id).cloned())
    }

    /// The requests behind a row of a grouping. Empty key: all of them.
    pub fn billed_untracked(&self, by: By, key: &str) -> Billed {
        let (filter, span) = (self.filter.get_untracked(), self.span.get_untracked());
        let mut query = UsageQuery {
            agent: filter.agent,
            project: filter.project,
            from_ms: span.from_ms,
            to_ms: span.to_ms,
            ..UsageQuery::default()
        };
        let mut name = String::new();
        if !key.is_empty() {
            let key = key.to_owned();
            match by {
                By::Project => query.project = Some(key),
                By::Agent => query.agent = Some(key),
                By::Model => query.model = Some(key),
                By::Session => query.session = Some(key),
                By::Day => {
                    if let Some(from) = host::local_ms(&format!("{key}T00:00")) {
                        // Noon of the next day's date is safe from clock changes.
                        let next = orrery_views::format::day(
                            from + DAY_MS + DAY_MS / 2,
                            host::utc_offset_minutes(from + DAY_MS),
                        );
                        query.from_ms = Some(from.max(span.from_ms.unwrap_or(from)));
                        query.to_ms =
                            host::local_ms(&format!("{next}T00:00")).map(|to| to.min(span.to_ms.unwrap_or(to)));
                        name = format!("Cost of {key}");
                    }
                }
                By::Tool => {}
            }
        }
        Billed { query, name }
    }

    /// Sessions of the same filters, dearest first.
    pub fn all_sessions(&self) -> String {
        let range = self.filter.get().range.slug();
        let mut path = format!("{}?sort=cost&range={range}", routes::SESSIONS);
        for (key, value) in [("project", self.filter.get().project), ("agent", self.filter.get().agent)] {
            if let Some(value) = value {
                path.push_str(&format!("&{key}={}", routes::encode(&value)));
            }
        }
        path
    }
}
