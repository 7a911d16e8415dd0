//! Reading history: all transcripts below some folders, from where they were read last.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orrery_store::{FileCursor, Store, StoreError};
use orrery_types::{AgentId, Job, JobKind, JobState};
use serde::Serialize;
use tokio::sync::mpsc;

use super::tail::{self, Piece};
use super::{blank, files};
use crate::app::App;
use crate::clock::{self, Clock};
use crate::ingest::{Audience, Ingest};

/// Pieces read ahead of the store.
const AHEAD: usize = 2;
/// Small files whose lines go into one transaction.
const MOST_FILES: usize = 200;
/// Progress is told at most this often.
const TELL_EVERY_MS: i64 = 200;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Transcripts found.
    pub files: u64,
    /// Of those, the ones with something new.
    pub files_parsed: u64,
    pub lines: u64,
    /// Events, sessions and rows that were not in the store before.
    pub events: u64,
    pub sessions: u64,
    pub rows_written: u64,
    pub problems: u64,
}

/// Imports into a store without a server. `progress` sees the job a few times a second and at the end; setting `cancel`
/// ends it after the batch in work, and the next import goes on from there.
///
/// # Errors
/// The store refused a batch; what was committed before stays.
pub async fn run(
    store: Arc<dyn Store>,
    roots: &[(AgentId, PathBuf)],
    progress: impl FnMut(&Job),
    cancel: Arc<AtomicBool>,
) -> Result<ImportReport, StoreError> {
    let cursors = tail::by_path(store.cursors()?);
    let ingest = Arc::new(Ingest::new(store, Clock::system()));
    let job = blank(JobKind::Import, clock::new_id(), clock::now_ms());
    import(&ingest, roots, cursors, job, progress, cancel).await.map(|(report, _)| report)
}

/// Starts an import inside the server. `None` when one runs already.
pub fn start(app: &Arc<App>, roots: Vec<(AgentId, PathBuf)>) -> Option<Job> {
    let (job, cancel) = app.jobs.start(&app.live, JobKind::Import, clock::new_id(), app.clock.now_ms())?;
    let app = app.clone();
    let first = job.clone();
    tokio::spawn(async move {
        let mut known = app.jobs.cursors.lock().await;
        let cursors = match app.read(|store| store.cursors()).await {
            Ok(cursors) => tail::by_path(cursors),
            Err(error) => return app.jobs.update(&app.live, &failed(first, &error, app.clock.now_ms())),
        };
        let shown = first.clone();
        let done = import(&app.ingest, &roots, cursors, first, |job| app.jobs.update(&app.live, job), cancel).await;
        match done {
            Ok((_, cursors)) => *known = Some(cursors),
            Err(error) => {
                *known = None;
                app.jobs.update(&app.live, &failed(shown, &error, app.clock.now_ms()));
            }
        }
        app.changed.notify_one();
    });
    Some(job)
}

fn failed(job: Job, error: &StoreError, now_ms: i64) -> Job {
    Job { state: JobState::Failed, updated_ms: now_ms, error: Some(error.to_string()), ..job }
}

type Cursors = std::collections::HashMap<String, FileCursor>;

/// From the reading thread.
enum Told {
    /// Transcripts in all and by agent, and bytes of them that are new.
    Found { files: u64, parts: Vec<(String, u64)>, bytes: u64 },
    /// Lines to append, and the files that are done with them.
    Read { piece: Box<Piece>, done: Vec<FileDone> },
}

/// A file that was looked at to its end.
struct FileDone {
    agent: AgentId,
    parsed: bool,
    cursor: Option<FileCursor>,
}

