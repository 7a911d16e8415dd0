//! `/api/v1/costs`, `/api/v1/usage` and `/api/v1/bill`: sums, the ledger behind them, and how each figure is known.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use orrery_store::TotalsQuery;
use orrery_types::{Bill, GroupBy, Page, PriceVersion, UsageDetail, UsageQuery, UsageReport, UsageRow};
use orrery_views::bill;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::costs::{self, Costs};
use crate::http::problem::Failure;
use crate::http::request::Params;
use crate::jobs::files;

/// Largest part of a line that is shown.
const MOST_BYTES: usize = 64 * 1024;
const PAGE: u32 = 200;
const MOST: u32 = 10_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CostParams {
    group: GroupBy,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    session: Option<String>,
    agent: Option<String>,
    project: Option<String>,
    model: Option<String>,
}

impl CostParams {
    fn query(self) -> TotalsQuery {
        let CostParams { from_ms, to_ms, session, agent, project, model, group: _ } = self;
        TotalsQuery { from_ms, to_ms, session, agent, project, model, subagent: None }
    }
}

fn totals_query(query: UsageQuery) -> TotalsQuery {
    let UsageQuery { session, agent, project, model, subagent, from_ms, to_ms, .. } = query;
    TotalsQuery { from_ms, to_ms, session, agent, project, model, subagent }
}

/// Rows of one grouping, and their totals. Days are the person's.
pub async fn table(State(app): State<Arc<App>>, Params(params): Params<CostParams>) -> Result<Json<Value>, Failure> {
    let group = params.group;
    let query = params.query();
    let Costs { rows, totals } = app.read(move |store| costs::stored(store, group, &query)).await?;
    Ok(Json(json!({"group": group, "rows": rows, "totals": totals})))
}

/// Billed requests, newest first.
pub async fn usage(
    State(app): State<Arc<App>>,
    Params(query): Params<UsageQuery>,
) -> Result<Json<Page<UsageRow>>, Failure> {
    let limit = query.limit.unwrap_or(PAGE).min(MOST);
    let after = query.after.clone();
    let query = totals_query(query);
    Ok(Json(app.read(move |store| store.usage_page(&query, after.as_deref(), limit)).await?))
}

/// A sum of costs, taken apart.
pub async fn bill(State(app): State<Arc<App>>, Params(query): Params<UsageQuery>) -> Result<Json<Bill>, Failure> {
    let query = totals_query(query);
    let prices = app.ingest.prices();
    let borders = prices.borders();
    let groups = app.read(move |store| store.usage_groups(&query, &borders)).await?;
    Ok(Json(bill::make(&groups, &prices)))
}

/// One request's cost, explained.
pub async fn one(State(app): State<Arc<App>>, Path(key): Path<String>) -> Result<Json<UsageDetail>, Failure> {
    let (row, reports) = found(&app, key).await?;
    let prices = app.ingest.prices();
    let lines = prices.at(&row.price_date).unwrap_or(prices.in_force()).explain(&row);
    let used: Option<PriceVersion> = row.calculated_usd_micros.map(|_| prices.version(&row.price_date));
    Ok(Json(UsageDetail { row, lines, prices: used, reports }))
}

async fn found(app: &Arc<App>, key: String) -> Result<(UsageRow, Vec<UsageReport>), Failure> {
    app.read(move |store| store.usage_of_key(&key)).await?.ok_or_else(|| Failure::not_found("This request"))
}

/// The lines a request was read from, as the agent wrote them: from the store, else from the file while it is there.
pub async fn raw(State(app): State<Arc<App>>, Path(key): Path<String>) -> Result<Json<Vec<Value>>, Failure> {
    let (row, reports) = found(&app, key).await?;
    let session = row.request.session_id;
    let ingest = app.ingest.clone();
    let lines = app.read(move |store| {
        let told = reports.into_iter().map(|report| {
            let place = report.line.map_or_else(|| report.place.clone(), |line| format!("{}:{line}", report.place));
            let kept = store.raw_at(&session, report.at_ms, &place)?.map(|raw| raw.bytes);
            let bytes = kept.or_else(|| {
                let line = files::line(std::path::Path::new(&report.place), report.line?, MOST_BYTES).ok().flatten()?;
                Some(ingest.masked(line))
            });
            let text = bytes.map(|bytes| {
                let shown = bytes.get(..MOST_BYTES).unwrap_or(&bytes);
                String::from_utf8_lossy(shown).into_owned()
            });
            Ok(json!({"source": report.source, "place": report.place, "line": report.line, "text": text}))
        });
        told.collect::<Result<Vec<Value>, _>>()
    });
    Ok(Json(lines.await?))
}
