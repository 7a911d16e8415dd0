//! The live stream: everything published after its commit, serialized once, on one bounded channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::Utf8Bytes;
use orrery_types::LiveFrame;
use tokio::sync::broadcast;

use crate::ingest::Stored;

/// Frames a slow client may be behind before it is told to fetch again.
const FRAMES: usize = 1024;
/// Most WebSocket clients at a time, over both streams.
pub const MAX_CLIENTS: usize = 256;

/// Publishers and subscribers of the stream.
#[derive(Debug)]
pub struct Hub {
    frames: broadcast::Sender<Utf8Bytes>,
    family: broadcast::Sender<Utf8Bytes>,
    stored: broadcast::Sender<Arc<Stored>>,
    clients: AtomicUsize,
}

impl Default for Hub {
    fn default() -> Self {
        Hub {
            frames: broadcast::Sender::new(FRAMES),
            family: broadcast::Sender::new(FRAMES),
            stored: broadcast::Sender::new(FRAMES),
            clients: AtomicUsize::new(0),
        }
    }
}

impl Hub {
    /// Sends a frame to the clients of `/api/v1/live`. Nothing is serialized when nobody listens.
    pub fn publish(&self, frame: &LiveFrame) {
        if self.frames.receiver_count() > 0 {
            match serde_json::to_string(frame) {
                Ok(text) => drop(self.frames.send(text.into())),
                Err(error) => tracing::error!(%error, "a live frame could not be written"),
            }
        }
    }

    /// Tells the server's own subscribers what was committed.
    pub fn tell(&self, stored: Stored) {
        if self.stored.receiver_count() > 0 {
            let _ = self.stored.send(Arc::new(stored));
        }
    }

    /// Sends one event to the clients of `/stream`.
    pub fn publish_family(&self, text: String) {
        let _ = self.family.send(text.into());
    }

    pub fn has_family_clients(&self) -> bool {
        self.family.receiver_count() > 0
    }

    pub fn frames(&self) -> broadcast::Receiver<Utf8Bytes> {
        self.frames.subscribe()
    }

    pub fn family(&self) -> broadcast::Receiver<Utf8Bytes> {
        self.family.subscribe()
    }

    /// Everything committed from now on.
    pub fn stored(&self) -> broadcast::Receiver<Arc<Stored>> {
        self.stored.subscribe()
    }

    /// WebSocket clients connected now.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// A seat for one more client, given back when it is dropped. `None` when the house is full.
    pub fn enter(self: &Arc<Self>) -> Option<Seat> {
        let seated = self
            .clients
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < MAX_CLIENTS).then_some(now + 1));
        seated.is_ok().then(|| Seat(self.clone()))
    }
}

/// A connected client's place in the count.
#[derive(Debug)]
pub struct Seat(Arc<Hub>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