async fn import(
    ingest: &Arc<Ingest>,
    roots: &[(AgentId, PathBuf)],
    mut cursors: Cursors,
    job: Job,
    mut progress: impl FnMut(&Job),
    cancel: Arc<AtomicBool>,
) -> Result<(ImportReport, Cursors), StoreError> {
    let (send, mut told) = mpsc::channel(AHEAD);
    let reading = {
        let (ingest, roots, known, cancel) = (ingest.clone(), roots.to_vec(), cursors.clone(), cancel.clone());
        tokio::task::spawn_blocking(move || read_all(&ingest, &roots, &known, &cancel, &send))
    };
    let mut report = ImportReport::default();
    let mut job = job;
    let mut told_ms = 0;
    let (mut bytes_left, mut bytes_read) = (0, 0);
    while let Some(news) = told.recv().await {
        match news {
            Told::Found { files, parts, bytes } => {
                report.files = files;
                bytes_left = bytes;
                job.total = files;
                job.parts = parts.into_iter().map(|(agent, total)| (agent, 0, total)).collect();
            }
            Told::Read { piece, done } => {
                report.lines += piece.lines;
                report.problems += piece.batch.problems.len() as u64;
                bytes_read += piece.bytes as u64;
                if !piece.batch.is_empty() {
                    let appended = ingest.append(piece.batch, Audience::Rows).await?;
                    report.events += appended.new_events;
                    report.sessions += appended.new_sessions;
                    report.rows_written += appended.rows_written;
                }
                for FileDone { agent, parsed, cursor } in done {
                    job.done += 1;
                    report.files_parsed += u64::from(parsed);
                    if let Some(part) = job.parts.iter_mut().find(|part| part.0 == agent.slug()) {
                        part.1 += 1;
                    }
                    if let Some(cursor) = cursor {
                        cursors.insert(cursor.path.clone(), cursor);
                    }
                }
            }
        }
        let now_ms = ingest.clock().now_ms();
        measure(&mut job, &report, now_ms);
        job.eta_ms = eta(now_ms - job.started_ms, bytes_read, bytes_left);
        if now_ms - told_ms >= TELL_EVERY_MS {
            told_ms = now_ms;
            progress(&job);
        }
    }
    if let Err(error) = reading.await {
        return Err(StoreError::Failed(error.to_string()));
    }
    measure(&mut job, &report, ingest.clock().now_ms());
    job.state = if cancel.load(Ordering::Relaxed) { JobState::Canceled } else { JobState::Done };
    job.eta_ms = None;
    progress(&job);
    Ok((report, cursors))
}

fn measure(job: &mut Job, report: &ImportReport, now_ms: i64) {
    job.updated_ms = now_ms;
    (job.events, job.sessions, job.problems) = (report.events, report.sessions, report.problems);
    (job.files_parsed, job.lines, job.rows_written) = (report.files_parsed, report.lines, report.rows_written);
    let elapsed_ms = (now_ms - job.started_ms).max(1);
    job.rate = report.events as f64 * 1000.0 / elapsed_ms as f64;
}

/// What is left at the rate so far. Bytes are what is known in advance: files differ by a thousand times.
fn eta(elapsed_ms: i64, read: u64, of: u64) -> Option<i64> {
    const TOO_SOON_MS: i64 = 500;
    let left = of.saturating_sub(read);
    (read > 0 && elapsed_ms > TOO_SOON_MS).then(|| (elapsed_ms as f64 / read as f64 * left as f64) as i64)
}

/// Reads all files into pieces: of a large file several, of small ones one for many.
fn read_all(
    ingest: &Ingest,
    roots: &[(AgentId, PathBuf)],
    known: &Cursors,
    cancel: &AtomicBool,
    send: &mpsc::Sender<Told>,
) {
    let found = files::scan(roots, files::Names::Any);
    let cursor_of = |file: &files::Found| known.get(file.path.to_string_lossy().as_ref());
    let parts = AgentId::ALL
        .map(|agent| (agent.slug().to_owned(), found.iter().filter(|file| file.agent == agent).count() as u64));
    let parts = parts.into_iter().filter(|(_, total)| *total > 0).collect();
    let new = found.iter().filter(|file| tail::changed(file, cursor_of(file)));
    let bytes = new.map(|file| file.size.saturating_sub(cursor_of(file).map_or(0, |cursor| cursor.offset))).sum();
    if send.blocking_send(Told::Found { files: found.len() as u64, parts, bytes }).is_err() {
        return;
    }
    let is_open = |piece: Piece, done: Vec<FileDone>| {
        !cancel.load(Ordering::Relaxed) && send.blocking_send(Told::Read { piece: Box::new(piece), done }).is_ok()
    };
    let (mut piece, mut done) = (Piece::default(), Vec::new());
    for file in &found {
        if cancel.load(Ordering::Relaxed) {
            return;
        }
        let cursor = cursor_of(file);
        let parsed = tail::changed(file, cursor);
        let mut open = true;
        let cursor = parsed.then(|| {
            tail::read(ingest, file, cursor, |part| {
                piece.add(part);
                if piece.is_full() {
                    open = is_open(std::mem::take(&mut piece), std::mem::take(&mut done));
                }
                open
            })
        });
        if !open {
            return;
        }
        done.push(FileDone { agent: file.agent, parsed, cursor: cursor.flatten() });
        if done.len() >= MOST_FILES {
            open = is_open(std::mem::take(&mut piece), std::mem::take(&mut done));
        }
        if !open {
            return;
        }
    }
    is_open(piece, done);
}
