//! Runs of a wrapped agent that are not over: one record each in `DATA/runs`, so that a run whose wrapper was killed
//! still gets its end.
//!
//! The wrapper holds a lock on its record while it lives. A record without a lock belongs to nobody anymore: whoever
//! finds it spools the start and the end written in it. Both carry their ids, so what was delivered before is known.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::spool;

/// One event of a run, ready to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// 32 hex digits.
    pub id: String,
    /// Ms since 1970.
    pub at_ms: i64,
    /// JSON on one line.
    pub body: String,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Slug of the agent that runs.
    pub agent: String,
    /// Session the run turned out to be. Empty until it is known.
    pub session: String,
    /// The file the agent writes. Its last change is taken for the end of a killed run. Empty until it is known.
    pub transcript: String,
    pub start: Report,
    /// The end to report when the wrapper is killed; its time is the least it can be.
    pub end: Report,
}

/// A record on disk, locked until this value goes.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    file: File,
}

impl Held {
    /// Writes the record of a run that begins.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn new(data_dir: &Path, run: &str, record: &Record) -> io::Result<Held> {
        let dir = dir(data_dir);
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&dir)?;
        let path = dir.join(run);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        file.lock()?;
        let mut held = Held { path, file };
        held.write(record)?;
        Ok(held)
    }

    /// Replaces what the record says.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let text = text_of(record);
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }

    /// Removes the record: the end of the run was delivered or spooled.
    pub fn done(self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The records of a data directory.
pub fn dir(data_dir: &Path) -> PathBuf {
    data_dir.join("runs")
}

/// Sessions that living wrappers have claimed.
pub fn claimed(data_dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir(data_dir)).into_iter().flatten().flatten();
    let records = files.filter_map(|entry| parse(&fs::read_to_string(entry.path()).ok()?));
    records.map(|record| record.session).filter(|session| !session.is_empty()).collect()
}

/// Spools start and end of every run whose wrapper is gone. Answers how many there were.
pub fn close_killed(data_dir: &Path) -> usize {
    let files = fs::read_dir(dir(data_dir)).into_iter().flatten().flatten();
    files.filter(|entry| close(data_dir, &entry.path()).is_ok_and(|closed| closed)).count()
}

fn close(data_dir: &Path, path: &Path) -> io::Result<bool> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(false);
    }
    // A wrapper that has just made its file locks it a moment later.
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let modified = |meta: fs::Metadata| {
        let since = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()
    };
    let Some(record) = parse(&text) else {
        let is_old = file.metadata()?.modified()?.elapsed().is_ok_and(|age| age > std::time::Duration::from_secs(60));
        return if is_old { fs::remove_file(path).map(|()| false) } else { Ok(false) };
    };
    let written = fs::metadata(&record.transcript).ok().and_then(modified);
    let last_ms = written.or_else(|| file.metadata().ok().and_then(modified)).unwrap_or(0);
    let end = Report { at_ms: record.end.at_ms.max(last_ms.saturating_add(1)), ..record.end };
    for report in [record.start, end] {
        let header =
            spool::Header { id: report.id, at_ms: report.at_ms, agent: record.agent.clone(), kind: "hook".to_owned() };
        spool::put(&spool::dir(data_dir), &header, report.body.as_bytes(), None)?;
    }
    fs::remove_file(path)?;
    Ok(true)
}

fn text_of(record: &Record) -> String {
    let times = [record.start.at_ms.to_string(), record.end.at_ms.to_string()];
    let lines = [
        &record.agent,
        &record.session,
        &record.transcript,
        &record.start.id,
        &times[0],
        &record.start.body,
        &record.end.id,
        &times[1],
        &record.end.body,
    ];
    let mut text = String::new();
    for line in lines {
        text.extend(line.chars().map(|letter| if letter == '\n' { ' ' } else { letter }));
        text.push('\n');
    }
    text
}

/// `None` when the file is not whole.
fn parse(text: &str) -> Option<Record> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let mut next = || lines.next().map(str::to_owned);
    let (agent, session, transcript) = (next()?, next()?, next()?);
    let mut report = || Some(Report { id: next()?, at_ms: next()?.parse().ok()?, body: next()? });
    Some(Record { agent, session, transcript, start: report()?, end: report()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let report = |id: &str, at_ms, body: &str| Report { id: id.repeat(32), at_ms, body: body.into() };
        Record {
            agent: "codex".into(),
            session: "s".into(),
            transcript: String::new(),
            start: report("a", 1, "{\"n\":1}"),
            end: report("b", 2, "{\"n\":2}"),
        }
    }

    #[test]
    fn a_living_run_is_left_alone_and_a_dead_one_closed_once() {
        let temp = tempfile::tempdir().expect("a temp dir");
        let held = Held::new(temp.path(), "r1", &record()).expect("writable");
        assert_eq!(close_killed(temp.path()), 0);
        assert_eq!(claimed(temp.path()), ["s"]);
        drop(held);
        assert_eq!((close_killed(temp.path()), close_killed(temp.path())), (1, 0));
        let spooled: Vec<_> =
            spool::list(&spool::dir(temp.path())).iter().map(|path| spool::read(path).expect("whole")).collect();
        assert_eq!(spooled.iter().map(|one| one.payload.as_slice()).collect::<Vec<_>>(), [b"{\"n\":1}", b"{\"n\":2}"]);
        assert!(spooled[0].header.at_ms == 1 && spooled[1].header.at_ms > 2);
    }

    #[test]
    fn a_run_that_ended_leaves_nothing() {
        let temp = tempfile::tempdir().expect("a temp dir");
        let mut held = Held::new(temp.path(), "r1", &record()).expect("writable");
        held.write(&Record { session: String::new(), ..record() }).expect("writable");
        held.done();
        assert_eq!((close_killed(temp.path()), spool::depth(&spool::dir(temp.path())).0), (0, 0));
    }
}
