//! Cost straight from transcript files: only lines that tell of cost are read, and of them only what cost hangs on.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use memchr::{memchr, memchr_iter, memmem, memrchr};
use orrery_agents::Context;
use orrery_agents::transcript::Reader;
use orrery_types::{AgentId, Basis, RequestUsage, Source, Sources, UsageRow};
use orrery_views::pricing::Prices;
use orrery_views::{session, usage};

use crate::jobs::files::{self, Found, Names};

/// Read at once; a longer line makes the buffer larger.
const CHUNK: usize = 4 * 1024 * 1024;

/// Requests by key, and the project of each session.
#[derive(Default)]
pub struct Ledger {
    pub rows: HashMap<String, UsageRow>,
    pub projects: HashMap<String, String>,
}

/// The ledger of all transcripts below `roots`, each request counted once and priced with the table in force. Unreadable
/// files and lines are passed over: importing tells about them.
pub fn scan(roots: &[(AgentId, PathBuf)], prices: &Prices) -> Ledger {
    let mut found = files::scan(roots, Names::Any);
    // The largest first, so that no thread begins one when the others are done.
    found.sort_by_key(|file| std::cmp::Reverse(file.size));
    let all = Mutex::new(Ledger::default());
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, usize::from).min(found.len().max(1));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut part = Ledger::default();
                let mut buffer = Vec::new();
                while let Some(file) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
                    part.merge(read(file, prices, &mut buffer), prices);
                }
                all.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(part, prices);
            });
        }
    });
    let mut ledger = all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    usage::drop_replays(&mut ledger.rows);
    usage::drop_stand_ins(&mut ledger.rows);
    let table = prices.in_force();
    for row in ledger.rows.values_mut() {
        *row = UsageRow { sources: row.sources, ..table.price(&row.request) };
    }
    ledger
}

impl Ledger {
    fn add(&mut self, row: UsageRow, prices: &Prices) {
        match self.rows.entry(row.request.key.clone()) {
            Entry::Vacant(slot) => drop(slot.insert(row)),
            Entry::Occupied(mut slot) => {
                if let Some(joined) = usage::joined(slot.get(), &row, prices) {
                    slot.insert(joined);
                }
            }
        }
    }

    fn merge(&mut self, part: Ledger, prices: &Prices) {
        if self.rows.is_empty() && self.projects.is_empty() {
            *self = part;
            return;
        }
        for (session, project) in part.projects {
            self.projects.entry(session).or_insert(project);
        }
        for row in part.rows.into_values() {
            self.add(row, prices);
        }
    }
}

/// The report of one line. Its price comes when it is known which report of the request counts.
fn unpriced(request: RequestUsage, price_date: &str) -> UsageRow {
    UsageRow {
        cost_usd_micros: request.reported_usd_micros,
        basis: if request.reported_usd_micros.is_some() { Basis::Reported } else { Basis::Calculated },
        calculated_usd_micros: None,
        price_model: None,
        price_date: price_date.to_owned(),
        sources: Sources::one(request.source),
        request,
    }
}

fn read(found: &Found, prices: &Prices, buffer: &mut Vec<u8>) -> Ledger {
    let mut reading = Reading::begin(found, prices);
    if reading.chosen_lines(buffer).is_ok_and(|whole| whole) {
        return reading.ledger;
    }
    // A line hangs on one before it that says nothing of cost: all are read.
    let mut reading = Reading::begin(found, prices);
    let _ = reading.all_lines();
    reading.ledger
}

/// One file being read.
struct Reading<'a> {
    found: &'a Found,
    prices: &'a Prices,
    reader: Reader,
    context: Context,
    ledger: Ledger,
    line_no: u64,
}

