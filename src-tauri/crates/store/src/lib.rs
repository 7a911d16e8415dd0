//! Where Orrery keeps events: the store trait and its SQLite backend.

mod sqlite;
mod store;

pub use sqlite::{Options, SqliteStore};
pub use store::{
    Appended, Audience, Batch, BoxFuture, FileCursor, FilterOptions, Health, Item, Masked, Raw, Store, StoreError,
    StoredGrant, TotalsQuery,
};
