//! Packs the oldest fresh events and puts their tokens into the index; writes packs again that lost or changed rows.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use orrery_types::Event;
use rusqlite::{Connection, OptionalExtension, params};

use super::tokens::Tokens;
use crate::StoreError;
use crate::sqlite::table::labels::{self, Labels};
use crate::sqlite::table::packs::{self, Entries, Frames, Packs};
use crate::sqlite::table::{counters, events, raw, track};
use crate::sqlite::writer::Turn;

/// A pack takes at most this many events, and ends with the one that fills its bytes.
pub(super) const PACK_EVENTS: usize = 32;
const PACK_BYTES: usize = 128 << 10;
/// The newest events stay unpacked: other sources still complete them.
pub(in crate::sqlite) const FRESH: i64 = 512;
/// Payloads of one pack, where the events say little of them.
const RAW_BYTES: usize = 1 << 20;

/// One step puts at least so many events on their tracks, and goes on for so long.
const TRACK_LEAST: usize = 32;
const TRACK_TIME: Duration = Duration::from_millis(10);

/// What a pack is made of, as it was read.
struct Group {
    /// Its key when it is there already.
    key: Option<i64>,
    range: RangeInclusive<i64>,
    events: Vec<(i64, Vec<u8>)>,
    /// The tool of each event, in the same order.
    tools: Vec<Option<String>>,
    raws: Vec<(i64, Vec<u8>)>,
    tokens: Tokens,
}

/// Puts waiting events on their tracks. False when none waits.
pub(super) fn track_next(conn: &Connection, turn: &Turn) -> Result<bool, StoreError> {
    if !track::waits(conn)? {
        return Ok(false);
    }
    write(conn, turn, |conn| {
        let began = Instant::now();
        track::fill(conn, |done| done < TRACK_LEAST || began.elapsed() < TRACK_TIME)
    })
}

/// Packs one group. False when nothing is old enough.
pub(super) fn pack_next(conn: &Connection, turn: &Turn, fresh: i64) -> Result<bool, StoreError> {
    let transaction = conn.unchecked_transaction()?;
    let newest = events::newest_number(conn, "event")?;
    let packed = counters::get(conn, counters::INDEXED)?;
    let raws_packed = counters::get(conn, counters::RAWS_PACKED)?;
    if newest - packed < fresh + PACK_EVENTS as i64 {
        return Ok(false);
    }
    let Some(mut group) = gather(conn, packed)? else {
        // Only deleted numbers lie there.
        drop(transaction);
        return write(conn, turn, |conn| {
            counters::set(conn, counters::INDEXED, newest - fresh)?;
            Ok(true)
        });
    };
    let last_raw = add_raws(conn, raws_packed, &mut group)?;
    drop(transaction);
    let frames = frames(&group)?;
    let tokens = group.tokens.text();
    let last = *group.range.end();
    write(conn, turn, |conn| {
        if put(conn, &group, &frames, &tokens)? {
            counters::set(conn, counters::INDEXED, last)?;
            counters::set(conn, counters::RAWS_PACKED, last_raw)?;
        }
        Ok(true)
    })
}

/// Writes one pack again whose rows were completed or deleted. False when there is none.
pub(super) fn repack_next(conn: &Connection, turn: &Turn) -> Result<bool, StoreError> {
    let transaction = conn.unchecked_transaction()?;
    let packed = counters::get(conn, counters::INDEXED)?;
    let changed: Option<i64> = conn
        .prepare_cached("SELECT seq FROM reindex ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?
        .filter(|seq| *seq <= packed);
    let key = match changed {
        Some(seq) => packs::around(conn, seq)?,
        None => conn
            .prepare_cached("SELECT key FROM pack WHERE stale = 1 LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?,
    };
    let Some(key) = key else {
        drop(transaction);
        let Some(seq) = changed else { return Ok(false) };
        return write(conn, turn, |conn| {
            forget(conn, seq..=seq)?;
            Ok(true)
        });
    };
    let group = gather_again(conn, key)?;
    drop(transaction);
    if group.events.is_empty() && group.raws.is_empty() {
        return write(conn, turn, |conn| {
            conn.prepare_cached("DELETE FROM pack WHERE key = ?1")?.execute([key])?;
            conn.prepare_cached("DELETE FROM find WHERE rowid = ?1")?.execute([key])?;
            forget(conn, group.range.clone())?;
            Ok(true)
        });
    }
    let frames = frames(&group)?;
    let tokens = group.tokens.text();
    write(conn, turn, |conn| put(conn, &group, &frames, &tokens).map(|_| true))
}

/// Runs `work` in one transaction, in the indexer's turn.
fn write(
    conn: &Connection,
    turn: &Turn,
    work: impl FnOnce(&Connection) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let guard = turn.take();
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let result = work(conn).and_then(|more| {
        conn.execute_batch("COMMIT")?;
        Ok(more)
    });
    if result.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    drop(guard);
    result
}

/// The next events behind `packed`, up to the bounds of a pack.
fn gather(conn: &Connection, packed: i64) -> Result<Option<Group>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM event e {} WHERE e.seq > ?1 ORDER BY e.seq LIMIT {PACK_EVENTS}",
        events::COLUMNS,
        events::JOINS,
    ))?;
    let mut rows = statement.query([packed])?;
    let packs = Packs::new(conn);
    let mut group = Group {
        key: None,
        range: packed + 1..=packed,
        events: Vec::new(),
        tools: Vec::new(),
        raws: Vec::new(),
        tokens: Tokens::default(),
    };
    let mut bytes = 0;
    while bytes < PACK_BYTES
        && let Some(row) = rows.next()?
    {
        let event = events::event_from_row(row, &packs)?;
        bytes += add_event(&mut group, &event)?;
        group.range = packed + 1..=event.seq;
    }
    Ok((!group.events.is_empty()).then_some(group))
}

