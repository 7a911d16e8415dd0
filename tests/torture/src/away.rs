//! The server is down, or hung, while hooks fire; and the spool is full.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use orrery_bench::figure::Figure;
use orrery_client::{id, spool};

use crate::victim::{self, Victim, until};
use crate::wire::Wire;
use crate::{Plan, none, proof, told};

const SESSIONS: usize = 8;

/// What one run of `orrery-hook` did that it must not: words, an exit code.
struct Fired {
    noise: usize,
    failed: bool,
    time: Duration,
}

/// Runs the real hook once, as an agent does.
fn fire(plan: &Plan, data: &Path, port: Option<u16>, session: &str, name: &str) -> anyhow::Result<Fired> {
    let payload = serde_json::json!({"session_id": session, "hook_event_name": "UserPromptSubmit", "prompt": name});
    let mut command = Command::new(plan.program("orrery-hook"));
    victim::clean(&mut command).args(["--agent", "claude-code"]).env("ORRERY_DATA_DIR", data);
    if let Some(port) = port {
        command.args(["--server", &format!("http://127.0.0.1:{port}")]);
    }
    let began = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("standard input was asked for")?.write_all(payload.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    Ok(Fired {
        noise: output.stdout.len() + output.stderr.len(),
        failed: output.status.code() != Some(0),
        time: began.elapsed(),
    })
}

/// Fires `count` hooks over all sessions, each session's in its order. Answers the bytes printed and the exits not 0.
fn fire_all(plan: &Plan, data: &Path, port: u16, count: usize) -> anyhow::Result<(usize, usize)> {
    let results = thread::scope(|scope| {
        let workers: Vec<_> = (0..SESSIONS)
            .map(|session| {
                scope.spawn(move || -> anyhow::Result<(usize, usize)> {
                    let (mut noise, mut failed) = (0, 0);
                    for number in 0..count / SESSIONS {
                        let name = format!("{session}-{number}");
                        let fired = fire(plan, data, Some(port), &format!("session-{session}"), &name)?;
                        noise += fired.noise;
                        failed += usize::from(fired.failed);
                    }
                    Ok((noise, failed))
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect::<Vec<_>>()
    });
    let mut sum = (0, 0);
    for result in results {
        let (noise, failed) = result?;
        sum = (sum.0 + noise, sum.1 + failed);
    }
    Ok(sum)
}

/// Names that are missing, names stored twice, and places where a session's order differs from the order of sending.
fn compare(wire: &mut Wire, each: usize) -> anyhow::Result<(usize, usize, usize)> {
    let mut orders: HashMap<String, Vec<usize>> = HashMap::new();
    for one in proof::stored(wire)?.iter().filter(|one| one.name == "UserPromptSubmit") {
        let Some((session, number)) = one.text.split_once('-') else { continue };
        orders.entry(session.to_owned()).or_default().push(number.parse()?);
    }
    let (mut missing, mut doubled, mut turned) = (0, 0, 0);
    for session in 0..SESSIONS {
        let order = orders.remove(&session.to_string()).unwrap_or_default();
        turned += order.windows(2).filter(|pair| pair[0] > pair[1]).count();
        let mut once = order.clone();
        once.sort_unstable();
        once.dedup();
        missing += each.saturating_sub(once.len());
        doubled += order.len() - once.len();
    }
    Ok((missing, doubled, turned))
}

fn is_drained(data: &Path) -> Option<()> {
    (spool::depth(&spool::dir(data)).0 == 0).then_some(())
}

pub fn down(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    fs::create_dir(&data)?;
    // Nobody listens there: the port was free a moment ago.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let count = plan.of(240, 10_000) / SESSIONS * SESSIONS;
    let (noise, failed) = fire_all(plan, &data, nobody, count)?;
    let victim = Victim::start(plan, &data)?;
    until("the spool is drained", 120, || Ok(is_drained(&data)))?;
    let (missing, doubled, turned) = compare(&mut victim.wire()?, count / SESSIONS)?;
    victim.terminate()?;

    // The rate, over more payloads than hooks can be fired in the time there is.
    let many = plan.of(4_000, 40_000);
    let dir = spool::dir(&data);
    for number in 0..many {
        let at_ms = id::now_ms();
        let header =
            spool::Header { id: id::uuid_v7(at_ms), at_ms, agent: "claude-code".to_owned(), kind: "hook".to_owned() };
        let body = serde_json::json!({"session_id": format!("rate-{}", number % 40), "hook_event_name": "PreToolUse",
            "tool_name": "Bash", "tool_use_id": format!("toolu_rate{number:08}"), "tool_input": {"command": "x".repeat(1_500)}});
        spool::put(&dir, &header, body.to_string().as_bytes(), None)?;
    }
    let victim = Victim::start(plan, &data)?;
    let began = Instant::now();
    until("the large spool is drained", 180, || Ok(is_drained(&data)))?;
    let rate = many as f64 / began.elapsed().as_secs_f64();
    victim.terminate()?;
    Ok(vec![
        told("server down: hooks fired", count as f64, ""),
        none("server down: bytes printed by hooks", noise),
        none("server down: hooks that did not exit 0", failed),
        none("server down: payloads lost", missing),
        none("server down: payloads stored twice", doubled),
        none("server down: order turned within a session", turned),
        Figure::more("server down: spool drained, programs as built", rate, "/s", floor_of_rate(), 2_000.0),
    ])
}

/// Of the goal of 2,000 a second, what programs built for debugging are held to.
fn floor_of_rate() -> f64 {
    if cfg!(debug_assertions) { 150.0 } else { 2_000.0 }
}

pub fn hung(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let victim = Victim::start(plan, &data)?;
    victim.signal("STOP")?;
    let count = plan.of(80, 2_000) / SESSIONS * SESSIONS;
    let began = Instant::now();
    let (noise, failed) = fire_all(plan, &data, victim.port, count)?;
    let each = began.elapsed().as_secs_f64() * 1e3 / (count / SESSIONS) as f64;
    victim.signal("CONT")?;
    until("the spool is drained after the server woke", 60, || Ok(is_drained(&data)))?;
    let (missing, doubled, _) = compare(&mut victim.wire()?, count / SESSIONS)?;
    victim.terminate()?;
    Ok(vec![
        none("server hung: bytes printed by hooks", noise),
        none("server hung: hooks that did not exit 0", failed),
        told("server hung: wall of a hook, eight at a time", each, "ms"),
        none("server hung: payloads lost", missing),
        none("server hung: payloads stored twice", doubled),
    ])
}

/// A spool at its limit refuses in the open: the person sees where something is missing.
pub fn full_spool(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let dir = spool::dir(&data);
    fs::create_dir_all(&dir)?;
    // A payload as large as the whole spool may be: a hole on the disk, which no hook would write.
    let hole = dir.join("0000000000002-0000000001-000000-0.json");
    fs::File::create(&hole)?.set_len(spool::MAX_BYTES)?;
    fs::File::create(dir.join("ledger"))?.set_len(spool::MAX_FILES)?;
    let mut noise = 0;
    for number in 0..6 {
        let fired = fire(plan, &data, Some(1), &format!("session-{}", number % 2), "lost")?;
        noise += fired.noise + usize::from(fired.failed) + usize::from(fired.time > Duration::from_secs(5));
    }
    fs::remove_file(&hole)?;
    let victim = Victim::start(plan, &data)?;
    let mut wire = victim.wire()?;
    let gaps = until("the gap is told", 20, || {
        let stored = proof::stored(&mut wire)?;
        let gaps: Vec<_> = stored.into_iter().filter(|one| one.name == "gap").collect();
        Ok((!gaps.is_empty()).then_some(gaps))
    })?;
    let in_sessions = (0..2).filter(|n| gaps.iter().any(|gap| gap.session == format!("session-{n}"))).count();
    let health = wire.read("/health")?;
    let problems = wire.read("/api/v1/problems")?;
    let is_told = problems.as_array().is_some_and(|all| all.iter().any(|problem| problem["code"] == "spool_full"));
    Ok(vec![
        none("full spool: hooks that were noisy, failed or slow", noise),
        none("full spool: sessions without a gap in their stream", 2 - in_sessions),
        none(
            "full spool: lost payloads that /health does not count",
            6 - health["spool"]["lost_events"].as_u64().unwrap_or(0) as usize,
        ),
        none("full spool: no problem told", usize::from(!is_told)),
    ])
}
