//! Payloads as they arrived, compressed; and the compression that event bodies share.

use std::cell::RefCell;

use orrery_types::Source;
use rusqlite::{Connection, params};

use super::packs::Packs;
use crate::{Raw, StoreError};

const LEVEL: i32 = 3;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

thread_local! {
    // Their tables are worth keeping: making them costs more than a small payload.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// A payload ready to be written.
pub(in crate::sqlite) struct Packed {
    source: Source,
    place: String,
    body: Vec<u8>,
}

impl Packed {
    pub(in crate::sqlite) fn of(raw: Raw) -> Result<Self, StoreError> {
        Ok(Packed { source: raw.source, place: raw.place, body: compress(&raw.bytes)? })
    }
}

pub(in crate::sqlite) fn compress(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(zstd::bulk::Compressor::new(LEVEL)?),
        };
        Ok(compressor.compress(bytes)?)
    })
}

/// `bytes` unless they are a zstd frame.
pub(in crate::sqlite) fn expand(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return Ok(bytes.to_vec());
    }
    decompress(bytes)
}

pub(super) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    let size = zstd::zstd_safe::get_frame_content_size(bytes)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| StoreError::Failed("a stored payload is damaged".to_owned()))?;
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        Ok(decompressor.decompress(bytes, size)?)
    })
}

/// Writes a payload under `key`.
pub(in crate::sqlite) fn insert(conn: &Connection, key: i64, raw: &Packed, demo: bool) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO raw (key, source, place, demo, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![key, raw.source.bit(), raw.place, demo, raw.body])?;
    Ok(())
}

/// The payload that another source sent for an event.
pub(in crate::sqlite) fn link(conn: &Connection, seq: i64, raw: i64) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO event_raw (seq, raw) VALUES (?1, ?2)")?.execute([seq, raw])?;
    Ok(())
}

/// The key the next payload gets.
pub(in crate::sqlite) fn next_key(conn: &Connection) -> Result<i64, StoreError> {
    Ok(super::events::newest_number(conn, "raw")? + 1)
}

/// Payloads of one event, in the order they arrived.
pub(in crate::sqlite) fn of_event(conn: &Connection, seq: i64) -> Result<Vec<Raw>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT source, place, body, key, pack FROM raw WHERE key IN (
             SELECT raw FROM event WHERE seq = ?1 AND raw IS NOT NULL
             UNION SELECT raw FROM event_raw WHERE seq = ?1
         ) ORDER BY key",
    )?;
    let mut rows = statement.query([seq])?;
    let packs = Packs::new(conn);
    let mut payloads = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = match row.get::<_, Option<i64>>(4)? {
            None => decompress(row.get_ref(2)?.as_blob()?)?,
            Some(pack) => packs.raws(pack)?.get(row.get(3)?).map(<[u8]>::to_vec).unwrap_or_default(),
        };
        payloads.push(Raw { source: source_of(row.get(0)?), place: row.get(1)?, bytes });
    }
    Ok(payloads)
}

pub(in crate::sqlite) fn source_of(bit: u8) -> Source {
    [Source::Hook, Source::Transcript, Source::Sender, Source::Otel]
        .into_iter()
        .find(|source| source.bit() == bit)
        .unwrap_or(Source::Orrery)
}
