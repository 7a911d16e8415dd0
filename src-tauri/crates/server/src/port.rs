//! Binding the port, and saying who holds it when it is taken.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Ports tried after the wished one.
const NEXT_PORTS: u16 = 20;
const BACKLOG: i32 = 1024;
/// Ports above 1023 that browsers refuse to open (Fetch standard, "port blocking"): a page there would stay empty.
const BLOCKED_BY_BROWSERS: [u16; 19] =
    [1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080];

/// Listeners on one port: the host's own and, for loopback, `::1` where the machine has it.
#[derive(Debug)]
pub struct Bound {
    pub listeners: Vec<TcpListener>,
    pub port: u16,
    /// The wished port and who holds it, when another was taken instead.
    pub moved_from: Option<(u16, String)>,
}

/// Binds `port` or the next free one. Port 0 takes any free one.
///
/// # Errors
/// None of the ports tried can be bound.
pub fn bind(host: IpAddr, port: u16) -> io::Result<Bound> {
    let mut moved_from = None;
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for candidate in port..=port.saturating_add(if port == 0 { 0 } else { NEXT_PORTS }) {
        if BLOCKED_BY_BROWSERS.contains(&candidate) {
            moved_from.get_or_insert_with(|| (port, "a rule of browsers, which open no page on this port".to_owned()));
            continue;
        }
        match bind_one(host, candidate) {
            Ok((listeners, port)) => return Ok(Bound { listeners, port, moved_from }),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                moved_from.get_or_insert_with(|| (port, holder(port)));
                last = error;
            }
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn bind_one(host: IpAddr, port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    let first = listen(SocketAddr::new(host, port))?;
    let port = first.local_addr()?.port();
    let mut listeners = vec![first];
    if host.is_loopback() && host.is_ipv4() {
        match listen(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)) {
            Ok(second) => listeners.push(second),
            // Somebody else answers on the same port of `::1`: a client that says `localhost` might reach them.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "no listener on ::1"),
        }
    }
    Ok((listeners, port))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Lets a restarted server take its port back from connections in TIME_WAIT; a living listener still refuses.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Name and pid of the process that listens on `port`, or words for not knowing.
fn holder(port: u16) -> String {
    #[cfg(target_os = "linux")]
    if let Some(inode) = listening_inode(port) {
        return process_with_socket(&inode).unwrap_or_else(|| "a process of another user".to_owned());
    }
    let _ = port;
    "another program".to_owned()
}

#[cfg(target_os = "linux")]
fn listening_inode(port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    tables.iter().filter_map(|table| std::fs::read_to_string(table).ok()).find_map(|table| {
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let local = u16::from_str_radix(fields.get(1)?.rsplit(':').next()?, 16).ok()?;
            (local == port && *fields.get(3)? == LISTEN).then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
        })
    })
}

#[cfg(target_os = "linux")]
fn process_with_socket(inode: &str) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    processes.filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit())).find_map(
        |entry| {
            let files = std::fs::read_dir(entry.path().join("fd")).ok()?;
            let holds = files
                .flatten()
                .any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy() == wanted));
            let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            holds.then(|| format!("{} (pid {})", name.trim(), entry.file_name().to_string_lossy()))
        },
    )
}
