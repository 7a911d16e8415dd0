//! Reading a transcript from where it was read last, in batches that carry their own read position.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::Path;

use orrery_agents::transcript::{FileInfo, Reader};
use orrery_agents::{Context, Decoded};
use orrery_store::{Batch, FileCursor, Raw};
use orrery_types::{Problem, Source};
use sha2::{Digest, Sha256};

use super::files::{self, Found};
use crate::ingest::Ingest;
use crate::token::hex;

/// A batch ends at so many events or raw bytes.
const BATCH_EVENTS: usize = 1_000;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Bytes whose hash tells a replaced file from one that grew.
const HEAD_BYTES: u64 = 1024;

/// Part of a file, ready to append.
#[derive(Debug, Default)]
pub struct Piece {
    pub batch: Batch,
    pub lines: u64,
}

/// Whether the file holds anything that `cursor` does not know of.
pub fn changed(found: &Found, cursor: Option<&FileCursor>) -> bool {
    cursor.is_none_or(|cursor| {
        (cursor.size, cursor.modified_ms, cursor.inode) != (found.size, found.modified_ms, found.inode)
    })
}

/// Reads what is new in the file and hands it on in pieces. `take` answers false to stop.
///
/// A last line without its end is left for the next time, unless it already is whole. What goes wrong with the file
/// becomes a problem in the last piece: history is never an error.
pub fn read(
    ingest: &Ingest,
    found: &Found,
    cursor: Option<&FileCursor>,
    mut take: impl FnMut(Piece) -> bool,
) -> Option<FileCursor> {
    let mut problems = Vec::new();
    match open(found, cursor, ingest.clock().now_ms(), &mut problems) {
        Ok(tail) => tail.run(ingest, problems, &mut take),
        Err(error) => {
            problems.push(problem(found, "file_unreadable", error.to_string(), ingest.clock().now_ms()));
            take(Piece { batch: Batch { problems, ..Batch::default() }, lines: 0 });
            None
        }
    }
}

struct Tail<'a> {
    found: &'a Found,
    file: Box<dyn BufRead>,
    reader: Reader,
    place: String,
    offset: u64,
    lines: u64,
    /// The last line that was read had no end yet: what comes first belongs to it.
    unended: bool,
}

fn open<'a>(
    found: &'a Found,
    cursor: Option<&FileCursor>,
    now_ms: i64,
    problems: &mut Vec<Problem>,
) -> io::Result<Tail<'a>> {
    let mut file = File::open(&found.path)?;
    let packed = files::is_compressed(&found.path);
    let fits = |cursor: &&FileCursor| packed || cursor.offset <= found.size;
    let known = cursor.filter(|cursor| fits(cursor) && same_head(&mut file, &cursor.head_hash));
    if let Some(cursor) = cursor.filter(|cursor| !fits(cursor)) {
        let words = format!("The file shrank from {} to {} bytes and was read again", cursor.offset, found.size);
        problems.push(problem(found, "file_shrank", words, now_ms));
    }
    let (offset, lines) = known.map_or((0, 0), |cursor| (cursor.offset, cursor.lines));
    // One byte back: whether the last line had its end.
    let mut file = files::reader(&found.path, offset.saturating_sub(1))?;
    let mut last = [b'\n'];
    if offset > 0 {
        file.read_exact(&mut last)?;
    }
    let unended = last != *b"\n";
    let reader = Reader::open(found.agent, &info(found), known.map(|cursor| cursor.state.as_str()));
    let place = found.path.display().to_string();
    Ok(Tail { found, file, reader, place, offset, lines, unended })
}

