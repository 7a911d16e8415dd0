//! Bytes from a file, standard input or an address that the person gave.

use std::io::Read;
use std::time::Duration;

use anyhow::{Context, bail};

const DEADLINE: Duration = Duration::from_secs(60);

/// Reads at most `limit` bytes; more is an error.
///
/// # Errors
/// It cannot be read, in words that say what was tried.
pub fn fetch(from: &str, limit: usize) -> anyhow::Result<Vec<u8>> {
    let bytes = if from.starts_with("https://") || from.starts_with("http://") {
        download(from, limit)?
    } else if from.contains("://") {
        bail!("{from}: only http and https addresses can be read");
    } else if from == "-" {
        read(std::io::stdin().lock(), limit).context("standard input cannot be read")?
    } else {
        let file = std::fs::File::open(from).with_context(|| format!("{from} cannot be read"))?;
        read(file, limit).with_context(|| format!("{from} cannot be read"))?
    };
    if bytes.len() > limit {
        bail!("{from} is larger than {} MB", limit / (1024 * 1024));
    }
    Ok(bytes)
}

fn download(address: &str, limit: usize) -> anyhow::Result<Vec<u8>> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(DEADLINE))
        .user_agent(concat!("orrery/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut answer = agent.get(address).call().with_context(|| format!("{address} cannot be read"))?;
    read(answer.body_mut().as_reader(), limit).with_context(|| format!("{address} cannot be read"))
}

/// One byte more than the limit shows that there is more.
fn read(from: impl Read, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    /// Serves one answer and gives its address.
    fn serving(answer: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/prices.json", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            // Who has read enough hangs up.
            let _ = stream.write_all(&answer);
        });
        address
    }

    #[test]
    fn an_address_is_read_up_to_the_limit() {
        let answer = |size: usize| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n");
            [head.into_bytes(), vec![b'x'; size]].concat()
        };
        assert_eq!(fetch(&serving(answer(100)), 100).unwrap(), vec![b'x'; 100]);
        assert!(fetch(&serving(answer(2_000_000)), 1024 * 1024).unwrap_err().to_string().contains("larger than 1 MB"));
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
        let error = format!("{:#}", fetch(&serving(missing), 100).unwrap_err());
        assert!(error.contains("404"), "{error}");
    }

    #[test]
    fn a_file_is_read_and_other_schemes_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "text").unwrap();
        assert_eq!(fetch(file.path().to_str().unwrap(), 10).unwrap(), b"text");
        assert!(fetch(file.path().to_str().unwrap(), 3).is_err());
        assert!(fetch("ftp://example.org/x", 10).unwrap_err().to_string().contains("only http and https"));
        assert!(format!("{:#}", fetch("/no/such/file", 10).unwrap_err()).contains("/no/such/file"));
    }
}
