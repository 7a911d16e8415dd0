//! Packs: bodies of consecutive events in one zstd frame, and their payloads in a second one that refers to the first.
//!
//! A payload and the events read from it say the same, so the payloads' frame is made with the bodies as its prefix: what
//! was said is stored once.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use crate::StoreError;

/// Better than the level of fresh rows: a pack is made in the background, once.
const LEVEL: i32 = 6;
/// Unpacked packs kept while one read goes on.
const REMEMBERED: usize = 4;
/// Bytes of an entry's place in the head: number and end.
const PLACE: usize = 12;

/// Numbered blobs: count, then number and end of each, then the blobs.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Entries {
    plain: Vec<u8>,
}

impl Entries {
    pub(in crate::sqlite) fn of<'a>(entries: impl ExactSizeIterator<Item = (i64, &'a [u8])> + Clone) -> Self {
        let bytes: usize = entries.clone().map(|(_, blob)| blob.len()).sum();
        let mut plain = Vec::with_capacity(4 + entries.len() * PLACE + bytes);
        plain.extend((entries.len() as u32).to_le_bytes());
        let mut end = 0_u32;
        for (number, blob) in entries.clone() {
            end += blob.len() as u32;
            plain.extend(number.to_le_bytes());
            plain.extend(end.to_le_bytes());
        }
        entries.for_each(|(_, blob)| plain.extend(blob));
        Entries { plain }
    }

    /// All entries in order. Empty for a damaged head.
    pub(in crate::sqlite) fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, &[u8])> {
        let count = self.plain.get(..4).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")));
        (0..count as usize).filter_map(move |place| {
            let (number, end) = self.place(place)?;
            let start = if place == 0 { 0 } else { self.place(place - 1)?.1 };
            let blobs = 4 + count as usize * PLACE;
            Some((number, self.plain.get(blobs + start..blobs + end)?))
        })
    }

    pub(in crate::sqlite) fn get(&self, number: i64) -> Option<&[u8]> {
        self.iter().find(|(found, _)| *found == number).map(|(_, blob)| blob)
    }

    /// All of it, for a look over the texts that does not tell them apart.
    pub(in crate::sqlite) fn plain(&self) -> &[u8] {
        &self.plain
    }

    fn place(&self, place: usize) -> Option<(i64, usize)> {
        let bytes = self.plain.get(4 + place * PLACE..4 + (place + 1) * PLACE)?;
        let (number, end) = bytes.split_at(8);
        let end = u32::from_le_bytes(end.try_into().ok()?);
        Some((i64::from_le_bytes(number.try_into().ok()?), end as usize))
    }
}

/// Frames ready to be written.
pub(in crate::sqlite) struct Frames {
    pub events: Vec<u8>,
    pub raws: Vec<u8>,
}

impl Frames {
    pub(in crate::sqlite) fn of(events: &Entries, raws: &Entries) -> Result<Self, StoreError> {
        let raws = if raws.iter().next().is_none() {
            Vec::new()
        } else {
            let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), LEVEL, &events.plain)?;
            // The prefix has to stay in reach behind the payloads.
            encoder.long_distance_matching(false)?;
            encoder.window_log(window(events.plain.len() + raws.plain.len()))?;
            encoder.set_pledged_src_size(Some(raws.plain.len() as u64))?;
            encoder.include_contentsize(true)?;
            encoder.write_all(&raws.plain)?;
            encoder.finish()?
        };
        Ok(Frames { events: zstd::bulk::compress(&events.plain, LEVEL)?, raws })
    }
}

/// The smallest window that reaches over so many bytes, within what every decoder takes.
fn window(bytes: usize) -> u32 {
    (usize::BITS - bytes.leading_zeros()).clamp(17, 27)
}

pub(in crate::sqlite) fn unpack_events(frame: &[u8]) -> Result<Entries, StoreError> {
    Ok(Entries { plain: super::raw::decompress(frame)? })
}

