//! Every report of a billed request, the repeats included: what shows that a request was counted once.

use orrery_types::{UsageReport, UsageRow};
use rusqlite::{Connection, OptionalExtension, params};

use super::{integer, raw, unsigned};
use crate::{Raw, StoreError};

/// What a report says, before it is joined with others of its request.
pub(in crate::sqlite) struct Report {
    place: String,
    line: i64,
    source: u8,
    at_ms: i64,
    tokens: i64,
    cost_usd_micros: Option<i64>,
}

impl Report {
    /// `None` when the report does not say where it comes from.
    pub(in crate::sqlite) fn of(row: &UsageRow) -> Option<Report> {
        let (place, line) = split(row.request.place.as_deref()?);
        Some(Report {
            place: place.to_owned(),
            line,
            source: row.request.source.bit(),
            at_ms: row.request.at_ms,
            tokens: integer(row.request.tokens.total()),
            cost_usd_micros: row.calculated_usd_micros,
        })
    }
}

/// `FILE:LINE`, or an endpoint and 0.
fn split(place: &str) -> (&str, i64) {
    let parts = place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<i64>().ok()?)));
    parts.filter(|(file, line)| !file.is_empty() && *line > 0).unwrap_or((place, 0))
}

/// Adds a report to the request of this key. Rows written: 0 when it was there.
pub(in crate::sqlite) fn add(conn: &Connection, key: &str, report: &Report) -> Result<u64, StoreError> {
    let place = place_key(conn, &report.place)?;
    let added = conn
        .prepare_cached(
            "INSERT OR IGNORE INTO usage_report (usage, place, line, source, at_ms, tokens, cost_usd_micros)
             SELECT number, ?2, ?3, ?4, ?5, ?6, ?7 FROM usage WHERE key = ?1",
        )?
        .execute(params![
            key,
            place,
            report.line,
            report.source,
            report.at_ms,
            report.tokens,
            report.cost_usd_micros
        ])?;
    if added == 0 {
        return Ok(0);
    }
    conn.prepare_cached(
        "UPDATE usage SET reports = reports + 1, reports_usd_micros = reports_usd_micros + ?2 WHERE key = ?1",
    )?
    .execute(params![key, report.cost_usd_micros.unwrap_or(0)])?;
    Ok(1)
}

/// Gives the reports of a request that turned out to be a copy to the one it is a copy of.
pub(in crate::sqlite) fn hand_over(conn: &Connection, from: &str, to: &str) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE OR REPLACE usage_report SET usage = (SELECT number FROM usage WHERE key = ?2)
         WHERE usage = (SELECT number FROM usage WHERE key = ?1)",
    )?
    .execute([from, to])?;
    conn.prepare_cached(
        "UPDATE usage SET (reports, reports_usd_micros) =
             (SELECT count(*), coalesce(sum(cost_usd_micros), 0) FROM usage_report WHERE usage = usage.number)
         WHERE key = ?1",
    )?
    .execute([to])?;
    Ok(())
}

fn place_key(conn: &Connection, place: &str) -> Result<i64, StoreError> {
    let known = conn
        .prepare_cached("SELECT key FROM place WHERE text = ?1")?
        .query_row([place], |row| row.get(0))
        .optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    conn.prepare_cached("INSERT INTO place (text) VALUES (?1)")?.execute([place])?;
    Ok(conn.last_insert_rowid())
}

/// All reports of a request, by place and line.
pub(in crate::sqlite) fn of_usage(conn: &Connection, row: &UsageRow) -> Result<Vec<UsageReport>, StoreError> {
    let counted = row.request.place.as_deref().map(split);
    let mut statement = conn.prepare_cached(
        "SELECT p.text, r.line, r.source, r.at_ms, r.tokens, r.cost_usd_micros
         FROM usage_report r JOIN place p ON p.key = r.place
         WHERE r.usage = (SELECT number FROM usage WHERE key = ?1) ORDER BY p.text, r.line, r.source",
    )?;
    let reports = statement.query_map([&row.request.key], |found| {
        let (place, line): (String, i64) = (found.get(0)?, found.get(1)?);
        let source = raw::source_of(found.get(2)?);
        let counted = counted == Some((place.as_str(), line)) && source == row.request.source;
        let line = (line > 0).then(|| unsigned(line));
        Ok(UsageReport {
            source,
            place,
            line,
            at_ms: found.get(3)?,
            tokens: unsigned(found.get(4)?),
            cost_usd_micros: found.get(5)?,
            counted,
        })
    })?;
    Ok(reports.collect::<Result<_, _>>()?)
}

/// The payloads kept of a session's events that come from `place` (a file and a line).
pub(in crate::sqlite) fn raw_at(
    conn: &Connection,
    session: &str,
    at_ms: i64,
    place: &str,
) -> Result<Option<Raw>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT e.seq FROM event e WHERE e.session = (SELECT key FROM session WHERE id = ?1) AND e.at_ms = ?2",
    )?;
    let seqs = statement.query_map(params![session, at_ms], |row| row.get(0))?;
    for seq in seqs {
        let found = raw::of_event(conn, seq?)?.into_iter().find(|raw| raw.place == place);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_and_a_line_or_an_endpoint() {
        assert_eq!(split("/a/b.jsonl:12"), ("/a/b.jsonl", 12));
        assert_eq!(split(r"C:\a.jsonl:3"), (r"C:\a.jsonl", 3));
        assert_eq!(split("POST /v1/logs"), ("POST /v1/logs", 0));
        assert_eq!(split("/a:b"), ("/a:b", 0));
        assert_eq!(split(":7"), (":7", 0));
    }
}
