//! What goes over `WS /api/v1/live`.

use serde::{Deserialize, Serialize};

use crate::{Alert, Event, Job, Overview, SessionRow};

/// Server to client, one JSON text frame each.
///
/// Frames of the running stream carry their number as a first key `n` beside `type`; numbers grow by one. A client that
/// comes back with `after` (newest event), `frame` (newest number) and `boot` (from `Hello`) gets exactly the frames it
/// missed, while the server has them; before them, and always, the events after `after` from the store, without numbers.
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
        /// Names this run of the server: frame numbers of another run mean nothing here.
        #[serde(default)]
        boot: String,
        /// Number of the newest frame before this one; the numbered ones that follow come after it.
        #[serde(default)]
        frame: u64,
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

/// The number at the start of a frame's text. Empty for the first frame and for those that fill a gap.
pub fn frame_number(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("{\"n\":")?;
    digits[..digits.find(',')?].parse().ok()
}

/// Client to server. Today only a keep-alive; unknown frames are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    Ping,
}
