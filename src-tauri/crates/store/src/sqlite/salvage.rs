//! A damaged database is set aside, and what can be read of it goes into a new one, row by row.

use std::path::{Path, PathBuf};

use orrery_views::session;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::table::packs::Packs;
use super::{Options, care, migrate};
use crate::StoreError;

/// Tables in the order in which they refer to each other. What others are made of is made again.
const TABLES: &[&str] = &[
    "label", "session", "session_row", "pack", "raw", "event", "event_raw", "usage", "usage_report", "price_table", "cursor",
    "last_hook", "problem", "alert", "preset", "counter", "masked",
];
/// The file that says: something could not be read, look at it before the next use.
const MARK: &str = ".damaged";
/// So many unreadable places in one table are stepped over.
const MOST_GAPS: u32 = 10_000;

/// What became of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the damaged file is kept.
    pub kept: PathBuf,
    pub events: u64,
    pub sessions: u64,
    /// Places that could not be read, each of one row or more.
    pub gaps: u64,
}

/// Remembers that the database gave unreadable pages.
pub(super) fn mark(path: &Path) {
    if let Err(error) = std::fs::write(care::beside(path, MARK), b"") {
        tracing::warn!(%error, "the database is damaged, and that cannot be noted");
    }
}

pub(super) fn is_marked(path: &Path) -> bool {
    care::beside(path, MARK).exists()
}

/// Opens the writer's connection; a damaged file is salvaged first.
pub(super) fn open(path: &Path, options: &Options) -> Result<(Connection, Option<Salvaged>), StoreError> {
    let opened = migrate::open_writer(path, options).and_then(|conn| {
        if !is_marked(path) {
            return Ok(conn);
        }
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict == "ok" { Ok(conn) } else { Err(StoreError::Damaged(verdict)) }
    });
    let salvaged = match opened {
        Ok(conn) => {
            let _ = std::fs::remove_file(care::beside(path, MARK));
            return Ok((conn, None));
        }
        Err(StoreError::Damaged(reason)) => {
            tracing::error!(reason, "the database is damaged: it is set aside, and what can be read goes into a new one");
            salvage(path, options)?
        }
        Err(error) => return Err(error),
    };
    let _ = std::fs::remove_file(care::beside(path, MARK));
    Ok((migrate::open_writer(path, options)?, Some(salvaged)))
}

fn salvage(path: &Path, options: &Options) -> Result<Salvaged, StoreError> {
    let kept = care::set_aside(path, "damaged")?;
    super::private_file(path).map_err(|error| super::unwritable(path, &error))?;
    let mut new = migrate::open_writer(path, options)?;
    new.pragma_update(None, "foreign_keys", false)?;
    let mut gaps = 0;
    let old = Connection::open_with_flags(&kept, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX);
    if let Ok(old) = old {
        let transaction = new.transaction()?;
        for table in TABLES {
            gaps += copy(&old, &transaction, table).unwrap_or_else(|error| {
                tracing::warn!(%error, table, "a table could not be read");
                1
            });
        }
        transaction.commit()?;
    } else {
        gaps = 1;
    }
    gaps += mend(&mut new)?;
    let count = |table: &str| new.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    let salvaged = Salvaged {
        kept,
        events: super::table::unsigned(count("event")?),
        sessions: super::table::unsigned(count("session")?),
        gaps,
    };
    new.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(salvaged)
}

