//! Payloads on disk while no server takes them.
//!
//! One file each in `DATA/spool`: a header line of JSON, then the payload as it came. A file appears under its name only
//! when it is whole. Names sort by time. The `ledger` file's length counts what lies here, so that a sender knows the
//! spool is full without listing it; the `gap` file has a line for each payload that did not fit.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::id;

/// Most files a spool holds.
pub const MAX_FILES: u64 = 200_000;
/// Most bytes a spool holds, headers included.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes one ledger byte stands for: with it both caps are one number.
const UNIT: u64 = MAX_BYTES / MAX_FILES;
/// Beyond this size the gap file only counts.
const GAP_BYTES: u64 = 1024 * 1024;
/// A full spool is counted anew at most this often.
const RECOUNT_EVERY: Duration = Duration::from_secs(5);

/// A server that did not answer gets only a short deadline for so long.
const SLOW_FOR: Duration = Duration::from_secs(5);

/// What a spooled payload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// 32 hex digits.
    pub id: String,
    /// When the hook started, ms since 1970.
    pub at_ms: i64,
    /// Slug of the agent, as in `/hooks/{agent}`.
    pub agent: String,
    /// `hook`.
    pub kind: String,
}

/// A spooled payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    pub header: Header,
    pub payload: Vec<u8>,
}

/// What came of putting a payload into the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    Stored(PathBuf),
    /// The spool is full: the payload was counted in the gap.
    Full,
}

/// Remembers that the server let a sender wait in vain.
pub fn mark_slow(dir: &Path) {
    if let Ok(file) = open_append(&dir.join("slow")) {
        #[allow(clippy::disallowed_methods, reason = "compared with the file system's clock alone")]
        let _ = file.set_modified(std::time::SystemTime::now());
    }
}

/// Whether the server let a sender wait in vain a moment ago.
pub fn was_slow(dir: &Path) -> bool {
    fs::metadata(dir.join("slow")).is_ok_and(|meta| age(&meta) < SLOW_FOR)
}

/// The spool of a data directory.
pub fn dir(data_dir: &Path) -> PathBuf {
    data_dir.join("spool")
}

/// Writes `start` and then all of `rest` (up to `max` bytes) as one spooled payload. Errors are those of the disk.
pub fn put(dir: &Path, header: &Header, start: &[u8], rest: Option<(&mut dyn Read, u64)>) -> io::Result<Put> {
    make_dir(dir)?;
    let head = header_line(header);
    let mut ledger = open_append(&dir.join("ledger"))?;
    if ledger.metadata()?.len() >= MAX_FILES && is_full(dir)? {
        note_gap(dir, header, start)?;
        return Ok(Put::Full);
    }
    let name = file_name(header.at_ms);
    let temp = dir.join([".", &name].concat());
    let path = dir.join(&name);
    let written = write_whole(&temp, &head, start, rest).and_then(|size| fs::rename(&temp, &path).map(|()| size));
    match written {
        Ok(size) => {
            let _ = ledger.write_all(&vec![b'.'; units(size)]);
            Ok(Put::Stored(path))
        }
        Err(error) => {
            let _ = fs::remove_file(&temp);
            Err(error)
        }
    }
}

/// The spooled payloads, oldest first. Empty without a spool.
pub fn list(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).filter(|name| is_payload(name)).collect();
    names.sort_unstable();
    names.into_iter().map(|name| dir.join(name)).collect()
}

/// How many payloads wait, and their bytes.
pub fn depth(dir: &Path) -> (u64, u64) {
    let Ok(entries) = fs::read_dir(dir) else {
        return (0, 0);
    };
    entries
        .flatten()
        .filter(|entry| is_payload(&entry.file_name()))
        .fold((0, 0), |(files, bytes), entry| (files + 1, bytes + entry.metadata().map_or(0, |meta| meta.len())))
}

