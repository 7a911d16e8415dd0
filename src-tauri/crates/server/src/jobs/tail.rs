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
/// Bytes before the read position whose hash tells a file that grew from another one. They hold ids and times.
const MARK_BYTES: usize = 256;
/// Of a compressed file the first bytes are hashed instead, as they lie on the disk.
const HEAD_BYTES: u64 = 1024;
/// Longer lines are not taken as a whole: of them only usage and the session's place are read.
const MOST_LINE_BYTES: usize = 32 * 1024 * 1024;

/// Part of a file, or several small files, ready to append.
#[derive(Debug, Default)]
pub struct Piece {
    pub batch: Batch,
    pub lines: u64,
    pub events: usize,
    /// Raw bytes of the lines.
    pub bytes: usize,
}

impl Piece {
    /// Whether it should be appended before more is read.
    pub fn is_full(&self) -> bool {
        self.events >= BATCH_EVENTS || self.bytes >= BATCH_BYTES
    }

    /// Takes in what was read after it.
    pub fn add(&mut self, other: Piece) {
        self.batch.items.extend(other.batch.items);
        self.batch.cursors.extend(other.batch.cursors);
        self.batch.problems.extend(other.batch.problems);
        self.lines += other.lines;
        self.events += other.events;
        self.bytes += other.bytes;
    }
}

/// What came of looking for the next line.
enum Next {
    Line,
    /// A line of so many bytes, too many to be taken.
    TooLong(u64),
    /// No line, or one without its end that is not whole yet.
    End,
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
            take(Piece { batch: Batch { problems, ..Batch::default() }, ..Piece::default() });
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
    /// The last bytes before `offset`, at most [`MARK_BYTES`].
    mark: Vec<u8>,
}

fn open<'a>(
    found: &'a Found,
    cursor: Option<&FileCursor>,
    now_ms: i64,
    problems: &mut Vec<Problem>,
) -> io::Result<Tail<'a>> {
    let packed = files::is_compressed(&found.path);
    let fits = |cursor: &&FileCursor| packed || cursor.offset <= found.size;
    let mut file = File::open(&found.path)?;
    let known = cursor.filter(|cursor| fits(cursor) && is_same(&mut file, cursor));
    if let Some(cursor) = cursor.filter(|cursor| !fits(cursor)) {
        let words = format!("The file shrank from {} to {} bytes and was read again", cursor.offset, found.size);
        problems.push(problem(found, "file_shrank", words, now_ms));
    }
    let (offset, lines) = known.map_or((0, 0), |cursor| (cursor.offset, cursor.lines));
    let before = offset.min(MARK_BYTES as u64);
    let mut file = files::reader(&found.path, offset - before)?;
    let mut mark = Vec::with_capacity(MARK_BYTES);
    (&mut file).take(before).read_to_end(&mut mark)?;
    let reader = Reader::open(found.agent, &info(found), known.map(|cursor| cursor.state.as_str()));
    let place = found.path.display().to_string();
    Ok(Tail { found, file, reader, place, offset, lines, mark })
}

