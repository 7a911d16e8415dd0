//! Secrets masked before they were stored, by rule.

use rusqlite::{Connection, params};

use super::{integer, unsigned};
use crate::{Masked, StoreError};

pub(in crate::sqlite) fn add(conn: &Connection, rule: &str, count: u64, last_ms: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO masked (rule, count, last_ms) VALUES (?1, ?2, ?3) \
        ON CONFLICT (rule) DO UPDATE SET count = count + excluded.count, last_ms = max(last_ms, excluded.last_ms)";
    conn.prepare_cached(sql)?.execute(params![rule, integer(count), last_ms])?;
    Ok(())
}

/// Most first.
pub(in crate::sqlite) fn all(conn: &Connection) -> Result<Vec<Masked>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT rule, count, last_ms FROM masked ORDER BY count DESC, rule")?;
    let rows = statement
        .query_map([], |row| Ok(Masked { rule: row.get(0)?, count: unsigned(row.get(1)?), last_ms: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
