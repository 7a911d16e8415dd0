//! Taking in what hooks wrote to disk while no server answered.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use orrery_agents::{Context, hook};
use orrery_client::spool::Gap;
use orrery_client::{runs, spool};
use orrery_store::{Batch, Item, Raw, StoreError};
use orrery_types::{Problem, Source};
use sha2::{Digest, Sha256};

use crate::app::{App, ended};
use crate::ingest::{self, Audience};

/// The spool is looked at this often; a directory listing, no more.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Files stored in one transaction.
const TOGETHER: usize = 200;
const TOGETHER_BYTES: u64 = 16 * 1024 * 1024;

/// Drains the spool now, every few seconds and on demand, until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stop = app.stop.subscribe();
    let data_dir = app.data_dir.clone();
    // Wrappers that were killed could not tell the end of their run.
    let closed = tokio::task::spawn_blocking(move || runs::close_killed(&data_dir)).await;
    tracing::debug!(closed = closed.unwrap_or(0), "runs without a wrapper");
    loop {
        if let Err(error) = drain(&app).await {
            tracing::warn!(%error, "the spool waits: nothing can be stored");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = app.jobs.drain.notified() => {}
            () = ended(&mut stop) => return,
        }
    }
}

/// Stores everything spooled, in the order of the file names, and removes each file after its commit.
///
/// # Errors
/// The store refused; what was not committed stays in the spool.
pub async fn drain(app: &App) -> Result<u64, StoreError> {
    let dir = spool::dir(&app.data_dir);
    let listed = tokio::task::spawn_blocking({
        let dir = dir.clone();
        move || spool::list(&dir)
    });
    let mut waiting = listed.await.unwrap_or_default();
    if waiting.is_empty() && !dir.join("gap").exists() && !dir.join("gap-taken").exists() {
        return Ok(0);
    }
    let mut stored = 0;
    while !waiting.is_empty() {
        let some = waiting.split_off(some_of(&waiting).min(waiting.len()));
        let files = std::mem::replace(&mut waiting, some);
        stored += files.len() as u64;
        store(app, files).await?;
    }
    let gaps = tokio::task::spawn_blocking({
        let dir = dir.clone();
        move || {
            spool::settle(&dir);
            spool::take_gaps(&dir)
        }
    });
    let gaps = gaps.await.unwrap_or_default();
    if !gaps.is_empty() {
        tell_gaps(app, &gaps).await?;
        let _ = tokio::task::spawn_blocking(move || spool::forget_gaps(&dir)).await;
    }
    app.changed.notify_one();
    Ok(stored)
}

/// Marks in each session where hook events are missing, and says so as a problem.
async fn tell_gaps(app: &App, gaps: &[Gap]) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let lost: u64 = gaps.iter().map(|gap| gap.lost).sum();
    let words = format!("{lost} hook events did not fit in the spool while no server ran");
    let mut batch = Batch { problems: vec![problem("spool_full", words, "spool", now_ms)], ..Batch::default() };
    for gap in gaps {
        let context = Context {
            source: Source::Orrery,
            received_ms: if gap.to_ms > 0 { gap.to_ms } else { now_ms },
            delivery_id: gap_id(gap),
            place: "spool".to_owned(),
            demo: false,
        };
        let agent = if gap.agent.is_empty() { "custom" } else { &gap.agent };
        let summary = format!("{} hook events are missing here: the spool was full while no server ran", gap.lost);
        let mut event = ingest::unreadable(&context, agent, summary);
        event.name = "gap".to_owned();
        if !gap.session.is_empty() {
            event.session_id.clone_from(&gap.session);
        }
        batch.items.push(Item { events: vec![event], ..Item::default() });
    }
    app.ingest.append(batch, Audience::All).await?;
    app.jobs.lost.fetch_add(lost, Ordering::Relaxed);
    Ok(())
}

/// The same gap told twice is one event.
fn gap_id(gap: &Gap) -> String {
    let what = format!("gap {} {} {} {}", gap.session, gap.agent, gap.from_ms, gap.to_ms);
    crate::token::hex(&Sha256::digest(what.as_bytes())[..16])
}

/// How many of the first files make one transaction.
fn some_of(files: &[PathBuf]) -> usize {
    let mut bytes = 0;
    let sizes = files.iter().take(TOGETHER).map(|path| std::fs::metadata(path).map_or(0, |meta| meta.len()));
    let fitting = sizes
        .take_while(|size| {
            bytes += size;
            bytes <= TOGETHER_BYTES
        })
        .count();
    fitting.max(1)
}

async fn store(app: &App, files: Vec<PathBuf>) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    let mut done = Vec::new();
    for path in files {
        match spool::read(&path) {
            Ok(spooled) => {
                let (item, problems) = decode(app, spooled);
                batch.items.push(item);
                batch.problems.extend(problems);
                done.push(path);
            }
            // Another drain was faster.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => batch.problems.push(set_aside(&path, &error, app.clock.now_ms())),
        }
    }
    app.ingest.append(batch, Audience::All).await?;
    for path in done {
        if let Err(error) = spool::remove(&path) {
            tracing::warn!(%error, path = %path.display(), "a stored spool file stays; it will be known when it is read again");
        }
    }
    Ok(())
}

fn decode(app: &App, spooled: spool::Spooled) -> (orrery_store::Item, Vec<Problem>) {
    let spool::Spooled { header, payload } = spooled;
    let context = Context {
        source: ingest::reporter_of(&payload),
        received_ms: header.at_ms,
        delivery_id: header.id,
        place: format!("/hooks/{}", header.agent),
        demo: false,
    };
    let mut decoded = hook::decode(Some(&header.agent), &payload, &context);
    if decoded.events.is_empty() {
        decoded.events.push(ingest::unreadable(
            &context,
            &header.agent,
            "A spooled payload without a reading".to_owned(),
        ));
    }
    let raw = Raw { source: context.source, place: context.place, bytes: payload };
    app.ingest.item(Some(raw), decoded)
}

fn set_aside(path: &Path, error: &std::io::Error, now_ms: i64) -> Problem {
    let place = path.display().to_string();
    let words = match spool::set_aside(path) {
        Ok(()) => format!("A spooled file cannot be read and was put aside: {error}"),
        Err(moving) => format!("A spooled file cannot be read ({error}) nor put aside ({moving})"),
    };
    problem("spool_unreadable", words, &place, now_ms)
}

fn problem(code: &str, message: String, place: &str, at_ms: i64) -> Problem {
    Problem { code: code.to_owned(), message, place: place.to_owned(), line: None, at_ms }
}
