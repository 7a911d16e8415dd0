//! `WS /api/v1/live?after=N`: the stream the interface lives on.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt;
use orrery_types::{EventQuery, LiveFrame};
use serde::Deserialize;

use crate::app::{App, ended};
use crate::http::guard::PROTOCOL;
use crate::http::problem::Failure;
use crate::http::request::Params;
use crate::live::ring::{Follower, Lagged};

/// Events in one frame of the gap, and in the whole gap before the client is told to fetch again.
const GAP_PAGE: u32 = 100;
const GAP_MOST: i64 = 5_000;
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client that takes no frame for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_MESSAGE: usize = 64 * 1024;
/// Clients say next to nothing.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LiveParams {
    /// The newest event the client has. Empty: it wants no gap.
    after: Option<i64>,
    /// The newest numbered frame the client has, and the run of the server it came from.
    frame: Option<u64>,
    boot: String,
}

pub async fn socket(
    State(app): State<Arc<App>>,
    Params(params): Params<LiveParams>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    accept(app, upgrade, move |app, socket| async move {
        // A client that went away in the middle of a frame is no error of ours.
        let _ = run(&app, params, socket).await;
    })
}

/// Upgrades the request and gives it a seat, on either stream.
pub fn accept<F, Done>(
    app: Arc<App>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    run: F,
) -> Result<Response, Failure>
where
    F: FnOnce(Arc<App>, WebSocket) -> Done + Send + 'static,
    Done: Future<Output = ()> + Send + 'static,
{
    let upgrade = upgrade.map_err(|error| {
        Failure::new(StatusCode::UPGRADE_REQUIRED, "websocket_only", error.body_text(), "Connect with a WebSocket")
    })?;
    let Some(seat) = app.live.enter() else {
        let hint = "Close a window or a tab that shows Orrery";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_clients", "Too many clients", hint));
    };
    // Each frame is flushed before the next is taken, so the write buffer holds one at most.
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER);
    let upgrade = upgrade.protocols([format!("{PROTOCOL}{}", app.token)]);
    Ok(upgrade.on_upgrade(move |socket| async move {
        run(app, socket).await;
        drop(seat);
    }))
}

/// The socket takes no more: the client is gone or stalled.
#[derive(Debug)]
pub struct Gone;

/// Sends one text frame within the deadline.
pub async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> Result<(), Gone> {
    send_message(socket, Message::Text(text)).await
}

async fn send_message(socket: &mut WebSocket, message: Message) -> Result<(), Gone> {
    match tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Gone),
    }
}

async fn send_frame(socket: &mut WebSocket, frame: &LiveFrame) -> Result<(), Gone> {
    let text = serde_json::to_string(frame).map_err(|_| Gone)?;
    send(socket, text.into()).await
}

async fn run(app: &App, params: LiveParams, mut socket: WebSocket) -> Result<(), Gone> {
    let boot = app.boot();
    let missed = params.frame.filter(|_| params.boot == boot).and_then(|frame| app.live.frames_from(frame + 1));
    // Subscribed before the store is read: what is committed in between comes twice rather than never, and the same
    // number again is an update.
    let frames = missed.unwrap_or_else(|| app.live.frames());
    let newest = app.read(|store| store.newest_seq()).await.map_err(|_| Gone)?;
    let hello = LiveFrame::Hello {
        seq: newest,
        server_ms: app.clock.now_ms(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        overview: Box::new(app.overview.borrow().clone()),
        jobs: app.jobs.list(),
        boot,
        frame: frames.number() - 1,
    };
    send_frame(&mut socket, &hello).await?;
    // Also before frames that are kept: the client may have left while an earlier gap was being filled.
    if let Some(after) = params.after.filter(|after| *after < newest) {
        if newest - after > GAP_MOST {
            return send_frame(&mut socket, &LiveFrame::Lagged { newest_seq: newest }).await;
        }
        fill_gap(app, &mut socket, after, newest).await?;
    }
    follow(app, socket, frames).await
}

async fn fill_gap(app: &App, socket: &mut WebSocket, mut after: i64, newest: i64) -> Result<(), Gone> {
    while after < newest {
        let query = EventQuery { after: Some(after), limit: Some(GAP_PAGE), ..EventQuery::default() };
        let page = app.read(move |store| store.events(&query)).await.map_err(|_| Gone)?;
        let Some(last) = page.items.last() else { break };
        after = last.seq;
        let frame = LiveFrame::Appended { events: page.items, sessions: Vec::new(), server_ms: app.clock.now_ms() };
        send_frame(socket, &frame).await?;
    }
    Ok(())
}

async fn follow(app: &App, mut socket: WebSocket, mut frames: Follower) -> Result<(), Gone> {
    let mut ping = tokio::time::interval(PING_EVERY);
    let mut stop = app.stop.subscribe();
    loop {
        tokio::select! {
            frame = frames.next() => match frame {
                Ok(text) => send(&mut socket, text).await?,
                Err(Lagged) => {
                    app.live.note_lagged();
                    let newest_seq = app.read(|store| store.newest_seq()).await.map_err(|_| Gone)?;
                    return send_frame(&mut socket, &LiveFrame::Lagged { newest_seq }).await;
                }
            },
            message = socket.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            _ = ping.tick() => send_message(&mut socket, Message::Ping(bytes::Bytes::new())).await?,
            () = ended(&mut stop) => return send_message(&mut socket, Message::Close(None)).await,
        }
    }
}
