//! Living beside a server in another process: its figures, its alerts, and its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use orrery_alerts::Sink as _;
use orrery_alerts::sinks::desktop::DesktopSink;
use orrery_types::{Alert, AlertState, LiveFrame};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest as _};

use crate::elsewhere::Elsewhere;
use crate::host::News;

/// So long the server may take to show an alert itself before this window does it.
const SERVER_SHOWS_WITHIN: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_secs(1);
/// The server pings more often than that.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Connections that fail in a row before the server counts as ended.
const ATTEMPTS: u32 = 3;

/// Hands what the server tells to `tell` until it has ended. Shows alerts that it cannot show itself.
pub async fn follow(server: &Elsewhere, sink: &Arc<DesktopSink>, tell: impl Fn(News)) {
    let mut waiting = Waiting::default();
    let mut failed = 0;
    while failed < ATTEMPTS {
        match connect(server).await {
            Ok(mut socket) => {
                failed = 0;
                if let Ok(settings) = server.get("/api/v1/settings").await {
                    tell(News::Settings(Box::new(settings)));
                }
                read(&mut socket, &mut waiting, sink, &tell).await;
            }
            Err(error) => {
                failed += 1;
                tracing::debug!(%error, failed, "no stream from the server");
            }
        }
        tokio::time::sleep(TICK).await;
    }
}

async fn connect(server: &Elsewhere) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
    let address = format!("127.0.0.1:{}", server.port);
    let mut request = format!("ws://{address}/api/v1/live").into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {}", server.token).parse()?);
    let connected = timeout(CONNECT_WITHIN, async {
        let stream = TcpStream::connect(&address).await?;
        Ok(tokio_tungstenite::client_async(request, stream).await?.0)
    });
    connected.await.unwrap_or_else(|_| Err(tungstenite::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// Reads until the connection ends or falls silent.
async fn read(
    socket: &mut WebSocketStream<TcpStream>,
    waiting: &mut Waiting,
    sink: &Arc<DesktopSink>,
    tell: &impl Fn(News),
) {
    let mut tick = tokio::time::interval(TICK);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            _ = tick.tick() => {
                for alert in waiting.due(Instant::now()) {
                    show(sink, alert);
                }
                if heard.elapsed() > SILENCE {
                    return;
                }
            }
            message = socket.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => match frame(&text) {
                        Some(LiveFrame::Hello { overview, .. } | LiveFrame::Overview { overview }) => tell(News::Figures(overview)),
                        Some(LiveFrame::Open { .. }) => tell(News::Raise),
                        Some(LiveFrame::Alert { alert }) => {
                            if let Some(alert) = waiting.hear(alert, Instant::now()) {
                                show(sink, alert);
                            }
                        }
                        Some(_) | None => {}
                    },
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                }
            }
        }
    }
}

/// The frames the shell needs; events, which are most of the stream, are not read.
fn frame(text: &str) -> Option<LiveFrame> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    let head: Head<'_> = serde_json::from_str(text).ok()?;
    matches!(head.kind, "hello" | "overview" | "alert" | "open").then(|| serde_json::from_str(text).ok())?
}

/// Alerts that the server has logged and not shown yet. A server started where no notification service is reached logs
/// them and goes on; one that has a service says a moment later that they were delivered.
#[derive(Default)]
struct Waiting {
    alerts: HashMap<String, (Alert, Instant)>,
}

impl Waiting {
    /// Takes in what the server says of an alert. Answers with it when it has to be shown from here now.
    fn hear(&mut self, alert: Alert, now: Instant) -> Option<Alert> {
        match &alert.state {
            // Told elsewhere, or here already: the desktop is not meant.
            _ if !alert.is_for("desktop") => None,
            AlertState::Logged => {
                self.alerts.insert(alert.key.clone(), (alert, now + SERVER_SHOWS_WITHIN));
                None
            }
            AlertState::Failed { .. } => self.alerts.remove(&alert.key).map(|(alert, _)| alert),
            // Another sink took it; this desktop has not shown it.
            AlertState::Delivered { .. } if alert.delivered.iter().all(|sink| sink != "desktop") => None,
            AlertState::Delivered { .. }
            | AlertState::Paused
            | AlertState::Snoozed { .. }
            | AlertState::Quiet { .. }
            | AlertState::Cooling => {
                self.alerts.remove(&alert.key);
                None
            }
        }
    }

    /// Takes out the alerts that the server has had its time for.
    fn due(&mut self, now: Instant) -> Vec<Alert> {
        self.alerts.extract_if(|_, (_, until)| *until <= now).map(|(_, (alert, _))| alert).collect()
    }
}

/// Notification services may take their time: never on an async thread.
fn show(sink: &Arc<DesktopSink>, alert: Alert) {
    let sink = Arc::clone(sink);
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = sink.deliver(&alert) {
            tracing::warn!(%error, key = alert.key, "alert not shown");
        }
    });
}

#[cfg(test)]
mod tests {
    use orrery_types::AlertKind;

    use super::*;

    fn alert(key: &str, state: AlertState) -> Alert {
        Alert { key: key.to_owned(), kind: AlertKind::LongTask, at_ms: 1, state, ..Alert::default() }
    }

    #[test]
    fn only_what_the_server_cannot_show_is_shown_here() {
        let (mut waiting, start) = (Waiting::default(), Instant::now());
        for key in ["shown", "silent", "failed"] {
            assert!(waiting.hear(alert(key, AlertState::Logged), start).is_none());
        }
        assert!(waiting.hear(alert("paused", AlertState::Paused), start).is_none());
        let by = |key: &str, sink: &str| Alert {
            delivered: vec![sink.to_owned()],
            ..alert(key, AlertState::Delivered { at_ms: 2 })
        };
        assert!(waiting.hear(by("shown", "desktop"), start).is_none());
        assert!(waiting.hear(by("silent", "slack"), start).is_none(), "told in a channel, not on this desktop");
        let elsewhere = Alert { sinks: vec!["slack".to_owned()], ..alert("elsewhere", AlertState::Logged) };
        assert!(waiting.hear(elsewhere, start).is_none());
        let failed = waiting.hear(alert("failed", AlertState::Failed { error: "no bus".to_owned() }), start);
        assert_eq!(failed.map(|alert| alert.key).as_deref(), Some("failed"));

        assert!(waiting.due(start + SERVER_SHOWS_WITHIN / 2).is_empty());
        let due: Vec<String> = waiting.due(start + SERVER_SHOWS_WITHIN).into_iter().map(|alert| alert.key).collect();
        assert_eq!(due, ["silent"]);
        assert!(waiting.due(start + SERVER_SHOWS_WITHIN * 2).is_empty());
    }

    #[test]
    fn events_are_skipped_and_nonsense_is_harmless() {
        assert!(matches!(frame(r#"{"type":"open","session_id":"s1"}"#), Some(LiveFrame::Open { .. })));
        assert!(frame(r#"{"type":"appended","events":[],"sessions":[],"server_ms":1}"#).is_none());
        assert!(frame("{}").is_none() && frame("x").is_none());
    }
}
