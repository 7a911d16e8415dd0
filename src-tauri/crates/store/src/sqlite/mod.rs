//! The store on SQLite: one writer thread, a few read-only connections, an index that follows.

mod append;
mod filter;
mod index;
mod migrate;
mod reader;
mod removal;
mod search;
mod table;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use orrery_types::{
    Alert, CostRow, CostTotals, Event, EventQuery, GroupBy, Page, Problem, SessionDetail, SessionQuery, SessionRow,
    UsageGroup, UsageReport, UsageRow,
};
use orrery_views::pricing::StoredPrices;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use self::append::Prepared;
use self::filter::{Order, Where};
use self::reader::Readers;
use self::table::{
    alerts, counters, cursors, events, grants, labels, masked, prices, problems, raw, reports, sessions, usage,
};
use self::writer::{Feed, Reply, Request, Turn, Writer};
use crate::{
    Appended, Batch, BoxFuture, FileCursor, FilterOptions, Health, Masked, Raw, Store, StoreError, StoredGrant,
    TotalsQuery,
};

/// The database's name in the data directory.
const FILE: &str = "orrery.db";
/// Held for as long as a store is open for writing.
const LOCK_FILE: &str = "orrery.lock";
const READERS: usize = 3;
/// Requests that may wait for the writer before senders wait themselves.
const QUEUE: usize = 512;
/// A request that cannot even be queued for so long is refused: the disk does not keep up.
const QUEUE_TIME: Duration = Duration::from_secs(5);
const PAGE_ROWS: u32 = 100;
const MOST_ROWS: u32 = 10_000;
/// Counting stops here: beyond it a page says no total.
const MOST_COUNTED: u64 = 100_000;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;

/// Limits that tests set to see a full disk or a row too large.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The database may have so many pages.
    pub max_pages: Option<u32>,
    /// A single value may have so many bytes.
    pub max_value_bytes: Option<i32>,
}

/// Events in `orrery.db` of one directory.
pub struct SqliteStore {
    path: PathBuf,
    readers: Readers,
    requests: Option<mpsc::Sender<Request>>,
    feed: Feed,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens or creates the database in `dir`, which must exist or be creatable.
    ///
    /// Errors: `Locked` while another process writes it, `TooNew` after a newer Orrery, `Unwritable` where the
    /// directory takes no files.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, &Options::default())
    }

    /// As [`SqliteStore::open`], with limits.
    pub fn open_with(dir: &Path, options: &Options) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
        let lock = lock(&dir.join(LOCK_FILE))?;
        let path = dir.join(FILE);
        private_file(&path).map_err(|error| unwritable(&path, &error))?;
        let conn = migrate::open_writer(&path, options)?;
        let turn = Arc::new(Turn::default());
        let indexer = index::Indexer::start(migrate::open_indexer(&path)?, Arc::clone(&turn))?;
        let readers = Readers::open(&path, READERS)?;
        let feed = Feed::default();
        let writer = Writer::new(conn, turn, indexer, feed.clone())?;
        let (requests, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("orrery-writer".to_owned())
            .spawn(move || {
                writer.run(waiting);
                drop(lock);
            })
            .map_err(|error| StoreError::Failed(format!("no thread for the writer: {error}")))?;
        Ok(SqliteStore { path, readers, requests: Some(requests), feed, writer: Mutex::new(Some(thread)) })
    }

    /// Opens an existing database beside the process that writes it. Appends fail.
    pub fn open_read_only(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let readers = Readers::open(&path, READERS)?;
        Ok(SqliteStore { path, readers, requests: None, feed: Feed::default(), writer: Mutex::new(None) })
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let closed = || StoreError::Failed("the store is closed for writing".to_owned());
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(closed)?;
        let place = match requests.try_reserve() {
            Ok(place) => place,
            Err(TrySendError::Closed(())) => return Err(closed()),
            Err(TrySendError::Full(())) => match tokio::time::timeout(QUEUE_TIME, requests.reserve()).await {
                Ok(place) => place.map_err(|_| closed())?,
                Err(_) => return Err(StoreError::Busy),
            },
        };
        place.send(request(reply));
        answer.await.map_err(|_| closed())?
    }

    fn join_writer(&self) {
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread ended by a panic");
        }
    }
}

impl Drop for SqliteStore {
    /// Commits what was sent, so that the directory is free when this returns.
    fn drop(&mut self) {
        self.requests = None;
        self.join_writer();
    }
}

