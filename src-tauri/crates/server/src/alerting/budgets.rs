//! How the budgets stand, from the ledger.

use orrery_alerts::Zone;
use orrery_alerts::rules::budget::{budgets, state};
use orrery_store::{Store, StoreError, TotalsQuery};
use orrery_types::{Budget, BudgetState, GroupBy, Period, Scope, Settings};

const HOUR_MS: i64 = 60 * 60_000;
/// A budget of each project, agent, model or session tells of so many.
const MOST_OF_EACH: usize = 20;

/// Every budget that is set, the fullest first. Budgets of each project, agent, model or session stand there once for each
/// that spent anything.
///
/// # Errors
/// The store's own.
pub fn states(store: &dyn Store, settings: &Settings, zone: Zone, now_ms: i64) -> Result<Vec<BudgetState>, StoreError> {
    let mut all = Vec::new();
    for budget in budgets(settings) {
        all.extend(states_of(store, &budget, settings, zone, now_ms)?);
    }
    let share = |state: &BudgetState| state.spent_usd_micros as f64 / state.limit_usd_micros.max(1) as f64;
    all.sort_by(|a, b| share(b).total_cmp(&share(a)));
    Ok(all)
}

fn states_of(
    store: &dyn Store,
    budget: &Budget,
    settings: &Settings,
    zone: Zone,
    now_ms: i64,
) -> Result<Vec<BudgetState>, StoreError> {
    let span = zone.span(budget.period, settings.week_start, now_ms);
    // The rate: of the last hour within a day, of the last day within a week or month.
    let rate_ms = if budget.period == Period::Daily { HOUR_MS } else { 24 * HOUR_MS };
    let rate_from_ms = now_ms - rate_ms;
    let hourly = |micros: i64| micros * HOUR_MS / rate_ms;
    let query = |from_ms: i64| TotalsQuery { from_ms: Some(from_ms), ..TotalsQuery::default() };
    let group = match budget.scope {
        Scope::All => {
            let spent = store.totals(&query(span.from_ms))?.cost_usd_micros;
            let lately = store.totals(&query(rate_from_ms))?.cost_usd_micros;
            return Ok(vec![state(budget, "", &span, spent, hourly(lately), now_ms)]);
        }
        Scope::Project => GroupBy::Project,
        Scope::Agent => GroupBy::Agent,
        Scope::Model => GroupBy::Model,
        Scope::Session => GroupBy::Session,
    };
    let narrowed = |from_ms: i64| {
        let named = |scope: Scope| Some(budget.of.clone()).filter(|of| budget.scope == scope && !of.is_empty());
        TotalsQuery {
            session: named(Scope::Session),
            project: named(Scope::Project),
            agent: named(Scope::Agent),
            ..query(from_ms)
        }
    };
    let spent = store.costs(group, &narrowed(span.from_ms), 0)?;
    let lately = store.costs(group, &narrowed(rate_from_ms), 0)?;
    let is_meant = |key: &str| budget.of.is_empty() || budget.of == key;
    let rate = |key: &str| lately.iter().find(|row| row.key == key).map_or(0, |row| row.totals.cost_usd_micros);
    let mut rows: Vec<(String, i64)> = spent
        .into_iter()
        .filter(|row| is_meant(&row.key) && row.totals.cost_usd_micros > 0)
        .map(|row| (row.key, row.totals.cost_usd_micros))
        .collect();
    rows.sort_by_key(|(_, micros)| std::cmp::Reverse(*micros));
    rows.truncate(MOST_OF_EACH);
    if rows.is_empty() && !budget.of.is_empty() {
        rows.push((budget.of.clone(), 0));
    }
    Ok(rows.iter().map(|(of, micros)| state(budget, of, &span, *micros, hourly(rate(of)), now_ms)).collect())
}
