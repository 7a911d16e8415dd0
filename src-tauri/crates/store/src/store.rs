//! The store in our own words; `sqlite` is its first backend.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use orrery_types::{
    Alert, CostRow, CostTotals, Event, EventQuery, Grant, GroupBy, Page, Problem, SessionDetail, SessionFacts,
    SessionQuery, SessionRow, Source, UsageGroup, UsageReport, UsageRow,
};
use orrery_views::pricing::StoredPrices;

use tokio::sync::mpsc;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who hears of an append.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audience {
    /// Every client gets the events and the rows they changed.
    #[default]
    All,
    /// History being read: clients get the changed rows; thousands of old events would only bury the new ones.
    Rows,
}

/// What one request or one read of a file brings: written in one transaction or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub items: Vec<Item>,
    /// Read positions that become true with this batch.
    pub cursors: Vec<FileCursor>,
    pub problems: Vec<Problem>,
    pub audience: Audience,
    /// Whether the followers of the commits get the payloads too.
    pub tell_raws: bool,
}

/// One raw payload or line with what was decoded from it.
#[derive(Debug, Clone, Default)]
pub struct Item {
    pub raw: Option<Raw>,
    pub events: Vec<Event>,
    pub usage: Vec<UsageRow>,
    pub facts: Vec<SessionFacts>,
    /// Secrets masked in this item, by rule. Counted once the item turns out to be new.
    pub masked: Vec<(String, u64)>,
}

/// A grant as it is kept: with the hash of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGrant {
    /// Lowercase hex of SHA-256.
    pub hash: String,
    pub grant: Grant,
}

/// Secrets masked so far by one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    pub rule: String,
    pub count: u64,
    /// When the newest of them arrived, ms.
    pub last_ms: i64,
}

/// A payload as it arrived.
#[derive(Debug, Clone)]
pub struct Raw {
    pub source: Source,
    /// File and line, or the endpoint.
    pub place: String,
    pub bytes: Vec<u8>,
}

/// How far a transcript file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileCursor {
    pub path: String,
    pub agent: String,
    pub inode: u64,
    /// Bytes read, always at the end of a whole line.
    pub offset: u64,
    pub lines: u64,
    pub size: u64,
    pub modified_ms: i64,
    /// Hash of the first bytes: tells a replaced file from one that grew.
    pub head_hash: String,
    /// The reader's own state as JSON, so that reading goes on in the middle of a file.
    pub state: String,
}

/// What an append did.
#[derive(Debug, Clone, Default)]
pub struct Appended {
    /// For each item, the numbers of its events in order: new ones, or those of the rows they repeat.
    pub seqs: Vec<Vec<i64>>,
    /// New events, and events that this batch completed, with their numbers.
    pub events: Vec<Event>,
    /// Rows after the batch, one per changed session.
    pub sessions: Vec<SessionRow>,
    /// Rows inserted or changed in all tables. 0 when everything was known already.
    pub rows_written: u64,
    pub new_events: u64,
    pub new_sessions: u64,
    pub audience: Audience,
    /// The payload of each item, when the batch asked for them; else empty.
    pub raws: Vec<Option<Raw>>,
}

#[derive(Debug, Clone, Default)]
pub struct FilterOptions {
    pub agents: Vec<String>,
    pub projects: Vec<String>,
    pub models: Vec<String>,
    pub session_ids: Vec<String>,
    pub names: Vec<String>,
}

/// Narrowing of cost tables.
#[derive(Debug, Clone, Default)]
pub struct TotalsQuery {
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    pub session: Option<String>,
    pub agent: Option<String>,
    pub project: Option<String>,
    /// As the agent wrote it; an empty text where no line named one.
    pub model: Option<String>,
    /// A subagent's id.
    pub subagent: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Health {
    pub size_bytes: u64,
    pub events: u64,
    pub sessions: u64,
    pub newest_seq: i64,
    pub active_sessions_24h: u64,
    pub events_last_minute: u64,
    /// Events not in the full-text index yet.
    pub unindexed: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing of the batch was kept; the sender should try again later.
    #[error("the store cannot write: {0}")]
    Unwritable(String),
    #[error("the database was made by a newer Orrery (schema {found}, this one knows {known})")]
    TooNew { found: u32, known: u32 },
    #[error("the data directory is in use by another Orrery")]
    Locked,
    /// Too much waits for the disk. Nothing of the batch was taken; the sender should try again in a moment.
    #[error("the store is busy: more waits for the disk than it takes")]
    Busy,
    #[error("the search text cannot be read: {0}")]
    BadQuery(String),
    #[error("the store failed: {0}")]
    Failed(String),
}

/// A place for events. Reads block: call them through `spawn_blocking`. Appends are answered after the commit.
pub trait Store: Send + Sync + 'static {
    fn append(&self, batch: Batch) -> BoxFuture<'_, Result<Arc<Appended>, StoreError>>;
    /// Everything appended from now on, in the order of its commits, whoever appended it and whether or not they still
    /// wait for the answer. One follower at a time: the next call takes over. Ends when the store is closed.
    fn committed(&self) -> mpsc::Receiver<Arc<Appended>>;

