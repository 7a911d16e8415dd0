//! The alerts' books: deliveries, snoozes, and when schedules ran last.

use orrery_types::{Delivery, DeliveryState, Snooze};
use rusqlite::{Connection, params};

use crate::{AlertWrite, DeliveryQuery, StoreError};

pub(in crate::sqlite) fn write(conn: &Connection, writes: &[AlertWrite]) -> Result<(), StoreError> {
    for write in writes {
        match write {
            AlertWrite::Delivery(delivery) => {
                let row = serde_json::to_string(delivery)?;
                let state = word(delivery.state);
                // An alert that was removed meanwhile takes its deliveries along.
                conn.prepare_cached(
                    "INSERT OR REPLACE INTO delivery (alert, sink, at_ms, state, delivery)
                     SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM alert WHERE key = ?1)",
                )?
                .execute(params![delivery.alert, delivery.sink, delivery.at_ms, state, row])?;
            }
            AlertWrite::Snooze(snooze) if snooze.until_ms == 0 => {
                conn.prepare_cached("DELETE FROM snooze WHERE target = ?1")?.execute([&snooze.target])?;
            }
            AlertWrite::Snooze(snooze) => {
                conn.prepare_cached("INSERT OR REPLACE INTO snooze (target, until_ms) VALUES (?1, ?2)")?
                    .execute(params![snooze.target, snooze.until_ms])?;
            }
            AlertWrite::Mark { name, at_ms } => {
                conn.prepare_cached("INSERT OR REPLACE INTO mark (name, at_ms) VALUES (?1, ?2)")?
                    .execute(params![name, at_ms])?;
            }
        }
    }
    Ok(())
}

/// Newest first.
pub(in crate::sqlite) fn list(conn: &Connection, query: &DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    if let Some(alert) = &query.alert {
        conditions.push("alert = ?");
        values.push(alert.clone());
    }
    if let Some(sink) = &query.sink {
        conditions.push("sink = ?");
        values.push(sink.clone());
    }
    if let Some(state) = query.state {
        conditions.push("state = ?");
        values.push(word(state).to_owned());
    }
    let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!("SELECT delivery FROM delivery {filter} ORDER BY at_ms DESC LIMIT {}", query.limit);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        deliveries.push(serde_json::from_str(row.get_ref(0)?.as_str()?)?);
    }
    Ok(deliveries)
}

pub(in crate::sqlite) fn snoozes(conn: &Connection, now_ms: i64) -> Result<Vec<Snooze>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT target, until_ms FROM snooze WHERE until_ms > ?1 ORDER BY until_ms, target")?;
    let rows = statement.query_map([now_ms], |row| Ok(Snooze { target: row.get(0)?, until_ms: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in crate::sqlite) fn marks(conn: &Connection) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT name, at_ms FROM mark ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Dead => "dead",
    }
}
