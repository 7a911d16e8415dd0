//! Where the data directory and the server are, as far as a sender needs to know.

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The bundled port when nothing says otherwise.
pub const DEFAULT_PORT: u16 = 4000;

/// Where a payload goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A server on this machine.
    Local(SocketAddr),
    /// A URL the hook does not speak to (TLS, another machine): the spool takes the payload.
    SpoolOnly,
}

/// The data directory: `ORRERY_DATA_DIR`, else the platform's. `None` without a home and without a usable temp directory.
pub fn data_dir() -> Option<PathBuf> {
    data_dir_from(|name| std::env::var_os(name)).or_else(known_home).or_else(private_temp_dir)
}

/// [`data_dir`] over a given environment, without the temp directory.
pub fn data_dir_from(env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(dir) = path("ORRERY_DATA_DIR") {
        return Some(dir);
    }
    if cfg!(windows) {
        return path("LOCALAPPDATA").map(|dir| dir.join("orrery"));
    }
    let home = path("HOME");
    if cfg!(target_os = "macos") {
        return home.map(|dir| dir.join("Library/Application Support/orrery"));
    }
    // A relative path here is invalid (XDG base directory specification) and ignored.
    path("XDG_DATA_HOME")
        .filter(|dir| dir.is_absolute())
        .or_else(|| home.map(|dir| dir.join(".local/share")))
        .map(|dir| dir.join("orrery"))
}

/// The server a sender speaks to: what was asked for, the environment, the port file, `SERVER_PORT`, the bundled port.
pub fn server(asked: Option<&str>, data_dir: Option<&Path>) -> Target {
    server_from(asked, data_dir, |name| std::env::var_os(name))
}