/// Copies the rows that can be read, by their number where they have one. Answers the places that could not.
fn copy(old: &Connection, new: &Connection, table: &str) -> Result<u64, StoreError> {
    let known = columns(new, table)?;
    let names: Vec<String> = columns(old, table)?.into_iter().filter(|name| known.contains(name)).collect();
    if names.is_empty() {
        return Ok(0);
    }
    let list = names.join(", ");
    let marks = vec!["?"; names.len()].join(", ");
    let mut insert = new.prepare(&format!("INSERT OR REPLACE INTO {table} ({list}) VALUES ({marks})"))?;
    let mut keep = |row: &rusqlite::Row<'_>, first: usize| -> Result<(), StoreError> {
        let values = (0..names.len()).map(|column| row.get(first + column)).collect::<Result<Vec<Value>, _>>()?;
        // A row that breaks a rule of the table is damaged as well.
        let _ = insert.execute(params_from_iter(values));
        Ok(())
    };
    let has_numbers = old.prepare(&format!("SELECT rowid FROM {table} LIMIT 1")).is_ok();
    if !has_numbers {
        let mut statement = old.prepare(&format!("SELECT {list} FROM {table}"))?;
        let mut rows = statement.query([])?;
        return loop {
            match rows.next() {
                Ok(Some(row)) => keep(row, 0)?,
                Ok(None) => break Ok(0),
                Err(_) => break Ok(1),
            }
        };
    }
    let last: i64 = old
        .query_row(&format!("SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT 1"), [], |row| row.get(0))
        .or_else(|_| old.query_row("SELECT seq FROM sqlite_sequence WHERE name = ?1", [table], |row| row.get(0)))
        .unwrap_or(0);
    let mut statement = old.prepare(&format!("SELECT rowid, {list} FROM {table} WHERE rowid > ?1 ORDER BY rowid"))?;
    let (mut place, mut step, mut gaps) = (i64::MIN, 1, 0_u64);
    loop {
        let mut rows = statement.query([place])?;
        let end = loop {
            match rows.next() {
                Ok(Some(row)) => match row.get::<_, i64>(0) {
                    Ok(number) => {
                        if keep(row, 1).is_err() {
                            gaps += 1;
                        }
                        (place, step) = (number, 1);
                    }
                    Err(_) => break false,
                },
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if end || place >= last {
            return Ok(gaps);
        }
        gaps += u64::from(step == 1);
        place = place.max(0).saturating_add(step);
        // A damaged page holds some dozens of rows: the steps grow until they are over it.
        step = (step * 2).min(1 << 20);
        if gaps > u64::from(MOST_GAPS) {
            return Ok(gaps);
        }
    }
}

fn columns(conn: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Makes the new database agree with itself. Answers how many rows had to go.
fn mend(conn: &mut Connection) -> Result<u64, StoreError> {
    let transaction = conn.transaction()?;
    let mut unreadable = Vec::new();
    {
        let packs = Packs::new(&transaction);
        let mut keys = transaction.prepare("SELECT key FROM pack")?;
        let mut rows = keys.query([])?;
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            if packs.events(key).is_err() || packs.raws(key).is_err() {
                unreadable.push(key);
            }
        }
    }
    for key in &unreadable {
        transaction.execute("DELETE FROM pack WHERE key = ?1", [key])?;
    }
    let mut lost = unreadable.len() as u64;
    for sql in [
        "UPDATE event SET pack = NULL, body = x'' WHERE pack NOT IN (SELECT key FROM pack)",
        "DELETE FROM event WHERE pack IS NULL AND length(body) = 0",
        "DELETE FROM event WHERE session NOT IN (SELECT key FROM session) OR agent NOT IN (SELECT key FROM label)
            OR name NOT IN (SELECT key FROM label)",
        "DELETE FROM usage WHERE session NOT IN (SELECT key FROM session)",
        "DELETE FROM raw WHERE pack NOT IN (SELECT key FROM pack)",
    ] {
        lost += transaction.execute(sql, [])? as u64;
    }
    let without_row: Vec<(i64, String, String)> = transaction
        .prepare("SELECT key, id, agent FROM session WHERE key NOT IN (SELECT session FROM session_row)")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (key, id, agent) in without_row {
        let row = serde_json::to_vec(&session::new_row(&id, &agent))?;
        transaction.execute("INSERT INTO session_row (session, row) VALUES (?1, ?2)", rusqlite::params![key, row])?;
        lost += 1;
    }
    // The index and the rollups are made again from the rows.
    transaction.execute_batch(
        "UPDATE pack SET stale = 1;
         DELETE FROM event_rollup;
         DELETE FROM duration_rollup;
         INSERT INTO event_rollup SELECT slot, agent, project, tool, count(*), sum(call), sum(error), sum(ms)
             FROM event_share WHERE pack IS NOT NULL GROUP BY slot, agent, project, tool;
         INSERT INTO duration_rollup SELECT slot, agent, project, tool, cut_ms, count(*) FROM event_share
             WHERE pack IS NOT NULL AND cut_ms IS NOT NULL GROUP BY slot, agent, project, tool, cut_ms;
         INSERT OR REPLACE INTO counter (name, value) VALUES
             ('events', (SELECT count(*) FROM event)),
             ('sessions', (SELECT count(*) FROM session)),
             ('indexed', (SELECT coalesce(max(last), 0) FROM pack)),
             ('raws_packed', (SELECT coalesce(max(key), 0) FROM raw WHERE pack IS NOT NULL));",
    )?;
    // Loose rows below the mark are packed again with their neighbors.
    transaction.execute(
        "INSERT OR IGNORE INTO reindex SELECT seq FROM event WHERE pack IS NULL
            AND seq <= (SELECT value FROM counter WHERE name = 'indexed')",
        [],
    )?;
    transaction.commit()?;
    Ok(lost)
}