/// Reads one payload. `InvalidData` when its header line cannot be read: then the file is not ours or damaged.
pub fn read(path: &Path) -> io::Result<Spooled> {
    let mut bytes = fs::read(path)?;
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(io::ErrorKind::InvalidData)?;
    let header = parse_header(&bytes[..end]).ok_or(io::ErrorKind::InvalidData)?;
    bytes.drain(..=end);
    Ok(Spooled { header, payload: bytes })
}

/// Removes one payload after it was stored. A file that is gone already is fine.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Puts a file that cannot be read aside (`damaged-...`), so that it is kept and does not block the ones behind it.
pub fn set_aside(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::rename(path, path.with_file_name(["damaged-", name.trim_end_matches(".json")].concat()))
}

/// To call when everything was drained: makes the ledger true again and removes what interrupted senders left behind
/// more than an hour ago. Answers what did not fit since it was last [taken](take_gaps); nothing mostly.
pub fn settle(dir: &Path) -> Vec<Gap> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut units_here = 0;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Ok(meta) = entry.metadata() else { continue };
        if is_payload(&name) {
            units_here += units(meta.len()) as u64;
        } else if name.to_string_lossy().starts_with('.') && age(&meta) > Duration::from_secs(3600) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = set_ledger(dir, units_here);
    gaps(dir)
}

/// Payloads of one session that did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Empty where the payload named no session, or where so much was lost that only the number was kept.
    pub session: String,
    /// Empty as `session` is.
    pub agent: String,
    pub lost: u64,
    /// Times of the first and the last of them, ms since 1970. 0 where only the number was kept.
    pub from_ms: i64,
    pub to_ms: i64,
}

/// What did not fit and was not told yet, by session.
pub fn gaps(dir: &Path) -> Vec<Gap> {
    // Told already, when the one who told it was interrupted before the file was gone: told once more.
    let mut all: Vec<Gap> = Vec::new();
    for name in ["gap", "gap-taken"] {
        let bytes = fs::read(dir.join(name)).unwrap_or_default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let mut words = line.splitn(3, ' ');
            let at_ms = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            let (agent, session) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            match all.iter_mut().find(|gap| gap.session == session && gap.agent == agent) {
                Some(gap) => {
                    gap.lost += 1;
                    gap.from_ms = gap.from_ms.min(at_ms);
                    gap.to_ms = gap.to_ms.max(at_ms);
                }
                None => all.push(Gap {
                    session: session.to_owned(),
                    agent: agent.to_owned(),
                    lost: 1,
                    from_ms: at_ms,
                    to_ms: at_ms,
                }),
            }
        }
    }
    all
}

/// Takes the gaps out to be told: those that come from now on are a new file. [`forget_gaps`] when they are told.
pub fn take_gaps(dir: &Path) -> Vec<Gap> {
    if !dir.join("gap-taken").exists() {
        let _ = fs::rename(dir.join("gap"), dir.join("gap-taken"));
    }
    gaps(dir)
}

/// The gaps that were taken are stored.
pub fn forget_gaps(dir: &Path) {
    let _ = fs::remove_file(dir.join("gap-taken"));
}

/// One line for a payload that does not fit: whose it was, as far as the payload says and the file stays small.
fn note_gap(dir: &Path, header: &Header, payload: &[u8]) -> io::Result<()> {
    let mut gap = open_append(&dir.join("gap"))?;
    let mut line = String::with_capacity(96);
    if gap.metadata()?.len() < GAP_BYTES {
        id::push_number(&mut line, u64::try_from(header.at_ms).unwrap_or(0), 1);
        line.push(' ');
        line.push_str(&header.agent);
        line.push(' ');
        line.push_str(session_in(payload).unwrap_or_default());
    }
    line.push('\n');
    gap.write_all(line.as_bytes())
}

/// The session a payload names, when it is a plain word as all agents' are.
fn session_in(payload: &[u8]) -> Option<&str> {
    let key = b"\"session_id\"";
    let at = payload.windows(key.len()).position(|part| part == key)? + key.len();
    let rest = std::str::from_utf8(&payload[at..payload.len().min(at + 160)]).ok()?;
    let word = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?.split_once('"')?.0;
    word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\').then_some(word)
}

