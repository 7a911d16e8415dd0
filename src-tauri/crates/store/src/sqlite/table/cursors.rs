//! How far each transcript file was read.

use rusqlite::{Connection, params};

use super::{integer, unsigned};
use crate::{FileCursor, StoreError};

/// Rows written: 0 when the very same cursor is stored already.
pub(in crate::sqlite) fn put(conn: &Connection, cursor: &FileCursor) -> Result<u64, StoreError> {
    let changed = conn
        .prepare_cached(
            "INSERT INTO cursor (path, agent, inode, offset, lines, size, modified_ms, head_hash, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (path) DO UPDATE SET
                 agent = excluded.agent, inode = excluded.inode, offset = excluded.offset, lines = excluded.lines,
                 size = excluded.size, modified_ms = excluded.modified_ms, head_hash = excluded.head_hash,
                 state = excluded.state
             WHERE (agent, inode, offset, lines, size, modified_ms, head_hash, state)
                IS NOT (excluded.agent, excluded.inode, excluded.offset, excluded.lines, excluded.size,
                        excluded.modified_ms, excluded.head_hash, excluded.state)",
        )?
        .execute(params![
            cursor.path,
            cursor.agent,
            // An inode is a bit pattern: it goes through a signed column unchanged.
            cursor.inode.cast_signed(),
            integer(cursor.offset),
            integer(cursor.lines),
            integer(cursor.size),
            cursor.modified_ms,
            cursor.head_hash,
            cursor.state,
        ])?;
    Ok(changed as u64)
}

pub(in crate::sqlite) fn all(conn: &Connection) -> Result<Vec<FileCursor>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT path, agent, inode, offset, lines, size, modified_ms, head_hash, state FROM cursor ORDER BY path",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(FileCursor {
            path: row.get(0)?,
            agent: row.get(1)?,
            inode: row.get::<_, i64>(2)?.cast_unsigned(),
            offset: unsigned(row.get(3)?),
            lines: unsigned(row.get(4)?),
            size: unsigned(row.get(5)?),
            modified_ms: row.get(6)?,
            head_hash: row.get(7)?,
            state: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Paths whose last part holds a session's id, as both Claude Code and Codex name their files.
pub(in crate::sqlite) fn of_session(conn: &Connection, session: &str) -> Result<Vec<String>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT path FROM cursor WHERE instr(path, ?1) > 0 ORDER BY path LIMIT 100")?;
    let paths = statement.query_map([session], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let is_named = |path: &String| path.rsplit(['/', '\\']).next().is_some_and(|name| name.contains(session));
    Ok(paths.into_iter().filter(is_named).collect())
}
