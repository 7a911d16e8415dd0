//! Price tables, kept as long as the rows they priced.

use orrery_types::PriceVersion;
use orrery_views::pricing::{BUILT_IN, PriceTable, StoredPrices};
use rusqlite::{Connection, params};

use crate::StoreError;

/// Keeps the program's own table: a newer program may not have it any more.
pub(in crate::sqlite) fn keep_builtin(conn: &Connection) -> Result<(), StoreError> {
    let table = PriceTable::builtin();
    let version = PriceVersion { version: table.date().to_owned(), origin: BUILT_IN.to_owned(), added_ms: 0 };
    put(conn, &StoredPrices { version, text: table.to_text() })?;
    Ok(())
}

/// Adds a table. Rows written: 0 when its version is known.
pub(in crate::sqlite) fn put(conn: &Connection, prices: &StoredPrices) -> Result<u64, StoreError> {
    let version = &prices.version;
    let added = conn
        .prepare_cached("INSERT OR IGNORE INTO price_table (version, origin, added_ms, text) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![version.version, version.origin, version.added_ms, prices.text])?;
    Ok(added as u64)
}

pub(in crate::sqlite) fn all(conn: &Connection) -> Result<Vec<StoredPrices>, StoreError> {
    if !conn.table_exists(None, "price_table")? {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached("SELECT version, origin, added_ms, text FROM price_table")?;
    let rows = statement.query_map([], |row| {
        let version = PriceVersion { version: row.get(0)?, origin: row.get(1)?, added_ms: row.get(2)? };
        Ok(StoredPrices { version, text: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
