//! What goes over `WS /api/v1/live`.

use serde::{Deserialize, Serialize};

use crate::{Alert, Event, Job, Overview, SessionRow};

/// Server to client, one JSON text frame each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveFrame {
    /// First frame. `seq` is the newest stored event; the gap after the client's `after` follows as `Appended` frames.
    Hello {
        seq: i64,
        server_ms: i64,
        version: String,
        overview: Box<Overview>,
        jobs: Vec<Job>,
    },
    /// New events, events that another source completed (same `seq` again), and the rows they changed.
    Appended {
        events: Vec<Event>,
        sessions: Vec<SessionRow>,
        server_ms: i64,
    },
    /// Totals changed, or a few seconds passed.
    Overview {
        overview: Box<Overview>,
    },
    Job {
        job: Job,
    },
    Alert {
        alert: Alert,
    },
    /// Sessions were removed (the demo was taken away).
    Removed {
        sessions: Vec<String>,
    },
    /// The client was too slow and lost frames: fetch again from the store, then reconnect with `after`.
    Lagged {
        newest_seq: i64,
    },
    /// Open this session: a notification was clicked.
    Open {
        session_id: String,
    },
}

/// Client to server. Today only a keep-alive; unknown frames are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    Ping,
}
