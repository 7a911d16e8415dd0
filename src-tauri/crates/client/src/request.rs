//! A plain HTTP/1.1 client for talking to our own server: one connection, one request after the other.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A kept connection to one server. Opened at the first request and again after it broke.
#[derive(Debug)]
pub struct Connection {
    server: SocketAddr,
    token: Option<String>,
    timeout: Duration,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// Nothing is opened yet. `timeout` holds for connecting and for each wait on the socket.
    pub fn new(server: SocketAddr, token: Option<String>, timeout: Duration) -> Connection {
        Connection { server, token, timeout, stream: None }
    }

    /// Sends one request and reads the whole answer. `headers` are `Name: value` without line ends. A kept connection
    /// that the server closed meanwhile is opened once more: every request of ours may be repeated.
    pub fn send(&mut self, method: &str, path: &str, headers: &[String], body: &[u8]) -> io::Result<Answer> {
        let kept = self.stream.is_some();
        match self.attempt(method, path, headers, body) {
            Err(_) if kept => self.attempt(method, path, headers, body),
            done => done,
        }
    }

    fn attempt(&mut self, method: &str, path: &str, headers: &[String], body: &[u8]) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect_timeout(&self.server, self.timeout.min(Duration::from_secs(5)))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(self.timeout))?;
                stream.set_write_timeout(Some(self.timeout))?;
                BufReader::new(stream)
            }
        };
        let mut message =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", self.server, body.len());
        if let Some(token) = &self.token {
            message.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        for header in headers {
            message.push_str(header);
            message.push_str("\r\n");
        }
        if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("content-type:")) {
            message.push_str("Content-Type: application/json\r\n");
        }
        message.push_str("\r\n");
        let mut bytes = message.into_bytes();
        bytes.extend_from_slice(body);
        stream.get_mut().write_all(&bytes)?;
        let (answer, keep) = read_answer(&mut stream)?;
        if keep {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// The answer, and whether the connection can be used again.
fn read_answer(stream: &mut impl BufRead) -> io::Result<(Answer, bool)> {
    let status_line = read_line(stream)?;
    let status = status_line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let (mut length, mut chunked, mut keep) = (None, false, status_line.starts_with("HTTP/1.1"));
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse::<u64>().ok(),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => keep &= !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let line = read_line(stream)?;
            let digits = line.split(';').next().unwrap_or("").trim().to_owned();
            let size = u64::from_str_radix(&digits, 16).map_err(|_| io::ErrorKind::InvalidData)?;
            io::Read::take(&mut *stream, size).read_to_end(&mut body)?;
            if size == 0 {
                while !read_line(stream)?.is_empty() {}
                break;
            }
            read_line(stream)?;
        }
    } else if let Some(length) = length {
        let read = io::Read::take(&mut *stream, length).read_to_end(&mut body)?;
        if read as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    } else if status != 204 && status != 304 {
        keep = false;
        stream.read_to_end(&mut body)?;
    }
    Ok((Answer { status, body }, keep))
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if io::Read::take(&mut *stream, 64 * 1024).read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> io::Result<(Answer, bool)> {
        read_answer(&mut text.as_bytes())
    }

    #[test]
    fn bodies_of_every_framing() {
        let (plain, keep) = answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokrest").expect("readable");
        assert_eq!((plain.status, plain.body.as_slice(), keep), (200, b"ok".as_slice(), true));
        let (chunked, keep) =
            answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n")
                .expect("readable");
        assert_eq!((chunked.body.as_slice(), keep), (b"abc".as_slice(), true));
        let (open, keep) = answer("HTTP/1.1 500 No\r\nConnection: close\r\n\r\nwhy").expect("readable");
        assert_eq!((open.status, open.body.as_slice(), keep), (500, b"why".as_slice(), false));
        assert!(answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort").is_err());
        assert!(answer("garbage\r\n\r\n").is_err());
        assert!(answer("").is_err());
    }
}
