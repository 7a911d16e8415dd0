//! What the command line needs of a data directory without going through a running server.

use std::path::Path;
use std::sync::Arc;

pub use orrery_store::{Cancel, Health, Search, Store, StoreError, TotalsQuery};
pub use orrery_views::filter::{Clock, parse as parse_query};
pub use orrery_views::format;
pub use orrery_views::pricing::{ModelPrice, PriceTable, Prices, StoredPrices};

/// The store for reading, beside the process that may be writing it. `None` when there is none yet.
///
/// # Errors
/// The database is damaged, unreadable or newer than this program.
pub fn read_store(data_dir: &Path) -> Result<Option<Arc<dyn Store>>, StoreError> {
    if !data_dir.join("orrery.db").exists() {
        return Ok(None);
    }
    let open = || orrery_store::SqliteStore::open_read_only(data_dir);
    let store = match open() {
        // Opening it for writing brings it up to date, unless the older program still holds it.
        Err(StoreError::TooOld) => match orrery_store::SqliteStore::open(data_dir) {
            Ok(upgraded) => {
                drop(upgraded);
                open()?
            }
            Err(StoreError::Locked) => return Err(StoreError::TooOld),
            Err(error) => return Err(error),
        },
        opened => opened?,
    };
    Ok(Some(Arc::new(store)))
}

/// The store for writing; made when there is none.
///
/// # Errors
/// Another process writes it, or the directory takes no files.
pub fn write_store(data_dir: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(orrery_store::SqliteStore::open(data_dir)?))
}

/// The price tables of a data directory; the built-in one alone where nothing is stored.
///
/// # Errors
/// The database is damaged, unreadable or newer than this program.
pub fn prices(data_dir: &Path) -> Result<Prices, StoreError> {
    Ok(match read_store(data_dir)? {
        Some(store) => Prices::new(store.price_tables()?),
        None => Prices::default(),
    })
}