impl<'a> Reading<'a> {
    fn begin(found: &'a Found, prices: &'a Prices) -> Reading<'a> {
        Reading {
            found,
            prices,
            reader: Reader::open(found.agent, &found.info, None),
            context: Context {
                source: Source::Transcript,
                received_ms: found.modified_ms,
                delivery_id: String::new(),
                place: found.path.display().to_string(),
                demo: false,
            },
            ledger: Ledger::default(),
            line_no: 0,
        }
    }

    /// Reads the lines that tell of cost. False when one of them hangs on a line that was passed over.
    fn chosen_lines(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        if files::is_compressed(&self.found.path) {
            return Ok(false);
        }
        let mut file = File::open(&self.found.path)?;
        if buffer.len() < CHUNK {
            buffer.resize(CHUNK, 0);
        }
        let mut filled = 0;
        loop {
            if filled == buffer.len() {
                buffer.resize(filled * 2, 0);
            }
            let read = file.read(&mut buffer[filled..])?;
            filled += read;
            let whole = match (read, memrchr(b'\n', &buffer[..filled])) {
                (0, _) => filled,
                (_, Some(last)) => last + 1,
                (_, None) => continue,
            };
            let fits = match self.found.agent {
                AgentId::ClaudeCode => self.claude_lines(&buffer[..whole]),
                AgentId::Codex => self.codex_lines(&buffer[..whole]),
                _ => self.each_line(&buffer[..whole]),
            };
            if !fits {
                return Ok(false);
            }
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
            if read == 0 {
                return Ok(true);
            }
        }
    }

    /// Finds the lines with usage by their bytes, wherever in the lines that stands.
    fn claude_lines(&mut self, block: &[u8]) -> bool {
        let usage = memmem::Finder::new(b"\"usage\"");
        let (mut at, mut counted) = (0, 0);
        while let Some(hit) = usage.find(&block[at..]) {
            let hit = at + hit;
            let start = memrchr(b'\n', &block[..hit]).map_or(0, |end| end + 1);
            let end = memchr(b'\n', &block[hit..]).map_or(block.len(), |end| hit + end);
            self.line_no += memchr_iter(b'\n', &block[counted..start]).count() as u64;
            counted = start;
            let line = &block[start..end];
            if !names_itself(line) {
                return false;
            }
            self.take(line, self.line_no + 1);
            at = (end + 1).min(block.len());
        }
        self.line_no += memchr_iter(b'\n', &block[counted..]).count() as u64;
        true
    }

    fn codex_lines(&mut self, block: &[u8]) -> bool {
        for line in lines(block) {
            self.line_no += 1;
            // The line's own type stands before its payload.
            let head = line.get(..160).unwrap_or(line);
            let is_item = [&b"\"type\":\"response_item\""[..], b"\"type\": \"response_item\""]
                .iter()
                .any(|kind| memmem::find(head, kind).is_some());
            if is_item {
                continue;
            }
            if !has_time(line) {
                return false;
            }
            self.take(line, self.line_no);
        }
        true
    }

    fn each_line(&mut self, block: &[u8]) -> bool {
        for line in lines(block) {
            self.line_no += 1;
            self.take(line, self.line_no);
        }
        true
    }

    fn all_lines(&mut self) -> io::Result<()> {
        let mut file = files::reader(&self.found.path, 0)?;
        let mut line = Vec::new();
        loop {
            line.clear();
            if file.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            self.line_no += 1;
            self.take(&line, self.line_no);
        }
    }

    fn take(&mut self, line: &[u8], line_no: u64) {
        let decoded = self.reader.usage_line(line.trim_ascii_end(), line_no, &self.context);
        for facts in decoded.facts {
            let project = facts.project.or_else(|| facts.cwd.map(|cwd| session::folder_name(&cwd)));
            if let Some(project) = project {
                self.ledger.projects.entry(facts.session_id).or_insert(project);
            }
        }
        for request in decoded.usage {
            self.ledger.add(unpriced(request, self.prices.in_force().date()), self.prices);
        }
    }
}

fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

/// Whether the line says itself when it was written and to which session it belongs.
fn names_itself(line: &[u8]) -> bool {
    has_time(line)
        && (memmem::find(line, b"\"sessionId\"").is_some() || memmem::find(line, b"\"session_id\"").is_some())
}

fn has_time(line: &[u8]) -> bool {
    line.is_empty() || memmem::find(line, b"\"timestamp\"").is_some()
}
