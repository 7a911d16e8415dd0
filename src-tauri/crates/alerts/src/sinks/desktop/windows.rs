//! Windows toasts. The installer registers the AppUserModelID; without it Windows drops them.

use notify_rust::{Notification, NotificationResponse};

use super::{APP_ID, APP_NAME, Note, Shown};
use crate::SinkError;

pub fn prepare() {}

/// Shows a note as a toast.
pub fn show(note: &Note, _replaces: Option<u32>) -> Result<Shown, SinkError> {
    let mut notification = Notification::new();
    notification.appname(APP_NAME).app_id(APP_ID).summary(&note.title).body(&note.text).action("open", "Open");
    let handle = notification.show().map_err(|error| SinkError::Refused(error.to_string()))?;
    let clicked = move || {
        let mut opened = false;
        let waited = handle.wait_for_response(|response: &NotificationResponse| {
            opened = matches!(response, NotificationResponse::Default | NotificationResponse::Action(_));
        });
        if let Err(error) = waited {
            tracing::debug!(%error, "toast gone");
        }
        opened
    };
    Ok(Shown { id: None, clicked: Box::new(clicked) })
}
