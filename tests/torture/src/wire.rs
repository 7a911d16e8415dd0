//! A plain client: one connection, one request after the other, nothing hidden.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

pub struct Wire {
    port: u16,
    stream: BufReader<TcpStream>,
}

pub struct Answer {
    pub status: u16,
    /// Of `Retry-After`.
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the answer is no JSON")
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> String {
        self.json().ok().and_then(|body| Some(body["code"].as_str()?.to_owned())).unwrap_or_default()
    }
}

impl Wire {
    pub fn open(port: u16) -> anyhow::Result<Wire> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_write_timeout(Some(Duration::from_secs(60)))?;
        Ok(Wire { port, stream: BufReader::new(stream) })
    }

    pub fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let port = self.port;
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes(), &[])
    }

    pub fn post(&mut self, path: &str, body: &[u8]) -> anyhow::Result<Answer> {
        let (port, length) = (self.port, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        self.raw(head.as_bytes(), body)
    }

    /// The JSON at `path`, which must answer 200.
    pub fn read(&mut self, path: &str) -> anyhow::Result<Value> {
        let answer = self.get(path)?;
        if answer.status != 200 {
            bail!("{path} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        answer.json()
    }

    fn raw(&mut self, head: &[u8], body: &[u8]) -> anyhow::Result<Answer> {
        // One write for what is small: the server sees it in one piece, as from any client library.
        if body.len() < 64 * 1024 {
            self.stream.get_mut().write_all(&[head, body].concat())?;
        } else {
            self.stream.get_mut().write_all(head)?;
            // A server that refuses a body early closes: its answer is there all the same.
            let _ = self.stream.get_mut().write_all(body);
        }
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.with_context(|| format!("no status in {status_line:?}"))?;
        let (mut length, mut retry_after) = (0, None);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse()?,
                "retry-after" => retry_after = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, retry_after, body })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}
