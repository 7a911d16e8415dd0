//! The ledger: one row per billed request, and the sums over it.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, TimeDelta};
use orrery_types::{
    Basis, CostRow, CostTotals, GroupBy, Page, Repeats, RequestUsage, Sources, StandIn, Tokens, UsageGroup, UsageRow,
};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::{integer, raw, unsigned};
use crate::sqlite::filter::Where;
use crate::{StoreError, TotalsQuery};

/// No request is that large. A made-up count may not overflow the sums of honest ones.
const MOST_TOKENS: u64 = 1 << 40;
const MOST_USD_MICROS: i64 = 1 << 43;
const DAY_MS: i64 = 86_400_000;

const COLUMNS: &str = "u.key, s.id, u.agent, u.subagent, u.model, u.at_ms, u.input, u.output, u.cache_read, \
     u.cache_write, u.cache_write_1h, u.reasoning, u.cost_usd_micros, u.basis, u.web_searches, u.fast, u.geo, u.tier, \
     u.reported_usd_micros, u.sidechain, u.source, u.place, u.price_model, u.price_date, u.demo, u.request_id, u.sources, \
     u.calculated_usd_micros";
const SUMS: &str = "coalesce(sum(u.input), 0), coalesce(sum(u.output), 0), coalesce(sum(u.cache_read), 0), \
     coalesce(sum(u.cache_write), 0), coalesce(sum(u.cache_write_1h), 0), coalesce(sum(u.reasoning), 0), \
     coalesce(sum(u.cost_usd_micros), 0), count(*), count(*) FILTER (WHERE u.basis = 'unpriced'), \
     count(*) FILTER (WHERE u.basis = 'estimated')";

/// Brings figures and times into the range that can be summed.
pub(in crate::sqlite) fn tame(mut usage: UsageRow) -> UsageRow {
    let tokens = &mut usage.request.tokens;
    for count in [
        &mut tokens.input,
        &mut tokens.output,
        &mut tokens.cache_read,
        &mut tokens.cache_write,
        &mut tokens.cache_write_1h,
        &mut tokens.reasoning,
    ] {
        *count = (*count).min(MOST_TOKENS);
    }
    let limit = |cost: i64| cost.clamp(-MOST_USD_MICROS, MOST_USD_MICROS);
    usage.cost_usd_micros = usage.cost_usd_micros.map(limit);
    usage.calculated_usd_micros = usage.calculated_usd_micros.map(limit);
    usage.request.reported_usd_micros = usage.request.reported_usd_micros.map(limit);
    usage.request.at_ms = super::events::time_ms(usage.request.at_ms);
    usage
}

/// The row of the request that `request` reports: under its key, or under the key that another source gave it.
///
/// A report that knows only the request's id meets the row that names the id; a report that knows the message too takes
/// over the row that was written under the id alone. Two messages under one request id stay two rows.
pub(in crate::sqlite) fn same_request(
    conn: &Connection,
    request: &RequestUsage,
) -> Result<Option<UsageRow>, StoreError> {
    if let Some(row) = one(conn, "u.key = ?1", &request.key)? {
        return Ok(Some(row));
    }
    let Some(id) = &request.request_id else { return Ok(None) };
    let by_id = RequestUsage::by_request_id(id);
    if request.key == by_id { one(conn, "u.request_id = ?1", id) } else { one(conn, "u.key = ?1", &by_id) }
}

fn one(conn: &Connection, condition: &str, value: &str) -> Result<Option<UsageRow>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM usage u JOIN session s ON s.key = u.session WHERE {condition} ORDER BY u.number LIMIT 1"
    ))?;
    let mut rows = statement.query([value])?;
    Ok(rows.next()?.map(usage_from_row).transpose()?)
}

