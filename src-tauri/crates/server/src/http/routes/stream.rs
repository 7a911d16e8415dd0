//! `WS /stream`: the family's stream. First the newest events, then each event; the same id again is an update.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::StreamExt;
use serde_json::json;

use super::events;
use super::live::{Gone, accept, send};
use crate::app::{App, ended};
use crate::http::problem::Failure;
use crate::live::ring::Lagged;

const INITIAL: u32 = 300;

pub async fn socket(
    State(app): State<Arc<App>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    accept(app, upgrade, |app, socket| async move {
        let _ = run(&app, socket).await;
    })
}

async fn run(app: &App, mut socket: WebSocket) -> Result<(), Gone> {
    let mut frames = app.live.family();
    let mut stop = app.stop.subscribe();
    initial(app, &mut socket).await?;
    loop {
        tokio::select! {
            frame = frames.next() => match frame {
                Ok(text) => send(&mut socket, text).await?,
                // The family's clients know no resync: they get the newest events once more.
                Err(Lagged) => {
                    app.live.note_lagged();
                    frames = app.live.family();
                    initial(app, &mut socket).await?;
                }
            },
            message = socket.next() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            },
            () = ended(&mut stop) => {
                let _ = socket.send(Message::Close(None)).await;
                return Ok(());
            }
        }
    }
}

async fn initial(app: &App, socket: &mut WebSocket) -> Result<(), Gone> {
    let events = app.read(|store| events::newest(store, INITIAL, None)).await.map_err(|_| Gone)?;
    send(socket, json!({"type": "initial", "data": events}).to_string().into()).await
}
