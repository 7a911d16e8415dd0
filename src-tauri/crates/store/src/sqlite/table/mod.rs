//! One file per table: how a row is written and read.

pub(super) mod alerts;
pub(super) mod counters;
pub(super) mod cursors;
pub(super) mod events;
pub(super) mod grants;
pub(super) mod labels;
pub(super) mod masked;
pub(super) mod prices;
pub(super) mod problems;
pub(super) mod projects;
pub(super) mod raw;
pub(super) mod reports;
pub(super) mod sessions;
pub(super) mod usage;

/// Numbers as SQLite keeps them. What does not fit is as large as can be.
pub(super) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The way back: nothing negative was stored.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}