/// Everything that still belongs to a pack: what it holds and what left it because it changed.
fn gather_again(conn: &Connection, key: i64) -> Result<Group, StoreError> {
    let (first, last): (i64, i64) = conn
        .prepare_cached("SELECT first, last FROM pack WHERE key = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut group = Group {
        key: Some(key),
        range: first..=last,
        events: Vec::new(),
        tools: Vec::new(),
        raws: Vec::new(),
        tokens: Tokens::default(),
    };
    let packs = Packs::new(conn);
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM event e {} WHERE e.seq BETWEEN ?1 AND ?2 ORDER BY e.seq",
        events::COLUMNS,
        events::JOINS,
    ))?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        let event = events::event_from_row(row, &packs)?;
        add_event(&mut group, &event)?;
    }
    for (number, bytes) in packs.raws(key)?.iter() {
        let is_there: bool = conn
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM raw WHERE key = ?1 AND pack = ?2)")?
            .query_row([number, key], |row| row.get(0))?;
        if is_there {
            group.raws.push((number, bytes.to_vec()));
        }
    }
    Ok(group)
}

fn add_event(group: &mut Group, event: &Event) -> Result<usize, StoreError> {
    let body = serde_json::to_vec(&event.body)?;
    let bytes = body.len();
    group.tokens.add(event);
    group.tools.push(event.body.tool().filter(|tool| !tool.is_empty()).map(str::to_owned));
    group.events.push((event.seq, body));
    Ok(bytes)
}

/// Payloads up to the last one of the group's events. Answers the number of the last.
fn add_raws(conn: &Connection, packed: i64, group: &mut Group) -> Result<i64, StoreError> {
    let last: Option<i64> = conn
        .prepare_cached("SELECT max(raw) FROM event WHERE seq BETWEEN ?1 AND ?2")?
        .query_row([group.range.start(), group.range.end()], |row| row.get(0))?;
    let Some(last) = last.filter(|last| *last > packed) else { return Ok(packed) };
    let mut statement =
        conn.prepare_cached("SELECT key, body FROM raw WHERE key > ?1 AND key <= ?2 AND pack IS NULL ORDER BY key")?;
    let mut rows = statement.query([packed, last])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        let body = raw::expand(row.get_ref(1)?.as_blob()?)?;
        bytes += body.len();
        group.raws.push((number, body));
        if bytes >= RAW_BYTES {
            return Ok(number);
        }
    }
    Ok(last)
}

fn frames(group: &Group) -> Result<Frames, StoreError> {
    let blobs =
        |entries: &[(i64, Vec<u8>)]| Entries::of(entries.iter().map(|(number, blob)| (*number, blob.as_slice())));
    Frames::of(&blobs(&group.events), &blobs(&group.raws))
}

/// Writes the pack and empties its rows. False when rows were deleted meanwhile, and nothing was done.
fn put(conn: &Connection, group: &Group, frames: &Frames, tokens: &str) -> Result<bool, StoreError> {
    let (first, last) = (*group.range.start(), *group.range.end());
    let changed: Vec<i64> = conn
        .prepare_cached("SELECT seq FROM reindex WHERE seq BETWEEN ?1 AND ?2")?
        .query_map([first, last], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    // Completed between the reading and now: the pack waits for the next step.
    for (seq, body) in group.events.iter().filter(|(seq, _)| changed.contains(seq)) {
        let is_same = events::by_seq(conn, *seq)?
            .is_some_and(|event| serde_json::to_vec(&event.body).is_ok_and(|now| now == *body));
        if !is_same {
            return Ok(false);
        }
    }
    let key = packs::put(conn, group.key, (first, last), frames)?;
    let mut is_whole = true;
    let mut labels = Labels::default();
    for ((seq, _), tool) in group.events.iter().zip(&group.tools) {
        let tool = tool.as_ref().map(|tool| labels.key(conn, labels::TOOL, tool)).transpose()?;
        let rows = conn
            .prepare_cached("UPDATE event SET body = x'', pack = ?2, tool = ?3 WHERE seq = ?1")?
            .execute(params![seq, key, tool])?;
        is_whole &= rows == 1;
    }
    for (number, _) in &group.raws {
        let rows =
            conn.prepare_cached("UPDATE raw SET body = x'', pack = ?2 WHERE key = ?1")?.execute([*number, key])?;
        is_whole &= rows == 1;
    }
    if !is_whole {
        packs::mark_stale(conn, key)?;
    }
    conn.prepare_cached("INSERT OR REPLACE INTO find (rowid, tokens) VALUES (?1, ?2)")?
        .execute(params![key, tokens])?;
    forget(conn, first..=last)?;
    Ok(true)
}

fn forget(conn: &Connection, range: RangeInclusive<i64>) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM reindex WHERE seq BETWEEN ?1 AND ?2")?.execute([range.start(), range.end()])?;
    Ok(())
}
