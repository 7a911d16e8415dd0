//! Clients that connect and say nothing, say it a byte at a time, or never read: honest ones must not notice.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orrery_bench::figure::Figure;
use tungstenite::Message;

use crate::victim::Victim;
use crate::wire::Wire;
use crate::{Plan, none, proof, told};

/// Honest requests of one measurement.
const REQUESTS: usize = 300;
const ROUNDS: usize = 5;
/// What a request may take on a busy machine without anybody noticing: small times are noise.
const NOISE_MS: f64 = 4.0;

/// 99th percentile of honest requests, each over a connection of its own, and how many failed.
fn honest(port: u16, run: usize) -> anyhow::Result<(f64, usize)> {
    let mut times = Vec::with_capacity(REQUESTS);
    let mut failed = 0;
    for number in 0..REQUESTS {
        let began = Instant::now();
        let done = Wire::open(port).and_then(|mut wire| {
            proof::post(&mut wire, "honest", &format!("h-{run}-{number}"), run * REQUESTS + number)
        });
        failed += usize::from(!matches!(done, Ok(Some(_))));
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[REQUESTS * 99 / 100], failed))
}

/// Median of the rounds' 99th percentiles, and all failures.
fn measure(port: u16, run: usize) -> anyhow::Result<(f64, usize)> {
    let mut rounds = Vec::new();
    let mut failed = 0;
    for round in 0..ROUNDS {
        let (p99, lost) = honest(port, run * ROUNDS + round)?;
        rounds.push(p99);
        failed += lost;
    }
    rounds.sort_by(f64::total_cmp);
    Ok((rounds[ROUNDS / 2], failed))
}

fn ratio(with: f64, without: f64) -> f64 {
    (with + NOISE_MS) / (without + NOISE_MS)
}

/// Slow-loris and half-open connections.
pub fn silent(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let victim = Victim::start(plan, &scratch.path().join("data"))?;
    let port = victim.port;
    let (peace, lost_in_peace) = measure(port, 0)?;

    let slow = plan.of(300, 2_000);
    let over = AtomicBool::new(false);
    let (loris, lost_to_loris) = thread::scope(|scope| {
        scope.spawn(|| drip(port, slow, &over));
        // The slow ones are all there before anybody honest comes.
        thread::sleep(Duration::from_millis(500));
        let measured = measure(port, 1);
        over.store(true, Ordering::Relaxed);
        measured
    })?;

    let open = plan.of(1_000, 10_000);
    let mut silent = Vec::with_capacity(open);
    for _ in 0..open {
        silent.push(TcpStream::connect(("127.0.0.1", port))?);
    }
    let (half, lost_to_half) = measure(port, 2)?;
    let memory_mb = victim.resident_mb()?;
    drop(silent);
    let panicked = victim.has_panicked();
    victim.terminate()?;
    Ok(vec![
        told("crowd: honest requests in peace, p99", peace, "ms"),
        told("crowd: slow-loris connections", slow as f64, ""),
        Figure::less("crowd: honest p99 beside them to peace", ratio(loris, peace), "x", 2.0, 1.2),
        told("crowd: half-open connections", open as f64, ""),
        Figure::less("crowd: honest p99 beside those to peace", ratio(half, peace), "x", 2.0, 1.2),
        none("crowd: honest requests that failed", lost_in_peace + lost_to_loris + lost_to_half),
        told("crowd: the server's memory beside them", memory_mb, "MB"),
        none("crowd: panics", usize::from(panicked)),
    ])
}

/// Keeps `count` connections that send a header a byte at a time.
fn drip(port: u16, count: usize, over: &AtomicBool) {
    let head = format!("POST /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Slow: {}", "z".repeat(4_000));
    let mut open: Vec<(TcpStream, usize)> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        while open.len() < count {
            let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { break };
            let _ = stream.set_nodelay(true);
            open.push((stream, 0));
        }
        open.retain_mut(|(stream, sent)| {
            *sent += 1;
            stream.write_all(&head.as_bytes()[*sent - 1..*sent]).is_ok()
        });
        thread::sleep(Duration::from_millis(500));
    }
}

/// WebSocket clients that never read, on both streams, while events come.
pub fn stalled(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let victim = Victim::start(plan, &scratch.path().join("data"))?;
    let port = victim.port;
    let socket = |path: &str| -> anyhow::Result<_> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream)?.0)
    };
    let (peace, _) = measure(port, 10)?;
    let clients = plan.of(10, 50);
    let mut stalled = Vec::new();
    for number in 0..clients {
        stalled.push(socket(if number % 2 == 0 { "/api/v1/live" } else { "/stream" })?);
    }
    let newest = victim.wire()?.read("/api/v1/events?limit=1")?["items"][0]["seq"].as_i64().unwrap_or_default();
    let mut reader = socket("/api/v1/live")?;
    let before_mb = victim.resident_mb()?;
    let events = plan.of(1_500, 10_000);
    let text = "s".repeat(8_000);
    let (sent, got) = thread::scope(|scope| -> anyhow::Result<_> {
        let sending = scope.spawn(|| -> anyhow::Result<usize> {
            let mut wire = Wire::open(port)?;
            let mut sent = 0;
            for number in 0..events {
                let name = format!("{number} {text}");
                sent += usize::from(proof::post(&mut wire, &format!("s-{}", number % 5), &name, number)?.is_some());
            }
            Ok(sent)
        });
        let mut seqs: Vec<i64> = Vec::new();
        while seqs.len() < events {
            let Message::Text(frame) = reader.read()? else { continue };
            let frame: serde_json::Value = serde_json::from_str(&frame)?;
            let new = frame["events"].as_array().map(Vec::as_slice).unwrap_or_default();
            seqs.extend(new.iter().filter_map(|event| event["seq"].as_i64()).filter(|seq| *seq > newest));
        }
        let sent = sending.join().expect("the sender does not panic")?;
        Ok((sent, seqs))
    })?;
    let after_mb = victim.resident_mb()?;
    let (beside, failed) = measure(port, 11)?;
    let turned = got.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    let serialized = victim.wire()?.read("/health")?["websocket"]["serialized_events"].as_u64().unwrap_or_default();
    drop(stalled);
    victim.terminate()?;
    Ok(vec![
        told("stalled: WebSocket clients that never read", clients as f64, ""),
        Figure::less(
            "stalled: memory for each of them",
            (after_mb - before_mb).max(0.0) / clients as f64,
            "MB",
            8.0,
            2.0,
        ),
        none("stalled: events a reading client missed", sent.saturating_sub(got.len())),
        none("stalled: frames out of order", turned),
        Figure::less("stalled: honest p99 beside them to peace", ratio(beside, peace), "x", 2.0, 1.2),
        none("stalled: honest requests that failed", failed),
        Figure::less(
            "stalled: times an event is written",
            serialized as f64 / (events + ROUNDS * REQUESTS) as f64,
            "",
            1.0,
            1.0,
        ),
    ])
}
