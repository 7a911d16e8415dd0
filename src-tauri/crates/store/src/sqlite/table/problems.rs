//! Input that could not be read as meant. The newest ten thousand are kept.

use orrery_types::Problem;
use rusqlite::{Connection, params};

use super::{integer, unsigned};
use crate::StoreError;

const KEPT: i64 = 10_000;

/// Rows written: 0 for a problem of a file's line that is known.
pub(in crate::sqlite) fn insert(conn: &Connection, problem: &Problem) -> Result<u64, StoreError> {
    let line = problem.line.map(integer);
    if line.is_some() && is_known(conn, problem, line)? {
        return Ok(0);
    }
    conn.prepare_cached("INSERT INTO problem (code, message, place, line, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![problem.code, problem.message, problem.place, line, problem.at_ms])?;
    // Numbers have no gaps below the newest, so what is too old is found without counting.
    conn.prepare_cached("DELETE FROM problem WHERE number <= ?1")?.execute([conn.last_insert_rowid() - KEPT])?;
    Ok(1)
}

fn is_known(conn: &Connection, problem: &Problem, line: Option<i64>) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM problem WHERE place = ?1 AND line = ?2 AND code = ?3")?.exists(params![
        problem.place,
        line,
        problem.code
    ])?)
}

/// Newest first.
pub(in crate::sqlite) fn newest(conn: &Connection, limit: u32) -> Result<Vec<Problem>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT code, message, place, line, at_ms FROM problem ORDER BY number DESC LIMIT ?1")?;
    let rows = statement.query_map([limit], |row| {
        Ok(Problem {
            code: row.get(0)?,
            message: row.get(1)?,
            place: row.get(2)?,
            line: row.get::<_, Option<i64>>(3)?.map(unsigned),
            at_ms: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
