//! Events: one row each, the body as JSON that is compressed when long.

use orrery_types::{Body, Event, Sources, Subagent};
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::packs::Packs;
use super::raw;
use crate::{StoreError, ToolStats};

/// Bodies up to this many bytes stay plain: compression would not pay.
const PLAIN_BYTES: usize = 512;
/// The last millisecond of the year 9999. Beyond it lie broken clocks.
const LAST_MS: i64 = 253_402_300_799_999;

/// Columns that [`event_from_row`] reads, of `event e`, `session s` and the labels `a` and `n`.
pub(in crate::sqlite) const COLUMNS: &str = "e.seq, e.id, s.id, a.text, n.text, e.at_ms, e.received_ms, e.turn, \
     e.subagent, e.subagent_kind, e.sources, e.demo, e.body, e.pack";
/// The tables of [`COLUMNS`] beside `event e`, looked up for each event and never the other way round.
pub(in crate::sqlite) const JOINS: &str = "CROSS JOIN session s ON s.key = e.session \
     CROSS JOIN label a ON a.key = e.agent CROSS JOIN label n ON n.key = e.name";

/// An event ready to be written: its id as bytes, its body as it goes to disk.
pub(in crate::sqlite) struct Ready {
    pub event: Event,
    id: [u8; 16],
    body: Vec<u8>,
}

impl Ready {
    /// Puts the id into its one form and times into the years people live in.
    pub(in crate::sqlite) fn of(mut event: Event) -> Result<Self, StoreError> {
        let id = id_bytes(&event.id);
        event.id = id_text(&id);
        event.at_ms = time_ms(event.at_ms);
        event.received_ms = time_ms(event.received_ms);
        let body = pack(&event.body)?;
        Ok(Ready { event, id, body })
    }
}

pub(in crate::sqlite) fn time_ms(ms: i64) -> i64 {
    ms.clamp(0, LAST_MS)
}

/// Keys of the rows an event points to.
pub(in crate::sqlite) struct Keys {
    pub session: i64,
    pub agent: i64,
    pub name: i64,
    pub raw: Option<i64>,
}

/// The new event's number. Its id must not be known: a refused insert would use up a number.
pub(in crate::sqlite) fn insert(conn: &Connection, ready: &Ready, keys: &Keys) -> Result<i64, StoreError> {
    let event = &ready.event;
    let (ok, duration_ms) = tool_end(&event.body);
    conn.prepare_cached(
        "INSERT INTO event (id, session, agent, name, kind, at_ms, received_ms, turn, subagent, subagent_kind,
                                sources, demo, ok, duration_ms, raw, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?
    .execute(params![
        ready.id,
        keys.session,
        keys.agent,
        keys.name,
        event.body.kind(),
        event.at_ms,
        event.received_ms,
        event.turn_id,
        event.subagent.as_ref().map(|subagent| &subagent.id),
        event.subagent.as_ref().map(|subagent| &subagent.kind),
        event.sources.0,
        event.demo,
        ok,
        duration_ms,
        keys.raw,
        ready.body,
    ])?;
    Ok(conn.last_insert_rowid())
}

/// Rewrites what another source may complete. Session, number, id and first payload stay.
pub(in crate::sqlite) fn update(conn: &Connection, event: &Event, agent: i64, name: i64) -> Result<(), StoreError> {
    let (ok, duration_ms) = tool_end(&event.body);
    conn.prepare_cached(
        "UPDATE event SET agent = ?2, name = ?3, kind = ?4, at_ms = ?5, received_ms = ?6, turn = ?7, subagent = ?8,
                          subagent_kind = ?9, sources = ?10, demo = ?11, ok = ?12, duration_ms = ?13, body = ?14, pack = NULL
         WHERE seq = ?1",
    )?
    .execute(params![
        event.seq,
        agent,
        name,
        event.body.kind(),
        event.at_ms,
        event.received_ms,
        event.turn_id,
        event.subagent.as_ref().map(|subagent| &subagent.id),
        event.subagent.as_ref().map(|subagent| &subagent.kind),
        event.sources.0,
        event.demo,
        ok,
        duration_ms,
        pack(&event.body)?,
    ])?;
    Ok(())
}

pub(in crate::sqlite) fn by_seq(conn: &Connection, seq: i64) -> Result<Option<Event>, StoreError> {
    by_seq_in(conn, seq, &Packs::new(conn))
}

/// As [`by_seq`], for many events in a row.
pub(in crate::sqlite) fn by_seq_in(
    conn: &Connection,
    seq: i64,
    packs: &Packs<'_>,
) -> Result<Option<Event>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM event e {JOINS} WHERE e.seq = ?1"))?;
    let mut rows = statement.query([seq])?;
    rows.next()?.map(|row| event_from_row(row, packs)).transpose()
}

