//! Session rows as the folds keep them: the whole row as JSON, and columns to filter and sort by.

use orrery_types::SessionRow;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::integer;
use crate::StoreError;

/// Titles longer than this many bytes are not searched to their end.
const SEARCHED_BYTES: usize = 1_000;

/// Key and row of a stored session.
pub(in crate::sqlite) fn load(conn: &Connection, id: &str) -> Result<Option<(i64, SessionRow)>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT s.key, r.row FROM session s JOIN session_row r ON r.session = s.key WHERE s.id = ?1")?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(0)?, row_from_blob(row, 1)?)))
}

/// The id of a session by its key.
pub(in crate::sqlite) fn id_of(conn: &Connection, key: i64) -> Result<Option<String>, StoreError> {
    Ok(conn.prepare_cached("SELECT id FROM session WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()?)
}

/// Makes room for a session, so that its events can point to it. Its row follows with [`save`].
pub(in crate::sqlite) fn create(conn: &Connection, id: &str) -> Result<i64, StoreError> {
    conn.prepare_cached("INSERT INTO session (id) VALUES (?1)")?.execute([id])?;
    Ok(conn.last_insert_rowid())
}

pub(in crate::sqlite) fn save(conn: &Connection, key: i64, row: &SessionRow) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE session SET agent = ?2, project = ?3, model = ?4, parent = ?5, status = ?6, words = ?7,
                            started_ms = ?8, last_ms = ?9, duration_ms = ?10, turns = ?11, tools = ?12, errors = ?13,
                            tokens = ?14, cost_usd_micros = ?15, demo = ?16, project_id = ?17
         WHERE key = ?1",
    )?
    .execute(params![
        key,
        row.agent,
        row.project,
        row.model.as_deref().unwrap_or_default(),
        row.parent,
        row.status.word(),
        words(row),
        row.started_ms,
        row.last_ms,
        row.ended_ms.unwrap_or(row.last_ms).saturating_sub(row.started_ms),
        row.turns,
        row.tools,
        row.errors,
        integer(row.tokens.total()),
        row.cost_usd_micros,
        row.demo,
        row.project_id,
    ])?;
    conn.prepare_cached(
        "INSERT INTO session_row (session, row) VALUES (?1, ?2)
         ON CONFLICT (session) DO UPDATE SET row = excluded.row",
    )?
    .execute(params![key, serde_json::to_vec(row)?])?;
    Ok(())
}

pub(in crate::sqlite) fn row_from_blob(row: &Row<'_>, column: usize) -> Result<SessionRow, StoreError> {
    Ok(serde_json::from_slice(row.get_ref(column)?.as_blob()?)?)
}

pub(in crate::sqlite) fn children(conn: &Connection, id: &str) -> Result<Vec<SessionRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT r.row FROM session s JOIN session_row r ON r.session = s.key
         WHERE s.parent = ?1 ORDER BY s.started_ms, s.key LIMIT 1000",
    )?;
    let mut rows = statement.query([id])?;
    let mut children = Vec::new();
    while let Some(row) = rows.next()? {
        children.push(row_from_blob(row, 0)?);
    }
    Ok(children)
}

/// Ids of the sessions of one project.
pub(in crate::sqlite) fn of_project(conn: &Connection, project_id: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id FROM session WHERE project_id = ?1")?;
    let rows = statement.query_map([project_id], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Newest activity first.
pub(in crate::sqlite) fn recent(conn: &Connection, since_ms: i64, limit: u32) -> Result<Vec<SessionRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT r.row FROM session s JOIN session_row r ON r.session = s.key
         WHERE s.last_ms >= ?1 ORDER BY s.last_ms DESC, s.key DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![since_ms, limit])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.push(row_from_blob(row, 0)?);
    }
    Ok(sessions)
}

pub(in crate::sqlite) fn active_since(conn: &Connection, since_ms: i64) -> Result<u64, StoreError> {
    Ok(conn
        .prepare_cached("SELECT count(*) FROM session WHERE last_ms > ?1")?
        .query_row([since_ms], |row| row.get::<_, i64>(0))
        .map(super::unsigned)?)
}

/// Ids of the thousand sessions with the newest activity.
pub(in crate::sqlite) fn newest_ids(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id FROM session ORDER BY last_ms DESC LIMIT 1000")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The values that occur in a column, without the empty one.
pub(in crate::sqlite) fn distinct(conn: &Connection, column: Column) -> Result<Vec<String>, StoreError> {
    let name = match column {
        Column::Agent => "agent",
        Column::Project => "project",
        Column::Model => "model",
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT DISTINCT {name} FROM session WHERE {name} <> '' ORDER BY {name} LIMIT 1000"
    ))?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[derive(Clone, Copy)]
pub(in crate::sqlite) enum Column {
    Agent,
    Project,
    Model,
}

/// What the text filter looks through.
fn words(row: &SessionRow) -> String {
    let title = &row.title[..row.title.floor_char_boundary(SEARCHED_BYTES)];
    format!("{title}\n{}\n{}", row.project, row.branch.as_deref().unwrap_or_default()).to_lowercase()
}
