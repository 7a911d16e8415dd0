//! The macOS notification center. It needs the app's bundle; a bare binary shows nothing.

use notify_rust::{Notification, NotificationResponse};

use super::{APP_ID, Click, Note, Shown};
use crate::SinkError;

pub fn prepare() {
    if let Err(error) = notify_rust::set_application(APP_ID) {
        tracing::debug!(%error, "notifications appear under another name");
    }
}

/// Shows a note. The library sends it when the click is awaited, so there is no answer to wait for.
pub fn show(note: &Note, _replaces: Option<u32>) -> Result<Shown, SinkError> {
    let mut notification = Notification::new();
    notification.summary(&note.title).body(&note.text);
    for (place, (label, _)) in note.buttons.iter().enumerate() {
        notification.action(&place.to_string(), label);
    }
    let clicked = move || {
        let mut click = None;
        let shown = notification.show().and_then(|handle| {
            handle.wait_for_response(|response: &NotificationResponse| {
                click = match response {
                    NotificationResponse::Default => Some(Click::Body),
                    NotificationResponse::Action(key) => key.parse().ok().map(Click::Button),
                    _ => None,
                };
            })
        });
        if let Err(error) = shown {
            tracing::warn!(%error, "notification not shown");
        }
        click
    };
    Ok(Shown { id: None, clicked: Box::new(clicked) })
}

/// The notification center replaces what comes from one app by itself; single ones have no number to close by.
pub fn close(_id: u32) {}