fn is_payload(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(|first: char| first.is_ascii_digit()) && name.ends_with(".json"))
}

fn units(size: u64) -> usize {
    size.div_ceil(UNIT).max(1) as usize
}

fn age(meta: &fs::Metadata) -> Duration {
    meta.modified().ok().and_then(|at| at.elapsed().ok()).unwrap_or_default()
}

/// The ledger only grows while payloads are drained; before anything is refused the files themselves are counted.
fn is_full(dir: &Path) -> io::Result<bool> {
    if fs::metadata(dir.join("gap")).is_ok_and(|gap| age(&gap) < RECOUNT_EVERY) {
        return Ok(true);
    }
    let (files, bytes) = depth(dir);
    let used = files.max(bytes.div_ceil(UNIT));
    set_ledger(dir, used)?;
    Ok(used >= MAX_FILES)
}

fn set_ledger(dir: &Path, units: u64) -> io::Result<()> {
    open_append(&dir.join("ledger"))?.set_len(units)
}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => builder.recursive(true).create(dir),
        done => done,
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    private(&mut options);
    options.open(path)
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

fn write_whole(path: &Path, head: &str, start: &[u8], rest: Option<(&mut dyn Read, u64)>) -> io::Result<u64> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path)?;
    let mut first = Vec::with_capacity(head.len() + start.len());
    first.extend_from_slice(head.as_bytes());
    first.extend_from_slice(start);
    file.write_all(&first)?;
    let mut size = first.len() as u64;
    if let Some((reader, max)) = rest {
        // A reader that fails midway has given all there is; what came is kept.
        let mut chunk = vec![0_u8; 64 * 1024];
        let mut left = max;
        while left > 0 {
            let want = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match reader.read(&mut chunk[..want]) {
                Ok(0) => break,
                Ok(count) => {
                    file.write_all(&chunk[..count])?;
                    size += count as u64;
                    left -= count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    }
    Ok(size)
}

/// `<ms>-<pid>-<counter>-<random>.json`.
fn file_name(at_ms: i64) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let mut name = String::with_capacity(64);
    id::push_number(&mut name, u64::try_from(at_ms).unwrap_or(0), 13);
    name.push('-');
    id::push_number(&mut name, u64::from(std::process::id()), 10);
    name.push('-');
    id::push_number(&mut name, u64::from(COUNTER.fetch_add(1, Ordering::Relaxed)), 6);
    name.push('-');
    id::push_hex(&mut name, id::random());
    name.push_str(".json");
    name
}

fn header_line(header: &Header) -> String {
    let mut line = String::with_capacity(128);
    line.push_str("{\"id\":\"");
    line.push_str(&header.id);
    line.push_str("\",\"at_ms\":");
    id::push_number(&mut line, u64::try_from(header.at_ms).unwrap_or(0), 1);
    line.push_str(",\"agent\":\"");
    line.push_str(&header.agent);
    line.push_str("\",\"kind\":\"");
    line.push_str(&header.kind);
    line.push_str("\"}\n");
    line
}

/// Reads what [`header_line`] writes: flat JSON whose strings need no escapes.
fn parse_header(line: &[u8]) -> Option<Header> {
    let line = std::str::from_utf8(line).ok()?;
    let text = |key: &str| {
        let (_, rest) = line.split_once(&["\"", key, "\":\""].concat())?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let (_, at) = line.split_once("\"at_ms\":")?;
    let digits: String = at.chars().take_while(char::is_ascii_digit).collect();
    Some(Header { id: text("id")?, at_ms: digits.parse().ok()?, agent: text("agent")?, kind: text("kind")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(at_ms: i64) -> Header {
        Header { id: id::uuid_v7(at_ms), at_ms, agent: "codex".into(), kind: "hook".into() }
    }

    fn put_small(dir: &Path, at_ms: i64, body: &[u8]) -> Put {
        put(dir, &header(at_ms), body, None).expect("the disk takes it")
    }

    #[test]
    fn a_payload_comes_back_as_it_went_in_oldest_first() {
        let temp = tempfile::tempdir().expect("a temp dir");
        let dir = temp.path().join("a/spool");
        put_small(&dir, 1_700_000_000_002, b"{\"n\":2}\n\0\xff");
        put_small(&dir, 1_700_000_000_001, b"{\"n\":1}");
        let all: Vec<_> = list(&dir).iter().map(|path| read(path).expect("readable")).collect();
        assert_eq!(all[0].payload, b"{\"n\":1}");
        assert_eq!(all[1].payload, b"{\"n\":2}\n\0\xff");
        assert_eq!((all[1].header.at_ms, all[1].header.agent.as_str()), (1_700_000_000_002, "codex"));
        assert_eq!(depth(&dir).0, 2);
        for path in list(&dir) {
            remove(&path).expect("removable");
        }
        assert_eq!(settle(&dir), []);
        assert_eq!(fs::metadata(dir.join("ledger")).expect("there").len(), 0);
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().expect("a temp dir");
        let dir = temp.path().join("spool");
        let Put::Stored(path) = put_small(&dir, 1, b"{}") else { panic!("stored") };
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&path), mode(&dir.join("ledger"))), (0o700, 0o600, 0o600));
    }

    #[test]
    fn a_full_spool_counts_what_it_refuses() {
        let temp = tempfile::tempdir().expect("a temp dir");
        let dir = temp.path().join("spool");
        put_small(&dir, 1, b"{}");
        let big = File::create(dir.join("0000000000002-0000000001-000000-0.json")).expect("writable");
        big.set_len(MAX_BYTES).expect("a sparse file");
        set_ledger(&dir, MAX_FILES).expect("writable");
        assert_eq!(put_small(&dir, 3, b"{\"session_id\": \"s1\"}"), Put::Full);
        assert_eq!(put_small(&dir, 4, b"{\"session_id\":\"s1\"}"), Put::Full);
        assert_eq!(put_small(&dir, 5, b"no session"), Put::Full);
        for path in list(&dir) {
            remove(&path).expect("removable");
        }
        let gap = |session: &str, lost, from_ms, to_ms| Gap {
            session: session.into(),
            agent: "codex".into(),
            lost,
            from_ms,
            to_ms,
        };
        assert_eq!(settle(&dir), [gap("s1", 2, 3, 4), gap("", 1, 5, 5)]);
        assert_eq!(take_gaps(&dir).len(), 2);
        assert_eq!(take_gaps(&dir).len(), 2, "until they are stored");
        forget_gaps(&dir);
        assert!(matches!(put_small(&dir, 5, b"{}"), Put::Stored(_)));
        assert_eq!(settle(&dir), []);
    }

    #[test]
    fn a_ledger_that_lies_refuses_nothing() {
        let temp = tempfile::tempdir().expect("a temp dir");
        let dir = temp.path().join("spool");
        put_small(&dir, 1, b"{}");
        set_ledger(&dir, MAX_FILES * 2).expect("writable");
        assert!(matches!(put_small(&dir, 2, b"{}"), Put::Stored(_)));
        assert_eq!(fs::metadata(dir.join("ledger")).expect("there").len(), 2);
    }

    #[test]
    fn a_damaged_file_is_kept_aside() {
        let temp = tempfile::tempdir().expect("a temp dir");
        let path = temp.path().join("0000000000001-1-0-0.json");
        fs::write(&path, b"no header").expect("writable");
        assert_eq!(read(&path).expect_err("not ours").kind(), io::ErrorKind::InvalidData);
        set_aside(&path).expect("renamed");
        assert!(list(temp.path()).is_empty());
        assert!(temp.path().join("damaged-0000000000001-1-0-0").exists());
    }
}
