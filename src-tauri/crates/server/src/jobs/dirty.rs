//! Whether a work tree had changes when a session began: git is asked once, after the fact and with a deadline.

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use orrery_store::{Batch, Item};
use orrery_types::{SessionFacts, SessionRow, Source};
use tokio::process::Command;
use tokio::sync::broadcast::error::RecvError;

use crate::app::{App, ended};
use crate::ingest::Audience;

/// A tree that takes longer stays unjudged.
const LIMIT: Duration = Duration::from_secs(5);
/// Later than this after its start, a session has made changes of its own.
const FRESH_MS: i64 = 60_000;
/// Sessions remembered as asked for.
const MOST: usize = 10_000;

/// Looks at the work trees of sessions that start, until the server stops.
pub async fn run(app: Arc<App>) {
    let mut stored = app.live.stored();
    let mut stop = app.stop.subscribe();
    let mut asked: HashSet<String> = HashSet::new();
    loop {
        let news = tokio::select! {
            news = stored.recv() => news,
            () = ended(&mut stop) => return,
        };
        let news = match news {
            Ok(news) => news,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let now_ms = app.clock.now_ms();
        for row in news.sessions.iter().filter(|row| is_due(row, now_ms)) {
            if asked.len() >= MOST {
                asked.clear();
            }
            if asked.insert(row.id.clone())
                && let Some(cwd) = &row.cwd
                && let Some(dirty) = is_dirty(Path::new(cwd)).await
            {
                tell(&app, row, dirty).await;
            }
        }
    }
}

fn is_due(row: &SessionRow, now_ms: i64) -> bool {
    let is_new = now_ms.saturating_sub(row.started_ms) < FRESH_MS;
    // Only the reading of a live session's HEAD gives a commit here.
    is_new && !row.demo && row.dirty.is_none() && row.commit.is_some() && row.sources.has(Source::Hook)
}

async fn tell(app: &App, row: &SessionRow, dirty: bool) {
    let facts = SessionFacts {
        session_id: row.id.clone(),
        agent: row.agent.clone(),
        dirty: Some(dirty),
        ..SessionFacts::default()
    };
    let batch = Batch { items: vec![Item { facts: vec![facts], ..Item::default() }], ..Batch::default() };
    if let Err(error) = app.ingest.append(batch, Audience::All).await {
        tracing::debug!(%error, "the state of a work tree could not be stored");
    }
}

/// Whether git reports changes, untracked files among them. `None` when it fails or takes too long.
async fn is_dirty(cwd: &Path) -> Option<bool> {
    let mut command = Command::new("git");
    // Nothing that the repository's own settings name may run.
    command.args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    command.args(["status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=all"]).current_dir(cwd);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output()).await.ok()?.ok()?;
    output.status.success().then_some(!output.stdout.is_empty())
}
