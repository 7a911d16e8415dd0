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

/// What became of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server has it.
    Taken,
    /// The server has it, and says what the agent is to hear: see [`crate::answer`].
    Answered(Vec<u8>),
    /// It is for the spool.
    Failed,
}

/// Sends a payload and waits, within the deadline, for the server to say that it has it. The answer's body is read where
/// `wants_answer`, and what does not arrive in time is no answer: nothing that goes wrong stops an agent.
pub fn deliver(server: SocketAddr, delivery: Delivery<'_>, deadline: Deadline, wants_answer: bool) -> Outcome {
    attempt(server, delivery, deadline, wants_answer).unwrap_or(Outcome::Failed)
}

fn attempt(
    server: SocketAddr,
    delivery: Delivery<'_>,
    deadline: Deadline,
    wants_answer: bool,
) -> std::io::Result<Outcome> {
    let end = Instant::now() + deadline.total;
    let mut stream = TcpStream::connect_timeout(&server, deadline.connect.min(deadline.total))?;
    stream.set_nodelay(true)?;
    let message = message(server.port(), delivery);
    stream.set_write_timeout(Some(left(end)?))?;
    let mut sent = 0;
    while sent < message.len() {
        match stream.write(&message[sent..]) {
            Ok(0) => return Ok(Outcome::Failed),
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
            Ok(0) => return Ok(Outcome::Failed),
            Ok(count) => read += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let taken = answer.starts_with(b"HTTP/1.") && answer[8] == b' ' && answer[9] == b'2';
    if !taken {
        return Ok(Outcome::Failed);
    }
    if !wants_answer {
        return Ok(Outcome::Taken);
    }
    // Usually all of it is here: the server writes head and body at once.
    let body = rest(&mut stream, answer[..read].to_vec(), end).unwrap_or_default();
    Ok(if body.is_empty() { Outcome::Taken } else { Outcome::Answered(body) })
}

/// The body behind a head that has begun. Empty when there is none, when it is longer than an answer of ours, and when it
/// does not come in time.
fn rest(stream: &mut TcpStream, mut answer: Vec<u8>, end: Instant) -> std::io::Result<Vec<u8>> {
    const MOST: usize = 8 * 1024;
    loop {
        if let Some((head, body)) = split(&answer) {
            let length = content_length(head).unwrap_or(0);
            if length == 0 || length > MOST {
                return Ok(Vec::new());
            }
            if let Some(body) = answer.get(body..body + length) {
                return Ok(body.to_vec());
            }
        } else if answer.len() > MOST {
            return Ok(Vec::new());
        }
        let mut more = [0_u8; 1024];
        stream.set_read_timeout(Some(left(end)?))?;
        match stream.read(&mut more) {
            Ok(0) => return Ok(Vec::new()),
            Ok(count) => answer.extend_from_slice(&more[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The head, and where the body begins. Empty while the head is not whole.
fn split(answer: &[u8]) -> Option<(&[u8], usize)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((&answer[..end], end + 4))
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|byte| *byte == b'\n')
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))?;
    std::str::from_utf8(&line[NAME.len()..]).ok()?.trim().parse().ok()
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
