//! Ways in that a person gave: signed-in browsers and shared sessions.

use orrery_types::{Grant, GrantKind};
use rusqlite::{Connection, params};

use crate::{StoreError, StoredGrant};

/// Keeps a grant, or changes when it was used.
pub(in crate::sqlite) fn put(conn: &Connection, stored: &StoredGrant) -> Result<(), StoreError> {
    let StoredGrant { hash, grant } = stored;
    conn.prepare_cached(
        "INSERT INTO access_grant (id, hash, kind, label, session, unmasked, created_ms, expires_ms, used_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET used_ms = excluded.used_ms",
    )?
    .execute(params![
        grant.id,
        hash,
        grant.kind.word(),
        grant.label,
        grant.session,
        grant.unmasked,
        grant.created_ms,
        grant.expires_ms,
        grant.used_ms
    ])?;
    Ok(())
}

/// Takes grants back. Answers how many there were.
pub(in crate::sqlite) fn remove(conn: &Connection, ids: &[String]) -> Result<usize, StoreError> {
    let mut statement = conn.prepare_cached("DELETE FROM access_grant WHERE id = ?1")?;
    let mut removed = 0;
    for id in ids {
        removed += statement.execute([id])?;
    }
    Ok(removed)
}

/// Newest first. Rows of a kind this version does not know are left out.
pub(in crate::sqlite) fn all(conn: &Connection) -> Result<Vec<StoredGrant>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, hash, kind, label, session, unmasked, created_ms, expires_ms, used_ms
         FROM access_grant ORDER BY created_ms DESC, id",
    )?;
    let rows = statement.query_map([], |row| {
        let kind = match row.get::<_, String>(2)?.as_str() {
            "browser" => GrantKind::Browser,
            "share" => GrantKind::Share,
            _ => return Ok(None),
        };
        let grant = Grant {
            id: row.get(0)?,
            kind,
            label: row.get(3)?,
            session: row.get(4)?,
            unmasked: row.get(5)?,
            created_ms: row.get(6)?,
            expires_ms: row.get(7)?,
            used_ms: row.get(8)?,
            current: false,
        };
        Ok(Some(StoredGrant { hash: row.get(1)?, grant }))
    })?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