    fn newest_seq(&self) -> Result<i64, StoreError>;
    fn events(&self, query: &EventQuery) -> Result<Page<Event>, StoreError>;
    fn event(&self, seq: i64) -> Result<Option<Event>, StoreError>;
    /// Raw payloads of one event: as first reported, then as other sources reported it.
    fn raw(&self, seq: i64) -> Result<Vec<Raw>, StoreError>;
    fn filter_options(&self) -> Result<FilterOptions, StoreError>;

    fn sessions(&self, query: &SessionQuery) -> Result<Page<SessionRow>, StoreError>;
    fn session(&self, id: &str) -> Result<Option<SessionDetail>, StoreError>;
    /// Sessions with an event since `since_ms`, newest first.
    fn recent_sessions(&self, since_ms: i64, limit: u32) -> Result<Vec<SessionRow>, StoreError>;

    fn totals(&self, query: &TotalsQuery) -> Result<CostTotals, StoreError>;
    /// `utc_offset_minutes` of the person's zone, for days, weeks (from Monday) and months.
    fn costs(&self, group: GroupBy, query: &TotalsQuery, utc_offset_minutes: i32) -> Result<Vec<CostRow>, StoreError>;
    /// Ledger rows, newest first, at most `limit`.
    fn usage(&self, query: &TotalsQuery, limit: u32) -> Result<Vec<UsageRow>, StoreError>;
    /// The same a page at a time; `after` is the `next` of the page before.
    fn usage_page(&self, query: &TotalsQuery, after: Option<&str>, limit: u32) -> Result<Page<UsageRow>, StoreError>;
    /// One ledger row with all reports of its request.
    fn usage_of_key(&self, key: &str) -> Result<Option<(UsageRow, Vec<UsageReport>)>, StoreError>;
    /// The payload that was kept of one line (`FILE:LINE`) or call that an event of `session` at `at_ms` was read from.
    fn raw_at(&self, session: &str, at_ms: i64, place: &str) -> Result<Option<Raw>, StoreError>;
    /// Sums of requests that are priced alike: what a bill is made of. `borders` are the prompt sizes, ascending, at which
    /// prices change.
    fn usage_groups(&self, query: &TotalsQuery, borders: &[u64]) -> Result<Vec<UsageGroup>, StoreError>;
    /// All price tables that rows were or are priced with.
    fn price_tables(&self) -> Result<Vec<StoredPrices>, StoreError>;
    /// Keeps a price table. False when one of this version is there.
    fn add_prices(&self, prices: StoredPrices) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// `(calls, failed, median duration in ms)` of tool calls that ended since `since_ms`.
    fn tool_stats(&self, since_ms: i64) -> Result<(u32, u32, Option<i64>), StoreError>;

    fn cursors(&self) -> Result<Vec<FileCursor>, StoreError>;
    fn problems(&self, limit: u32) -> Result<Vec<Problem>, StoreError>;
    /// Newest hook event of each agent slug, ms.
    fn last_hooks(&self) -> Result<Vec<(String, i64)>, StoreError>;
    fn health(&self, now_ms: i64) -> Result<Health, StoreError>;
    /// What was masked before it was stored, by rule, most first.
    fn masked(&self) -> Result<Vec<Masked>, StoreError>;

    /// Logs an alert unless its key is known. True when it is new.
    fn log_alert(&self, alert: Alert) -> BoxFuture<'_, Result<bool, StoreError>>;
    /// Records what became of a logged alert.
    fn update_alert(&self, alert: Alert) -> BoxFuture<'_, Result<(), StoreError>>;
    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, StoreError>;

    /// Ways in that were given, newest first.
    fn grants(&self) -> Result<Vec<StoredGrant>, StoreError>;
    /// Keeps a grant, or when it was last used.
    fn put_grant(&self, grant: StoredGrant) -> BoxFuture<'_, Result<(), StoreError>>;
    /// Takes grants back. Answers how many there were.
    fn remove_grants(&self, ids: Vec<String>) -> BoxFuture<'_, Result<usize, StoreError>>;

    /// Takes away everything the demo made. Returns the removed sessions.
    fn remove_demo(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;
    fn has_demo(&self) -> Result<bool, StoreError>;
    /// Waits until everything appended so far is committed and indexed, then closes. Later appends fail.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
