//! Figures kept while writing: how many events and sessions, how far the index is, each agent's last hook.

use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;

pub(in crate::sqlite) const EVENTS: &str = "events";
pub(in crate::sqlite) const SESSIONS: &str = "sessions";
/// Number of the newest event that is packed and in the index.
pub(in crate::sqlite) const INDEXED: &str = "indexed";
/// Number of the newest event on its track.
pub(in crate::sqlite) const TRACKED: &str = "tracked";
/// Number of the newest payload that is packed.
pub(in crate::sqlite) const RAWS_PACKED: &str = "raws_packed";

pub(in crate::sqlite) fn get(conn: &Connection, name: &str) -> Result<i64, StoreError> {
    let value = conn
        .prepare_cached("SELECT value FROM counter WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(value.unwrap_or_default())
}

pub(in crate::sqlite) fn set(conn: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE counter SET value = ?2 WHERE name = ?1")?.execute(params![name, value])?;
    Ok(())
}

pub(in crate::sqlite) fn add(conn: &Connection, name: &str, difference: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE counter SET value = value + ?2 WHERE name = ?1")?.execute(params![name, difference])?;
    Ok(())
}

pub(in crate::sqlite) fn last_hooks(conn: &Connection) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT agent, at_ms FROM last_hook ORDER BY agent")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps the newer of the stored time and `at_ms`.
pub(in crate::sqlite) fn set_last_hook(conn: &Connection, agent: &str, at_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO last_hook (agent, at_ms) VALUES (?1, ?2)
         ON CONFLICT (agent) DO UPDATE SET at_ms = excluded.at_ms WHERE excluded.at_ms > at_ms",
    )?
    .execute(params![agent, at_ms])?;
    Ok(())
}
