//! The one thread that writes: takes what waits into one transaction, commits, then answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use orrery_types::Alert;
use orrery_views::pricing::StoredPrices;
use rusqlite::Connection;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{self, Receiver};
use tokio::sync::oneshot;

use super::append::{Memory, Prepared};
use super::index::Indexer;
use super::removal::Removal;
use super::table::{alerts, grants};
use crate::{Appended, StoreError, StoredGrant};

/// A transaction takes at most this many requests, events or milliseconds before it commits.
const GROUP_REQUESTS: usize = 256;
const GROUP_EVENTS: usize = 4_000;
const GROUP_TIME: Duration = Duration::from_millis(20);
/// Commits that the follower may not have taken yet.
const BEHIND: usize = 1_024;

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked for.
pub(super) enum Request {
    Append(Box<Prepared>, Reply<Arc<Appended>>),
    LogAlert(Box<Alert>, Reply<bool>),
    UpdateAlert(Box<Alert>, Reply<()>),
    AddPrices(Box<StoredPrices>, Reply<bool>),
    PutGrant(Box<StoredGrant>, Reply<()>),
    RemoveGrants(Vec<String>, Reply<usize>),
    RemoveDemo(Reply<Vec<String>>),
    Close(Reply<()>),
}

/// Whose turn it is to write: the indexer steps back when the writer waits.
#[derive(Default)]
pub(super) struct Turn {
    held: Mutex<()>,
    wanted: AtomicBool,
}

impl Turn {
    pub(super) fn for_writer(&self) -> MutexGuard<'_, ()> {
        self.wanted.store(true, Ordering::Release);
        let guard = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.store(false, Ordering::Release);
        guard
    }

    pub(super) fn for_indexer(&self) -> MutexGuard<'_, ()> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the writer waits for its turn.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }
}

/// Where commits are told, in their order.
#[derive(Clone, Default)]
pub(super) struct Feed(Arc<Mutex<Option<mpsc::Sender<Arc<Appended>>>>>);

impl Feed {
    /// The follower from now on. It may be this many commits behind before the writer waits for it.
    pub(super) fn follow(&self) -> Receiver<Arc<Appended>> {
        let (send, receive) = mpsc::channel(BEHIND);
        *self.lock() = Some(send);
        receive
    }

    fn tell(&self, appended: &Arc<Appended>) {
        let follower = self.lock().clone();
        if let Some(follower) = follower
            && follower.blocking_send(Arc::clone(appended)).is_err()
        {
            self.end();
        }
    }