impl Tail<'_> {
    fn run(
        mut self,
        ingest: &Ingest,
        problems: Vec<Problem>,
        take: &mut dyn FnMut(Piece) -> bool,
    ) -> Option<FileCursor> {
        let mut piece = Piece { batch: Batch { problems, ..Batch::default() }, ..Piece::default() };
        let mut line = Vec::new();
        loop {
            line.clear();
            match self.next_line(&mut line) {
                Ok(Next::Line) => {}
                Ok(Next::TooLong(size)) => {
                    self.go_on(&line, size);
                    self.lines += 1;
                    piece.lines += 1;
                    piece.batch.problems.push(self.too_long(size, ingest.clock().now_ms()));
                    continue;
                }
                Ok(Next::End) => break,
                Err(error) => {
                    let words = format!("Reading stopped after line {}: {error}", self.lines);
                    piece.batch.problems.push(problem(self.found, "file_unreadable", words, ingest.clock().now_ms()));
                    break;
                }
            }
            piece.lines += 1;
            piece.bytes += line.len();
            piece.events += self.take_line(ingest, &line, &mut piece.batch);
            if piece.is_full() {
                piece.batch.cursors = vec![self.cursor(false)];
                if !take(std::mem::take(&mut piece)) {
                    return None;
                }
            }
        }
        let cursor = self.cursor(true);
        piece.batch.cursors = vec![cursor.clone()];
        take(piece).then_some(cursor)
    }

    /// Whether a whole line was read. Its end is not in `line`.
    fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<Next> {
        let unended = self.mark.last().is_some_and(|last| *last != b'\n');
        let mut size = self.read_line(line)?;
        if unended && line.ends_with(b"\n") && line.trim_ascii().is_empty() {
            // Only the end of the line that was taken without it: no line of its own.
            self.go_on(line, size);
            line.clear();
            size = self.read_line(line)?;
        }
        if size == 0 {
            return Ok(Next::End);
        }
        let ended = line.last() == Some(&b'\n');
        if size > line.len() as u64 {
            return Ok(if ended { Next::TooLong(size) } else { Next::End });
        }
        if !ended && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err() {
            return Ok(Next::End);
        }
        self.go_on(line, size);
        self.lines += 1;
        if ended {
            line.pop();
        }
        Ok(Next::Line)
    }

    /// Reads up to the end of the line. Gives its size; of one that is too long `line` keeps the last bytes alone.
    fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<u64> {
        let mut size = (&mut self.file).take(MOST_LINE_BYTES as u64).read_until(b'\n', line)? as u64;
        if line.len() < MOST_LINE_BYTES || line.last() == Some(&b'\n') {
            return Ok(size);
        }
        line.drain(..line.len() - MARK_BYTES);
        line.shrink_to_fit();
        loop {
            let piece = self.file.fill_buf()?;
            let end = memchr::memchr(b'\n', piece).map(|at| at + 1);
            let taken = end.unwrap_or(piece.len());
            line.extend_from_slice(&piece[taken.saturating_sub(MARK_BYTES)..taken]);
            line.drain(..line.len().saturating_sub(MARK_BYTES));
            self.file.consume(taken);
            size += taken as u64;
            if taken == 0 || end.is_some() {
                return Ok(size);
            }
        }
    }

    /// Moves the position behind `line`, which is `size` bytes long in the file.
    fn go_on(&mut self, line: &[u8], size: u64) {
        self.offset += size;
        self.mark.extend_from_slice(&line[line.len().saturating_sub(MARK_BYTES)..]);
        self.mark.drain(..self.mark.len().saturating_sub(MARK_BYTES));
    }

    fn too_long(&self, size: u64, at_ms: i64) -> Problem {
        let megabytes = size / (1024 * 1024);
        let message = format!("A line of {megabytes} MB was passed over; it stays in the file");
        Problem { line: Some(self.lines), ..problem(self.found, "line_too_long", message, at_ms) }
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
            head_hash: if files::is_compressed(&self.found.path) {
                head_hash(&self.found.path, self.offset.min(HEAD_BYTES)).unwrap_or_default()
            } else {
                mark_hash(&self.mark)
            },
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

/// What follows "mark:" is the hash of the bytes before the read position.
fn mark_hash(mark: &[u8]) -> String {
    format!("{MARK}{}", hex(&Sha256::digest(mark)[..16]))
}

const MARK: &str = "mark:";

/// Whether the file is the one that was read up to the cursor.
fn is_same(file: &mut File, cursor: &FileCursor) -> bool {
    if !cursor.head_hash.starts_with(MARK) {
        return same_head(file, &cursor.head_hash);
    }
    let mut mark = Vec::new();
    let before = cursor.offset.min(MARK_BYTES as u64);
    let read =
        file.seek(SeekFrom::Start(cursor.offset - before)).and_then(|_| file.take(before).read_to_end(&mut mark));
    read.is_ok() && mark_hash(&mark) == cursor.head_hash
}

/// The same for a cursor that holds the hash of the first bytes: of a compressed file, or of an older version.
fn same_head(file: &mut File, known: &str) -> bool {
    let length = known.split(':').next().and_then(|length| length.parse().ok());
    length.is_some_and(|length| hash_of(file, length).is_ok_and(|hash| hash == known))
}

fn problem(found: &Found, code: &str, message: String, at_ms: i64) -> Problem {
    Problem { code: code.to_owned(), message, place: found.path.display().to_string(), line: None, at_ms }
}
