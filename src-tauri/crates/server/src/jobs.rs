//! Long work: import, watcher, spool, demo; and the list of what runs, which clients see.

pub mod demo;
pub mod dirty;
pub mod files;
pub mod import;
pub mod spool;
pub mod tail;
pub mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use orrery_store::FileCursor;
use orrery_types::{Job, JobKind, JobState, LiveFrame};
use tokio::sync::Notify;

use crate::live::Hub;

/// Finished jobs that stay in the list.
const KEPT: usize = 20;

/// Jobs since the start, newest last.
#[derive(Default)]
pub struct Jobs {
    list: std::sync::Mutex<Vec<Entry>>,
    /// How far each transcript was read. Whoever reads transcripts holds it: import and watcher take turns.
    pub cursors: tokio::sync::Mutex<Option<HashMap<String, FileCursor>>>,
    /// Wakes the spool's drain.
    pub drain: Notify,
    /// Hook events that did not fit in the spool, as far as they were told since the start.
    pub lost: AtomicU64,
    changes: tokio::sync::watch::Sender<()>,
}

struct Entry {
    job: Job,
    cancel: Arc<AtomicBool>,
}

impl Jobs {
    /// Every known job as it stands.
    pub fn list(&self) -> Vec<Job> {
        self.lock().iter().map(|entry| entry.job.clone()).collect()
    }

    /// Registers a job unless one of its kind runs. The flag tells it to stop.
    pub fn start(&self, hub: &Hub, kind: JobKind, id: String, now_ms: i64) -> Option<(Job, Arc<AtomicBool>)> {
        let mut list = self.lock();
        if list.iter().any(|entry| entry.job.kind == kind && entry.job.state == JobState::Running) {
            return None;
        }
        let job = blank(kind, id, now_ms);
        let cancel = Arc::new(AtomicBool::new(false));
        list.push(Entry { job: job.clone(), cancel: cancel.clone() });
        let surplus = list.len().saturating_sub(KEPT);
        list.drain(..surplus);
        drop(list);
        hub.publish(&LiveFrame::Job { job: job.clone() });
        Some((job, cancel))
    }

    /// Takes over a job's new state and tells every client.
    pub fn update(&self, hub: &Hub, job: &Job) {
        if let Some(entry) = self.lock().iter_mut().find(|entry| entry.job.id == job.id) {
            entry.job = job.clone();
        }
        self.changes.send_replace(());
        hub.publish(&LiveFrame::Job { job: job.clone() });
    }

    /// Asks the running job of this kind to stop. The job, when there was one.
    pub fn cancel(&self, kind: JobKind) -> Option<Job> {
        let list = self.lock();
        let entry = list.iter().find(|entry| entry.job.kind == kind && entry.job.state == JobState::Running)?;
        entry.cancel.store(true, Ordering::Relaxed);
        Some(entry.job.clone())
    }

    /// Waits until no job of this kind runs.
    pub async fn ended(&self, kind: JobKind) {
        let mut changes = self.changes.subscribe();
        let runs =
            |list: &[Entry]| list.iter().any(|entry| entry.job.kind == kind && entry.job.state == JobState::Running);
        while runs(&self.lock()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Asks everything to stop: the server ends.
    pub fn cancel_all(&self) {
        for entry in self.lock().iter() {
            entry.cancel.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.list.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A job that has not done anything yet.
pub fn blank(kind: JobKind, id: String, now_ms: i64) -> Job {
    Job {
        id,
        kind,
        state: JobState::Running,
        started_ms: now_ms,
        updated_ms: now_ms,
        done: 0,
        total: 0,
        parts: Vec::new(),
        events: 0,
        sessions: 0,
        problems: 0,
        files_parsed: 0,
        lines: 0,
        rows_written: 0,
        rate: 0.0,
        eta_ms: None,
        error: None,
    }
}
