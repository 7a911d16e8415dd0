//! The rollout that a run wrote: it names the thread and the tokens.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

/// A first line is longer than this only when it is none of ours.
const MAX_HEAD: u64 = 1024 * 1024;
/// Bytes at the end of a rollout that are read for the tokens.
const TAIL: u64 = 8 * 1024 * 1024;
/// File systems stamp changes a little coarser than the clock.
const SLACK: Duration = Duration::from_millis(20);

/// A thread and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    pub thread: String,
    pub path: PathBuf,
}

/// Tokens of one run as the rollout tells them, for people to read: the ledger counts the rollout itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tokens {
    pub input_tokens: u64,
    pub cached_input_tokens: u64,
    pub output_tokens: u64,
    pub reasoning_output_tokens: u64,
    pub total_tokens: u64,
}

/// Where to look and for what.
#[derive(Debug, Clone)]
pub struct Search {
    /// `$CODEX_HOME/sessions`.
    pub sessions: PathBuf,
    pub cwd: PathBuf,
    pub since: SystemTime,
}

impl Search {
    /// The main thread's rollout that was written since the run began. Only the newest days' folders unless `all`:
    /// a resumed thread is in the folder of the day it began.
    ///
    /// A rollout of our working directory beats another one (`--cd` leads elsewhere), a thread that began in this run
    /// an older one. Threads in `taken` are other runs'.
    pub fn find(&self, all: bool, taken: &[String]) -> Option<Rollout> {
        let mut files = Vec::new();
        self.walk(&self.sessions, 3, all, &mut files);
        let from = self.since.checked_sub(SLACK).unwrap_or(self.since);
        let written = files
            .into_iter()
            .filter(|path| fs::metadata(path).and_then(|meta| meta.modified()).is_ok_and(|modified| modified >= from));
        let known = written.filter_map(|path| self.judge(path)).filter(|(_, found)| !taken.contains(&found.thread));
        known.min_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, found)| found)
    }

    fn walk(&self, dir: &Path, depth: usize, all: bool, files: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        if depth == 0 {
            let is_rollout = |path: &PathBuf| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                name.starts_with("rollout-") && name.ends_with(".jsonl")
            };
            files.extend(paths.into_iter().filter(is_rollout));
            return;
        }
        paths.sort_unstable();
        // A run may cross midnight; the newest two of each are enough.
        let newest = if all { paths.len() } else { 2 };
        for path in paths.iter().rev().take(newest) {
            self.walk(path, depth - 1, all, files);
        }
    }

    /// Smaller is better. `None` for a subagent's file and one that cannot be read yet.
    fn judge(&self, path: PathBuf) -> Option<((bool, bool, PathBuf), Rollout)> {
        let mut line = Vec::new();
        BufReader::new(File::open(&path).ok()?.take(MAX_HEAD)).read_until(b'\n', &mut line).ok()?;
        let head: Value = serde_json::from_slice(&line).ok()?;
        let meta = head.get("payload").unwrap_or(&head);
        if meta["source"].is_object() {
            return None;
        }
        let thread = meta["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 128)?.to_owned();
        let is_elsewhere = meta["cwd"].as_str().is_some_and(|cwd| {
            let cwd = Path::new(cwd);
            cwd != self.cwd && cwd.canonicalize().ok() != self.cwd.canonicalize().ok()
        });
        let began = meta["timestamp"].as_str().or(head["timestamp"].as_str()).and_then(time);
        let is_old = began.is_none_or(|began| began + Duration::from_secs(1) < self.since);
        // An older thread of another folder is somebody else's.
        (!(is_elsewhere && is_old)).then_some(((is_elsewhere, is_old, path.clone()), Rollout { thread, path }))
    }

    /// What the model's answers since the run began say they used. `None` when there is none.
    pub fn tokens(&self, path: &Path) -> Option<Tokens> {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes).ok()?;
        let mut sum = None;
        let mut last_total = Value::Null;
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            if !line.contains("\"token_count\"") {
                continue;
            }
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let info = &line["payload"]["info"];
            let total = &info["total_token_usage"];
            let is_repeat = !total.is_null() && *total == last_total;
            last_total.clone_from(total);
            let is_ours = line["timestamp"].as_str().and_then(time).is_some_and(|at| at + SLACK >= self.since);
            if is_repeat || !is_ours || !info["last_token_usage"].is_object() {
                continue;
            }
            let count = |name: &str| info["last_token_usage"][name].as_u64().unwrap_or(0);
            let sum: &mut Tokens = sum.get_or_insert_default();
            for (field, name) in [
                (&mut sum.input_tokens, "input_tokens"),
                (&mut sum.cached_input_tokens, "cached_input_tokens"),
                (&mut sum.output_tokens, "output_tokens"),
                (&mut sum.reasoning_output_tokens, "reasoning_output_tokens"),
                (&mut sum.total_tokens, "total_tokens"),
            ] {
                *field = field.saturating_add(count(name));
            }
        }
        sum
    }
}

fn time(text: &str) -> Option<SystemTime> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(SystemTime::from)
}
