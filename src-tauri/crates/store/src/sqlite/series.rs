//! Figures over time: the rollups, and the events that are not packed yet.

use std::collections::{BTreeMap, HashMap};

use orrery_types::{Body, Event, Metric, Series, SeriesBy, SeriesLine, SeriesQuery, SeriesStep};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::table::events;
use super::table::packs::Packs;
use crate::StoreError;

const SLOT_MS: i64 = 900_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
const MOST_STEPS: i64 = 4_000;
const LINES: u32 = 20;

/// Steps of one length from one moment on.
struct Steps {
    from_ms: i64,
    step_ms: i64,
    count: usize,
}

/// What is summed up in one step of one line.
#[derive(Default, Clone)]
enum Sum {
    #[default]
    Nothing,
    Count(i64),
    /// Calls by their duration.
    Durations(BTreeMap<i64, i64>),
}

pub(super) fn read(conn: &Connection, query: &SeriesQuery) -> Result<Series, StoreError> {
    let of_usage = matches!(query.metric, Metric::Cost | Metric::Tokens | Metric::Requests);
    match query.by {
        SeriesBy::Model if !of_usage => {
            return Err(StoreError::BadQuery("only cost, tokens and requests are split by model".to_owned()));
        }
        SeriesBy::Tool if of_usage => {
            return Err(StoreError::BadQuery("cost, tokens and requests are not split by tool".to_owned()));
        }
        _ => {}
    }
    let steps = Steps::of(query)?;
    let mut lines: HashMap<String, Vec<Sum>> = HashMap::new();
    let mut add = |key: String, at_ms: i64, sum: Sum| {
        if let Some(step) = steps.place(at_ms) {
            lines.entry(key).or_insert_with(|| vec![Sum::Nothing; steps.count])[step].add(sum);
        }
    };
    if of_usage {
        usage(conn, query, &steps, &mut add)?;
    } else {
        packed(conn, query, &steps, &mut add)?;
        fresh(conn, query, &steps, &mut add)?;
    }
    if query.by == SeriesBy::None && lines.is_empty() {
        lines.insert(String::new(), vec![Sum::Nothing; steps.count]);
    }
    Ok(Series { step_ms: steps.step_ms, from_ms: steps.from_ms, series: ordered(query, lines) })
}

impl Steps {
    fn of(query: &SeriesQuery) -> Result<Self, StoreError> {
        let (Some(from_ms), Some(to_ms)) = (query.from_ms, query.to_ms) else {
            return Err(StoreError::BadQuery("a series needs from_ms and to_ms".to_owned()));
        };
        let step_ms = match query.step {
            SeriesStep::Hour => HOUR_MS,
            SeriesStep::Day => DAY_MS,
        };
        let offset_ms = i64::from(query.utc_offset_minutes) * 60_000;
        let from_ms = from_ms.saturating_add(offset_ms).div_euclid(step_ms) * step_ms - offset_ms;
        let count = to_ms.saturating_sub(from_ms).saturating_add(step_ms - 1) / step_ms;
        if !(1..=MOST_STEPS).contains(&count) {
            return Err(StoreError::BadQuery(format!("{count} steps are asked for; 1 to {MOST_STEPS} are given")));
        }
        Ok(Steps { from_ms, step_ms, count: usize::try_from(count).unwrap_or_default() })
    }

    fn place(&self, at_ms: i64) -> Option<usize> {
        let step = at_ms.checked_sub(self.from_ms)?.div_euclid(self.step_ms);
        usize::try_from(step).ok().filter(|step| *step < self.count)
    }

    /// The slots that the steps cover.
    fn slots(&self) -> (i64, i64) {
        let end_ms = self.from_ms + self.step_ms * self.count as i64;
        (self.from_ms.div_euclid(SLOT_MS), (end_ms + SLOT_MS - 1).div_euclid(SLOT_MS))
    }
}

impl Sum {
    fn add(&mut self, other: Sum) {
        match (&mut *self, other) {
            (_, Sum::Nothing) => {}
            (Sum::Nothing, other) => *self = other,
            (Sum::Count(sum), Sum::Count(other)) => *sum = sum.saturating_add(other),
            (Sum::Durations(calls), Sum::Durations(other)) => {
                other.into_iter().for_each(|(ms, count)| *calls.entry(ms).or_default() += count);
            }
            _ => {}
        }
    }

