//! Finding transcripts on disk.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use orrery_agents::paths;
use orrery_agents::transcript::FileInfo;
use orrery_types::AgentId;

/// Folders below a root are not searched deeper than this: links may go round in circles.
const MAX_DEPTH: usize = 12;

const BUFFER: usize = 256 * 1024;

/// Which names count as transcripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Those of the agent's own layout.
    Strict,
    /// Every `.jsonl` that is no known side file: the person named the folder.
    Any,
}

/// A transcript as the file system describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub agent: AgentId,
    pub path: PathBuf,
    pub info: FileInfo,
    pub size: u64,
    pub modified_ms: i64,
    /// 0 where the system has none.
    pub inode: u64,
}

/// Folders with transcripts of all agents in this home, whether they exist or not.
pub fn history_dirs(home: &paths::Env) -> Vec<(AgentId, PathBuf)> {
    AgentId::ALL
        .into_iter()
        .flat_map(|agent| paths::history_dirs(agent, home).into_iter().map(move |dir| (agent, dir)))
        .collect()
}

/// All transcripts below the roots, oldest first, so that numbers in the store follow time. A root may be a file.
pub fn scan(roots: &[(AgentId, PathBuf)], names: Names) -> Vec<Found> {
    let mut found = Vec::new();
    for (agent, root) in roots {
        if root.is_dir() {
            walk(*agent, root, names, 0, &mut found);
        } else {
            found.extend(describe(*agent, root, names));
        }
    }
    found.sort_by(|a, b| (a.modified_ms, &a.path).cmp(&(b.modified_ms, &b.path)));
    found.dedup_by(|a, b| a.path == b.path);
    found
}

/// The transcript as it is now. `None` when it is gone or none.
fn describe(agent: AgentId, path: &Path, names: Names) -> Option<Found> {
    let info = match names {
        Names::Strict => paths::is_transcript(agent, path),
        Names::Any => paths::is_any_transcript(agent, path),
    }?;
    let meta = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let modified = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let inode = 0;
    let modified_ms = i64::try_from(modified.as_millis()).unwrap_or(i64::MAX);
    Some(Found { agent, path: path.to_owned(), info, size: meta.len(), modified_ms, inode })
}

/// The transcript's bytes from `offset` on; of a compressed one, the bytes that were compressed.
///
/// # Errors
/// The file cannot be opened, or is not compressed as its name says.
pub fn reader(path: &Path, offset: u64) -> io::Result<Box<dyn BufRead>> {
    let mut file = File::open(path)?;
    if is_compressed(path) {
        let mut text = BufReader::with_capacity(BUFFER, zstd::Decoder::new(file)?);
        io::copy(&mut (&mut text).take(offset), &mut io::sink())?;
        return Ok(Box::new(text));
    }
    file.seek(SeekFrom::Start(offset))?;
    Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
}

/// One line of a file, counted from 1, and of it at most `limit` bytes. `None` when the file has fewer lines.
///
/// # Errors
/// The file cannot be read.
pub fn line(path: &Path, number: u64, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut file = reader(path, 0)?;
    for _ in 1..number {
        if file.skip_until(b'\n')? == 0 {
            return Ok(None);
        }
    }
    let mut line = Vec::new();
    file.take(limit as u64).read_until(b'\n', &mut line)?;
    Ok(Some(line).filter(|line| !line.is_empty()))
}

/// Whether the file's size says nothing about how far it was read.
pub fn is_compressed(path: &Path) -> bool {
    path.to_string_lossy().ends_with(paths::COMPRESSED)
}

fn walk(agent: AgentId, dir: &Path, names: Names, depth: usize, found: &mut Vec<Found>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        // A linked file counts, a linked folder does not: it may lead back here.
        if kind.is_dir() {
            if depth < MAX_DEPTH {
                walk(agent, &path, names, depth + 1, found);
            }
        } else {
            found.extend(describe(agent, &path, names));
        }
    }
}
