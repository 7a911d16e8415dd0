//! Live reload: a change of the file is in force within a second or two.

use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::app::{App, ended};

/// Editors write in steps; what follows this closely is one change.
const GATHER: Duration = Duration::from_millis(150);
/// Where the system tells of changes the file is looked at this seldom, else as often as the second says.
const LOOK_SEEING: Duration = Duration::from_secs(30);
const LOOK_BLIND: Duration = Duration::from_secs(1);

/// Reads the file again whenever it changes, until the server stops.
pub async fn run(app: Arc<App>) {
    let (send, mut told) = mpsc::channel::<()>(1);
    let mut watcher = open(&app, send.clone());
    let mut stop = app.stop.subscribe();
    // What was written between the start and the first watch.
    reload(&app).await;
    loop {
        let look_in = if watcher.is_some() { LOOK_SEEING } else { LOOK_BLIND };
        tokio::select! {
            Some(()) = told.recv() => tokio::time::sleep(GATHER).await,
            () = tokio::time::sleep(look_in) => {}
            () = ended(&mut stop) => return,
        }
        while told.try_recv().is_ok() {}
        reload(&app).await;
        // The folder may have been made meanwhile.
        if watcher.is_none() {
            watcher = open(&app, send.clone());
            if watcher.is_some() {
                reload(&app).await;
            }
        }
    }
}

async fn reload(app: &Arc<App>) {
    let worker = app.clone();
    let changed = tokio::task::spawn_blocking(move || worker.settings.reload()).await.unwrap_or(false);
    if changed {
        app.apply_settings();
    }
}

/// Watches the file's folder: editors put a new file in the old one's place. Empty where that is not possible.
fn open(app: &App, send: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let path = app.settings.path().to_owned();
    let dir = path.parent()?.to_owned();
    let name = path.file_name()?.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let ours = event.is_ok_and(|event| {
            !event.kind.is_access() && event.paths.iter().any(|path| path.file_name() == Some(&name))
        });
        if ours {
            // One waiting word is enough.
            let _ = send.try_send(());
        }
    })
    .ok()?;
    watcher.watch(&dir, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}