impl Tail<'_> {
    fn run(
        mut self,
        ingest: &Ingest,
        problems: Vec<Problem>,
        take: &mut dyn FnMut(Piece) -> bool,
    ) -> Option<FileCursor> {
        let mut piece = Piece { batch: Batch { problems, ..Batch::default() }, lines: 0 };
        let (mut events, mut bytes) = (0, 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            match self.next_line(&mut line) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let words = format!("Reading stopped after line {}: {error}", self.lines);
                    piece.batch.problems.push(problem(self.found, "file_unreadable", words, ingest.clock().now_ms()));
                    break;
                }
            }
            piece.lines += 1;
            bytes += line.len();
            events += self.take_line(ingest, &line, &mut piece.batch);
            if events >= BATCH_EVENTS || bytes >= BATCH_BYTES {
                piece.batch.cursors = vec![self.cursor(false)];
                if !take(std::mem::take(&mut piece)) {
                    return None;
                }
                (events, bytes) = (0, 0);
            }
        }
        let cursor = self.cursor(true);
        piece.batch.cursors = vec![cursor.clone()];
        take(piece).then_some(cursor)
    }

    /// Whether a whole line was read. Its end is not in `line`.
    fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let mut read = self.file.read_until(b'\n', line)?;
        if std::mem::take(&mut self.unended) && line.ends_with(b"\n") && line.trim_ascii().is_empty() {
            // Only the end of the line that was taken without it: no line of its own.
            self.offset += read as u64;
            line.clear();
            read = self.file.read_until(b'\n', line)?;
        }
        if read == 0 {
            return Ok(false);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err() {
            return Ok(false);
        }
        self.offset += read as u64;
        self.lines += 1;
        Ok(true)
    }

    fn take_line(&mut self, ingest: &Ingest, line: &[u8], batch: &mut Batch) -> usize {
        let context = Context {
            source: Source::Transcript,
            // A line without a time of its own is as old as its file, not as its import.
            received_ms: self.found.modified_ms.min(ingest.clock().now_ms()),
            delivery_id: line_id(Path::new(&self.found.info.path), self.lines, line),
            place: self.place.clone(),
            demo: false,
        };
        let decoded = self.reader.line(line, self.lines, &context);
        if decoded == Decoded::default() {
            return 0;
        }
        let raw = (!decoded.events.is_empty()).then(|| Raw {
            source: Source::Transcript,
            place: format!("{}:{}", self.place, self.lines),
            bytes: line.to_vec(),
        });
        let (item, problems) = ingest.item(raw, decoded);
        let events = item.events.len();
        batch.items.push(item);
        batch.problems.extend(problems);
        events
    }

    /// The position after the last line. Only the `last` piece carries the file's size and time: a file that was cut off
    /// in the middle counts as changed.
    fn cursor(&self, last: bool) -> FileCursor {
        FileCursor {
            path: self.place.clone(),
            agent: self.found.agent.slug().to_owned(),
            inode: self.found.inode,
            offset: self.offset,
            lines: self.lines,
            size: if last { self.found.size } else { 0 },
            modified_ms: if last { self.found.modified_ms } else { 0 },
            head_hash: head_hash(&self.found.path, self.offset.min(HEAD_BYTES)).unwrap_or_default(),
            state: self.reader.state(),
        }
    }
}

/// What path and side file say about the file's lines.
fn info(found: &Found) -> FileInfo {
    let meta = orrery_agents::paths::meta_file(&found.info).and_then(|path| std::fs::read_to_string(path).ok());
    let kind = meta.map(|text| orrery_agents::paths::subagent_kind(&text)).unwrap_or_default();
    FileInfo { subagent_kind: kind, ..found.info.clone() }
}

/// The id of whatever one line reports without an id of its own: the same line at the same place is the same event.
pub fn line_id(path: &Path, line_no: u64, line: &[u8]) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let hash = Sha256::new().chain_update(name.as_bytes()).chain_update([0]).chain_update(line_no.to_le_bytes());
    hex(&hash.chain_update(line).finalize()[..16])
}

/// Cursors by path, as the store has them.
pub fn by_path(cursors: Vec<FileCursor>) -> HashMap<String, FileCursor> {
    cursors.into_iter().map(|cursor| (cursor.path.clone(), cursor)).collect()
}

/// `LENGTH:HASH` of the first `length` bytes.
fn head_hash(path: &Path, length: u64) -> io::Result<String> {
    hash_of(&mut File::open(path)?, length)
}

fn hash_of(file: &mut File, length: u64) -> io::Result<String> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(length).read_to_end(&mut head)?;
    Ok(format!("{}:{}", head.len(), hex(&Sha256::digest(&head)[..16])))
}

fn same_head(file: &mut File, known: &str) -> bool {
    let length = known.split(':').next().and_then(|length| length.parse().ok());
    length.is_some_and(|length| hash_of(file, length).is_ok_and(|hash| hash == known))
}

fn problem(found: &Found, code: &str, message: String, at_ms: i64) -> Problem {
    Problem { code: code.to_owned(), message, place: found.path.display().to_string(), line: None, at_ms }
}
