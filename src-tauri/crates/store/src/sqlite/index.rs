//! The full-text index: filled behind the commits by a thread of its own, a few events at a time.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use orrery_types::{Body, Event};
use rusqlite::{Connection, OptionalExtension, params};

use super::table::{counters, events, track};
use super::writer::Turn;
use crate::StoreError;

/// A step ends after this long, or when the writer wants its turn and the step has done its least.
const STEP_TIME: Duration = Duration::from_millis(20);
const STEP_LEAST: usize = 16;
/// Commits come in bursts: the index waits this long for more before it starts.
const GATHER: Duration = Duration::from_millis(25);
/// While commits keep coming the index steps aside for this long between its steps: the scan behind the index finds
/// what it has not reached.
const STEP_ASIDE: Duration = Duration::from_millis(100);
/// The log may hold so many pages that are not in the database.
const CHECKPOINT_PAGES: i64 = 1_000;
/// Words beyond this many bytes of one event are found in its raw payload only.
const INDEXED_BYTES: usize = 64 << 10;

/// The indexer's thread.
pub(super) struct Indexer {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default, Clone, Copy)]
struct State {
    work: bool,
    stop: bool,
    /// Whether everything is indexed before the thread ends.
    drain: bool,
}

impl Indexer {
    pub(super) fn start(conn: Connection, turn: Arc<Turn>) -> Result<Self, StoreError> {
        let signal = Arc::new(Signal::default());
        let seen = Arc::clone(&signal);
        let thread = std::thread::Builder::new()
            .name("orrery-index".to_owned())
            .spawn(move || run(&conn, &turn, &seen))
            .map_err(|error| StoreError::Failed(format!("no thread for the index: {error}")))?;
        let indexer = Indexer { signal, thread: Some(thread) };
        indexer.wake();
        Ok(indexer)
    }

    /// Something was committed.
    pub(super) fn wake(&self) {
        self.signal.set(|state| state.work = true);
    }

    /// Ends the thread, after it indexed everything when `drain`.
    pub(super) fn stop(mut self, drain: bool) {
        self.end(drain);
    }

    fn end(&mut self, drain: bool) {
        self.signal.set(|state| {
            state.stop = true;
            state.drain = drain;
        });
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the index thread ended by a panic");
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.end(false);
    }
}

impl Signal {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn now(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something was committed since this was asked last.
    fn is_busy(&self) -> bool {
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).work)
    }

    /// Waits for work or the end.
    fn wait(&self) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state =
            self.changed.wait_while(state, |state| !state.work && !state.stop).unwrap_or_else(PoisonError::into_inner);
        state.work = false;
        *state
    }

    /// Waits `time`, or until the end.
    fn pause(&self, time: Duration) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Either outcome is fine: the caller looks at the state itself.
        let _ = self.changed.wait_timeout_while(state, time, |state| !state.stop);
    }
}

fn run(conn: &Connection, turn: &Turn, signal: &Signal) {
    loop {
        let state = signal.wait();
        if !state.stop {
            signal.pause(GATHER);
        }
        loop {
            let state = signal.now();
            if state.stop && !state.drain {
                return;
            }
            match step(conn, turn) {
                Ok(true) => {
                    if signal.is_busy() {
                        signal.pause(STEP_ASIDE);
                    }
                }
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "the search index could not be written; it goes on with the next commit");
                    break;
                }
            }
        }
        if let Err(error) = checkpoint(conn) {
            tracing::debug!(%error, "the checkpoint waits");
        }
        if signal.now().stop && !signal.now().work {
            return;
        }
    }
}

