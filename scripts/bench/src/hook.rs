//! What `orrery-hook` costs the agent: its wall time against `/bin/true` and against a Python sender.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use orrery_bench::figure::Figure;
use orrery_bench::pairs::abba;
use orrery_bench::place::Place;
use orrery_bench::server::Server;

const ROUNDS: usize = 150;
const PYTHON_ROUNDS: usize = 15;
const HUNG_SENDS: usize = 1_000;

const PYTHON: &str = "import sys, urllib.request
body = sys.stdin.buffer.read()
urllib.request.urlopen(urllib.request.Request(sys.argv[1], body, {'Content-Type': 'application/json'}), timeout=5).read()";

pub fn measure(place: &Place) -> anyhow::Result<Vec<Figure>> {
    let hook = place.hook()?;
    let payload = payload();
    let server = Server::start(place)?;
    let spool = tempfile::tempdir()?;
    let up = server.url();
    let send = |url: &str| {
        let mut command = Command::new(&hook);
        command.args(["--agent", "claude-code", "--server", url]).env("ORRERY_DATA_DIR", spool.path());
        timed(&mut command, &payload)
    };
    let nothing = || timed(&mut Command::new("/bin/true"), &payload);

    let control = abba(ROUNDS, nothing, nothing)?;
    let against_true = abba(ROUNDS, nothing, || send(&up))?;
    let python = || timed(Command::new("python3").args(["-c", PYTHON, &format!("{up}/hooks/claude-code")]), &payload);
    let against_python = abba(PYTHON_ROUNDS, python, || send(&up))?;

    let down = {
        let free = TcpListener::bind("127.0.0.1:0")?;
        format!("http://{}", free.local_addr()?)
    };
    let down_against_up = abba(ROUNDS, || send(&up), || send(&down))?;

    // Accepts (the kernel's queue does) and never reads.
    let hung = TcpListener::bind("127.0.0.1:0")?;
    let hung_url = format!("http://{}", hung.local_addr()?);
    let mut worst = Duration::ZERO;
    let _accepted = std::thread::spawn(move || hung.incoming().collect::<Vec<_>>());
    for _ in 0..HUNG_SENDS {
        worst = worst.max(send(&hung_url)?);
    }

    Ok(vec![
        Figure::plain("hook: control, /bin/true to itself", control.ratio, "x"),
        Figure::plain("hook: wall of /bin/true", millis(against_true.a), "ms"),
        Figure::plain("hook: wall of orrery-hook, server up", millis(against_true.b), "ms"),
        Figure::less("hook: wall to /bin/true, server up", against_true.ratio, "x", 2.5, 1.5),
        Figure::less("hook: wall to a python3 urllib sender", against_python.ratio, "x", 1.0 / 12.0, 1.0 / 25.0),
        Figure::less("hook: server down to up", down_against_up.ratio, "x", 1.2, 1.05),
        Figure::less("hook: server hung, worst of 1,000", millis(worst), "ms", 150.0, 20.0),
        Figure::less("hook: binary size", place.hook()?.metadata()?.len() as f64 / 1e3, "kB", 1_500.0, 600.0),
        Figure::less(
            "hook: peak memory",
            peak_kilobytes(&hook, &hung_url, spool.path(), &payload)? / 1e3,
            "MB",
            4.0,
            2.5,
        ),
    ])
}

/// A tool call's payload of 4 KB.
pub fn payload() -> Vec<u8> {
    let body = serde_json::json!({
        "session_id": "7c0b2b7e-5b4e-4d53-9d52-0d6a1f6a3c11",
        "transcript_path": "/home/ada/.claude/projects/-home-ada-src-kiln/7c0b2b7e.jsonl",
        "cwd": "/home/ada/src/kiln",
        "hook_event_name": "PreToolUse",
        "tool_name": "Write",
        "tool_input": { "file_path": "/home/ada/src/kiln/notes.md", "content": "x".repeat(3_700) },
        "tool_use_id": "toolu_01benchmark"
    });
    body.to_string().into_bytes()
}

fn timed(command: &mut Command, payload: &[u8]) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // /bin/true may be gone before it is written to.
    if let Some(mut stdin) = child.stdin.take()
        && let Err(error) = stdin.write_all(payload)
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(error.into());
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().to_string_lossy());
    }
    Ok(started.elapsed())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Peak resident set of a hook that waits for a server: the kernel's high-water mark, read until it ends.
fn peak_kilobytes(hook: &Path, hung: &str, data: &Path, payload: &[u8]) -> anyhow::Result<f64> {
    let mut child = Command::new(hook)
        .args(["--agent", "claude-code", "--server", hung])
        .env("ORRERY_DATA_DIR", data)
        .stdin(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("standard input was asked for")?.write_all(payload)?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak: f64 = 0.0;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = mark.unwrap_or(peak).max(peak);
    }
    Ok(peak)
}
