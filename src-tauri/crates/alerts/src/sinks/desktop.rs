//! Native notifications, with a click that opens the session, and buttons that snooze or answer.
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

use orrery_types::{Alert, AlertKind, Urgency};

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

/// Most choices of a question that become buttons: services show few.
const MOST_CHOICES: usize = 3;

/// What a person did with a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Opened it: the session, or an empty text for an alert about no session in particular.
    Open(String),
    /// Wants no more of it for a while: the session it is about, or the alert's rule, as a snooze's target.
    Snooze(String),
    /// Answered the question of the event `seq`.
    Answer { seq: i64, word: Word },
}

/// An answer that fits on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    Permission(bool),
    Choice(String),
}

/// Shows alerts as native notifications.
pub struct DesktopSink {
    requests: Mutex<mpsc::Sender<Request>>,
}

enum Request {
    Show(Box<Show>),
    /// Takes back what a slot shows.
    Close(String),
}

struct Show {
    note: Note,
    slot: String,
    /// Slots whose notifications this one stands for.
    instead_of: Vec<String>,
    session_id: String,
    answer: mpsc::SyncSender<Result<(), SinkError>>,
}

/// What a notification says; plain text.
struct Note {
    title: String,
    text: String,
    urgency: Urgency,
    /// Buttons beside the click on the body: label, and what it does.
    buttons: Vec<(String, Act)>,
}

/// A notification on screen.
struct Shown {
    /// Number of the notification at the service, to replace it later. Empty where the system has no such numbers.
    id: Option<u32>,
    /// Blocks until the person acts or `CLICK_WITHIN` is over.
    clicked: Box<dyn FnOnce() -> Option<Click> + Send>,
}

/// What was clicked.
enum Click {
    Body,
    /// Place among the note's buttons.
    Button(usize),
}

type OnAct = Arc<Mutex<dyn Fn(Act) + Send>>;

impl DesktopSink {
    /// Starts the notification thread. `on_act` gets what a person does with a notification; it runs on a thread of ours
    /// and must not block for long.
    ///
    /// Succeeds without a notification service as well: one may start later, so only `deliver` tells.
    pub fn start(on_act: impl Fn(Act) + Send + 'static) -> Result<DesktopSink, SinkError> {
        let (requests, inbox) = mpsc::channel();
        let on_act: OnAct = Arc::new(Mutex::new(on_act));
        platform::prepare();
        thread::Builder::new()
            .name("notifications".to_owned())
            .spawn(move || run(&inbox, &on_act))
            .map_err(|_| SinkError::Gone)?;
        Ok(DesktopSink { requests: Mutex::new(requests) })
    }

    /// Shows a word of the app itself, which is no alert: "Orrery keeps running". A click opens the window.
    pub fn say(&self, title: &str, text: &str) -> Result<(), SinkError> {
        let note = Note {
            title: plain(title, TITLE_CHARS),
            text: plain(text, TEXT_CHARS),
            urgency: Urgency::Normal,
            buttons: vec![("Open".to_owned(), Act::Open(String::new()))],
        };
        self.show(note, "app".to_owned(), Vec::new(), String::new())
    }

    fn show(&self, note: Note, slot: String, instead_of: Vec<String>, session_id: String) -> Result<(), SinkError> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.send(Request::Show(Box::new(Show { note, slot, instead_of, session_id, answer })))?;
        match answered.recv_timeout(ANSWER_WITHIN) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(SinkError::NoAnswer(ANSWER_WITHIN)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(SinkError::Gone),
        }
    }

    fn send(&self, request: Request) -> Result<(), SinkError> {
        let requests = self.requests.lock().map_err(|_| SinkError::Gone)?.clone();
        requests.send(request).map_err(|_| SinkError::Gone)
    }
}

impl Sink for DesktopSink {
    fn name(&self) -> &str {
        "desktop"
    }

    fn deliver(&self, alert: &Alert) -> Result<(), SinkError> {
        let note = Note {
            title: plain(&alert.title, TITLE_CHARS),
            text: plain(&alert.text, TEXT_CHARS),
            urgency: alert.urgency,
            buttons: buttons(alert),
        };
        let instead_of = alert.group.iter().map(|id| session_slot(id)).collect();
        self.show(note, slot_name(alert), instead_of, alert.session_id.clone().unwrap_or_default())
    }

