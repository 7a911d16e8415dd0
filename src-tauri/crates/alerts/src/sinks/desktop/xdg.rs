//! The freedesktop notification service, over D-Bus.

use futures_lite::future;
use notify_rust::{Hint, Notification, NotificationResponse, Timeout};
use orrery_types::Urgency;

use super::{APP_ID, APP_NAME, Act, CLICK_WITHIN, Click, Note, Shown};
use crate::SinkError;

/// Key of the action that a click on the body means.
const DEFAULT: &str = "default";
const SERVICE: &str = "org.freedesktop.Notifications";

pub fn prepare() {}

/// Shows a note and returns when the service took it.
pub fn show(note: &Note, replaces: Option<u32>) -> Result<Shown, SinkError> {
    let can = notify_rust::get_capabilities().map_err(|error| refusal(&error.to_string()))?;
    let can = |what: &str| can.iter().any(|capability| capability == what);

    let mut notification = Notification::new();
    let text = if can("body-markup") { escape(&note.text) } else { note.text.clone() };
    notification
        .appname(APP_NAME)
        .summary(&note.title)
        .body(&text)
        .icon(APP_ID)
        .hint(Hint::DesktopEntry(APP_ID.to_owned()))
        .urgency(match note.urgency {
            Urgency::Low => notify_rust::Urgency::Low,
            Urgency::Normal => notify_rust::Urgency::Normal,
            Urgency::Critical => notify_rust::Urgency::Critical,
        });
    if note.urgency == Urgency::Critical {
        notification.timeout(Timeout::Never);
    }
    if can("actions") {
        notification.action(DEFAULT, "Open");
        for (place, (label, act)) in note.buttons.iter().enumerate() {
            notification.action(&key(place, act), label);
        }
    }
    if let Some(id) = replaces {
        notification.id(id);
    }
    let handle = notification.show().map_err(|error| refusal(&error.to_string()))?;

    let id = handle.id();
    let keys: Vec<String> = note.buttons.iter().enumerate().map(|(place, (_, act))| key(place, act)).collect();
    let clicked = move || {
        let mut click = None;
        let wait = handle.wait_for_action_async(|response| {
            click = match response {
                NotificationResponse::Default => Some(Click::Body),
                NotificationResponse::Action(key) if key == DEFAULT => Some(Click::Body),
                NotificationResponse::Action(key) => keys.iter().position(|known| known == key).map(Click::Button),
                _ => None,
            };
        });
        let late = async {
            async_io::Timer::after(CLICK_WITHIN).await;
        };
        async_io::block_on(future::or(wait, late));
        click
    };
    Ok(Shown { id: Some(id), clicked: Box::new(clicked) })
}

/// Takes a notification off the screen. One that is gone already is no trouble.
pub fn close(id: u32) {
    let closed = zbus::blocking::Connection::session().and_then(|bus| {
        let path = "/org/freedesktop/Notifications";
        bus.call_method(Some(SERVICE), path, Some(SERVICE), "CloseNotification", &id).map(drop)
    });
    if let Err(error) = closed {
        tracing::debug!(%error, id, "a notification was not taken back");
    }
}

/// The action's name on the bus.
fn key(place: usize, act: &Act) -> String {
    match act {
        Act::Open(_) => "open".to_owned(),
        Act::Snooze(_) => "snooze".to_owned(),
        Act::Answer { .. } => format!("answer-{place}"),
    }
}

/// The library's errors in words a person can act on. D-Bus names its own errors; anything else is no connection.
fn refusal(error: &str) -> SinkError {
    const NOBODY: [&str; 3] = ["Error.ServiceUnknown", "Error.NameHasNoOwner", "Error.Spawn."];
    if NOBODY.iter().any(|name| error.contains(name)) {
        SinkError::NoService
    } else if error.starts_with("org.") {
        SinkError::Refused(error.to_owned())
    } else {
        tracing::debug!(error, "session bus not reached");
        SinkError::NoBus
    }
}

/// Text for a body that reads markup.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_of_agents_is_shown_and_never_read() {
        assert_eq!(escape("<b>&\"x\"</b>"), "&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;");
    }

    #[test]
    fn errors_say_what_is_missing() {
        assert_eq!(refusal("org.freedesktop.DBus.Error.ServiceUnknown: not provided"), SinkError::NoService);
        assert_eq!(refusal("org.freedesktop.DBus.Error.Spawn.ExecFailed: x"), SinkError::NoService);
        assert_eq!(refusal("I/O error: No such file or directory"), SinkError::NoBus);
        assert!(matches!(refusal("org.freedesktop.Notifications.Error: full"), SinkError::Refused(_)));
    }
}