impl Store for SqliteStore {
    fn append(&self, batch: Batch) -> BoxFuture<'_, Result<Arc<Appended>, StoreError>> {
        Box::pin(async move {
            let prepared = Box::new(Prepared::of(batch)?);
            self.ask(|reply| Request::Append(prepared, reply)).await
        })
    }

    fn committed(&self) -> mpsc::Receiver<Arc<Appended>> {
        self.feed.follow()
    }

    fn newest_seq(&self) -> Result<i64, StoreError> {
        self.readers.read(|conn| events::newest_number(conn, "event"))
    }

    fn events(&self, query: &EventQuery) -> Result<Page<Event>, StoreError> {
        self.readers.read(|conn| search::page(conn, query))
    }

    fn event(&self, seq: i64) -> Result<Option<Event>, StoreError> {
        self.readers.read(|conn| events::by_seq(conn, seq))
    }

    fn raw(&self, seq: i64) -> Result<Vec<Raw>, StoreError> {
        self.readers.read(|conn| raw::of_event(conn, seq))
    }

    fn filter_options(&self) -> Result<FilterOptions, StoreError> {
        self.readers.read(|conn| {
            Ok(FilterOptions {
                agents: sessions::distinct(conn, sessions::Column::Agent)?,
                projects: sessions::distinct(conn, sessions::Column::Project)?,
                models: sessions::distinct(conn, sessions::Column::Model)?,
                session_ids: sessions::newest_ids(conn)?,
                names: labels::event_names(conn)?,
            })
        })
    }

    fn sessions(&self, query: &SessionQuery) -> Result<Page<SessionRow>, StoreError> {
        self.readers.read(|conn| session_page(conn, query))
    }

    fn session(&self, id: &str) -> Result<Option<SessionDetail>, StoreError> {
        self.readers.read(|conn| {
            let Some((_, row)) = sessions::load(conn, id)? else { return Ok(None) };
            let parent = match &row.parent {
                Some(parent) => sessions::load(conn, parent)?.map(|(_, row)| row),
                None => None,
            };
            let of_session = TotalsQuery { session: Some(id.to_owned()), ..TotalsQuery::default() };
            Ok(Some(SessionDetail {
                children: sessions::children(conn, id)?,
                parent,
                models: usage::costs(conn, GroupBy::Model, &of_session, 0)?,
                newest_seq: events::newest_number(conn, "event")?,
                row,
            }))
        })
    }

    fn recent_sessions(&self, since_ms: i64, limit: u32) -> Result<Vec<SessionRow>, StoreError> {
        self.readers.read(|conn| sessions::recent(conn, since_ms, limit))
    }

    fn totals(&self, query: &TotalsQuery) -> Result<CostTotals, StoreError> {
        self.readers.read(|conn| usage::totals(conn, query))
    }

    fn costs(&self, group: GroupBy, query: &TotalsQuery, utc_offset_minutes: i32) -> Result<Vec<CostRow>, StoreError> {
        self.readers.read(|conn| usage::costs(conn, group, query, utc_offset_minutes))
    }

    fn usage(&self, query: &TotalsQuery, limit: u32) -> Result<Vec<UsageRow>, StoreError> {
        self.readers.read(|conn| usage::newest(conn, query, limit))
    }

    fn usage_page(&self, query: &TotalsQuery, after: Option<&str>, limit: u32) -> Result<Page<UsageRow>, StoreError> {
        self.readers.read(|conn| usage::page(conn, query, after, limit.clamp(1, MOST_ROWS)))
    }

    fn usage_of_key(&self, key: &str) -> Result<Option<(UsageRow, Vec<UsageReport>)>, StoreError> {
        self.readers.read(|conn| {
            let Some(row) = usage::by_key(conn, key)? else { return Ok(None) };
            let reports = reports::of_usage(conn, &row)?;
            Ok(Some((row, reports)))
        })
    }

    fn raw_at(&self, session: &str, at_ms: i64, place: &str) -> Result<Option<Raw>, StoreError> {
        self.readers.read(|conn| reports::raw_at(conn, session, at_ms, place))
    }

    fn usage_groups(&self, query: &TotalsQuery, borders: &[u64]) -> Result<Vec<UsageGroup>, StoreError> {
        self.readers.read(|conn| usage::groups(conn, query, borders))
    }

    fn price_tables(&self) -> Result<Vec<StoredPrices>, StoreError> {
        self.readers.read(|conn| prices::all(conn))
    }

    fn add_prices(&self, prices: StoredPrices) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.ask(|reply| Request::AddPrices(Box::new(prices), reply)))
    }

    fn tool_stats(&self, since_ms: i64) -> Result<(u32, u32, Option<i64>), StoreError> {
        self.readers.read(|conn| events::tool_stats(conn, since_ms))
    }

    fn cursors(&self) -> Result<Vec<FileCursor>, StoreError> {
        self.readers.read(|conn| cursors::all(conn))
    }

    fn problems(&self, limit: u32) -> Result<Vec<Problem>, StoreError> {
        self.readers.read(|conn| problems::newest(conn, limit))
    }

    fn last_hooks(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.readers.read(|conn| counters::last_hooks(conn))
    }

    fn masked(&self) -> Result<Vec<Masked>, StoreError> {
        self.readers.read(|conn| masked::all(conn))
    }

    fn health(&self, now_ms: i64) -> Result<Health, StoreError> {
        let size_bytes = ["", "-wal"].map(|ending| size_of(&self.path, ending)).iter().sum();
        self.readers.read(|conn| {
            Ok(Health {
                size_bytes,
                events: table::unsigned(counters::get(conn, counters::EVENTS)?),
                sessions: table::unsigned(counters::get(conn, counters::SESSIONS)?),
                newest_seq: events::newest_number(conn, "event")?,
                active_sessions_24h: sessions::active_since(conn, now_ms.saturating_sub(DAY_MS))?,
                events_last_minute: events::received_since(conn, now_ms.saturating_sub(MINUTE_MS))?,
                unindexed: index::missing(conn)?,
            })
        })
    }

    fn log_alert(&self, alert: Alert) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.ask(|reply| Request::LogAlert(Box::new(alert), reply)))
    }

    fn update_alert(&self, alert: Alert) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.ask(|reply| Request::UpdateAlert(Box::new(alert), reply)))
    }

    fn alerts(&self, limit: u32) -> Result<Vec<Alert>, StoreError> {
        self.readers.read(|conn| alerts::newest(conn, limit))
    }

    fn grants(&self) -> Result<Vec<StoredGrant>, StoreError> {
        self.readers.read(|conn| grants::all(conn))
    }

    fn put_grant(&self, grant: StoredGrant) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.ask(|reply| Request::PutGrant(Box::new(grant), reply)))
    }

    fn remove_grants(&self, ids: Vec<String>) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(self.ask(|reply| Request::RemoveGrants(ids, reply)))
    }

    fn remove_demo(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(self.ask(Request::RemoveDemo))
    }

    fn has_demo(&self) -> Result<bool, StoreError> {
        self.readers.read(|conn| {
            Ok(conn
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM session WHERE demo = 1) OR EXISTS (SELECT 1 FROM event WHERE demo = 1)",
                )?
                .query_row([], |row| row.get(0))?)
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            // Reads in progress end first, and the checkpoint finds no reader in its way.
            self.readers.close();
            self.ask(Request::Close).await?;
            self.join_writer();
            Ok(())
        })
    }
}