/// [`server`] over a given environment.
pub fn server_from(asked: Option<&str>, data_dir: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Target {
    let text = |name: &str| env(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
    if let Some(url) = asked {
        return parse_url(url);
    }
    for name in ["ORRERY_SERVER", "OBSERVABILITY_SERVER", "CODEX_OBSERVABILITY_SERVER"] {
        if let Some(url) = text(name) {
            return parse_url(&url);
        }
    }
    let port = data_dir
        .and_then(read_port)
        .or_else(|| text("SERVER_PORT").and_then(|value| value.trim().parse().ok()))
        .unwrap_or(DEFAULT_PORT);
    Target::Local(loopback(port))
}

/// The port the running (or last) server wrote down. `None` without a readable file.
pub fn read_port(data_dir: &Path) -> Option<u16> {
    let text = fs::read(data_dir.join("port")).ok()?;
    let digits: String = text.iter().map_while(|b| b.is_ascii_digit().then_some(char::from(*b))).collect();
    digits.parse().ok().filter(|port| *port != 0)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Reads `http://127.0.0.1:4000/...`, `localhost:4000`, `4000`. Payloads leave this machine only by the server's own doing,
/// so everything that is not plain http on loopback is for the spool.
pub fn parse_url(url: &str) -> Target {
    let url = url.trim();
    if let Ok(port) = url.parse::<u16>() {
        return Target::Local(loopback(port));
    }
    let rest = match url.split_once("://") {
        Some(("http" | "ws", rest)) => rest,
        Some(_) => return Target::SpoolOnly,
        None => url,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((host, tail)) => (host, tail.strip_prefix(':')),
            None => return Target::SpoolOnly,
        },
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        None | Some("") => 80,
        Some(port) => match port.parse() {
            Ok(port) => port,
            Err(_) => return Target::SpoolOnly,
        },
    };
    if host.eq_ignore_ascii_case("localhost") {
        return Target::Local(loopback(port));
    }
    match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => Target::Local(SocketAddr::new(ip, port)),
        _ => Target::SpoolOnly,
    }
}

/// The data directory below the home that the user database names, for processes started without `HOME`.
fn known_home() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        let mut uid = String::new();
        crate::id::push_number(&mut uid, u64::from(fs::metadata("/proc/self").ok()?.uid()), 1);
        let users = fs::read_to_string("/etc/passwd").ok()?;
        let line = users.lines().find(|line| line.split(':').nth(2) == Some(&uid))?;
        let home = PathBuf::from(line.split(':').nth(5)?);
        home.is_dir().then(|| home.join(".local/share/orrery"))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// `orrery-UID` in the temp directory, for processes without a home. Refused when it is not ours alone: anybody can
/// make a directory of that name there.
fn private_temp_dir() -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt};
        let owner = fs::metadata("/proc/self").ok().map(|meta| meta.uid());
        let mut name = String::from("orrery-");
        match owner {
            Some(uid) => crate::id::push_number(&mut name, u64::from(uid), 1),
            None => name.push_str(&std::env::var("USER").ok().filter(|user| !user.contains('/'))?),
        }
        let dir = std::env::temp_dir().join(name);
        let _ = fs::DirBuilder::new().mode(0o700).create(&dir);
        let meta = fs::symlink_metadata(&dir).ok()?;
        let ours = meta.is_dir() && meta.mode() & 0o077 == 0 && owner.is_none_or(|uid| uid == meta.uid());
        ours.then_some(dir)
    }
    #[cfg(not(unix))]
    {
        Some(std::env::temp_dir().join("orrery"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn data_dir_follows_the_platform() {
        let dir = |pairs: &[(&str, &str)]| data_dir_from(env(pairs)).map(|dir| dir.display().to_string());
        assert_eq!(dir(&[("ORRERY_DATA_DIR", "/d"), ("HOME", "/h")]).as_deref(), Some("/d"));
        assert_eq!(dir(&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")]).as_deref(), Some("/x/orrery"));
        assert_eq!(dir(&[("XDG_DATA_HOME", "x"), ("HOME", "/h")]).as_deref(), Some("/h/.local/share/orrery"));
        assert_eq!(dir(&[("ORRERY_DATA_DIR", "")]), None);
    }

    #[test]
    fn only_plain_http_on_loopback_is_spoken_to() {
        let local = |text: &str| Target::Local(text.parse().expect("a socket address"));
        assert_eq!(parse_url("http://127.0.0.1:4123/events"), local("127.0.0.1:4123"));
        assert_eq!(parse_url("http://localhost:4123"), local("127.0.0.1:4123"));
        assert_eq!(parse_url("http://[::1]:4123/"), local("[::1]:4123"));
        assert_eq!(parse_url("localhost:9"), local("127.0.0.1:9"));
        assert_eq!(parse_url("4100"), local("127.0.0.1:4100"));
        for other in
            ["https://127.0.0.1:4000", "http://example.org:4000", "http://10.0.0.1", "http://localhost:x", "", "[::1"]
        {
            assert_eq!(parse_url(other), Target::SpoolOnly, "{other}");
        }
    }

    #[test]
    fn the_order_of_sources() {
        let dir = tempfile::tempdir().expect("a temp dir");
        let at = |asked, pairs: &[(&str, &str)]| match server_from(asked, Some(dir.path()), env(pairs)) {
            Target::Local(addr) => addr.port(),
            Target::SpoolOnly => 0,
        };
        assert_eq!(at(None, &[]), DEFAULT_PORT);
        assert_eq!(at(None, &[("SERVER_PORT", "4555")]), 4555);
        fs::write(dir.path().join("port"), "4666\n").expect("writable");
        assert_eq!(at(None, &[("SERVER_PORT", "4555")]), 4666);
        assert_eq!(at(None, &[("CODEX_OBSERVABILITY_SERVER", "http://localhost:7")]), 7);
        assert_eq!(
            at(None, &[("OBSERVABILITY_SERVER", "http://localhost:8"), ("ORRERY_SERVER", "http://localhost:9")]),
            9
        );
        assert_eq!(at(Some("http://localhost:10"), &[("ORRERY_SERVER", "http://localhost:9")]), 10);
        assert_eq!(at(None, &[("OBSERVABILITY_SERVER", "https://remote.example")]), 0);
    }
}
