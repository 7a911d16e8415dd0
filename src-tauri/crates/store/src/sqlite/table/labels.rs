//! Slugs and names that repeat in every event, each stored once and remembered by the writer.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;

pub(in crate::sqlite) const AGENT: &str = "agent";
pub(in crate::sqlite) const NAME: &str = "name";

/// Tools, named by the packer.
pub(in crate::sqlite) const TOOL: &str = "tool";

/// More names than this are somebody's mistake: they are looked up instead of remembered.
const REMEMBERED: usize = 4_096;

/// Keys the writer has seen.
#[derive(Default)]
pub(in crate::sqlite) struct Labels {
    known: HashMap<(&'static str, String), i64>,
}

impl Labels {
    /// Forgets everything, because rows it remembers may have been rolled back.
    pub(in crate::sqlite) fn forget(&mut self) {
        self.known.clear();
    }

    pub(in crate::sqlite) fn key(
        &mut self,
        conn: &Connection,
        kind: &'static str,
        text: &str,
    ) -> Result<i64, StoreError> {
        // The owned key is the price of one map; labels are short.
        let entry = (kind, text.to_owned());
        if let Some(key) = self.known.get(&entry) {
            return Ok(*key);
        }
        let stored = conn
            .prepare_cached("SELECT key FROM label WHERE kind = ?1 AND text = ?2")?
            .query_row(params![kind, text], |row| row.get(0))
            .optional()?;
        let key = match stored {
            Some(key) => key,
            None => {
                conn.prepare_cached("INSERT INTO label (kind, text) VALUES (?1, ?2)")?.execute(params![kind, text])?;
                conn.last_insert_rowid()
            }
        };
        if self.known.len() < REMEMBERED {
            self.known.insert(entry, key);
        }
        Ok(key)
    }
}

/// Names that some event carries, in alphabetical order.
pub(in crate::sqlite) fn event_names(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT text FROM label
         WHERE kind = 'name' AND EXISTS (SELECT 1 FROM event WHERE event.name = label.key) ORDER BY text LIMIT 1000",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
