//! A server in another process, asked over HTTP on loopback.
//!
//! Small on purpose: a handful of requests to a server whose proof was checked, each on a connection of its own.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(5);
const MAX_ANSWER_BYTES: u64 = 16 * 1024 * 1024;

/// Where the other server is.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    pub port: u16,
    pub token: String,
}

impl Elsewhere {
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub async fn get<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> io::Result<T> {
        self.ask("GET", path, None).await
    }

    pub async fn post<T: DeserializeOwned + Send + 'static>(&self, path: &str, body: Value) -> io::Result<T> {
        self.ask("POST", path, Some(body)).await
    }

    async fn ask<T>(&self, method: &'static str, path: &str, body: Option<Value>) -> io::Result<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let request = self.request(method, path, body.as_ref());
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let exchanged = tauri::async_runtime::spawn_blocking(move || exchange(address, &request));
        let answer = exchanged.await.map_err(io::Error::other)??;
        serde_json::from_slice(body_of(&answer)?).map_err(io::Error::other)
    }

    /// HTTP/1.0, so that the answer ends with the connection and is never cut in chunks.
    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> String {
        let body = body.map(Value::to_string).unwrap_or_default();
        let Elsewhere { port, token } = self;
        format!(
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

fn exchange(address: SocketAddr, request: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The body of an answer with a status of 2xx.
fn body_of(answer: &[u8]) -> io::Result<&[u8]> {
    let head_end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = head_end.map(|end| (&answer[..end], &answer[end + 4..])).ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    if status.first() != Some(&b'2') {
        return Err(io::Error::other(format!("status {}", String::from_utf8_lossy(status))));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::TcpListener;

    use serde_json::json;

    use super::*;

    /// Asks a server that gives `answer`; what came back, and what the server read.
    fn check(answer: &'static str) -> (io::Result<Value>, String) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let elsewhere = Elsewhere { port: listener.local_addr().unwrap().port(), token: "t0".to_owned() };
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let got = tauri::async_runtime::block_on(elsewhere.post("/api/v1/x", json!({"a": 1})));
        (got, server.join().unwrap())
    }

    #[test]
    fn the_token_goes_along_and_the_answer_is_read() {
        let (got, asked) = check("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"b\":2}");
        assert_eq!(got.unwrap(), json!({"b": 2}));
        assert!(asked.starts_with("POST /api/v1/x HTTP/1.0\r\nHost: 127.0.0.1:"), "{asked}");
        assert!(asked.contains("\r\nAuthorization: Bearer t0\r\n") && asked.ends_with("\r\n\r\n{\"a\":1}"), "{asked}");
    }

    #[test]
    fn refusals_and_half_answers_are_errors() {
        assert!(check("HTTP/1.0 401 Unauthorized\r\n\r\n{}").0.unwrap_err().to_string().contains("401"));
        assert!(check("HTTP/1.0 200 OK\r\n").0.is_err());
        assert!(check("").0.is_err());
    }
}