/// Whether the session has rows that a stand-in of this kind must not count beside.
pub(in crate::sqlite) fn has_better(
    conn: &Connection,
    session: i64,
    id: &str,
    kind: StandIn,
) -> Result<bool, StoreError> {
    let (from, to) = range(StandIn::Total, id);
    let (counted_from, counted_to) = match kind {
        StandIn::Counted => range(StandIn::Counted, id),
        StandIn::Total => (String::new(), String::new()),
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM usage WHERE session = ?1 AND NOT (key >= ?2 AND key < ?3)
               AND NOT (key >= ?4 AND key < ?5))";
    let found =
        conn.prepare_cached(sql)?.query_row(params![session, from, to, counted_from, counted_to], |row| row.get(0))?;
    Ok(found)
}

/// Takes the session's stand-ins out that are worse than `than` (all of them for a report that is none) and returns them.
pub(in crate::sqlite) fn take_stand_ins(
    conn: &Connection,
    id: &str,
    than: Option<StandIn>,
) -> Result<Vec<UsageRow>, StoreError> {
    let mut taken = Vec::new();
    for kind in StandIn::ALL.into_iter().filter(|kind| than.is_none_or(|than| *kind > than)) {
        let (from, to) = range(kind, id);
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM usage u JOIN session s ON s.key = u.session WHERE u.key >= ?1 AND u.key < ?2"
        ))?;
        let before = taken.len();
        for row in statement.query_map([&from, &to], usage_from_row)? {
            taken.push(row?);
        }
        if taken.len() > before {
            conn.prepare_cached("DELETE FROM usage WHERE key >= ?1 AND key < ?2")?.execute([&from, &to])?;
        }
    }
    Ok(taken)
}

/// Keys from the first to behind the last of a session's stand-ins.
fn range(kind: StandIn, id: &str) -> (String, String) {
    let from = kind.prefix(id);
    let mut to = from.clone();
    // `0` follows the `/` that every prefix ends with.
    to.pop();
    to.push('0');
    (from, to)
}

/// Rows whose key begins with a message's id, alone or before the id of a request.
pub(in crate::sqlite) fn of_message(conn: &Connection, message: &str) -> Result<Vec<UsageRow>, StoreError> {
    // `;` follows the `:` that stands between the two ids.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM usage u JOIN session s ON s.key = u.session
         WHERE u.key = ?1 OR (u.key >= ?1 || ':' AND u.key < ?1 || ';')"
    ))?;
    let rows = statement.query_map([message], usage_from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::sqlite) fn remove(conn: &Connection, key: &str) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM usage WHERE key = ?1")?.execute([key])?;
    Ok(())
}

/// Gives a row the key of a report that knows more.
pub(in crate::sqlite) fn rename(conn: &Connection, from: &str, to: &str) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE usage SET key = ?2 WHERE key = ?1")?.execute([from, to])?;
    Ok(())
}

/// Writes a row, replacing the one of the same key.
pub(in crate::sqlite) fn put(conn: &Connection, usage: &UsageRow, session: i64) -> Result<(), StoreError> {
    let request = &usage.request;
    let tokens = &request.tokens;
    conn.prepare_cached(
        "INSERT INTO usage (key, session, agent, subagent, model, at_ms, input, output, cache_read, cache_write,
                            cache_write_1h, reasoning, cost_usd_micros, basis, web_searches, fast, geo, tier,
                            reported_usd_micros, sidechain, source, place, price_model, price_date, demo,
                            request_id, sources, calculated_usd_micros)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                 ?23, ?24, ?25, ?26, ?27, ?28)
         ON CONFLICT (key) DO UPDATE SET
             session = excluded.session, agent = excluded.agent, subagent = excluded.subagent, model = excluded.model,
             at_ms = excluded.at_ms, input = excluded.input, output = excluded.output,
             cache_read = excluded.cache_read, cache_write = excluded.cache_write,
             cache_write_1h = excluded.cache_write_1h, reasoning = excluded.reasoning,
             cost_usd_micros = excluded.cost_usd_micros, basis = excluded.basis,
             web_searches = excluded.web_searches, fast = excluded.fast, geo = excluded.geo, tier = excluded.tier,
             reported_usd_micros = excluded.reported_usd_micros, sidechain = excluded.sidechain,
             source = excluded.source, place = excluded.place, price_model = excluded.price_model,
             price_date = excluded.price_date, demo = excluded.demo, request_id = excluded.request_id,
             sources = excluded.sources, calculated_usd_micros = excluded.calculated_usd_micros",
    )?
    .execute(params![
        request.key,
        session,
        request.agent,
        request.subagent,
        request.model,
        request.at_ms,
        integer(tokens.input),
        integer(tokens.output),
        integer(tokens.cache_read),
        integer(tokens.cache_write),
        integer(tokens.cache_write_1h),
        integer(tokens.reasoning),
        usage.cost_usd_micros,
        basis_word(usage.basis),
        request.web_searches,
        request.fast,
        request.geo,
        request.tier,
        request.reported_usd_micros,
        request.sidechain,
        request.source.bit(),
        request.place,
        usage.price_model,
        usage.price_date,
        request.demo,
        request.request_id,
        usage.sources.0,
        usage.calculated_usd_micros,
    ])?;
    Ok(())
}

