//! Events as narrow rows: put there behind the commits, read as whole tracks.

use orrery_types::{Mark, Spent, Subagent, ToolClass, Track, TrackRow};
use orrery_views::track::row_of;
use rusqlite::{Connection, OptionalExtension, params};

use super::{counters, events, unsigned};
use crate::StoreError;

/// Puts some of the waiting events on their tracks, as long as `has_time` says so. False when none waits any more.
pub(in crate::sqlite) fn fill(conn: &Connection, has_time: impl Fn(usize) -> bool) -> Result<bool, StoreError> {
    let from = counters::get(conn, counters::TRACKED)?;
    let (mut newest, mut done) = (from, 0);
    while has_time(done) {
        let Some((seq, session)) = following(conn, newest)? else {
            // The newest events may have been removed.
            newest = events::newest_number(conn, "event")?.max(newest);
            break;
        };
        put(conn, seq, session)?;
        (newest, done) = (seq, done + 1);
    }
    if newest > from {
        counters::set(conn, counters::TRACKED, newest)?;
    }
    while has_time(done) {
        let Some(seq) = changed(conn)? else { return Ok(false) };
        let session = session_of(conn, seq)?;
        if let Some(session) = session.filter(|_| seq <= newest) {
            put(conn, seq, session)?;
        }
        conn.prepare_cached("DELETE FROM retrack WHERE seq = ?1")?.execute([seq])?;
        done += 1;
    }
    Ok(true)
}

/// Whether an event waits for its track.
pub(in crate::sqlite) fn waits(conn: &Connection) -> Result<bool, StoreError> {
    let is_behind = counters::get(conn, counters::TRACKED)? < events::newest_number(conn, "event")?;
    Ok(is_behind || changed(conn)?.is_some())
}

fn following(conn: &Connection, seq: i64) -> Result<Option<(i64, i64)>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT seq, session FROM event WHERE seq > ?1 ORDER BY seq LIMIT 1")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

fn changed(conn: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT seq FROM retrack ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

fn session_of(conn: &Connection, seq: i64) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT session FROM event WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()?)
}

fn put(conn: &Connection, seq: i64, session: i64) -> Result<(), StoreError> {
    let Some(event) = events::by_seq(conn, seq)? else { return Ok(()) };
    let row = row_of(&event);
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    conn.prepare_cached(
        "INSERT OR REPLACE INTO track (session, seq, at_ms, mark, class, call, flags, took_ms, added, removed, subagent,
                                       subagent_kind, tool, target)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        session,
        row.seq,
        row.at_ms,
        row.mark.code(),
        row.class.code(),
        row.call,
        row.flags,
        row.took_ms,
        row.added,
        row.removed,
        row.subagent.as_ref().map(|subagent| &subagent.id),
        row.subagent.as_ref().and_then(|subagent| text(&subagent.kind)),
        text(&row.tool),
        text(&row.target),
    ])?;
    conn.prepare_cached(
        "INSERT INTO track_edition (session, edition) VALUES (?1, 1)
         ON CONFLICT (session) DO UPDATE SET edition = edition + 1",
    )?
    .execute([session])?;
    Ok(())
}

/// Events that are not on their tracks as they are now.
pub(in crate::sqlite) fn missing(conn: &Connection) -> Result<u64, StoreError> {
    let behind = events::newest_number(conn, "event")? - counters::get(conn, counters::TRACKED)?;
    let queued: i64 = conn.prepare_cached("SELECT count(*) FROM retrack")?.query_row([], |row| row.get(0))?;
    Ok(unsigned(behind) + unsigned(queued))
}

/// A number that grows with each change of the session's track; 0 while it has none.
pub(in crate::sqlite) fn edition(conn: &Connection, session: &str) -> Result<i64, StoreError> {
    let found = conn
        .prepare_cached("SELECT t.edition FROM session s JOIN track_edition t ON t.session = s.key WHERE s.id = ?1")?
        .query_row([session], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The track of a session with its billed requests. `None` when there is no such session.
pub(in crate::sqlite) fn read(conn: &Connection, session: &str) -> Result<Option<Track>, StoreError> {
    let key: Option<i64> = conn
        .prepare_cached("SELECT key FROM session WHERE id = ?1")?
        .query_row([session], |row| row.get(0))
        .optional()?;
    let Some(key) = key else { return Ok(None) };
    let mut track = Track::new(session);
    let mut statement = conn.prepare_cached(
        "SELECT seq, at_ms, mark, class, call, flags, took_ms, added, removed, subagent, subagent_kind, tool, target
         FROM track WHERE session = ?1 ORDER BY seq",
    )?;
    let mut rows = statement.query([key])?;
    while let Some(row) = rows.next()? {
        let kind = row.get::<_, Option<String>>(10)?.unwrap_or_default();
        track.put(TrackRow {
            seq: row.get(0)?,
            at_ms: row.get(1)?,
            mark: Mark::from_code(row.get(2)?),
            class: ToolClass::from_code(row.get(3)?),
            call: row.get(4)?,
            flags: row.get(5)?,
            took_ms: row.get(6)?,
            added: row.get(7)?,
            removed: row.get(8)?,
            subagent: row.get::<_, Option<String>>(9)?.map(|id| Subagent { id, kind }),
            tool: row.get::<_, Option<String>>(11)?.unwrap_or_default(),
            target: row.get::<_, Option<String>>(12)?.unwrap_or_default(),
        });
    }
    let mut statement = conn.prepare_cached(
        "SELECT at_ms, subagent, cost_usd_micros, input + output + cache_read + cache_write + cache_write_1h,
                input + cache_read + cache_write + cache_write_1h
         FROM usage WHERE session = ?1 ORDER BY at_ms, number",
    )?;
    let mut rows = statement.query([key])?;
    while let Some(row) = rows.next()? {
        let subagent = row.get::<_, Option<String>>(1)?.map(|id| Subagent { id, kind: String::new() });
        let spent = Spent {
            at_ms: row.get(0)?,
            lane: subagent.map_or(0, |subagent| track.lane(subagent)),
            cost_usd_micros: row.get(2)?,
            tokens: unsigned(row.get(3)?),
            prompt: unsigned(row.get(4)?),
        };
        track.spent.push(spent);
    }
    track.behind = missing(conn)?;
    Ok(Some(track))
}
