//! Following transcripts live: the system tells of changed files, and a scan now and then catches what it did not tell.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use orrery_store::{FileCursor, StoreError};
use orrery_types::AgentId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::files::{self, Found};
use super::tail;
use crate::app::{App, ended};
use crate::ingest::Audience;

/// Changes within this long are read together.
const GATHER: Duration = Duration::from_millis(120);
/// Folders that were not there are looked for this often. Where the system does not tell of changes, everything is
/// looked at as often; where it does, seldom.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const SCAN_SEEING: Duration = Duration::from_secs(60);
/// A file never read before is history unless it changed this lately: history waits for the person's import.
const FRESH_MS: i64 = 24 * 60 * 60 * 1000;
/// More new bytes than this are history as well, as far as clients are told.
const LIVE_BYTES: u64 = 4 * 1024 * 1024;

/// What to look at next.
enum Due {
    All,
    Some(BTreeSet<PathBuf>),
}

/// Follows the agents' transcripts until the server stops.
pub async fn run(app: Arc<App>) {
    let dirs = files::history_dirs(&app.home);
    let (send, mut told) = mpsc::channel::<PathBuf>(4096);
    let mut eyes = Eyes::open(send);
    let mut settings = app.settings.watch();
    let mut stop = app.stop.subscribe();
    let mut due = Due::All;
    let mut next_scan = Instant::now();
    loop {
        if eyes.look_at(&dirs) || Instant::now() >= next_scan {
            due = Due::All;
        }
        if matches!(due, Due::All) {
            next_scan = Instant::now() + if eyes.seeing { SCAN_SEEING } else { LOOK_EVERY };
        }
        let watching = settings.borrow_and_update().watch;
        if watching && let Err(error) = catch_up(&app, &dirs, due).await {
            tracing::warn!(%error, "transcripts could not be stored; trying again");
            next_scan = Instant::now() + LOOK_EVERY;
        }
        due = tokio::select! {
            Some(path) = told.recv() => gather(path, &mut told).await,
            () = tokio::time::sleep(LOOK_EVERY) => Due::Some(BTreeSet::new()),
            _ = settings.changed() => Due::All,
            () = ended(&mut stop) => return,
        };
    }
}

async fn gather(first: PathBuf, told: &mut mpsc::Receiver<PathBuf>) -> Due {
    tokio::time::sleep(GATHER).await;
    let mut paths = BTreeSet::from([first]);
    while let Ok(path) = told.try_recv() {
        paths.insert(path);
    }
    Due::Some(paths)
}

/// Reads what is new in the files that are due.
async fn catch_up(app: &Arc<App>, dirs: &[(AgentId, PathBuf)], due: Due) -> Result<(), StoreError> {
    if matches!(&due, Due::Some(paths) if paths.is_empty()) {
        return Ok(());
    }
    // An import that runs reads the same files: it goes first, and leaves its positions here.
    let mut cursors = app.jobs.cursors.lock().await;
    let known: &mut HashMap<String, FileCursor> = match &mut *cursors {
        Some(known) => known,
        none => none.insert(tail::by_path(app.read(|store| store.cursors()).await?)),
    };
    let all = matches!(due, Due::All);
    let dirs = dirs.to_vec();
    let found = tokio::task::spawn_blocking(move || match due {
        Due::All => files::scan(&dirs, files::Names::Strict),
        Due::Some(paths) => paths.iter().flat_map(|path| look(&dirs, path)).collect(),
    });
    let found = found.await.map_err(|error| StoreError::Failed(error.to_string()))?;
    let fresh_ms = app.clock.now_ms() - FRESH_MS;
    for file in found {
        let cursor = known.get(file.path.to_string_lossy().as_ref()).cloned();
        let history = cursor.is_none() && file.modified_ms < fresh_ms;
        if history || !tail::changed(&file, cursor.as_ref()) {
            continue;
        }
        let new_bytes = file.size.saturating_sub(cursor.as_ref().map_or(0, |cursor| cursor.offset));
        let audience = if all && cursor.is_none() || new_bytes > LIVE_BYTES { Audience::Rows } else { Audience::All };
        if let Some(cursor) = read(app, file, cursor, audience).await? {
            known.insert(cursor.path.clone(), cursor);
        }
        if *app.stop.borrow() {
            break;
        }
    }
    Ok(())
}

/// Transcripts at a path the system told of: the file itself, or all in a folder that is new.
fn look(dirs: &[(AgentId, PathBuf)], path: &Path) -> Vec<Found> {
    let Some((agent, _)) = dirs.iter().find(|(_, dir)| path.starts_with(dir)) else {
        return Vec::new();
    };
    files::scan(&[(*agent, path.to_owned())], files::Names::Strict)
}

async fn read(
    app: &Arc<App>,
    file: Found,
    cursor: Option<FileCursor>,
    audience: Audience,
) -> Result<Option<FileCursor>, StoreError> {
    let (send, mut pieces) = mpsc::channel(2);
    let ingest = app.ingest.clone();
    let reading = tokio::task::spawn_blocking(move || {
        tail::read(&ingest, &file, cursor.as_ref(), |piece| send.blocking_send(piece).is_ok())
    });
    while let Some(piece) = pieces.recv().await {
        app.ingest.append(piece.batch, audience).await?;
    }
    reading.await.map_err(|error| StoreError::Failed(error.to_string()))
}

/// The system's watcher, and which folders it watches.
struct Eyes {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// Whether the system tells of every change below the folders that are there.
    seeing: bool,
}

impl Eyes {
    fn open(send: mpsc::Sender<PathBuf>) -> Eyes {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if !matches!(event.kind, notify::EventKind::Access(_)) {
                for path in event.paths {
                    // A full queue loses nothing: the next scan finds the file.
                    let _ = send.try_send(path);
                }
            }
        });
        let watcher = watcher.inspect_err(|error| tracing::warn!(%error, "no watcher; looking at the files instead"));
        Eyes { seeing: watcher.is_ok(), watcher: watcher.ok(), watched: BTreeSet::new() }
    }

    /// Watches folders that have appeared. Whether there are any.
    fn look_at(&mut self, dirs: &[(AgentId, PathBuf)]) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        self.watched.retain(|dir| dir.is_dir());
        self.seeing = true;
        let mut appeared = false;
        for (_, dir) in dirs.iter().filter(|(_, dir)| dir.is_dir()) {
            if self.watched.contains(dir) {
                continue;
            }
            match watcher.watch(dir, RecursiveMode::Recursive) {
                Ok(()) => appeared |= self.watched.insert(dir.clone()),
                Err(error) => {
                    tracing::debug!(%error, dir = %dir.display(), "this folder cannot be watched");
                    self.seeing = false;
                }
            }
        }
        appeared
    }
}
