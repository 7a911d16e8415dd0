//! Opens connections and brings the schema up to date.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use super::Options;
use crate::StoreError;

mod steps {
    refinery::embed_migrations!("src/sqlite/migrations");
}

/// "Orry": marks the file as ours for `file(1)` and for ourselves.
const APPLICATION_ID: i32 = 0x4f72_7279;

/// The table that earlier versions kept their steps in, as refinery makes it.
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS refinery_schema_history (
    version int4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255))";

/// SQLite's steps between two looks at what a search may still cost.
const WATCHED_STEPS: i32 = 20_000;

/// The writer's connection: creates the file, refuses a foreign or newer one, and applies what is missing.
pub(super) fn open_writer(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    let mut conn = Connection::open(path).map_err(|error| unwritable(path, &error))?;
    conn.busy_timeout(Duration::from_secs(10))?;
    refuse_foreign(&conn, path)?;
    refuse_newer(&conn)?;
    settings(&conn).map_err(|error| unwritable(path, &error))?;
    upgrade(&mut conn)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    if let Some(pages) = options.max_pages {
        conn.pragma_update(None, "max_page_count", pages)?;
    }
    if let Some(bytes) = options.max_value_bytes {
        conn.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, bytes)?;
    }
    Ok(conn)
}

/// Applies every step that is missing, lower numbers too, in one transaction: the schema is the old one or the new one.
fn upgrade(conn: &mut Connection) -> Result<(), StoreError> {
    let runner = steps::migrations::runner();
    let mut known = runner.get_migrations().clone();
    known.sort_by_key(|step| step.version());
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(HISTORY)?;
    for step in known {
        let checksum = step.checksum().to_string();
        let applied: Option<String> = transaction
            .query_row("SELECT checksum FROM refinery_schema_history WHERE version = ?1", [step.version()], |row| {
                row.get(0)
            })
            .optional()?;
        match applied {
            Some(applied) if applied == checksum => continue,
            Some(_) => {
                return Err(StoreError::Failed(format!("step {step} of the schema is not the one that was applied")));
            }
            None => {}
        }
        let sql = step.sql().unwrap_or_default();
        transaction
            .execute_batch(sql)
            .map_err(|error| StoreError::Failed(format!("step {step} of the schema: {error}")))?;
        // The time of an upgrade is of no use to anyone, and the store reads no clock.
        transaction.execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (?1, ?2, '', ?3)",
            rusqlite::params![step.version(), step.name(), checksum],
        )?;
    }
    Ok(transaction.commit()?)
}

/// The indexer's connection. What it writes can be made again, so its commits do not wait for the disk.
pub(super) fn open_indexer(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(10))?;
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    prepare_once(&conn, 32)?;
    Ok(conn)
}

/// A connection that cannot write.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let mut conn =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| StoreError::Failed(format!("{}: {error}", path.display())))?;
    conn.busy_timeout(Duration::from_secs(10))?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -8_000)?;
    prepare_once(&conn, 64)?;
    conn.progress_handler(WATCHED_STEPS, Some(super::search::is_over))?;
    conn.create_scalar_function("fold", 1, FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC, |call| {
        Ok(orrery_views::filter::fold(call.get_raw(0).as_str_or_null()?.unwrap_or_default()))
    })?;
    refuse_newer(&conn)?;
    if is_older(&conn)? {
        return Err(StoreError::TooOld);
    }
    Ok(conn)
}

fn is_older(conn: &Connection) -> Result<bool, StoreError> {
    let known = steps::migrations::runner().get_migrations().len();
    let applied: i64 = conn.query_row("SELECT count(*) FROM refinery_schema_history", [], |row| row.get(0))?;
    Ok(usize::try_from(applied).unwrap_or_default() < known)
}

fn settings(conn: &Connection) -> rusqlite::Result<()> {
    // Only a file without tables takes this; an older file keeps what it has.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "cache_size", -32_000)?;
    conn.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    // A WAL that once grew in a burst gives its space back at the next reset.
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    prepare_once(conn, 64)?;
    Ok(())
}

/// Keeps statements and their plans. Without this setting SQLite plans a statement again whenever a bound value might
/// matter to a partial index, which costs more than the statement.
fn prepare_once(conn: &Connection, statements: usize) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(statements);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn refuse_foreign(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let id: i32 = conn
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| StoreError::Failed(format!("{}: {error}", path.display())))?;
    if id == 0 || id == APPLICATION_ID {
        return Ok(());
    }
    Err(StoreError::Failed(format!("{} is a database of another program", path.display())))
}

fn refuse_newer(conn: &Connection) -> Result<(), StoreError> {
    let known = steps::migrations::runner().get_migrations().iter().map(|step| step.version()).max();
    let known = u32::try_from(known.unwrap_or_default()).unwrap_or(u32::MAX);
    if !conn.table_exists(None, "refinery_schema_history")? {
        return Ok(());
    }
    let found: Option<u32> =
        conn.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))?;
    match found {
        Some(found) if found > known => Err(StoreError::TooNew { found, known }),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, error: &rusqlite::Error) -> StoreError {
    StoreError::Unwritable(format!("{}: {error}", path.display()))
}
