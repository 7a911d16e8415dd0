//! Takes away what the demo made, a few hundred rows at a time, so that real events keep coming in between.

use rusqlite::{Connection, Transaction, params};

use super::table::{alerts, counters, events, packs, sessions};
use super::writer::Reply;
use crate::StoreError;

const ROWS_PER_STEP: u32 = 500;

/// A removal under way, with those who wait for it.
#[derive(Default)]
pub(super) struct Removal {
    removed: Vec<String>,
    waiting: Vec<Reply<Vec<String>>>,
}

impl Removal {
    pub(super) fn wait(&mut self, reply: Reply<Vec<String>>) {
        self.waiting.push(reply);
    }

    /// One transaction. True when nothing of the demo is left.
    pub(super) fn step(&mut self, conn: &mut Connection) -> Result<bool, StoreError> {
        let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut removed = Vec::new();
        let is_done = remove_events(&transaction)?
            && remove_flagged(&transaction, "raw", "key")?
            && remove_flagged(&transaction, "usage", "number")?
            && remove_sessions(&transaction, &mut removed)?;
        transaction.commit()?;
        self.removed.append(&mut removed);
        Ok(is_done)
    }

    pub(super) fn answer(self) {
        for reply in self.waiting {
            let _ = reply.send(Ok(self.removed.clone()));
        }
    }

    pub(super) fn fail(self, error: &StoreError) {
        for reply in self.waiting {
            let _ = reply.send(Err(StoreError::Unwritable(error.to_string())));
        }
    }
}

/// True when none is left.
fn remove_events(conn: &Transaction<'_>) -> Result<bool, StoreError> {
    let seqs: Vec<i64> = conn
        .prepare_cached("SELECT seq FROM event WHERE demo = 1 ORDER BY seq LIMIT ?1")?
        .query_map([ROWS_PER_STEP], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for seq in &seqs {
        if let Some(pack) = events::pack_of(conn, *seq)? {
            packs::mark_stale(conn, pack)?;
        }
        conn.prepare_cached("DELETE FROM reindex WHERE seq = ?1")?.execute([seq])?;
        conn.prepare_cached("DELETE FROM event_raw WHERE seq = ?1")?.execute([seq])?;
        conn.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
    }
    counters::add(conn, counters::EVENTS, -(seqs.len() as i64))?;
    Ok(seqs.len() < ROWS_PER_STEP as usize)
}

/// True when none is left.
fn remove_flagged(conn: &Transaction<'_>, table: &str, key: &str) -> Result<bool, StoreError> {
    if table == "raw" {
        conn.prepare_cached("UPDATE pack SET stale = 1 WHERE key IN (SELECT pack FROM raw WHERE demo = 1 LIMIT ?1)")?
            .execute([ROWS_PER_STEP])?;
    }
    let removed = conn
        .prepare_cached(&format!(
            "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE demo = 1 LIMIT ?1)"
        ))?
        .execute([ROWS_PER_STEP])?;
    Ok(removed < ROWS_PER_STEP as usize)
}

/// Removes the demo's sessions, but keeps one that real events found their way into.
fn remove_sessions(conn: &Transaction<'_>, removed: &mut Vec<String>) -> Result<bool, StoreError> {
    let keys: Vec<i64> = conn
        .prepare_cached(
            "SELECT key FROM session s WHERE demo = 1
                AND NOT EXISTS (SELECT 1 FROM event WHERE session = s.key)
                AND NOT EXISTS (SELECT 1 FROM usage WHERE session = s.key) ORDER BY key LIMIT ?1",
        )?
        .query_map([ROWS_PER_STEP], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for key in &keys {
        let Some(id) = sessions::id_of(conn, *key)? else { continue };
        conn.prepare_cached("DELETE FROM session WHERE key = ?1")?.execute(params![key])?;
        alerts::delete_of_session(conn, &id)?;
        removed.push(id);
    }
    counters::add(conn, counters::SESSIONS, -(keys.len() as i64))?;
    Ok(keys.len() < ROWS_PER_STEP as usize)
}
