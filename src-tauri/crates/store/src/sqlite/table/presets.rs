//! Saved queries.

use orrery_types::Preset;
use rusqlite::{Connection, ErrorCode, params};

use crate::StoreError;

/// By name.
pub(in crate::sqlite) fn all(conn: &Connection) -> Result<Vec<Preset>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT id, name, query, created_ms FROM preset ORDER BY name LIMIT 1000")?;
    let rows = statement.query_map([], |row| {
        Ok(Preset { id: row.get(0)?, name: row.get(1)?, query: row.get(2)?, created_ms: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds a preset without an id, or rewrites the one with it. Answers the id.
pub(in crate::sqlite) fn save(conn: &Connection, preset: &Preset) -> Result<i64, StoreError> {
    let saved = if preset.id == 0 {
        conn.prepare_cached("INSERT INTO preset (name, query, created_ms) VALUES (?1, ?2, ?3)")?.execute(params![
            preset.name,
            preset.query,
            preset.created_ms
        ])
    } else {
        conn.prepare_cached("UPDATE preset SET name = ?2, query = ?3 WHERE id = ?1")?.execute(params![
            preset.id,
            preset.name,
            preset.query
        ])
    };
    match saved {
        Ok(0) => Err(StoreError::BadQuery(format!("there is no saved search {}", preset.id))),
        Ok(_) if preset.id == 0 => Ok(conn.last_insert_rowid()),
        Ok(_) => Ok(preset.id),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(StoreError::BadQuery(format!("there is a saved search named {} already", preset.name)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether there was one.
pub(in crate::sqlite) fn remove(conn: &Connection, id: i64) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("DELETE FROM preset WHERE id = ?1")?.execute([id])? == 1)
}