/// Newest first.
pub(in crate::sqlite) fn newest(
    conn: &Connection,
    query: &TotalsQuery,
    limit: u32,
) -> Result<Vec<UsageRow>, StoreError> {
    let filter = Where::of_totals(query);
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM usage u JOIN session s ON s.key = u.session {} ORDER BY u.at_ms DESC, u.number DESC LIMIT {limit}",
        filter.sql(),
    ))?;
    let rows = statement.query_map(filter.params(), usage_from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Newest first, a page at a time. `after` is `TIME:NUMBER` of the last row of the page before.
pub(in crate::sqlite) fn page(
    conn: &Connection,
    query: &TotalsQuery,
    after: Option<&str>,
    limit: u32,
) -> Result<Page<UsageRow>, StoreError> {
    let filter = Where::of_totals(query);
    let start = after
        .map(|after| {
            let parts = after.split_once(':').and_then(|(at, number)| Some((at.parse().ok()?, number.parse().ok()?)));
            parts.ok_or_else(|| StoreError::BadQuery(format!("{after} is not the key of a page")))
        })
        .transpose()?
        .map(|(at_ms, number): (i64, i64)| [Value::Integer(at_ms), Value::Integer(number)]);
    let condition = match (&start, filter.is_empty()) {
        (None, _) => "",
        (Some(_), true) => "WHERE (u.at_ms, u.number) < (?, ?)",
        (Some(_), false) => "AND (u.at_ms, u.number) < (?, ?)",
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, u.number FROM usage u JOIN session s ON s.key = u.session {} {condition}
         ORDER BY u.at_ms DESC, u.number DESC LIMIT {}",
        filter.sql(),
        limit + 1,
    ))?;
    let mut rows =
        statement.query(params_from_iter(filter.into_values().into_iter().chain(start.into_iter().flatten())))?;
    let mut found = Page { items: Vec::new(), next: None, total: None };
    let mut last = String::new();
    while let Some(row) = rows.next()? {
        if found.items.len() == limit as usize {
            found.next = Some(last);
            break;
        }
        let usage = usage_from_row(row)?;
        last = format!("{}:{}", usage.request.at_ms, row.get::<_, i64>(28)?);
        found.items.push(usage);
    }
    Ok(found)
}

/// The row of this key.
pub(in crate::sqlite) fn by_key(conn: &Connection, key: &str) -> Result<Option<UsageRow>, StoreError> {
    one(conn, "u.key = ?1", key)
}

