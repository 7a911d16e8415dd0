//! Sinks: ways to tell a person.

mod address;
pub mod desktop;
mod email;
mod http;
mod ntfy;
mod slack;
pub mod template;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use orrery_types::{Alert, SinkKind, SinkSettings};

/// A way to tell a person. Called after the alert was logged, from a thread that may block.
pub trait Sink: Send + Sync {
    /// One word for the log: `desktop`.
    fn name(&self) -> &str;

    /// Shows the alert. `Ok` means that the other side took it, not that somebody read it.
    fn deliver(&self, alert: &Alert) -> Result<(), SinkError>;

    /// Takes back what it shows of a session, where it can: the session no longer waits.
    fn withdraw(&self, _session_id: &str) {}
}

/// Why an alert was not shown. The texts go to the alert's log as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    #[error("no session bus: this desktop (or login without one) cannot show notifications")]
    NoBus,
    #[error("no notification service runs on this desktop; install one (dunst, mako) or use a desktop that has it")]
    NoService,
    #[error("the notification service did not answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    #[error("the notification service refused: {0}")]
    Refused(String),
    #[error("the notification thread is gone")]
    Gone,
    /// Trying again may help: the network, a busy server.
    #[error("{0}")]
    Later(String),
    /// Trying again does not help before somebody changes something.
    #[error("{0}")]
    Never(String),
}

impl SinkError {
    /// Whether the same delivery may work later without anybody's doing. The desktop's failures are told at once: what
    /// was to be seen now is of no use in an hour.
    pub fn may_pass(&self) -> bool {
        matches!(self, SinkError::Later(_))
    }
}

/// What sinks need of the world around them.
#[derive(Clone)]
pub struct Outside {
    /// `http://127.0.0.1:4000`, for links into the app.
    pub base_url: String,
    /// The clock, ms since 1970.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl Outside {
    /// The page behind an alert.
    pub fn link(&self, alert: &Alert) -> String {
        match &alert.session_id {
            Some(id) => format!("{}/app/session/{}", self.base_url, percent(id)),
            None => format!("{}/app/alerts", self.base_url),
        }
    }
}

/// The sink that `settings` describe, with its secrets by name. Fails in words when something is missing.
pub fn build(
    settings: &SinkSettings,
    secrets: &BTreeMap<String, String>,
    outside: &Outside,
) -> Result<Box<dyn Sink>, SinkError> {
    for (name, words, needed) in settings.kind.secrets() {
        if *needed && !secrets.contains_key(*name) {
            return Err(SinkError::Never(format!("{words} is not set")));
        }
    }
    if let Some((_, words)) = crate::check::sink_wrong(settings) {
        return Err(SinkError::Never(words));
    }
    let secret = |name: &str| secrets.get(name).cloned();
    Ok(match settings.kind {
        SinkKind::Desktop => return Err(SinkError::Never("the desktop is no sink of its own".to_owned())),
        SinkKind::Slack => Box::new(slack::Slack::new(settings, secret("url").unwrap_or_default(), outside)),
        SinkKind::Email => Box::new(email::Email::new(settings, secret("password"), outside)),
        SinkKind::Webhook => Box::new(webhook::Webhook::new(settings, secret("key"), outside)),
        SinkKind::Ntfy => Box::new(ntfy::Ntfy::new(settings, secret("token"), outside)),
    })
}

/// Percent-encodes everything outside RFC 3986's unreserved set.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
