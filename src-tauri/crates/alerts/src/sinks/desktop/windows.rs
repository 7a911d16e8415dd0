//! Windows toasts. The installer registers the AppUserModelID; without it Windows drops them.

use notify_rust::{Notification, NotificationResponse};

use orrery_types::Urgency;

use super::{APP_ID, APP_NAME, Click, Note, Shown};
use crate::SinkError;

pub fn prepare() {}

/// Shows a note as a toast.
pub fn show(note: &Note, _replaces: Option<u32>) -> Result<Shown, SinkError> {
    let mut notification = Notification::new();
    notification.appname(APP_NAME).app_id(APP_ID).summary(&note.title).body(&note.text).urgency(match note.urgency {
        Urgency::Low => notify_rust::Urgency::Low,
        Urgency::Normal => notify_rust::Urgency::Normal,
        Urgency::Critical => notify_rust::Urgency::Critical,
    });
    for (place, (label, _)) in note.buttons.iter().enumerate() {
        notification.action(&place.to_string(), label);
    }
    let handle = notification.show().map_err(|error| SinkError::Refused(error.to_string()))?;
    let clicked = move || {
        let mut click = None;
        let waited = handle.wait_for_response(|response: &NotificationResponse| {
            click = match response {
                NotificationResponse::Default => Some(Click::Body),
                NotificationResponse::Action(key) => key.parse().ok().map(Click::Button),
                _ => None,
            };
        });
        if let Err(error) = waited {
            tracing::debug!(%error, "toast gone");
        }
        click
    };
    Ok(Shown { id: None, clicked: Box::new(clicked) })
}

/// Toasts have no number to close by; they leave the screen by themselves.
pub fn close(_id: u32) {}