/// Sums of what is priced alike. `borders` are the prompt sizes at which prices change, ascending.
pub(in crate::sqlite) fn groups(
    conn: &Connection,
    query: &TotalsQuery,
    borders: &[u64],
) -> Result<Vec<UsageGroup>, StoreError> {
    const PROMPT: &str = "u.input + u.cache_read + u.cache_write + u.cache_write_1h";
    let steps: String = borders.iter().rev().map(|border| format!("WHEN {PROMPT} > {border} THEN {border} ")).collect();
    let above = if steps.is_empty() { "0".to_owned() } else { format!("CASE {steps}ELSE 0 END") };
    let filter = Where::of_totals(query);
    let mut statement = conn.prepare(&format!(
        "SELECT u.model, u.price_date, u.basis, u.fast, u.geo, u.tier, {above}, u.sources,
             u.calculated_usd_micros IS NULL,
             {SUMS}, sum(u.web_searches), count(u.calculated_usd_micros), coalesce(sum(u.calculated_usd_micros), 0),
             coalesce(sum(u.cost_usd_micros) FILTER (WHERE u.calculated_usd_micros IS NOT NULL), 0),
             sum(max(u.reports - 1, 0)),
             coalesce(sum(max(u.reports_usd_micros - coalesce(u.calculated_usd_micros, 0), 0)), 0)
         FROM usage u {} {} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8",
        session_join(query),
        filter.sql(),
    ))?;
    let rows = statement.query_map(filter.params(), |row| {
        Ok(UsageGroup {
            model: row.get(0)?,
            price_date: row.get(1)?,
            basis: basis_of(row.get_ref(2)?.as_str()?),
            fast: row.get(3)?,
            geo: row.get(4)?,
            tier: row.get(5)?,
            above: unsigned(row.get(6)?),
            sources: Sources(row.get(7)?),
            totals: totals_from_row(row, 9)?,
            web_searches: unsigned(row.get(19)?),
            calculated: unsigned(row.get(20)?),
            calculated_usd_micros: row.get(21)?,
            compared_usd_micros: row.get(22)?,
            repeats: Repeats { reports: unsigned(row.get(23)?), usd_micros: row.get(24)? },
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::sqlite) fn totals(conn: &Connection, query: &TotalsQuery) -> Result<CostTotals, StoreError> {
    let filter = Where::of_totals(query);
    let sql = format!("SELECT {SUMS} FROM usage u {} {}", session_join(query), filter.sql());
    Ok(conn.prepare_cached(&sql)?.query_row(filter.params(), |row| totals_from_row(row, 0))?)
}

/// Sums by `group`. Times by date, oldest first; anything else by cost, dearest first.
pub(in crate::sqlite) fn costs(
    conn: &Connection,
    group: GroupBy,
    query: &TotalsQuery,
    utc_offset_minutes: i32,
) -> Result<Vec<CostRow>, StoreError> {
    let offset_ms = i64::from(utc_offset_minutes) * 60_000;
    // Two days are added and taken away so that the division never meets a negative number.
    let day = format!("(u.at_ms + {offset_ms} + {}) / {DAY_MS} - 2", 2 * DAY_MS);
    let (key, join) = match group {
        GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly => (day.as_str(), session_join(query)),
        GroupBy::Session => ("s.id", SESSION_JOIN),
        GroupBy::Project => ("s.project", SESSION_JOIN),
        GroupBy::Model => ("coalesce(u.model, '')", session_join(query)),
        GroupBy::Agent => ("u.agent", session_join(query)),
    };
    let filter = Where::of_totals(query);
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {key}, coalesce(u.model, ''), {SUMS} FROM usage u {join} {} GROUP BY 1, 2 ORDER BY 1, 2",
        filter.sql(),
    ))?;
    let mut rows = statement.query(filter.params())?;
    let mut sums: BTreeMap<String, CostRow> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = match group {
            GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly => date_key(group, row.get(0)?),
            _ => row.get(0)?,
        };
        let sum = sums.entry(key.clone()).or_insert_with(|| CostRow { key, ..CostRow::default() });
        add(&mut sum.totals, &totals_from_row(row, 2)?);
        let model: String = row.get(1)?;
        if !model.is_empty() && !sum.models.contains(&model) {
            sum.models.push(model);
        }
    }
    let mut costs: Vec<CostRow> = sums.into_values().collect();
    for row in &mut costs {
        row.models.sort();
    }
    if !matches!(group, GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly) {
        costs.sort_by_key(|row| std::cmp::Reverse((row.totals.cost_usd_micros, row.totals.tokens.total())));
    }
    Ok(costs)
}

const SESSION_JOIN: &str = "JOIN session s ON s.key = u.session";

/// The session's table is read only when the query asks for something of it.
fn session_join(query: &TotalsQuery) -> &'static str {
    if query.session.is_some() || query.project.is_some() { SESSION_JOIN } else { "" }
}

