//! Accepting connections: bounded in number, impatient with those that keep us waiting, polite at the end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{FromRequestParts, Request};
use axum::http::Extensions;
use axum::http::request::Parts;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::seats::{Seat, Seats};
use crate::app::ended;

/// Connections served at a time, when the system lets us have as many.
const MAX_CONNECTIONS: usize = 2048;
/// Files that everything else may have open.
const OTHER_FILES: usize = 512;
/// A client that has not sent its headers by then is not going to.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests under way get this long to finish when the server stops.
const GRACE: Duration = Duration::from_secs(10);
/// Refusals written at a time; beyond it a connection is closed without a word.
const REFUSALS: usize = 64;
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// An answer up to this size is on its way when it is made: the connection waits for its client then.
const SHORT_ANSWER: u64 = 256 * 1024;

const REFUSAL: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: application/problem+json\r\n",
    "Connection: close\r\nContent-Length: 171\r\n\r\n",
    r#"{"status":503,"code":"too_many_connections","title":"Orrery has too much to do","hint":"Send again in a second; use fewer connections","error":"Orrery has too much to do"}"#
);

const PLAIN_REFUSAL: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 27\r\n\r\nAsk with https:// from here";

/// Seats for as many connections as the system allows files.
pub fn seats() -> Arc<Seats> {
    Seats::new(files().saturating_sub(OTHER_FILES).clamp(64, MAX_CONNECTIONS))
}

/// Serves `router` on `listener` until `stop` is true and the requests under way are answered.
///
/// With `tls`, clients of this machine may speak plainly still: hooks do. Others must not.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    seats: Arc<Seats>,
    tls: Option<Arc<ServerConfig>>,
    mut stop: watch::Receiver<bool>,
) {
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended(&mut stop) => break,
        };
        match accepted {
            Ok((stream, address)) => match seats.take() {
                Some(seat) => {
                    let near = address.ip().to_canonical().is_loopback();
                    let client = Client { router: router.clone(), seat, tls: tls.clone(), near };
                    drop(open.spawn(client.serve(stream, stop.clone())));
                }
                None => {
                    if let Ok(permit) = refusals.clone().try_acquire_owned() {
                        open.spawn(async move {
                            let _ = tokio::time::timeout(REFUSAL_TIME, refuse(stream)).await;
                            drop(permit);
                        });
                    }
                }
            },
            Err(error) => {
                // Mostly "too many open files": the next connection may close meanwhile.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    let finished = tokio::time::timeout(GRACE, async { while open.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!(connections = open.len(), "closed connections that did not finish");
    }
}

/// Who asks: whether from this machine, and whether nobody between can listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    pub near: bool,
    pub encrypted: bool,
}

impl Peer {
    /// The peer of a request. One made in the process itself is near.
    pub fn of(extensions: &Extensions) -> Peer {
        extensions.get::<Peer>().copied().unwrap_or(Peer { near: true, encrypted: false })
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Peer, Infallible> {
        Ok(Peer::of(&parts.extensions))
    }
}

/// One accepted connection.
struct Client {
    router: Router,
    seat: Arc<Seat>,
    tls: Option<Arc<ServerConfig>>,
    near: bool,
}

impl Client {
    async fn serve(self, stream: TcpStream, mut stop: watch::Receiver<bool>) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return connection(stream, self.router, self.seat, Peer { near: self.near, encrypted: false }, stop).await;
        };
        let seat = self.seat.clone();
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(HEADER_TIMEOUT, shake(stream, tls.clone(), self.near)) => shaken,
            () = seat.asked_to_leave() => return,
            () = ended(&mut stop) => return,
        };
        match shaken {
            Ok(Ok(Shaken::Plain(stream))) => {
                connection(stream, self.router, self.seat, Peer { near: true, encrypted: false }, stop).await;
            }
            Ok(Ok(Shaken::Encrypted(stream))) => {
                connection(*stream, self.router, self.seat, Peer { near: self.near, encrypted: true }, stop).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "a client did not get as far as a request"),
            Err(_) => tracing::debug!("a client did not say what it wants"),
        }
    }
}

enum Shaken {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// Finds out what the client speaks from its first byte.
async fn shake(stream: TcpStream, tls: Arc<ServerConfig>, near: bool) -> std::io::Result<Shaken> {
    /// First byte of a TLS handshake (RFC 8446, 5.1).
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    let is_tls = stream.peek(&mut first).await? == 1 && first[0] == HANDSHAKE;
    if is_tls {
        return Ok(Shaken::Encrypted(Box::new(TlsAcceptor::from(tls).accept(stream).await?)));
    }
    if near {
        return Ok(Shaken::Plain(stream));
    }
    let mut stream = stream;
    stream.write_all(PLAIN_REFUSAL.as_bytes()).await?;
    stream.shutdown().await?;
    Err(std::io::Error::other("plain HTTP from another machine"))
}

async fn connection<S>(stream: S, router: Router, seat: Arc<Seat>, peer: Peer, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = Seated { router: TowerToHyperService::new(router), seat: seat.clone(), peer };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = seat.asked_to_leave() => return,
        () = ended(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Says why, and lets the client read it: closing with unread bytes would take the answer away again.
async fn refuse(mut stream: TcpStream) {
    if stream.write_all(REFUSAL.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        let mut sink = [0; 4096];
        while stream.read(&mut sink).await.is_ok_and(|count| count > 0) {}
    }
}

/// The router for one connection, keeping its seat's books.
struct Seated {
    router: TowerToHyperService<Router>,
    seat: Arc<Seat>,
    peer: Peer,
}

impl Service<hyper::Request<Incoming>> for Seated {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        let seat = self.seat.clone();
        if request.body().is_end_stream() {
            seat.works();
        }
        request.extensions_mut().insert(seat.clone());
        request.extensions_mut().insert(self.peer);
        let answer = self.router.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if answer.body().size_hint().exact().is_some_and(|size| size <= SHORT_ANSWER) {
                seat.waits();
            }
            Ok(answer)
        })
    }
}

/// The seat of the connection that a request came over. Empty for requests made in the process itself.
pub fn seat_of(request: &Request) -> Option<Arc<Seat>> {
    request.extensions().get::<Arc<Seat>>().cloned()
}

/// Files this process may open, after asking for as many as it could use.
#[cfg(unix)]
fn files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = (MAX_CONNECTIONS + OTHER_FILES) as u64;
    let now = getrlimit(Resource::Nofile);
    let enough = now.current.is_none_or(|current| current >= wanted);
    if !enough {
        let current = Some(now.maximum.map_or(wanted, |most| most.min(wanted)));
        let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum: now.maximum });
    }
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn files() -> usize {
    MAX_CONNECTIONS + OTHER_FILES
}

#[cfg(test)]
mod tests {
    use super::REFUSAL;

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{}", body.len());
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).expect("JSON")["code"], "too_many_connections");
    }
}
