//! Where Orrery keeps events: the store trait and its SQLite backend.

mod sqlite;
mod store;

pub use sqlite::{Options, SqliteStore};
pub use store::{
    AlertWrite, Appended, Audience, Batch, BoxFuture, Cancel, DeliveryQuery, FileCursor, FilterOptions, Health, Item,
    Masked, Raw, Search, Store, StoreError, StoredGrant, ToolStats, TotalsQuery,
};
