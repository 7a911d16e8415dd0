//! `/api/v1/costs` and `/api/v1/usage`: sums, and the ledger behind them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use orrery_store::TotalsQuery;
use orrery_types::{GroupBy, UsageRow};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::costs::{self, Costs};
use crate::http::problem::Failure;
use crate::http::request::Params;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CostParams {
    group: GroupBy,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    session: Option<String>,
    agent: Option<String>,
    project: Option<String>,
    limit: Option<u32>,
}

impl CostParams {
    fn query(self) -> TotalsQuery {
        let CostParams { from_ms, to_ms, session, agent, project, .. } = self;
        TotalsQuery { from_ms, to_ms, session, agent, project }
    }
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
    Params(params): Params<CostParams>,
) -> Result<Json<Vec<UsageRow>>, Failure> {
    let limit = params.limit.unwrap_or(200).min(10_000);
    let query = params.query();
    Ok(Json(app.read(move |store| store.usage(&query, limit)).await?))
}
