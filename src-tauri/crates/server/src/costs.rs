//! Cost tables: of the store, or straight from transcript files without one.

mod scan;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use chrono::{Datelike, NaiveDate};
use orrery_store::{Store, StoreError, TotalsQuery};
use orrery_types::{AgentId, CostRow, CostTotals, GroupBy, RequestUsage};
use orrery_views::pricing::Prices;
use orrery_views::usage;

use crate::clock;
use scan::Ledger;

/// A table and the sum of its rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Costs {
    pub rows: Vec<CostRow>,
    pub totals: CostTotals,
}

/// The table of what the store holds, in the person's time zone.
///
/// # Errors
/// The store's own.
pub fn stored(store: &dyn Store, group: GroupBy, query: &TotalsQuery) -> Result<Costs, StoreError> {
    let totals = store.totals(query)?;
    if !matches!(group, GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly) {
        return Ok(Costs { rows: store.costs(group, query, 0)?, totals });
    }
    let mut sums: BTreeMap<String, CostRow> = BTreeMap::new();
    for (from_ms, to_ms) in even_spans(store, query)? {
        let span = TotalsQuery { from_ms: Some(from_ms), to_ms: Some(to_ms), ..query.clone() };
        for row in store.costs(group, &span, clock::utc_offset_minutes(from_ms))? {
            let sum =
                sums.entry(row.key.clone()).or_insert_with(|| CostRow { key: row.key.clone(), ..CostRow::default() });
            sum.totals = usage::plus(&sum.totals, &row.totals);
            sum.models.extend(row.models);
            sum.models.sort();
            sum.models.dedup();
        }
    }
    Ok(Costs { rows: sums.into_values().collect(), totals })
}

/// The time of all that is asked for, cut where the person's clocks change: within each piece days are cut alike.
fn even_spans(store: &dyn Store, query: &TotalsQuery) -> Result<Vec<(i64, i64)>, StoreError> {
    const WEEK_MS: i64 = 7 * 86_400_000;
    let months = store.costs(GroupBy::Monthly, query, 0)?;
    let start = |row: &CostRow| {
        let month = format!("{}-01", row.key).parse::<NaiveDate>().ok()?;
        Some(month.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
    };
    let (Some(first), Some(last)) = (months.first().and_then(start), months.last().and_then(start)) else {
        return Ok(Vec::new());
    };
    let (from, to) =
        (query.from_ms.unwrap_or(first).max(first), (last + 5 * WEEK_MS).min(query.to_ms.unwrap_or(i64::MAX)));
    let mut spans = Vec::new();
    let mut begin = from;
    let mut at = from;
    while at < to {
        let next = (at + WEEK_MS).min(to);
        let offset = clock::utc_offset_minutes(at);
        if clock::utc_offset_minutes(next) != offset {
            let (mut before, mut after) = (at, next);
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                if clock::utc_offset_minutes(middle) == offset { before = middle } else { after = middle }
            }
            spans.push((begin, after));
            begin = after;
            at = after;
        } else {
            at = next;
        }
    }
    spans.push((begin, to));
    spans.retain(|(begin, end)| begin < end);
    Ok(spans)
}

/// The table of transcript files below `roots`, each request counted once over all of them. Unreadable files and lines
/// are passed over: importing tells about them.
pub fn scanned(roots: &[(AgentId, PathBuf)], group: GroupBy, query: &TotalsQuery, prices: &Prices) -> Costs {
    table(&scan::scan(roots, prices), group, query)
}

fn table(ledger: &Ledger, group: GroupBy, query: &TotalsQuery) -> Costs {
    let project = |request: &RequestUsage| ledger.projects.get(&request.session_id).map_or("", String::as_str);
    let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
    let wanted = |request: &RequestUsage| {
        query.from_ms.is_none_or(|from| request.at_ms >= from)
            && query.to_ms.is_none_or(|to| request.at_ms < to)
            && is(&query.session, &request.session_id)
            && is(&query.agent, &request.agent)
            && is(&query.project, project(request))
            && is(&query.model, request.model.as_deref().unwrap_or_default())
            && query.subagent.as_ref().is_none_or(|wanted| request.subagent.as_ref() == Some(wanted))
    };
    let mut days = Days::default();
    let mut sums: BTreeMap<String, CostRow> = BTreeMap::new();
    let mut totals = CostTotals::default();
    for row in ledger.rows.values().filter(|row| wanted(&row.request)) {
        let request = &row.request;
        let key = match group {
            GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly => days.key(group, request.at_ms),
            GroupBy::Session => request.session_id.clone(),
            GroupBy::Project => project(request).to_owned(),
            GroupBy::Model => request.model.clone().unwrap_or_default(),
            GroupBy::Agent => request.agent.clone(),
        };
        let sum = sums.entry(key.clone()).or_insert_with(|| CostRow { key, ..CostRow::default() });
        usage::add(&mut sum.totals, row);
        usage::add(&mut totals, row);
        if let Some(model) = &request.model
            && !sum.models.contains(model)
        {
            sum.models.push(model.clone());
        }
    }
    let mut rows: Vec<CostRow> = sums.into_values().collect();
    rows.iter_mut().for_each(|row| row.models.sort());
    if !matches!(group, GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly) {
        rows.sort_by_key(|row| std::cmp::Reverse((row.totals.cost_usd_micros, row.totals.tokens.total())));
    }
    Costs { rows, totals }
}

/// Local days by quarter of an hour, which no zone's clock cuts: most requests fall into one that was seen.
#[derive(Default)]
struct Days {
    seen: HashMap<i64, String>,
}

impl Days {
    const QUARTER_MS: i64 = 15 * 60 * 1000;

    fn key(&mut self, group: GroupBy, at_ms: i64) -> String {
        let quarter = at_ms.div_euclid(Self::QUARTER_MS);
        let day = || date_key(group, &clock::day(quarter * Self::QUARTER_MS));
        self.seen.entry(quarter).or_insert_with(day).clone()
    }
}

/// The key of a local day: itself, its week's Monday, or its month.
fn date_key(group: GroupBy, day: &str) -> String {
    match (group, day.parse::<NaiveDate>()) {
        (GroupBy::Weekly, Ok(date)) => {
            let back = chrono::Days::new(u64::from(date.weekday().num_days_from_monday()));
            date.checked_sub_days(back).unwrap_or(date).format("%Y-%m-%d").to_string()
        }
        (GroupBy::Monthly, _) => day.get(..7).unwrap_or(day).to_owned(),
        _ => day.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_fall_into_weeks_from_monday_and_months() {
        assert_eq!(date_key(GroupBy::Weekly, "2026-11-22"), "2026-11-16");
        assert_eq!(date_key(GroupBy::Weekly, "2026-11-16"), "2026-11-16");
        assert_eq!(date_key(GroupBy::Monthly, "2026-11-22"), "2026-11");
        assert_eq!(date_key(GroupBy::Daily, "2026-11-22"), "2026-11-22");
    }
}
