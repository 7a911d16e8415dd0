//! Codex as the person runs it, with its start and end reported: `orrery track codex`.
//!
//! The terminal stays Codex's own: same process group, same file descriptors, nothing in between. All reporting happens
//! on another thread while it runs.

mod find;
mod git;
mod report;
mod rollout;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use orrery_client::{id, runs};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use self::git::Before;
use self::report::Reporter;
use self::rollout::Search;
use crate::out;

/// Answered when there is no program to run, and when it cannot be run, as shells do.
const NOT_FOUND: u8 = 127;
const NOT_RUNNABLE: u8 = 126;
/// The start waits so long for the thread's id, which the first prompt brings at the latest.
const START_WAIT: Duration = Duration::from_secs(2);
/// Wrappers started by wrappers: a script named `codex` that runs us would go on for ever.
const MAX_DEPTH: u32 = 8;
const DEPTH: &str = "ORRERY_TRACK_DEPTH";

/// Runs Codex with `args` and answers its exit code, or 128+n when signal n killed it.
pub fn codex(args: &[OsString], server: Option<String>) -> u8 {
    let env = |name: &str| std::env::var_os(name);
    let own = std::env::current_exe().ok();
    let named = env("ORRERY_CODEX");
    let Some(program) = find::program("codex", named.as_deref(), env("PATH").as_deref(), own.as_deref()) else {
        out::say("orrery: there is no codex on the PATH; ORRERY_CODEX names it when it is elsewhere");
        return NOT_FOUND;
    };
    let depth = env(DEPTH).and_then(|depth| depth.to_str()?.parse::<u32>().ok()).unwrap_or(0) + 1;
    if depth > MAX_DEPTH {
        out::say(&format!("orrery: {} runs orrery again; name the real Codex with ORRERY_CODEX", program.display()));
        return NOT_RUNNABLE;
    }
    let signals = match Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP]) {
        Ok(signals) => signals,
        Err(error) => {
            out::say(&format!("orrery: signals cannot be handled: {error}"));
            return NOT_RUNNABLE;
        }
    };
    let cwd = std::env::current_dir().unwrap_or_default();
    let before = Before::begin(&cwd);
    let parent = env("CLAUDE_PARENT_SESSION_ID").and_then(|id| id.into_string().ok());
    let reporter = Reporter::new(&cwd, parent, server);
    #[allow(clippy::disallowed_methods, reason = "compared with the file system's clock alone")]
    let search = Search { sessions: codex_home().join("sessions"), cwd, since: SystemTime::now() };
    let began = Instant::now();
    let mut command = Command::new(&program);
    let mut child = match command.args(args).env(DEPTH, depth.to_string()).spawn() {
        Ok(child) => child,
        Err(error) => {
            out::say(&format!("orrery: {} cannot be run: {error}", program.display()));
            let code = if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_RUNNABLE };
            reporter.end(id::now_ms(), &json!({ "reason": format!("not started: {error}") }));
            return code;
        }
    };
    let watched = Watched::begin(signals, &child);
    let (over, is_over) = channel();
    let follower = std::thread::spawn({
        let search = search.clone();
        move || follow(reporter, &search, &is_over)
    });
    let status = child.wait();
    watched.ended.store(true, Ordering::Release);
    let (ended_ms, took) = (id::now_ms(), began.elapsed());
    drop(over);
    let change = before.and_then(Before::change);
    let Ok(status) = status else { return NOT_RUNNABLE };
    if let Ok(reporter) = follower.join() {
        let mut facts = facts(status, watched.interrupted.load(Ordering::Acquire), took);
        if let Some(change) = change {
            facts["git_stats"] =
                json!({ "files": change.files, "insertions": change.insertions, "deletions": change.deletions });
        }
        if let Some(tokens) = reporter.rollout().and_then(|rollout| search.tokens(&rollout.path)) {
            facts["tokens"] = json!(tokens);
        }
        reporter.end(ended_ms, &facts);
    }
    code_of(status)
}

fn codex_home() -> PathBuf {
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    path("CODEX_HOME").or_else(|| path("HOME").map(|home| home.join(".codex"))).unwrap_or_default()
}

/// While Codex runs: learns its thread from the rollout, and tells the start. Gives the reporter back when `is_over`
/// is hung up.
fn follow(mut reporter: Reporter, search: &Search, is_over: &Receiver<()>) -> Reporter {
    let data_dir = reporter.data_dir().map(PathBuf::from);
    if let Some(dir) = &data_dir {
        runs::close_killed(dir);
    }
    let taken = || data_dir.as_deref().map(runs::claimed).unwrap_or_default();
    let began = Instant::now();
    let mut looks = 0_u32;
    let mut pause = Duration::from_millis(50);
    loop {
        let ended = matches!(is_over.recv_timeout(pause), Err(RecvTimeoutError::Disconnected));
        if reporter.rollout().is_none() {
            looks += 1;
            // Looking through every folder costs more: at the end, and now and then for resumed threads.
            if let Some(found) = search.find(ended || looks.is_multiple_of(10), &taken()) {
                reporter.joins(found);
            }
        }
        if ended {
            reporter.start();
            return reporter;
        }
        if reporter.rollout().is_some() || began.elapsed() >= START_WAIT {
            reporter.start();
            pause = Duration::from_secs(1);
        }
        if reporter.rollout().is_some() {
            pause = Duration::from_secs(3600);
        }
    }
}

/// The signals that reach us while Codex runs.
struct Watched {
    ended: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
}

impl Watched {
    /// Ctrl-C and Ctrl-\ reach Codex from the terminal, since it is in our process group: they are only noted here.
    /// What is sent to us alone is passed on.
    fn begin(mut signals: Signals, child: &Child) -> Watched {
        let watched = Watched { ended: Arc::default(), interrupted: Arc::default() };
        let (ended, interrupted) = (watched.ended.clone(), watched.interrupted.clone());
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let passed_on = match signal {
                    SIGTERM => Signal::TERM,
                    SIGHUP => Signal::HUP,
                    _ => {
                        interrupted.store(true, Ordering::Release);
                        continue;
                    }
                };
                if let Some(pid) = pid.filter(|_| !ended.load(Ordering::Acquire)) {
                    let _ = kill_process(pid, passed_on);
                }
            }
        });
        watched
    }
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}

fn facts(status: ExitStatus, interrupted: bool, took: Duration) -> Value {
    let interrupted = interrupted || status.signal() == Some(SIGINT);
    let signal = status.signal().map(|signal| {
        signal_hook::low_level::signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
    });
    let reason = match (&signal, interrupted) {
        (_, true) => "interrupted".to_owned(),
        (Some(signal), _) => format!("killed by {signal}"),
        (None, _) => format!("exit {}", code_of(status)),
    };
    json!({
        "reason": reason,
        "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "exit_code": code_of(status),
        "signal": signal,
        "interrupted": interrupted,
    })
}
