//! The live stream: what was committed, in the order of the commits, serialized once for all clients.

pub mod ring;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use orrery_store::{Appended, Audience};
use orrery_types::{Event, LiveFrame, SessionRow};
use serde::Serialize;
use tokio::sync::{broadcast, mpsc};

use self::ring::{Follower, Ring};
use crate::clock::Clock;
use crate::family;

/// Commits that the server's own subscribers may be behind.
const STORED: usize = 1024;
/// Most WebSocket clients at a time, over both streams.
pub const MAX_CLIENTS: usize = 256;
/// A frame of events is cut at about this size, so that no client has to take megabytes at once.
const FRAME_BYTES: usize = 256 * 1024;

/// Publishers and subscribers of the stream.
#[derive(Debug)]
pub struct Hub {
    frames: Ring,
    family: Ring,
    stored: broadcast::Sender<Arc<Appended>>,
    clients: AtomicUsize,
    serialized: AtomicU64,
    lagged: AtomicU64,
}

impl Default for Hub {
    fn default() -> Self {
        Hub {
            frames: Ring::default(),
            family: Ring::default(),
            stored: broadcast::Sender::new(STORED),
            clients: AtomicUsize::new(0),
            serialized: AtomicU64::new(0),
            lagged: AtomicU64::new(0),
        }
    }
}

/// Publishes every commit, one after the other, until the store is closed.
pub async fn run(hub: Arc<Hub>, clock: Clock, mut commits: mpsc::Receiver<Arc<Appended>>) {
    while let Some(appended) = commits.recv().await {
        hub.publish_commit(&appended, clock.now_ms());
    }
}

impl Hub {
    /// Sends a frame to the clients of `/api/v1/live`. Nothing is serialized when nobody listens.
    pub fn publish(&self, frame: &LiveFrame) {
        self.frames.push(|number| match serde_json::to_string(frame) {
            Ok(text) => Some(numbered(number, &text)),
            Err(error) => {
                tracing::error!(%error, "a live frame could not be written");
                None
            }
        });
    }

    /// Sends one commit to every client and to the server's own subscribers.
    pub fn publish_commit(&self, appended: &Arc<Appended>, server_ms: i64) {
        let events = if appended.audience == Audience::All { appended.events.as_slice() } else { &[] };
        if !events.is_empty() || !appended.sessions.is_empty() {
            if self.frames.is_heard() {
                self.publish_events(events, &appended.sessions, server_ms);
            } else {
                self.frames.skip();
            }
            if self.stored.receiver_count() > 0 {
                let _ = self.stored.send(Arc::clone(appended));
            }
        }
        if !appended.raws.is_empty() && self.family.is_heard() {
            self.publish_family(appended, events);
        }
    }

    /// `LiveFrame::Appended` of all of it, in frames of a size that any client can take.
    fn publish_events(&self, events: &[Event], sessions: &[SessionRow], server_ms: i64) {
        let mut piece = Vec::new();
        let mut bytes = 0;
        for event in events {
            let text = match serde_json::to_string(event) {
                Ok(text) => text,
                Err(error) => {
                    tracing::error!(%error, seq = event.seq, "an event could not be written for the stream");
                    continue;
                }
            };
            self.serialized.fetch_add(1, Ordering::Relaxed);
            if bytes > 0 && bytes + text.len() > FRAME_BYTES {
                self.push_piece(&std::mem::take(&mut piece), &[], server_ms);
                bytes = 0;
            }
            bytes += text.len();
            piece.push(text);
        }
        self.push_piece(&piece, sessions, server_ms);
    }

    fn push_piece(&self, events: &[String], sessions: &[SessionRow], server_ms: i64) {
        #[derive(Serialize)]
        struct Tail<'a> {
            sessions: &'a [SessionRow],
            server_ms: i64,
        }
        self.frames.push(|number| {
            let tail = serde_json::to_string(&Tail { sessions, server_ms }).ok()?;
            let size = events.iter().map(|text| text.len() + 1).sum::<usize>() + tail.len() + 64;
            let mut text = String::with_capacity(size);
            text.push_str("{\"n\":");
            text.push_str(&number.to_string());
            text.push_str(",\"type\":\"appended\",\"events\":[");
            for (place, event) in events.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { "," });
                text.push_str(event);
            }
            text.push_str("],");
            text.push_str(&tail[1..]);
            Some(text)
        });
    }

    /// Each event in the family's words, with the payload it came from.
    fn publish_family(&self, appended: &Appended, events: &[Event]) {
        let item_of: HashMap<i64, usize> = appended
            .seqs
            .iter()
            .enumerate()
            .flat_map(|(item, seqs)| seqs.iter().map(move |seq| (*seq, item)))
            .collect();
        for event in events {
            let raw = item_of.get(&event.seq).and_then(|item| appended.raws.get(*item)?.as_ref());
            let event = family::event_json(event, raw.map(|raw| (raw.source, raw.bytes.as_slice())));
            self.family.push(|_| Some(serde_json::json!({"type": "event", "data": event}).to_string()));
        }
    }

    pub fn has_family_clients(&self) -> bool {
        self.family.is_heard()
    }

    pub fn frames(&self) -> Follower {
        self.frames.follow()
    }

    /// The frames from `number` on, when all of them are kept still.
    pub fn frames_from(&self, number: u64) -> Option<Follower> {
        self.frames.follow_from(number)
    }

    pub fn family(&self) -> Follower {
        self.family.follow()
    }

    /// Everything committed from now on.
    pub fn stored(&self) -> broadcast::Receiver<Arc<Appended>> {
        self.stored.subscribe()
    }

    /// WebSocket clients connected now.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Events written for the stream since the start: each once, however many clients there are.
    pub fn serialized(&self) -> u64 {
        self.serialized.load(Ordering::Relaxed)
    }

    /// Clients that were too slow and were told so.
    pub fn lagged(&self) -> u64 {
        self.lagged.load(Ordering::Relaxed)
    }

    pub fn note_lagged(&self) {
        self.lagged.fetch_add(1, Ordering::Relaxed);
    }

    /// A seat for one more client, given back when it is dropped. `None` when the house is full.
    pub fn enter(self: &Arc<Self>) -> Option<Seat> {
        let seated = self
            .clients
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now < MAX_CLIENTS).then_some(now + 1));
        seated.is_ok().then(|| Seat(self.clone()))
    }
}

/// A frame's text with its number in front.
fn numbered(number: u64, text: &str) -> String {
    format!("{{\"n\":{number},{}", &text[1..])
}

/// A connected client's place in the count.
#[derive(Debug)]
pub struct Seat(Arc<Hub>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
