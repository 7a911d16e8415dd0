//! A server in another process, asked over HTTP on loopback.
//!
//! Small on purpose: a handful of requests to a server whose proof was checked, each on a connection of its own.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
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

    /// Streams an answer's body into a new file that only this user reads. Answers with the file name the server gave.
    pub async fn download(&self, path: &str, into: &Path) -> io::Result<Option<String>> {
        let request = self.request("GET", path, None);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let into = into.to_owned();
        let done = tauri::async_runtime::spawn_blocking(move || {
            let mut answer = send(address, &request)?;
            let name = read_head(&mut answer)?;
            let mut file = new_file(&into)?;
            io::copy(&mut answer, &mut file)?;
            Ok(name)
        });
        done.await.map_err(io::Error::other)?
    }

    /// The file name the server gives an answer, without its body.
    pub async fn export_name(&self, path: &str) -> io::Result<String> {
        let request = self.request("GET", path, None);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let done = tauri::async_runtime::spawn_blocking(move || read_head(&mut send(address, &request)?));
        done.await.map_err(io::Error::other)??.ok_or_else(|| io::ErrorKind::InvalidData.into())
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
    let mut answer = Vec::new();
    send(address, request)?.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

fn send(address: SocketAddr, request: &str) -> io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    Ok(BufReader::new(stream))
}

/// Reads up to the body of an answer with a status of 2xx. Answers with the name in its `Content-Disposition`.
fn read_head(answer: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut head = answer.take(64 * 1024);
    let (mut name, mut status) = (None, None);
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if status.is_none() {
            status = Some(line.split(' ').nth(1).unwrap_or_default().to_owned());
        } else if line.to_ascii_lowercase().starts_with("content-disposition:") {
            name = line.split_once("filename=\"").and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
        }
    }
    match status {
        Some(status) if status.starts_with('2') => Ok(name),
        Some(status) => Err(io::Error::other(format!("status {status}"))),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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
    fn a_download_is_written_whole_under_the_name_it_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let get = |answer: &'static str, name: &str| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let server = Elsewhere { port: listener.local_addr().unwrap().port(), token: "t0".to_owned() };
            let answering = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            });
            let got = tauri::async_runtime::block_on(server.download("/x", &folder.path().join(name)));
            answering.join().unwrap();
            got
        };
        let answer = "HTTP/1.0 200 OK\r\nContent-Disposition: attachment; filename=\"shop.md\"\r\n\r\n# Shop\n";
        assert_eq!(get(answer, "a").unwrap().as_deref(), Some("shop.md"));
        assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "# Shop\n");
        assert!(get("HTTP/1.0 404 Not Found\r\n\r\n{}", "b").unwrap_err().to_string().contains("404"));
        assert!(!folder.path().join("b").exists(), "a refusal makes no file");
    }

    #[test]
    fn refusals_and_half_answers_are_errors() {
        assert!(check("HTTP/1.0 401 Unauthorized\r\n\r\n{}").0.unwrap_err().to_string().contains("401"));
        assert!(check("HTTP/1.0 200 OK\r\n").0.is_err());
        assert!(check("").0.is_err());
    }
}
