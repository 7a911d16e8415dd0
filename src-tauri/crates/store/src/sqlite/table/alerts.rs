//! Alerts, logged before they are delivered.

use orrery_types::Alert;
use rusqlite::{Connection, params};

use crate::StoreError;

/// True when the key was not known.
pub(in crate::sqlite) fn insert(conn: &Connection, alert: &Alert) -> Result<bool, StoreError> {
    let added = conn
        .prepare_cached(
            "INSERT INTO alert (key, at_ms, session, alert) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?
        .execute(params![alert.key, alert.at_ms, alert.session_id, serde_json::to_string(alert)?])?;
    Ok(added == 1)
}

/// Replaces a logged alert. An unknown key is an error: alerts are logged before anything becomes of them.
pub(in crate::sqlite) fn update(conn: &Connection, alert: &Alert) -> Result<(), StoreError> {
    let changed = conn
        .prepare_cached("UPDATE alert SET at_ms = ?2, session = ?3, alert = ?4 WHERE key = ?1")?
        .execute(params![alert.key, alert.at_ms, alert.session_id, serde_json::to_string(alert)?])?;
    if changed == 0 {
        return Err(StoreError::Failed(format!("no alert is logged under {}", alert.key)));
    }
    Ok(())
}

/// Newest first.
pub(in crate::sqlite) fn newest(conn: &Connection, limit: u32) -> Result<Vec<Alert>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT alert FROM alert ORDER BY number DESC LIMIT ?1")?;
    let mut rows = statement.query([limit])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        alerts.push(serde_json::from_str(row.get_ref(0)?.as_str()?)?);
    }
    Ok(alerts)
}

pub(in crate::sqlite) fn by_key(conn: &Connection, key: &str) -> Result<Option<Alert>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT alert FROM alert WHERE key = ?1")?;
    let mut rows = statement.query([key])?;
    match rows.next()? {
        Some(row) => Ok(Some(serde_json::from_str(row.get_ref(0)?.as_str()?)?)),
        None => Ok(None),
    }
}

pub(in crate::sqlite) fn delete_of_session(conn: &Connection, session_id: &str) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM alert WHERE session = ?1")?.execute([session_id])?;
    Ok(())
}
