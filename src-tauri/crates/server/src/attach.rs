//! Finding a server that runs on this data directory already, proven to be ours before it learns the token.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{clock, token};

const DEADLINE: Duration = Duration::from_secs(2);
const MOST_BYTES: u64 = 16 * 1024;

/// A running server of the same data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// `http://127.0.0.1:PORT`.
    pub base_url: String,
    pub token: String,
    pub port: u16,
}

/// The server on `data_dir`, when one runs and knows the token. The token itself is not sent: the server answers a
/// nonce with a keyed hash of it, which an impostor on the port cannot.
pub async fn find(data_dir: impl AsRef<Path>) -> Option<Elsewhere> {
    let port = orrery_client::discover::read_port(data_dir.as_ref())?;
    let token = token::read(data_dir.as_ref())?;
    is_ours(port, &token).await.then(|| Elsewhere { base_url: format!("http://127.0.0.1:{port}"), token, port })
}

/// Whether the server on `port` knows `token`.
pub async fn is_ours(port: u16, token: &str) -> bool {
    let Ok(nonce) = clock::secret() else { return false };
    let answer = tokio::time::timeout(DEADLINE, ask(port, &nonce)).await.ok().and_then(Result::ok).unwrap_or_default();
    let proof = answer.rsplit("\r\n\r\n").next().unwrap_or_default().trim();
    answer.starts_with("HTTP/1.1 200") && token::same(proof, &token::proof(token, &nonce))
}

async fn ask(port: u16, nonce: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let request =
        format!("GET /api/v1/proof?nonce={nonce} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