    fn withdraw(&self, session_id: &str) {
        // Whoever cannot be told has no thread, and shows nothing.
        let _ = self.send(Request::Close(session_slot(session_id)));
    }
}

/// Answers first, where the question can be answered from here.
fn buttons(alert: &Alert) -> Vec<(String, Act)> {
    let mut buttons = Vec::new();
    if let Some(asks) = alert.asks.as_ref().filter(|_| !alert.test) {
        let answer = |word: Word| Act::Answer { seq: asks.seq, word };
        if asks.ask == "permission" {
            buttons.push(("Approve".to_owned(), answer(Word::Permission(true))));
            buttons.push(("Deny".to_owned(), answer(Word::Permission(false))));
        } else if asks.ask == "choice" && asks.choices.len() <= MOST_CHOICES {
            let choice = |choice: &String| (plain(choice, 40), answer(Word::Choice(choice.clone())));
            buttons.extend(asks.choices.iter().map(choice));
        }
    }
    buttons.push(("Open".to_owned(), Act::Open(alert.session_id.clone().unwrap_or_default())));
    let target = match &alert.session_id {
        Some(id) => Some(format!("session/{id}")),
        None if !alert.rule.is_empty() => Some(format!("rule/{}", alert.rule)),
        None => None,
    };
    buttons.extend(target.map(|target| ("Snooze 1 h".to_owned(), Act::Snooze(target))));
    buttons
}

/// What was shown last in one place: a session, the budget, or the app itself.
#[derive(Default)]
struct Slot {
    id: Option<u32>,
    /// Grows with each notification of the slot, so that the thread of a replaced one ignores the click.
    newest: Arc<AtomicU64>,
}

fn run(inbox: &mpsc::Receiver<Request>, on_act: &OnAct) {
    let mut slots: HashMap<String, Slot> = HashMap::new();
    let waiting = Arc::new(AtomicUsize::new(0));
    while let Ok(request) = inbox.recv() {
        let show = match request {
            Request::Show(show) => show,
            Request::Close(slot) => {
                close(&mut slots, &slot);
                continue;
            }
        };
        let Show { note, slot, instead_of, session_id, answer } = *show;
        for old in instead_of.iter().filter(|old| **old != slot) {
            close(&mut slots, old);
        }
        let slot = slots.entry(slot).or_default();
        let result = platform::show(&note, slot.id).map(|shown| {
            slot.id = shown.id;
            await_click(shown, slot, note.buttons, session_id, &waiting, on_act);
        });
        // Nobody waits for the answer any more when it came too late.
        let _ = answer.send(result);
    }
}

fn close(slots: &mut HashMap<String, Slot>, name: &str) {
    if let Some(slot) = slots.remove(name) {
        slot.newest.fetch_add(1, Ordering::SeqCst);
        if let Some(id) = slot.id {
            platform::close(id);
        }
    }
}

fn session_slot(session_id: &str) -> String {
    format!("session/{session_id}")
}

/// A later notification of the same session replaces the earlier one; those about no session replace those of their kind.
fn slot_name(alert: &Alert) -> String {
    match (&alert.session_id, alert.kind) {
        (Some(session_id), _) => session_slot(session_id),
        (None, AlertKind::BudgetExceeded | AlertKind::BudgetNear | AlertKind::Forecast) => "budget".to_owned(),
        (None, _) if !alert.group.is_empty() => format!("group/{}", alert.rule),
        (None, _) => format!("rule/{}", alert.rule),
    }
}

fn await_click(
    shown: Shown,
    slot: &Slot,
    buttons: Vec<(String, Act)>,
    session_id: String,
    waiting: &Arc<AtomicUsize>,
    on_act: &OnAct,
) {
    let mine = slot.newest.fetch_add(1, Ordering::SeqCst) + 1;
    let (newest, waiting, on_act) = (Arc::clone(&slot.newest), Arc::clone(waiting), Arc::clone(on_act));
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
        let Some(click) = (shown.clicked)() else { return };
        let act = match click {
            Click::Body => Some(Act::Open(session_id)),
            Click::Button(place) => buttons.into_iter().nth(place).map(|(_, act)| act),
        };
        if newest.load(Ordering::SeqCst) == mine
            && let (Some(act), Ok(on_act)) = (act, on_act.lock())
        {
            on_act(act);
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
