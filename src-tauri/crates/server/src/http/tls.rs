//! TLS for addresses other than loopback: the person's certificate, or one made here and kept in the data directory.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::token;

/// Which certificate to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Certificate {
    /// Plain HTTP.
    #[default]
    None,
    /// One of our own, made at the first start.
    Own,
    /// Files in PEM form.
    Files { certificate: PathBuf, key: PathBuf },
}

/// A server's side of TLS.
pub struct Tls {
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate in the form browsers show it.
    pub fingerprint: String,
}

/// Reads or makes the certificate. `None` without one.
///
/// # Errors
/// In words: which file cannot be read, or is no certificate or key.
pub fn load(wish: &Certificate, data_dir: &Path, host: IpAddr, names: &[String]) -> Result<Option<Tls>, String> {
    let (certificate, key) = match wish {
        Certificate::None => return Ok(None),
        Certificate::Files { certificate, key } => (certificate.clone(), key.clone()),
        Certificate::Own => own(data_dir, host, names).map_err(|error| format!("no certificate was made: {error}"))?,
    };
    let bad = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect)
        .map_err(|error| bad(&certificate, &error))?;
    let first = chain.first().ok_or_else(|| bad(&certificate, &"no certificate in it"))?;
    let fingerprint = fingerprint(first);
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|error| bad(&key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| bad(&certificate, &error))?;
    Ok(Some(Tls { config: Arc::new(config), fingerprint }))
}

/// The certificate of the data directory; made again when it does not name what it is to be reached by.
fn own(data_dir: &Path, host: IpAddr, names: &[String]) -> io::Result<(PathBuf, PathBuf)> {
    let dir = data_dir.join("tls");
    let (certificate, key, named) = (dir.join("cert.pem"), dir.join("key.pem"), dir.join("names"));
    let mut wanted = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !host.is_unspecified() && !host.is_loopback() {
        wanted.push(host.to_string());
    }
    wanted.extend(names.iter().cloned());
    let wanted_text = wanted.join("\n");
    if certificate.is_file() && key.is_file() && fs::read_to_string(&named).is_ok_and(|text| text == wanted_text) {
        token::restrict(&key, 0o600)?;
        return Ok((certificate, key));
    }
    fs::create_dir_all(&dir)?;
    token::restrict(&dir, 0o700)?;
    let made = rcgen::generate_simple_self_signed(wanted).map_err(io::Error::other)?;
    private(&key, made.signing_key.serialize_pem().as_bytes())?;
    private(&certificate, made.cert.pem().as_bytes())?;
    private(&named, wanted_text.as_bytes())?;
    Ok((certificate, key))
}

/// Writes a file that only its owner can read, whole or not at all.
fn private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// `AB:CD:...`
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = token::hex(&Sha256::digest(certificate.as_ref())).to_ascii_uppercase();
    let pairs: Vec<&str> = (0..digest.len()).step_by(2).map(|at| &digest[at..at + 2]).collect();
    pairs.join(":")
}