    fn end(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<mpsc::Sender<Arc<Appended>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends the answer of one request: `None` after the commit, or why the transaction was lost.
type Answer = Box<dyn FnOnce(Option<&str>)>;

pub(super) struct Writer {
    conn: Connection,
    memory: Memory,
    turn: Arc<Turn>,
    indexer: Indexer,
    feed: Feed,
    removal: Option<Removal>,
    closing: Vec<Reply<()>>,
}

impl Writer {
    pub(super) fn new(conn: Connection, turn: Arc<Turn>, indexer: Indexer, feed: Feed) -> Result<Self, StoreError> {
        let memory = Memory::load(&conn)?;
        Ok(Writer { conn, memory, turn, indexer, feed, removal: None, closing: Vec::new() })
    }

    /// Works until the store is closed or dropped.
    pub(super) fn run(mut self, mut requests: Receiver<Request>) {
        loop {
            let next = if self.removal.is_some() {
                requests.try_recv()
            } else {
                requests.blocking_recv().ok_or(TryRecvError::Disconnected)
            };
            match next {
                Ok(request) => self.group(request, &mut requests),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => break,
            }
            if !self.closing.is_empty() {
                // What was sent before still counts; `recv` ends when it is all taken.
                requests.close();
            }
            self.remove_some();
        }
        self.finish();
    }

    fn group(&mut self, first: Request, requests: &mut Receiver<Request>) {
        let turn = Arc::clone(&self.turn);
        let guard = turn.for_writer();
        let began = Instant::now();
        let mut answers = Vec::new();
        let mut lost = self.conn.execute_batch("BEGIN IMMEDIATE").err().map(|error| error.to_string());
        let mut next = Some(first);
        let mut events = 0;
        while let Some(request) = next.take() {
            if let Request::Append(batch, _) = &request {
                events += batch.events();
            }
            let lost_before = lost.is_some();
            answers.extend(self.take(request, lost_before));
            if !lost_before && self.conn.is_autocommit() {
                lost = Some("the transaction was rolled back".to_owned());
            }
            let is_full = answers.len() >= GROUP_REQUESTS || events >= GROUP_EVENTS || began.elapsed() >= GROUP_TIME;
            if !is_full && self.closing.is_empty() {
                next = requests.try_recv().ok();
            }
        }
        let lost = lost.or_else(|| self.commit().err().map(|error| error.to_string()));
        if let Some(reason) = &lost {
            self.roll_back(reason);
        }
        self.memory.trim();
        drop(guard);
        for answer in answers {
            answer(lost.as_deref());
        }
        self.indexer.wake();
    }

    /// Does one request inside the open transaction. Its answer waits for the commit.
    fn take(&mut self, request: Request, lost: bool) -> Option<Answer> {
        match request {
            Request::Append(batch, reply) => {
                let feed = self.feed.clone();
                let work = |conn: &Connection, memory: &mut Memory| memory.append(conn, *batch).map(Arc::new);
                // Told in the order of the answers, which is the order in the log.
                Some(self.step(lost, reply, work, move |appended| feed.tell(appended)))
            }
            Request::LogAlert(alert, reply) => {
                Some(self.step(lost, reply, |conn, _| alerts::insert(conn, &alert), |_| {}))
            }
            Request::UpdateAlert(alert, reply) => {
                Some(self.step(lost, reply, |conn, _| alerts::update(conn, &alert), |_| {}))
            }
            Request::AddPrices(prices, reply) => {
                Some(self.step(lost, reply, move |conn, memory| memory.add_prices(conn, &prices), |_| {}))
            }
            Request::PutGrant(grant, reply) => {
                Some(self.step(lost, reply, move |conn, _| grants::put(conn, &grant), |_| {}))
            }
            Request::RemoveGrants(ids, reply) => {
                Some(self.step(lost, reply, move |conn, _| grants::remove(conn, &ids), |_| {}))
            }
            Request::RemoveDemo(reply) => {
                self.removal.get_or_insert_default().wait(reply);
                None
            }
            Request::Close(reply) => {
                self.closing.push(reply);
                None
            }
        }
    }

    /// Runs `work` under a savepoint: when it fails, or panics over hostile input, only its own rows go. `tell` hears
    /// of its success after the commit.
    fn step<T: 'static>(
        &mut self,
        lost: bool,
        reply: Reply<T>,
        work: impl FnOnce(&Connection, &mut Memory) -> Result<T, StoreError>,
        tell: impl FnOnce(&T) + 'static,
    ) -> Answer {
        let result = if lost { Err(StoreError::Unwritable(String::new())) } else { self.under_savepoint(work) };
        Box::new(move |lost| {
            let result = match (result, lost) {
                (_, Some(reason)) => Err(StoreError::Unwritable(reason.to_owned())),
                (result, None) => result,
            };
            if let Ok(done) = &result {
                tell(done);
            }
            // Whoever asked may be gone; the rows are written all the same.
            let _ = reply.send(result);
        })
    }

    fn under_savepoint<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Memory) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.conn.prepare_cached("SAVEPOINT request")?.execute([])?;
        self.memory.begin();
        let (conn, memory) = (&self.conn, &mut self.memory);
        let result = catch_unwind(AssertUnwindSafe(|| work(conn, memory)))
            .unwrap_or_else(|_| Err(StoreError::Failed("a request could not be worked on".to_owned())));
        if result.is_err() {
            self.memory.undo_batch();
            // Fails only when the whole transaction is gone already, which the group notices.
            let _ = self.conn.execute_batch("ROLLBACK TO request");
        }
        let _ = self.conn.execute_batch("RELEASE request");
        result
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.memory.flush(&self.conn)?;
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn roll_back(&mut self, reason: &str) {
        tracing::error!(reason, "a transaction was not committed; its senders were told");
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the rollback failed too");
        }
        self.memory.forget();
    }

    /// One small transaction of a removal that is under way.
    fn remove_some(&mut self) {
        let Some(mut removal) = self.removal.take() else { return };
        let turn = self.turn.for_writer();
        let step = removal.step(&mut self.conn);
        drop(turn);
        self.memory.forget();
        match step {
            Ok(false) => self.removal = Some(removal),
            Ok(true) => removal.answer(),
            Err(error) => removal.fail(&error),
        }
    }

    fn finish(self) {
        let Writer { conn, memory, turn: _, indexer, feed, removal, closing } = self;
        feed.end();
        drop((memory, removal));
        // Only an orderly end waits for the index; otherwise the next start goes on where it stopped.
        indexer.stop(!closing.is_empty());
        if closing.is_empty() {
            return;
        }
        let ended = conn
            .execute_batch("PRAGMA optimize")
            .and_then(|()| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
            .map_err(|error| error.to_string());
        drop(conn);
        for reply in closing {
            let _ = reply.send(ended.clone().map_err(StoreError::Failed));
        }
    }
}
