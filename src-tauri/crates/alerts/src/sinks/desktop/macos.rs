//! The macOS notification center. It needs the app's bundle; a bare binary shows nothing.

use notify_rust::{Notification, NotificationResponse};

use super::{APP_ID, Note, Shown};
use crate::SinkError;

pub fn prepare() {
    if let Err(error) = notify_rust::set_application(APP_ID) {
        tracing::debug!(%error, "notifications appear under another name");
    }
}

/// Shows a note. The library sends it when the click is awaited, so there is no answer to wait for.
pub fn show(note: &Note, _replaces: Option<u32>) -> Result<Shown, SinkError> {
    let mut notification = Notification::new();
    notification.summary(&note.title).body(&note.text).action("open", "Open");
    let clicked = move || {
        let mut opened = false;
        let shown = notification.show().and_then(|handle| {
            handle.wait_for_response(|response: &NotificationResponse| {
                opened = matches!(response, NotificationResponse::Default | NotificationResponse::Action(_));
            })
        });
        if let Err(error) = shown {
            tracing::warn!(%error, "notification not shown");
        }
        opened
    };
    Ok(Shown { id: None, clicked: Box::new(clicked) })
}