    fn value(&self, metric: Metric) -> i64 {
        match self {
            Sum::Nothing => 0,
            Sum::Count(sum) => *sum,
            Sum::Durations(calls) => percentile(calls, if metric == Metric::ToolP95 { 95 } else { 50 }),
        }
    }
}

fn percentile(calls: &BTreeMap<i64, i64>, percent: i64) -> i64 {
    let all: i64 = calls.values().sum();
    let wanted = (all * percent + 99) / 100;
    let mut seen = 0;
    for (ms, count) in calls {
        seen += count;
        if seen >= wanted {
            return *ms;
        }
    }
    0
}

/// Conditions that narrow a rollup, joined to one that is there already.
fn narrowed(query: &SeriesQuery, agent: &str) -> (String, Vec<Value>) {
    let mut sql = String::new();
    let mut values = Vec::new();
    for (condition, value) in [(agent, &query.agent), ("r.project = ?", &query.project)] {
        if let Some(value) = value {
            sql.push_str(&format!(" AND {condition}"));
            values.push(Value::Text(value.clone()));
        }
    }
    (sql, values)
}

fn usage(
    conn: &Connection,
    query: &SeriesQuery,
    steps: &Steps,
    add: &mut impl FnMut(String, i64, Sum),
) -> Result<(), StoreError> {
    let column = match query.metric {
        Metric::Cost => "cost_usd_micros",
        Metric::Tokens => "tokens",
        _ => "requests",
    };
    let key = match query.by {
        SeriesBy::Agent => "r.agent",
        SeriesBy::Project => "r.project",
        SeriesBy::Model => "r.model",
        SeriesBy::Tool | SeriesBy::None => "''",
    };
    let (narrow, values) = narrowed(query, "r.agent = ?");
    let sql = format!(
        "SELECT r.slot, {key}, sum(r.{column}) FROM usage_rollup r WHERE r.slot >= ? AND r.slot < ?{narrow} GROUP BY 1, 2"
    );
    let (from, to) = steps.slots();
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows =
        statement.query(params_from_iter([Value::Integer(from), Value::Integer(to)].into_iter().chain(values)))?;
    while let Some(row) = rows.next()? {
        let slot: i64 = row.get(0)?;
        add(row.get(1)?, slot * SLOT_MS, Sum::Count(row.get(2)?));
    }
    Ok(())
}

fn packed(
    conn: &Connection,
    query: &SeriesQuery,
    steps: &Steps,
    add: &mut impl FnMut(String, i64, Sum),
) -> Result<(), StoreError> {
    let (table, value, group) = match query.metric {
        Metric::Calls => ("event_rollup", "sum(r.calls)", ""),
        Metric::Errors => ("event_rollup", "sum(r.errors)", ""),
        Metric::ToolMs => ("event_rollup", "sum(r.ms)", ""),
        Metric::ToolP50 | Metric::ToolP95 => ("duration_rollup", "sum(r.calls), r.ms", ", r.ms"),
        _ => ("event_rollup", "sum(r.events)", ""),
    };
    let key = match query.by {
        SeriesBy::Agent => "(SELECT text FROM label WHERE key = r.agent)",
        SeriesBy::Project => "r.project",
        SeriesBy::Tool => "coalesce((SELECT text FROM label WHERE key = r.tool), '')",
        SeriesBy::Model | SeriesBy::None => "''",
    };
    let (narrow, values) = narrowed(query, "r.agent = (SELECT key FROM label WHERE kind = 'agent' AND text = ?)");
    let sql = format!(
        "SELECT r.slot, {key}, {value} FROM {table} r WHERE r.slot >= ? AND r.slot < ?{narrow} GROUP BY 1, 2{group}"
    );
    let (from, to) = steps.slots();
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows =
        statement.query(params_from_iter([Value::Integer(from), Value::Integer(to)].into_iter().chain(values)))?;
    while let Some(row) = rows.next()? {
        let (slot, count): (i64, i64) = (row.get(0)?, row.get(2)?);
        let sum = match query.metric {
            Metric::ToolP50 | Metric::ToolP95 => Sum::Durations(BTreeMap::from([(row.get(3)?, count)])),
            _ => Sum::Count(count),
        };
        let key: String = row.get(1)?;
        if count != 0 && (query.by != SeriesBy::Tool || !key.is_empty()) {
            add(key, slot * SLOT_MS, sum);
        }
    }
    Ok(())
}