/// The pack that holds an event's body.
pub(in crate::sqlite) fn pack_of(conn: &Connection, seq: i64) -> Result<Option<i64>, StoreError> {
    let pack =
        conn.prepare_cached("SELECT pack FROM event WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).optional()?;
    Ok(pack.flatten())
}

pub(in crate::sqlite) fn same_id(conn: &Connection, ready: &Ready) -> Result<Option<Event>, StoreError> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} FROM event e {JOINS} WHERE e.id = ?1"))?;
    let mut rows = statement.query([ready.id])?;
    rows.next()?.map(|row| event_from_row(row, &Packs::new(conn))).transpose()
}

pub(in crate::sqlite) fn event_from_row(row: &Row<'_>, packs: &Packs<'_>) -> Result<Event, StoreError> {
    let body = match row.get::<_, Option<i64>>(13)? {
        None => body_from_blob(row.get_ref(12)?.as_blob()?)?,
        Some(pack) => serde_json::from_slice(&packs.event(pack, row.get(0)?)?)?,
    };
    event_with_body(row, body)
}

/// The event of a row whose body was found elsewhere.
pub(in crate::sqlite) fn event_with_body(row: &Row<'_>, body: Body) -> Result<Event, StoreError> {
    let subagent = row
        .get::<_, Option<String>>(8)?
        .map(|id| Ok::<_, rusqlite::Error>(Subagent { id, kind: row.get::<_, Option<String>>(9)?.unwrap_or_default() }))
        .transpose()?;
    Ok(Event {
        seq: row.get(0)?,
        id: id_text(row.get_ref(1)?.as_blob()?),
        session_id: row.get(2)?,
        agent: row.get(3)?,
        name: row.get(4)?,
        at_ms: row.get(5)?,
        received_ms: row.get(6)?,
        subagent,
        turn_id: row.get(7)?,
        sources: Sources(row.get(10)?),
        body,
        demo: row.get(11)?,
    })
}

/// The newest number ever given, also when its row is gone: numbers never repeat.
pub(in crate::sqlite) fn newest_number(conn: &Connection, table: &str) -> Result<i64, StoreError> {
    let newest = conn
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")?
        .query_row([table], |row| row.get(0))
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// See [`crate::Store::tool_stats`].
pub(in crate::sqlite) fn tool_stats(conn: &Connection, since_ms: i64) -> Result<ToolStats, StoreError> {
    let (calls, failed, timed): (u32, u32, u32) = conn
        .prepare_cached(
            "SELECT count(*), count(*) FILTER (WHERE ok = 0), count(duration_ms)
             FROM event WHERE kind = 'tool_end' AND at_ms >= ?1",
        )?
        .query_row([since_ms], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let at_rank = |rank: u32| -> Result<Option<i64>, StoreError> {
        Ok(conn
            .prepare_cached(
                "SELECT duration_ms FROM event WHERE kind = 'tool_end' AND at_ms >= ?1 AND duration_ms IS NOT NULL
                 ORDER BY duration_ms LIMIT 1 OFFSET ?2",
            )?
            .query_row(params![since_ms, rank], |row| row.get(0))
            .optional()?)
    };
    // Nearest rank: of 20 calls the 19th is the 95th percentile.
    let p95_rank = (u64::from(timed) * 95).div_ceil(100).saturating_sub(1) as u32;
    Ok(ToolStats { calls, failed, p50_ms: at_rank(timed.saturating_sub(1) / 2)?, p95_ms: at_rank(p95_rank)? })
}

pub(in crate::sqlite) fn received_since(conn: &Connection, since_ms: i64) -> Result<u64, StoreError> {
    Ok(conn
        .prepare_cached("SELECT count(*) FROM event WHERE received_ms > ?1")?
        .query_row([since_ms], |row| row.get::<_, i64>(0))
        .map(super::unsigned)?)
}

/// The 16 bytes of an id: its hex digits, or a hash of any other text.
fn id_bytes(id: &str) -> [u8; 16] {
    if id.len() == 32
        && let Ok(number) = u128::from_str_radix(id, 16)
        && !id.starts_with('+')
    {
        return number.to_be_bytes();
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(id.as_bytes())[..16]);
    bytes
}

fn id_text(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn pack(body: &Body) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(body)?;
    if json.len() <= PLAIN_BYTES { Ok(json) } else { raw::compress(&json) }
}

pub(in crate::sqlite) fn body_from_blob(blob: &[u8]) -> Result<Body, StoreError> {
    Ok(serde_json::from_slice(&raw::expand(blob)?)?)
}

fn tool_end(body: &Body) -> (Option<bool>, Option<i64>) {
    match body {
        Body::ToolEnd { ok, duration_ms, .. } => (Some(*ok), *duration_ms),
        _ => (None, None),
    }
}
