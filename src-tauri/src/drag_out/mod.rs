//! Dragging sessions out of the window into whatever takes files.

#[cfg(target_os = "linux")]
#[path = "gtk.rs"]
mod carry;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod carry;

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tauri::{AppHandle, Manager};
use tokio::sync::oneshot;

use crate::outgoing::Outgoing;
use crate::shell::Shell;
use crate::window::LABEL;

const PICTURE: &[u8] = include_bytes!("../../../icons/48x48.png");

/// What became of a drag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// Some program took the files.
    Taken,
    /// It was let go where nobody takes files.
    Nowhere,
}

/// Exports the sessions and lets the person carry the files. The mouse button must be down from before until the drop.
/// Answers when the drag is over; fails with words for the person.
pub async fn start(app: &AppHandle, sessions: &[String], format: &str) -> Result<Dropped, String> {
    let server = app.state::<Shell>().host().await?.server();
    let outgoing = app.state::<Outgoing>().inner().clone();
    let files = outgoing.files(&server, sessions, format).await.map_err(|error| format!("{error:#}"))?;

    let (told, dropped) = oneshot::channel();
    let window = app.get_webview_window(LABEL).ok_or("the window is gone")?;
    app.run_on_main_thread(move || carry::start(&window, &files, End::new(told))).map_err(|error| error.to_string())?;
    dropped.await.map_err(|_| "the drag ended without a word".to_owned())?
}

type Told = oneshot::Sender<Result<Dropped, String>>;

/// Tells once how a drag ended, whichever of the desktop's signals comes first.
#[derive(Clone)]
struct End(Arc<Mutex<Option<Told>>>);

impl End {
    fn new(told: Told) -> End {
        End(Arc::new(Mutex::new(Some(told))))
    }

    fn tell(&self, result: Result<Dropped, String>) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if told.is_some_and(|told| told.send(result).is_err()) {
            tracing::debug!("nobody waits for the end of the drag");
        }
    }
}