/// Events that no rollup has yet.
fn fresh(
    conn: &Connection,
    query: &SeriesQuery,
    steps: &Steps,
    add: &mut impl FnMut(String, i64, Sum),
) -> Result<(), StoreError> {
    let packs = Packs::new(conn);
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {}, s.project FROM event e {}
         WHERE e.pack IS NULL AND (e.seq > (SELECT value FROM counter WHERE name = 'indexed')
             OR e.seq IN (SELECT seq FROM reindex))",
        events::COLUMNS,
        events::JOINS,
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let at_ms: i64 = row.get(5)?;
        if steps.place(at_ms).is_none() {
            continue;
        }
        let project: String = row.get(14)?;
        let event = events::event_from_row(row, &packs)?;
        let is_wanted = query.agent.as_ref().is_none_or(|agent| *agent == event.agent)
            && query.project.as_ref().is_none_or(|wanted| *wanted == project);
        let Some(sum) = is_wanted.then(|| share(&event, query.metric)).flatten() else { continue };
        let key = match query.by {
            SeriesBy::Agent => event.agent,
            SeriesBy::Project => project,
            SeriesBy::Tool => match event.body.tool() {
                Some(tool) if !tool.is_empty() => tool.to_owned(),
                _ => continue,
            },
            SeriesBy::Model | SeriesBy::None => String::new(),
        };
        add(key, at_ms, sum);
    }
    Ok(())
}

/// What one event counts. The view `event_share` says the same of packed ones.
fn share(event: &Event, metric: Metric) -> Option<Sum> {
    let (is_call, failed, duration_ms) = match &event.body {
        Body::ToolEnd { ok, duration_ms, .. } => (true, !ok, *duration_ms),
        Body::Failure { .. } => (false, true, None),
        _ => (false, false, None),
    };
    match metric {
        Metric::Calls => is_call.then_some(Sum::Count(1)),
        Metric::Errors => failed.then_some(Sum::Count(1)),
        Metric::ToolMs => duration_ms.map(Sum::Count),
        Metric::ToolP50 | Metric::ToolP95 => {
            duration_ms.map(|ms| Sum::Durations(BTreeMap::from([(two_digits(ms), 1)])))
        }
        _ => Some(Sum::Count(1)),
    }
}

fn two_digits(ms: i64) -> i64 {
    let unit = match ms {
        ..100 => 1,
        100..1_000 => 10,
        1_000..10_000 => 100,
        10_000..100_000 => 1_000,
        100_000..1_000_000 => 10_000,
        _ => 100_000,
    };
    ms / unit * unit
}

/// Lines by their figure over the whole time, largest first; those beyond the limit in one.
fn ordered(query: &SeriesQuery, lines: HashMap<String, Vec<Sum>>) -> Vec<SeriesLine> {
    let mut totals: Vec<(String, Vec<Sum>, Sum)> = lines
        .into_iter()
        .map(|(key, values)| {
            let mut total = Sum::Nothing;
            values.iter().for_each(|sum| total.add(sum.clone()));
            (key, values, total)
        })
        .collect();
    totals.sort_by(|a, b| b.2.value(query.metric).cmp(&a.2.value(query.metric)).then_with(|| a.0.cmp(&b.0)));
    let limit = query.limit.unwrap_or(LINES).max(1) as usize;
    let rest = totals.split_off(limit.min(totals.len()));
    let mut series: Vec<SeriesLine> =
        totals.into_iter().map(|(key, values, total)| line(query, key, &values, &total)).collect();
    if let Some((_, first, _)) = rest.first() {
        let mut values = vec![Sum::Nothing; first.len()];
        let mut total = Sum::Nothing;
        for (_, others, other) in rest {
            total.add(other);
            values.iter_mut().zip(others).for_each(|(value, other)| value.add(other));
        }
        series.push(SeriesLine { rest: true, ..line(query, String::new(), &values, &total) });
    }
    series
}

fn line(query: &SeriesQuery, key: String, values: &[Sum], total: &Sum) -> SeriesLine {
    let values = values.iter().map(|sum| sum.value(query.metric)).collect();
    SeriesLine { key, rest: false, values, total: total.value(query.metric) }
}
