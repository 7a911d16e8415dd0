//! The token file, its proof, and one-time links.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock;

/// A one-time link is good for this long.
const LINK_LIFE_MS: i64 = 15 * 60 * 1000;
const MAX_LINKS: usize = 64;

/// Reads the token of `data_dir`, or makes one. The file is readable by its owner alone.
///
/// # Errors
/// The directory cannot be written or the random source failed.
pub fn load_or_create(data_dir: &Path) -> io::Result<String> {
    let path = data_dir.join("token");
    if let Some(token) = read(data_dir) {
        restrict(&path, 0o600)?;
        return Ok(token);
    }
    let token = clock::secret().map_err(io::Error::other)?;
    let fresh = data_dir.join("token.new");
    let _ = fs::remove_file(&fresh);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, &path)?;
    Ok(token)
}

/// The token of `data_dir`, when there is a whole one.
pub fn read(data_dir: &Path) -> Option<String> {
    let text = fs::read_to_string(data_dir.join("token")).ok()?;
    let token = text.trim();
    (token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| token.to_owned())
}

/// Narrows a file's or directory's mode; nothing on systems without modes.
pub fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let now = fs::metadata(path)?.permissions().mode() & 0o777;
        if now != mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Whether both are the same, in a time that does not tell where they differ.
pub fn same(given: &str, token: &str) -> bool {
    given.len() == token.len() && bool::from(given.as_bytes().ct_eq(token.as_bytes()))
}

/// What a server answers to a nonce: hex of HMAC-SHA256 (RFC 2104) with the token as key.
pub fn proof(token: &str, nonce: &str) -> String {
    const BLOCK: usize = 64;
    let mut key = [0u8; BLOCK];
    if token.len() > BLOCK {
        key[..32].copy_from_slice(&Sha256::digest(token.as_bytes()));
    } else {
        key[..token.len()].copy_from_slice(token.as_bytes());
    }
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(nonce.as_bytes()).finalize();
    hex(&Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize())
}

/// Lowercase hex digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One-time links not used yet: the hash of each code with the path it opens and its end.
#[derive(Debug, Default)]
pub struct Links {
    open: Mutex<HashMap<String, (String, i64)>>,
}

impl Links {
    /// A new code that opens `path` once within a quarter of an hour. `path` must be one of ours: `/app/...`.
    pub fn mint(&self, path: &str, now_ms: i64) -> Option<String> {
        let code = clock::secret().ok()?;
        let mut open = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        open.retain(|_, (_, end_ms)| *end_ms > now_ms);
        if open.len() >= MAX_LINKS {
            let oldest = open.iter().min_by_key(|(_, (_, end_ms))| *end_ms).map(|(key, _)| key.clone());
            oldest.and_then(|key| open.remove(&key));
        }
        open.insert(hash(&code), (own_path(path), now_ms + LINK_LIFE_MS));
        Some(code)
    }

    /// Uses up `code`. `None` for a code that is unknown, used or too old.
    pub fn redeem(&self, code: &str, now_ms: i64) -> Option<String> {
        let mut open = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (path, end_ms) = open.remove(&hash(code))?;
        (end_ms > now_ms).then_some(path)
    }
}

fn hash(code: &str) -> String {
    hex(&Sha256::digest(code.as_bytes()))
}

/// `path` if it stays inside the interface, else the interface's start.
fn own_path(path: &str) -> String {
    let inside = path == "/app" || path.starts_with("/app/");
    let plain = path.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    if inside && plain { path.to_owned() } else { "/app/".to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn proof_is_hmac_sha256() {
        // RFC 4231, case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(proof("Jefe", "what do ya want for nothing?"), expected);
    }

    #[test]
    fn a_link_opens_once_and_only_our_pages() {
        let links = Links::default();
        let code = links.mint("/app/sessions?status=running", 0).unwrap();
        assert_eq!(links.redeem(&code, 1).as_deref(), Some("/app/sessions?status=running"));
        assert_eq!(links.redeem(&code, 2), None);
        let foreign = links.mint("https://example.org/", 0).unwrap();
        assert_eq!(links.redeem(&foreign, 1).as_deref(), Some("/app/"));
        let old = links.mint("/app/", 0).unwrap();
        assert_eq!(links.redeem(&old, LINK_LIFE_MS), None);
    }
}
