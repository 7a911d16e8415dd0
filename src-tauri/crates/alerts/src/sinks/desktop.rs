//! Native notifications, with a click that opens the session.
//!
//! One thread of the operating system talks to the notification service, because the D-Bus library blocks and must not
//! do so on an async worker. A click is awaited on a thread per notification: services send it only to the connection
//! that made the notification.

#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;
#[cfg(all(unix, not(target_os = "macos")))]
mod xdg;

#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(windows)]
use windows as platform;
#[cfg(all(unix, not(target_os = "macos")))]
use xdg as platform;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use orrery_types::{Alert, AlertKind};

use super::{Sink, SinkError};

const APP_NAME: &str = "Orrery";
/// Name of the desktop file and of the icon; the bundle id and AppUserModelID elsewhere.
const APP_ID: &str = "dev.orrery.desktop";
/// Starting a notification service on demand takes a moment; longer than this it hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// After this a click on a notification that is still there does nothing.
const CLICK_WITHIN: Duration = Duration::from_secs(8 * 60 * 60);
/// Notifications whose click is awaited at a time. More are shown, but cannot be clicked.
const MAX_WAITING: usize = 64;
const TITLE_CHARS: usize = 100;
const TEXT_CHARS: usize = 300;

/// Shows alerts as native notifications.
pub struct DesktopSink {
    requests: Mutex<mpsc::Sender<Request>>,
}

struct Request {
    note: Note,
    slot: String,
    session_id: String,
    answer: mpsc::SyncSender<Result<(), SinkError>>,
}

/// What a notification says; plain text.
struct Note {
    title: String,
    text: String,
}

/// A notification on screen.
struct Shown {
    /// Number of the notification at the service, to replace it later. Empty where the system has no such numbers.
    id: Option<u32>,
    /// Blocks until the person acts or `CLICK_WITHIN` is over. True for a click on the body or on "Open".
    clicked: Box<dyn FnOnce() -> bool + Send>,
}

type OnOpen = Arc<Mutex<dyn Fn(String) + Send>>;

impl DesktopSink {
    /// Starts the notification thread. `on_open` gets the session of a clicked notification, or an empty text for an
    /// alert about no session in particular; it runs on a thread of ours and must not block for long.
    ///
    /// Succeeds without a notification service as well: one may start later, so only `deliver` tells.
    pub fn start(on_open: impl Fn(String) + Send + 'static) -> Result<DesktopSink, SinkError> {
        let (requests, inbox) = mpsc::channel();
        let on_open: OnOpen = Arc::new(Mutex::new(on_open));
        platform::prepare();
        thread::Builder::new()
            .name("notifications".to_owned())
            .spawn(move || run(&inbox, &on_open))
            .map_err(|_| SinkError::Gone)?;
        Ok(DesktopSink { requests: Mutex::new(requests) })
    }

    /// Shows a word of the app itself, which is no alert: "Orrery keeps running". A click opens the window.
    pub fn say(&self, title: &str, text: &str) -> Result<(), SinkError> {
        self.show(title, text, "app".to_owned(), "")
    }

    fn show(&self, title: &str, text: &str, slot: String, session_id: &str) -> Result<(), SinkError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let note = Note { title: plain(title, TITLE_CHARS), text: plain(text, TEXT_CHARS) };
        let request = Request { note, slot, session_id: session_id.to_owned(), answer };
        let requests = self.requests.lock().map_err(|_| SinkError::Gone)?.clone();
        requests.send(request).map_err(|_| SinkError::Gone)?;
        match answered.recv_timeout(ANSWER_WITHIN) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(SinkError::NoAnswer(ANSWER_WITHIN)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(SinkError::Gone),
        }
    }
}

impl Sink for DesktopSink {
    fn name(&self) -> &str {
        "desktop"
    }

    fn deliver(&self, alert: &Alert) -> Result<(), SinkError> {
        let session_id = alert.session_id.as_deref().unwrap_or_default();
        self.show(&alert.title, &alert.text, slot_name(alert), session_id)
    }
}

/// What was shown last in one place: a session, the budget, or the app itself.
#[derive(Default)]
struct Slot {
    id: Option<u32>,
    /// Grows with each notification of the slot, so that the thread of a replaced one ignores the click.
    newest: Arc<AtomicU64>,
}

fn run(inbox: &mpsc::Receiver<Request>, on_open: &OnOpen) {
    let mut slots: HashMap<String, Slot> = HashMap::new();
    let waiting = Arc::new(AtomicUsize::new(0));
    while let Ok(Request { note, slot, session_id, answer }) = inbox.recv() {
        let slot = slots.entry(slot).or_default();
        let result = platform::show(&note, slot.id).map(|shown| {
            slot.id = shown.id;
            await_click(shown, slot, session_id, &waiting, on_open);
        });
        // Nobody waits for the answer any more when it came too late.
        let _ = answer.send(result);
    }
}

/// A later notification of the same session replaces the earlier one.
fn slot_name(alert: &Alert) -> String {
    match (&alert.session_id, alert.kind) {
        (Some(session_id), _) => format!("session/{session_id}"),
        (None, AlertKind::BudgetExceeded) => "budget".to_owned(),
        (None, AlertKind::LongTask) => "task".to_owned(),
    }
}

fn await_click(shown: Shown, slot: &Slot, session_id: String, waiting: &Arc<AtomicUsize>, on_open: &OnOpen) {
    let mine = slot.newest.fetch_add(1, Ordering::SeqCst) + 1;
    let (newest, waiting, on_open) = (Arc::clone(&slot.newest), Arc::clone(waiting), Arc::clone(on_open));
    if waiting.fetch_add(1, Ordering::SeqCst) >= MAX_WAITING {
        waiting.fetch_sub(1, Ordering::SeqCst);
        tracing::warn!(
            session_id,
            limit = MAX_WAITING,
            "too many open notifications: a click on this one does nothing"
        );
        return;
    }
    let counted = Counted(waiting);
    let spawned = thread::Builder::new().name("notification-click".to_owned()).spawn(move || {
        let _counted = counted;
        if (shown.clicked)()
            && newest.load(Ordering::SeqCst) == mine
            && let Ok(on_open) = on_open.lock()
        {
            on_open(session_id);
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for a notification's click");
    }
}

/// One place among those that wait, given back however the thread ends.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Agents write part of these texts: one line, no control characters, nothing that turns the reading direction.
fn plain(text: &str, max_chars: usize) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !turns(*c));
    let mut line: String = chars.by_ref().take(max_chars).collect();
    if chars.next().is_some() {
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_agents_becomes_one_plain_line() {
        assert_eq!(plain("a\nb\u{7}c\u{202e}d", 100), "a b cd");
        assert_eq!(plain("aaaa", 4), "aaaa");
        assert_eq!(plain("äääää", 4), "ääää...");
    }
}