fn unpack_raws(frame: &[u8], events: &Entries) -> Result<Entries, StoreError> {
    if frame.is_empty() {
        return Ok(Entries::default());
    }
    let mut plain = Vec::new();
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(frame, &events.plain)?;
    decoder.window_log_max(27)?;
    decoder.read_to_end(&mut plain)?;
    Ok(Entries { plain })
}

/// Packs for the time of one read: the last few stay unpacked.
pub(in crate::sqlite) struct Packs<'a> {
    conn: &'a Connection,
    recent: RefCell<Vec<(i64, Arc<Entries>)>>,
}

impl<'a> Packs<'a> {
    pub(in crate::sqlite) fn new(conn: &'a Connection) -> Self {
        Packs { conn, recent: RefCell::new(Vec::new()) }
    }

    pub(in crate::sqlite) fn events(&self, key: i64) -> Result<Arc<Entries>, StoreError> {
        let known =
            self.recent.borrow().iter().find(|(known, _)| *known == key).map(|(_, entries)| Arc::clone(entries));
        if let Some(entries) = known {
            return Ok(entries);
        }
        let mut statement = self.conn.prepare_cached("SELECT events FROM pack WHERE key = ?1")?;
        let mut rows = statement.query([key])?;
        let row = rows.next()?.ok_or_else(|| missing(key))?;
        let entries = Arc::new(unpack_events(row.get_ref(0)?.as_blob()?)?);
        let mut recent = self.recent.borrow_mut();
        if recent.len() == REMEMBERED {
            recent.remove(0);
        }
        recent.push((key, Arc::clone(&entries)));
        Ok(entries)
    }

    /// Body of an event in a pack.
    pub(in crate::sqlite) fn event(&self, key: i64, seq: i64) -> Result<Vec<u8>, StoreError> {
        self.events(key)?.get(seq).map(<[u8]>::to_vec).ok_or_else(|| missing(key))
    }

    /// All payloads of a pack.
    pub(in crate::sqlite) fn raws(&self, key: i64) -> Result<Entries, StoreError> {
        let events = self.events(key)?;
        let mut statement = self.conn.prepare_cached("SELECT raws FROM pack WHERE key = ?1")?;
        let mut rows = statement.query([key])?;
        let row = rows.next()?.ok_or_else(|| missing(key))?;
        unpack_raws(row.get_ref(0)?.as_blob()?, &events)
    }
}

fn missing(key: i64) -> StoreError {
    StoreError::Failed(format!("pack {key} does not hold what it should: orrery check tells more"))
}

/// Writes a pack and answers its key: `key`, or a new one.
pub(in crate::sqlite) fn put(
    conn: &Connection,
    key: Option<i64>,
    (first, last): (i64, i64),
    frames: &Frames,
) -> Result<i64, StoreError> {
    match key {
        Some(key) => {
            conn.prepare_cached("UPDATE pack SET events = ?2, raws = ?3, stale = 0 WHERE key = ?1")?
                .execute(params![key, frames.events, frames.raws])?;
            Ok(key)
        }
        None => {
            conn.prepare_cached("INSERT INTO pack (first, last, events, raws) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![first, last, frames.events, frames.raws])?;
            Ok(conn.last_insert_rowid())
        }
    }
}

/// The pack whose range an event's number lies in.
pub(in crate::sqlite) fn around(conn: &Connection, seq: i64) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT key FROM (SELECT key, last FROM pack WHERE first <= ?1 ORDER BY first DESC LIMIT 1) WHERE last >= ?1")?
        .query_row([seq], |row| row.get(0))
        .optional()?)
}

/// Rows of this pack were deleted.
pub(in crate::sqlite) fn mark_stale(conn: &Connection, key: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE pack SET stale = 1 WHERE key = ?1 AND stale = 0")?.execute([key])?;
    Ok(())
}