/// Moves the log into the database here, so that the writer seldom has to do it before an answer.
fn checkpoint(conn: &Connection) -> rusqlite::Result<()> {
    let waiting: i64 =
        conn.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))?;
    if waiting >= CHECKPOINT_PAGES {
        conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Indexes some events in one transaction. False when nothing was left to do.
fn step(conn: &Connection, turn: &Turn) -> Result<bool, StoreError> {
    let guard = turn.for_indexer();
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let result = fill(conn, turn).and_then(|more| {
        let began = Instant::now();
        let tracks =
            track::fill(conn, |done| done < STEP_LEAST || !(turn.is_wanted() || began.elapsed() >= STEP_TIME))?;
        conn.execute_batch("COMMIT")?;
        Ok(more || tracks)
    });
    if result.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    drop(guard);
    result
}

fn fill(conn: &Connection, turn: &Turn) -> Result<bool, StoreError> {
    let began = Instant::now();
    let has_time = |done: usize| done < STEP_LEAST || !(turn.is_wanted() || began.elapsed() >= STEP_TIME);
    let from = counters::get(conn, counters::INDEXED)?;
    let (mut newest, mut done) = (from, 0);
    while has_time(done)
        && let Some(seq) = following(conn, newest)?
    {
        put(conn, seq)?;
        (newest, done) = (seq, done + 1);
    }
    if newest > from {
        counters::set(conn, counters::INDEXED, newest)?;
    }
    while has_time(done)
        && let Some(seq) = changed(conn)?
    {
        if seq <= newest {
            put(conn, seq)?;
        }
        conn.prepare_cached("DELETE FROM reindex WHERE seq = ?1")?.execute([seq])?;
        done += 1;
    }
    Ok(!has_time(done))
}

fn following(conn: &Connection, seq: i64) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT seq FROM event WHERE seq > ?1 ORDER BY seq LIMIT 1")?
        .query_row([seq], |row| row.get(0))
        .optional()?)
}

fn changed(conn: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT seq FROM reindex ORDER BY seq LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

fn put(conn: &Connection, seq: i64) -> Result<(), StoreError> {
    if let Some(event) = events::by_seq(conn, seq)? {
        conn.prepare_cached("INSERT OR REPLACE INTO search (rowid, text) VALUES (?1, ?2)")?
            .execute(params![seq, text(&event)])?;
    }
    Ok(())
}

/// Another source completed this event: its words are indexed again.
pub(super) fn mark_changed(conn: &Connection, seq: i64) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO reindex (seq) VALUES (?1)")?.execute([seq])?;
    Ok(())
}

/// Events whose present text is not in the index.
pub(super) fn missing(conn: &Connection) -> Result<u64, StoreError> {
    let behind = events::newest_number(conn, "event")? - counters::get(conn, counters::INDEXED)?;
    let queued: i64 = conn.prepare_cached("SELECT count(*) FROM reindex")?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(behind).unwrap_or_default() + u64::try_from(queued).unwrap_or_default())
}

/// The words of an event that can be searched for.
pub(super) fn text(event: &Event) -> String {
    let mut text = String::new();
    for part in parts(&event.body).into_iter().filter(|part| !part.is_empty()) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    }
    text.truncate(text.floor_char_boundary(INDEXED_BYTES));
    // The tokenizer reads C strings here and there.
    text.replace('\0', " ")
}

fn parts(body: &Body) -> Vec<&str> {
    match body {
        Body::SessionStart { reason, .. } | Body::SessionEnd { reason } => vec![reason],
        Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => vec![text],
        Body::ToolStart { tool, target, .. } | Body::Permission { tool, target, .. } => vec![tool, target],
        Body::ToolEnd { tool, target, error, output, .. } => {
            vec![tool, target, error.as_deref().unwrap_or_default(), output]
        }
        Body::PermissionDenied { tool, target, reason, .. } => vec![tool, target, reason],
        Body::Question { question, .. } => {
            std::iter::once(question.text.as_str()).chain(question.choices.iter().map(String::as_str)).collect()
        }
        Body::Notification { message, .. } | Body::SubagentStop { message } | Body::Stop { message } => vec![message],
        Body::Failure { error, details } => vec![error, details],
        Body::Rewind { text, .. } => vec![text],
        Body::Other { summary } => vec![summary],
        Body::SubagentStart | Body::Interrupt | Body::Compact { .. } => Vec::new(),
    }
}
