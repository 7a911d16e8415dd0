//! Follows `WS /api/v1/live`: frames wait in a queue and are applied once per animation frame.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::StreamExt;
use gloo_net::websocket::{Message, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{EventQuery, LiveFrame, SessionQuery, SessionSort, frame_number};

use crate::host;
use crate::routes;
use crate::state::{AppState, Connection, Outcome, connection::backoff_ms};

/// Events read before the stream starts.
const FIRST_PAGE: u32 = 500;
const FIRST_SESSIONS: u32 = 200;
/// A gap longer than this is not replayed event by event: the newest page is read instead.
const LONGEST_GAP: i64 = 5_000;
/// Frames that may wait for the next paint; a hidden page paints never.
const MOST_WAITING: usize = 256;

/// Connects, follows, and connects again, for as long as the page lives.
pub fn follow(app: AppState) {
    spawn_local(async move {
        let mut attempt = 0;
        let mut fresh = true;
        loop {
            let ended = connect(app, fresh).await;
            fresh = matches!(ended, Ended::Resync);
            match ended {
                Ended::Resync => attempt = 0,
                Ended::Lost { was_live, reason } => {
                    attempt = if was_live { 0 } else { attempt + 1 };
                    app.connection.update(|state| {
                        if !matches!(state, Connection::Offline { .. }) {
                            *state = Connection::Offline { since_ms: host::unix_ms(), reason };
                        }
                    });
                    wait(app, backoff_ms(attempt)).await;
                }
                Ended::Unauthorized => {
                    app.connection.set(Connection::Unauthorized);
                    attempt += 1;
                    wait(app, backoff_ms(attempt.max(3))).await;
                }
            }
        }
    });
}

enum Ended {
    /// The server dropped frames for us.
    Resync,
    Lost {
        was_live: bool,
        reason: String,
    },
    Unauthorized,
}

/// One connection from its first request to its end.
///
/// `fresh` reads the newest page first: at the start, and when the server dropped frames.
async fn connect(app: AppState, fresh: bool) -> Ended {
    if let Err(ended) = catch_up(app, fresh).await {
        return ended;
    }
    let api = app.api();
    let resume = app.feed_untracked(|feed| feed.resume());
    let url = api.endpoint().socket_url(&format!("/api/v1/live?{resume}"));
    let opened = match &api.endpoint().token {
        Some(token) => WebSocket::open_with_protocol(&url, &format!("orrery.{token}")),
        None => WebSocket::open(&url),
    };
    let mut socket = match opened {
        Ok(socket) => socket,
        Err(error) => return Ended::Lost { was_live: false, reason: error.message },
    };
    let queue = Queue::default();
    let mut was_live = false;
    while let Some(message) = socket.next().await {
        match message {
            Ok(Message::Text(text)) => {
                was_live = true;
                queue.push(app, text);
            }
            Ok(Message::Bytes(_)) => {}
            Err(error) => {
                queue.flush(app);
                return if queue.wants_resync() {
                    Ended::Resync
                } else {
                    Ended::Lost { was_live, reason: in_words(&error) }
                };
            }
        }
        if queue.wants_resync() {
            return Ended::Resync;
        }
    }
    queue.flush(app);
    Ended::Lost { was_live, reason: "The server closed the connection".into() }
}

/// Reads the newest sessions, and the newest events when we have none or the gap is too long to follow.
///
/// The stream sends rows only with the events that change them, so rows that changed while nobody listened are read here.
async fn catch_up(app: AppState, fresh: bool) -> Result<(), Ended> {
    let lost = |error: super::ApiError| {
        if error.is_unauthorized() { Ended::Unauthorized } else { Ended::Lost { was_live: false, reason: error.title } }
    };
    let api = app.api();
    let query = SessionQuery { sort: SessionSort::Last, limit: Some(FIRST_SESSIONS), ..SessionQuery::default() };
    let sessions = api.sessions(&query).await.map_err(lost)?;
    let (newest, missing) = app.feed_untracked(|feed| (feed.newest_seq(), feed.missing()));
    let is_followed = newest > 0 && missing < LONGEST_GAP && !fresh;
    let events = if is_followed {
        Vec::new()
    } else {
        let query = EventQuery { limit: Some(FIRST_PAGE), ..EventQuery::default() };
        let mut page = api.events(&query).await.map_err(lost)?;
        page.items.sort_by_key(|event| event.seq);
        page.items
    };
    app.change_feed(|feed| {
        feed.add_sessions(sessions.items);
        if !is_followed {
            feed.restart();
            feed.add_events(events);
        }
    });
    Ok(())
}

fn in_words(error: &gloo_net::websocket::WebSocketError) -> String {
    use gloo_net::websocket::WebSocketError;
    match error {
        WebSocketError::ConnectionClose(close) if !close.reason.is_empty() => close.reason.clone(),
        WebSocketError::ConnectionClose(_) => "The server closed the connection".to_owned(),
        _ => "The server does not answer".to_owned(),
    }
}

/// Waits, or less when the person asks to connect now.
async fn wait(app: AppState, wait_ms: u32) {
    let asked = app.retry.get_untracked();
    let mut left_ms = wait_ms;
    while left_ms > 0 && app.retry.get_untracked() == asked {
        let step_ms = left_ms.min(100);
        TimeoutFuture::new(step_ms).await;
        left_ms -= step_ms;
    }
}

/// Frames that came since the last paint.
#[derive(Clone, Default)]
struct Queue(Rc<RefCell<Waiting>>);

#[derive(Default)]
struct Waiting {
    frames: Vec<String>,
    is_scheduled: bool,
    resync: bool,
}

impl Queue {
    fn push(&self, app: AppState, frame: String) {
        let (waiting, is_scheduled) = {
            let mut inner = self.0.borrow_mut();
            inner.frames.push(frame);
            (inner.frames.len(), std::mem::replace(&mut inner.is_scheduled, true))
        };
        if waiting >= MOST_WAITING {
            self.flush(app);
        } else if !is_scheduled {
            let queue = self.clone();
            host::on_next_paint(move || queue.flush(app));
        }
    }

    fn flush(&self, app: AppState) {
        let frames = {
            let mut inner = self.0.borrow_mut();
            inner.is_scheduled = false;
            std::mem::take(&mut inner.frames)
        };
        if frames.is_empty() {
            return;
        }
        let mut open = None;
        let mut resync = false;
        app.change_feed(|feed| {
            for text in &frames {
                if let Some(number) = frame_number(text) {
                    feed.heard(number);
                }
                let Ok(frame) = serde_json::from_str::<LiveFrame>(text) else { continue };
                if let LiveFrame::Hello { server_ms, .. } | LiveFrame::Appended { server_ms, .. } = &frame {
                    host::set_server_clock(*server_ms);
                }
                match feed.apply(frame) {
                    Outcome::Applied => {}
                    Outcome::Resync => resync = true,
                    Outcome::Open(session) => open = Some(session),
                }
            }
        });
        self.0.borrow_mut().resync |= resync;
        let left = app.feed_untracked(|feed| feed.missing());
        let state = if left > 0 { Connection::CatchingUp { left } } else { Connection::Live };
        if app.connection.get_untracked() != state {
            app.connection.set(state);
        }
        if let Some(session) = open {
            app.go(&routes::session(&session));
        }
    }

    fn wants_resync(&self) -> bool {
        self.0.borrow().resync
    }
}
