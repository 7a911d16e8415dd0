//! A sink that remembers what it was given.

use std::sync::Mutex;

use orrery_alerts::{Sink, SinkError};
use orrery_types::Alert;

/// Takes every alert, or refuses every one.
#[derive(Debug, Default)]
pub struct RecordingSink {
    alerts: Mutex<Vec<Alert>>,
    refuse: bool,
}

impl RecordingSink {
    /// A sink whose service is never there.
    pub fn refusing() -> RecordingSink {
        RecordingSink { refuse: true, ..RecordingSink::default() }
    }

    /// What was delivered so far.
    pub fn alerts(&self) -> Vec<Alert> {
        self.alerts.lock().expect("no test panics while it holds the list").clone()
    }
}

impl Sink for RecordingSink {
    fn name(&self) -> &str {
        "recording"
    }

    fn deliver(&self, alert: &Alert) -> Result<(), SinkError> {
        self.alerts.lock().expect("no test panics while it holds the list").push(alert.clone());
        if self.refuse { Err(SinkError::NoService) } else { Ok(()) }
    }
}
