//! Sinks: ways to tell a person.

pub mod desktop;

use std::time::Duration;

use orrery_types::Alert;

/// A way to tell a person. Called after the alert was logged, from a thread that may block.
pub trait Sink: Send + Sync {
    /// One word for the log: `desktop`.
    fn name(&self) -> &str;

    /// Shows the alert. `Ok` means that the other side took it, not that somebody read it.
    fn deliver(&self, alert: &Alert) -> Result<(), SinkError>;
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
}
