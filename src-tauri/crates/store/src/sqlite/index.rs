//! Behind the commits: a thread of its own puts events on their tracks, packs those that are no longer fresh and
//! keeps the index of the packs.

mod fill;
mod need;
mod tokens;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::table::{counters, events};
use super::writer::Turn;
use crate::StoreError;

pub(super) use fill::FRESH;
pub(super) use need::expression;

/// Commits come in bursts: the index waits this long for more before it starts.
const GATHER: Duration = Duration::from_millis(25);
/// While commits keep coming the index steps aside for this long between its steps: the scan behind the index finds
/// what it has not reached.
const STEP_ASIDE: Duration = Duration::from_millis(25);
/// The log may hold so many pages that are not in the database.
const CHECKPOINT_PAGES: i64 = 1_000;

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
    pub(super) fn start(conn: Connection, turn: Arc<Turn>, fresh: i64) -> Result<Self, StoreError> {
        let signal = Arc::new(Signal::default());
        let seen = Arc::clone(&signal);
        let thread = std::thread::Builder::new()
            .name("orrery-index".to_owned())
            .spawn(move || run(&conn, &turn, &seen, fresh))
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

fn run(conn: &Connection, turn: &Turn, signal: &Signal, fresh: i64) {
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
            match step(conn, turn, fresh) {
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

/// Some events on their tracks, or one pack, in one transaction. False when nothing was left to do.
fn step(conn: &Connection, turn: &Turn, fresh: i64) -> Result<bool, StoreError> {
    Ok(fill::track_next(conn, turn)? || fill::pack_next(conn, turn, fresh)? || fill::repack_next(conn, turn)?)
}

/// Another source completed this event: its pack is written again.
pub(super) fn mark_changed(conn: &Connection, seq: i64) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO reindex (seq) VALUES (?1)")?.execute([seq])?;
    Ok(())
}

/// Events that are not fresh and not packed yet, or changed in their pack.
pub(super) fn missing(conn: &Connection, fresh: i64) -> Result<u64, StoreError> {
    let behind = events::newest_number(conn, "event")? - counters::get(conn, counters::INDEXED)?;
    let queued: i64 = conn
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM reindex WHERE seq <= (SELECT value FROM counter WHERE name = 'indexed') LIMIT 10000)")?
        .query_row([], |row| row.get(0))?;
    let late = (behind - fresh - fill::PACK_EVENTS as i64 + 1).max(0);
    Ok(u64::try_from(late).unwrap_or_default() + u64::try_from(queued).unwrap_or_default())
}