/// `YYYY-MM-DD` of the day or of the week's Monday, or `YYYY-MM`. `day` counts from 1970-01-01, a Thursday.
fn date_key(group: GroupBy, day: i64) -> String {
    let date = NaiveDate::from_ymd_opt(1970, 1, 1)
        .and_then(|epoch| epoch.checked_add_signed(TimeDelta::try_days(day)?))
        .unwrap_or(NaiveDate::MAX);
    match group {
        GroupBy::Weekly => {
            let monday = TimeDelta::days(i64::from(date.weekday().num_days_from_monday()));
            date.checked_sub_signed(monday).unwrap_or(date).format("%Y-%m-%d").to_string()
        }
        GroupBy::Monthly => date.format("%Y-%m").to_string(),
        _ => date.format("%Y-%m-%d").to_string(),
    }
}

fn add(sum: &mut CostTotals, other: &CostTotals) {
    sum.tokens = sum.tokens.plus(other.tokens);
    sum.cost_usd_micros = sum.cost_usd_micros.saturating_add(other.cost_usd_micros);
    sum.requests += other.requests;
    sum.unpriced_requests += other.unpriced_requests;
    sum.estimated_requests += other.estimated_requests;
}

fn totals_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<CostTotals> {
    Ok(CostTotals {
        tokens: tokens_from_row(row, first)?,
        cost_usd_micros: row.get(first + 6)?,
        requests: unsigned(row.get(first + 7)?),
        unpriced_requests: unsigned(row.get(first + 8)?),
        estimated_requests: unsigned(row.get(first + 9)?),
    })
}

fn tokens_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Tokens> {
    Ok(Tokens {
        input: unsigned(row.get(first)?),
        output: unsigned(row.get(first + 1)?),
        cache_read: unsigned(row.get(first + 2)?),
        cache_write: unsigned(row.get(first + 3)?),
        cache_write_1h: unsigned(row.get(first + 4)?),
        reasoning: unsigned(row.get(first + 5)?),
    })
}

fn usage_from_row(row: &Row<'_>) -> rusqlite::Result<UsageRow> {
    let request = RequestUsage {
        key: row.get(0)?,
        request_id: row.get(25)?,
        session_id: row.get(1)?,
        agent: row.get(2)?,
        subagent: row.get(3)?,
        model: row.get(4)?,
        at_ms: row.get(5)?,
        tokens: tokens_from_row(row, 6)?,
        web_searches: row.get(14)?,
        fast: row.get(15)?,
        geo: row.get(16)?,
        tier: row.get(17)?,
        reported_usd_micros: row.get(18)?,
        sidechain: row.get(19)?,
        source: raw::source_of(row.get(20)?),
        place: row.get(21)?,
        demo: row.get(24)?,
    };
    Ok(UsageRow {
        request,
        cost_usd_micros: row.get(12)?,
        basis: basis_of(row.get_ref(13)?.as_str()?),
        price_model: row.get(22)?,
        price_date: row.get(23)?,
        sources: Sources(row.get(26)?),
        calculated_usd_micros: row.get(27)?,
    })
}

fn basis_word(basis: Basis) -> &'static str {
    match basis {
        Basis::Reported => "reported",
        Basis::Calculated => "calculated",
        Basis::Estimated => "estimated",
        Basis::Unpriced => "unpriced",
    }
}

fn basis_of(word: &str) -> Basis {
    match word {
        "reported" => Basis::Reported,
        "calculated" => Basis::Calculated,
        "estimated" => Basis::Estimated,
        _ => Basis::Unpriced,
    }
}
