//! What a run changed in its repository, in numbers: the difference of two looks at the working tree.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use std::io::Read;

/// The tree without a file, for repositories without a commit.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/// An untracked file larger than this is no source text: it counts as changed, without lines.
const MAX_COUNTED: u64 = 16 * 1024 * 1024;
/// How long the second look may take.
const LIMIT: Duration = Duration::from_secs(2);

/// Files and lines that differ between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    pub files: u64,
    pub insertions: u64,
    pub deletions: u64,
}

/// The working tree against one commit: every tracked file that differs from it and every untracked file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    files: BTreeMap<Vec<u8>, Dirty>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Dirty {
    insertions: u64,
    deletions: u64,
    /// Size and time of change, ns; tells an edit that leaves the numbers as they were. 0 for a deleted file.
    stamp: (u64, u128),
}

/// A first look, under way on another thread: it is over long before the agent's first edit.
pub struct Before {
    root: PathBuf,
    commit: mpsc::Receiver<Option<(String, Look)>>,
}

impl Before {
    /// Begins to look at the repository around `cwd`. `None` outside of one.
    pub fn begin(cwd: &Path) -> Option<Before> {
        let root = cwd.ancestors().find(|dir| dir.join(".git").exists())?.to_owned();
        let (send, commit) = mpsc::sync_channel(1);
        std::thread::spawn({
            let root = root.clone();
            move || {
                let _ = send.send(first_look(&root));
            }
        });
        Some(Before { root, commit })
    }

    /// What changed since. `None` when git does not answer in two seconds.
    pub fn change(self) -> Option<Change> {
        let end = Instant::now() + LIMIT;
        let (commit, before) = self.commit.recv_timeout(LIMIT).ok()??;
        Some(between(&before, &look(&self.root, &commit, Status::of(&self.root, end)?, end)?))
    }
}

fn first_look(root: &Path) -> Option<(String, Look)> {
    let end = Instant::now() + LIMIT;
    let status = Status::of(root, end)?;
    let commit = status.commit.clone();
    let look = look(root, &commit, status, end)?;
    Some((commit, look))
}

/// One process says most of it.
struct Status {
    commit: String,
    has_tracked_changes: bool,
    untracked: Vec<Vec<u8>>,
}

impl Status {
    fn of(root: &Path, end: Instant) -> Option<Status> {
        const ARGS: [&str; 6] = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames"];
        let output = read(run(root, &ARGS).ok()?, end)?;
        let mut status = Status { commit: EMPTY_TREE.to_owned(), has_tracked_changes: false, untracked: Vec::new() };
        for line in output.split(|byte| *byte == 0) {
            if let Some(path) = line.strip_prefix(b"? ") {
                status.untracked.push(path.to_owned());
            } else if let Some(commit) = line.strip_prefix(b"# branch.oid ") {
                if commit.iter().all(u8::is_ascii_hexdigit) {
                    status.commit = String::from_utf8_lossy(commit).into_owned();
                }
            } else if !line.is_empty() && !line.starts_with(b"#") {
                status.has_tracked_changes = true;
            }
        }
        Some(status)
    }
}

/// The tree as `status` found it, against `commit`.
fn look(root: &Path, commit: &str, status: Status, end: Instant) -> Option<Look> {
    let mut files = BTreeMap::new();
    if status.has_tracked_changes || status.commit != commit {
        let args = ["diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", commit, "--"];
        for line in read(run(root, &args).ok()?, end)?.split(|byte| *byte == 0) {
            let mut parts = line.splitn(3, |byte| *byte == b'\t');
            let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let dirty = Dirty { insertions: number(added), deletions: number(removed), stamp: stamp(root, path) };
            files.insert(path.to_owned(), dirty);
        }
    }
    for path in status.untracked {
        let dirty = Dirty { insertions: lines(&at(root, &path)), deletions: 0, stamp: stamp(root, &path) };
        files.insert(path, dirty);
    }
    Some(Look { files })
}

/// Lines that were there before the run and are gone after it count as deleted, whether or not they were committed.
fn between(before: &Look, after: &Look) -> Change {
    let mut change = Change::default();
    let nothing = Dirty::default();
    for path in before.files.keys().chain(after.files.keys().filter(|path| !before.files.contains_key(*path))) {
        let (old, new) = (before.files.get(path).unwrap_or(&nothing), after.files.get(path).unwrap_or(&nothing));
        if old == new {
            continue;
        }
        change.files += 1;
        change.insertions +=
            new.insertions.saturating_sub(old.insertions) + old.deletions.saturating_sub(new.deletions);
        change.deletions += new.deletions.saturating_sub(old.deletions) + old.insertions.saturating_sub(new.insertions);
    }
    change
}

/// In a group of its own: what is typed at the terminal is for the agent.
fn run(root: &Path, args: &[&str]) -> std::io::Result<Child> {
    let mut command = Command::new("git");
    command.args(["--no-optional-locks", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false"]).args(args);
    command.current_dir(root).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn()
}

/// What it prints. `None` when it fails or is not done at `end`; then it is killed.
fn read(mut child: Child, end: Instant) -> Option<Vec<u8>> {
    let mut stdout = child.stdout.take()?;
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.read_to_end(&mut bytes);
        let _ = send.send(read.map(|_| bytes));
    });
    let output = receive.recv_timeout(end.saturating_duration_since(Instant::now()));
    if output.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    output.ok()?.ok().filter(|_| status.success())
}

fn at(root: &Path, path: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(path))
}

fn stamp(root: &Path, path: &[u8]) -> (u64, u128) {
    let Ok(meta) = std::fs::symlink_metadata(at(root, path)) else { return (0, 0) };
    let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    (meta.len(), since.as_nanos())
}

/// `-` stands for a binary file.
fn number(text: &[u8]) -> u64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Lines as git counts them: none in a binary file, and a last one without an end counts.
fn lines(path: &Path) -> u64 {
    if !std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_COUNTED) {
        return 0;
    }
    let bytes = std::fs::read(path).unwrap_or_default();
    if bytes.iter().take(8000).any(|byte| *byte == 0) {
        return 0;
    }
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    ends + u64::from(bytes.last().is_some_and(|last| *last != b'\n'))
}