fn session_page(conn: &Connection, query: &SessionQuery) -> Result<Page<SessionRow>, StoreError> {
    let limit = query.limit.unwrap_or(PAGE_ROWS).clamp(1, MOST_ROWS);
    let filter = Where::of_sessions(query);
    let total = if filter.is_empty() {
        Some(table::unsigned(counters::get(conn, counters::SESSIONS)?))
    } else {
        count_sessions(conn, &filter)?
    };
    let order = Order::of(query);
    let (start, bounds) = match &query.after {
        Some(after) => {
            let (condition, values) = order.start(after, &filter)?;
            (condition, values.to_vec())
        }
        None => (String::new(), Vec::new()),
    };
    let Order { column, direction } = order;
    // The page's keys are found in the narrow table alone; the wide rows are read for them only.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT p.value, p.key, r.row FROM (
             SELECT {column} AS value, s.key AS key FROM session s {} {start}
             ORDER BY {column} {direction}, s.key {direction} LIMIT {}
         ) p JOIN session_row r ON r.session = p.key ORDER BY p.value {direction}, p.key {direction}",
        filter.sql(),
        limit + 1,
    ))?;
    let mut rows = statement.query(params_from_iter(filter.into_values().into_iter().chain(bounds)))?;
    let (mut items, mut last, mut next) = (Vec::new(), String::new(), None);
    while let Some(row) = rows.next()? {
        if items.len() == limit as usize {
            next = Some(last);
            break;
        }
        last = format!("{}:{}", row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
        items.push(sessions::row_from_blob(row, 2)?);
    }
    Ok(Page { items, next, total })
}

/// `None` when counting would take long.
fn count_sessions(conn: &Connection, filter: &Where) -> Result<Option<u64>, StoreError> {
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM session s {} LIMIT {MOST_COUNTED})", filter.sql());
    let count = table::unsigned(conn.prepare_cached(&sql)?.query_row(filter.params(), |row| row.get(0))?);
    Ok((count < MOST_COUNTED).then_some(count))
}

fn size_of(path: &Path, ending: &str) -> u64 {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    std::fs::metadata(name).map_or(0, |file| file.len())
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = private_file(path).map_err(|error| unwritable(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked),
        Err(TryLockError::Error(error)) => Err(unwritable(path, &error)),
    }
}

/// Creates a file that only its owner reads, or opens it.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn unwritable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unwritable(format!("{}: {error}", path.display()))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory,
            ) => StoreError::Unwritable(error.to_string()),
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

impl From<rusqlite::types::FromSqlError> for StoreError {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        StoreError::Failed(format!("a stored value is of another kind: {error}"))
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        StoreError::Failed(format!("a row cannot be encoded or read: {error}"))
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        StoreError::Failed(error.to_string())
    }
}
