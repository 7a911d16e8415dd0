//! One payload to the server on this machine, within a deadline the agent does not notice.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::id::push_number;

/// How long the agent may be held up.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    pub connect: Duration,
    /// From the start to the status line.
    pub total: Duration,
}

impl Default for Deadline {
    fn default() -> Self {
        Deadline { connect: Duration::from_millis(50), total: Duration::from_millis(120) }
    }
}

impl Deadline {
    /// For a server that did not answer a moment ago: a healthy one is faster than this by far.
    pub const SHORT: Deadline = Deadline { connect: Duration::from_millis(10), total: Duration::from_millis(15) };
}

/// One hook payload with what the hook knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// 32 hex digits; the spooled copy carries the same, so that a payload delivered twice is one row.
    pub id: &'a str,
    /// When the hook started, ms since 1970.
    pub at_ms: i64,
    /// Slug: letters, digits, `-`, `_` and `.` only.
    pub agent: &'a str,
    pub body: &'a [u8],
}

/// Whether the server said within the deadline that it has the payload. Anything else is for the spool.
pub fn deliver(server: SocketAddr, delivery: Delivery<'_>, deadline: Deadline) -> bool {
    attempt(server, delivery, deadline).unwrap_or(false)
}

fn attempt(server: SocketAddr, delivery: Delivery<'_>, deadline: Deadline) -> std::io::Result<bool> {
    let end = Instant::now() + deadline.total;
    let mut stream = TcpStream::connect_timeout(&server, deadline.connect.min(deadline.total))?;
    stream.set_nodelay(true)?;
    let message = message(server.port(), delivery);
    stream.set_write_timeout(Some(left(end)?))?;
    let mut sent = 0;
    while sent < message.len() {
        match stream.write(&message[sent..]) {
            Ok(0) => return Ok(false),
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if sent < message.len() {
            stream.set_write_timeout(Some(left(end)?))?;
        }
    }
    let mut answer = [0_u8; 512];
    let mut read = 0;
    while read < 12 {
        stream.set_read_timeout(Some(left(end)?))?;
        match stream.read(&mut answer[read..]) {
            Ok(0) => return Ok(false),
            Ok(count) => read += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer.starts_with(b"HTTP/1.") && answer[8] == b' ' && answer[9] == b'2')
}

/// What is left until `end`. Never zero, which the socket would take for "no timeout".
fn left(end: Instant) -> std::io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn message(port: u16, delivery: Delivery<'_>) -> Vec<u8> {
    let mut head = String::with_capacity(256);
    head.push_str("POST /hooks/");
    head.push_str(delivery.agent);
    head.push_str(" HTTP/1.1\r\nHost: 127.0.0.1:");
    push_number(&mut head, u64::from(port), 1);
    head.push_str("\r\nContent-Type: application/json\r\nConnection: close\r\nX-Orrery-Id: ");
    head.push_str(delivery.id);
    head.push_str("\r\nX-Orrery-At: ");
    push_number(&mut head, u64::try_from(delivery.at_ms).unwrap_or(0), 1);
    head.push_str("\r\nContent-Length: ");
    push_number(&mut head, delivery.body.len() as u64, 1);
    head.push_str("\r\n\r\n");
    let mut message = head.into_bytes();
    message.extend_from_slice(delivery.body);
    message
}
