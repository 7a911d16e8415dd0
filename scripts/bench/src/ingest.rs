//! Single events over 16 keep-alive connections, against a handler that parses and drops, and against a bare SQLite loop.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rusqlite::{Connection, params};

use orrery_bench::figure::Figure;
use orrery_bench::pairs::abba;
use orrery_bench::place::Place;
use orrery_bench::server::{Server, size_of, wait_for_port};

/// Argument that turns this program into the baseline server.
pub const BASELINE: &str = "baseline-server";

const CONNECTIONS: usize = 16;
const EVENTS: usize = 4_000;
const ROUNDS: usize = 3;

pub fn measure(place: &Place) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(place)?;
    let child = Command::new(std::env::current_exe()?).arg(BASELINE).stdout(Stdio::piped()).spawn()?;
    let (mut baseline, baseline_port) = wait_for_port(child)?;

    let mut number = 0;
    let mut raw_bytes = 0;
    let against_axum = abba(
        ROUNDS,
        || load(baseline_port, 0).map(|(time, _)| time),
        || {
            number += 1;
            let (time, bytes) = load(server.port, number)?;
            raw_bytes += bytes;
            Ok(time)
        },
    )?;
    baseline.kill()?;
    baseline.wait()?;

    let mut round = 0;
    let stored_bytes = std::cell::Cell::new(0);
    let against_loop = abba(
        ROUNDS,
        || bare_loop(&server),
        || {
            round += 1;
            let (time, bytes) = load(server.port, 1_000 + round)?;
            stored_bytes.set(stored_bytes.get() + bytes);
            Ok(time)
        },
    )?;
    raw_bytes += stored_bytes.get();
    let data = server.end()?;
    let stored = size_of(&data.path().join("orrery.db"));

    let rate = |time: Duration| EVENTS as f64 / time.as_secs_f64();
    Ok(vec![
        Figure::plain("ingest: parse-and-drop handler, 16 connections", rate(against_axum.a), "/s"),
        Figure::plain("ingest: POST /events, durable, 16 connections", rate(against_axum.b), "/s"),
        Figure::more("ingest: rate to the parse-and-drop handler", 1.0 / against_axum.ratio, "x", 0.40, 0.65),
        Figure::plain("ingest: bare SQLite loop, 16 rows a transaction", rate(against_loop.a), "/s"),
        Figure::more("ingest: rate to the bare SQLite loop", 1.0 / against_loop.ratio, "x", 0.45, 0.70),
        Figure::less(
            "ingest: database bytes to raw JSON, all indexes",
            stored as f64 / raw_bytes as f64,
            "x",
            1.5,
            0.9,
        ),
    ])
}

/// An event of about 2 KB, as the family's senders post it.
fn event(run: usize, number: usize) -> String {
    serde_json::json!({
        "source_app": "kiln",
        "session_id": format!("bench-{}", number % 40),
        "hook_event_type": "PostToolUse",
        "timestamp": 1_795_000_000_000_i64 + number as i64,
        "payload": {
            "tool_name": "Bash",
            "tool_use_id": format!("toolu_{run}_{number}"),
            "tool_input": { "command": format!("cargo nextest run -p store --test contract_{number}") },
            "tool_response": { "stdout": output(number), "stderr": "", "interrupted": false }
        }
    })
    .to_string()
}

/// Test output that differs from event to event, as real output does.
fn output(number: usize) -> String {
    (0..24)
        .map(|line| {
            format!("test case_{:06x} ... ok in {} ms\n", number * 7_919 + line * 104_729, (number * 31 + line) % 997)
        })
        .collect()
}

/// Posts `EVENTS` events over all connections; the wall time and the bytes of JSON.
fn load(port: u16, run: usize) -> anyhow::Result<(Duration, u64)> {
    let bodies: Vec<String> = (0..EVENTS).map(|number| event(run, number)).collect();
    let bytes = bodies.iter().map(|body| body.len() as u64).sum();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            bodies.chunks(EVENTS / CONNECTIONS).map(|chunk| scope.spawn(move || post_all(port, chunk))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a sender does not panic"))
    })?;
    Ok((started.elapsed(), bytes))
}

fn post_all(port: u16, bodies: &[String]) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    for body in bodies {
        let request = format!(
            "POST /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        read_answer(&mut reader)?;
    }
    Ok(())
}

fn read_answer(reader: &mut impl BufRead) -> anyhow::Result<()> {
    let mut status = String::new();
    reader.read_line(&mut status)?;
    if !status.starts_with("HTTP/1.1 200") {
        bail!("an event was answered with {status:?}");
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().context("a length that is no number")?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(())
}

/// The same rows into the same tables with the same pragmas and nothing else: what SQLite alone can do here.
fn bare_loop(server: &Server) -> anyhow::Result<Duration> {
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("bare.db");
    Connection::open(server.database())?.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
    let mut db = Connection::open(&path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("DELETE FROM event; DELETE FROM raw;")?;
    let session: i64 = db.query_row("SELECT min(key) FROM session", [], |row| row.get(0))?;
    let label: i64 = db.query_row("SELECT min(key) FROM label", [], |row| row.get(0))?;
    let row: Vec<u8> = db.query_row("SELECT row FROM session_row LIMIT 1", [], |row| row.get(0))?;
    let bodies: Vec<String> = (0..EVENTS).map(|number| event(9_999, number)).collect();

    let started = Instant::now();
    for (place, chunk) in bodies.chunks(CONNECTIONS).enumerate() {
        let transaction = db.transaction()?;
        for (offset, body) in chunk.iter().enumerate() {
            let number = (place * CONNECTIONS + offset) as i64;
            let packed = zstd::bulk::compress(body.as_bytes(), 3)?;
            transaction
                .prepare_cached("INSERT INTO raw (source, place, demo, body) VALUES (4, '/events', 0, ?1)")?
                .execute([&packed])?;
            let raw = transaction.last_insert_rowid();
            let mut id = [0_u8; 16];
            id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64).to_le_bytes());
            id[8..].copy_from_slice(&number.to_le_bytes());
            transaction
                .prepare_cached(
                    "INSERT INTO event (id, session, agent, name, kind, at_ms, received_ms, sources, demo, ok, raw, body)
                     VALUES (?1, ?2, ?3, ?3, 'tool_end', ?4, ?4, 4, 0, 1, ?5, ?6)",
                )?
                .execute(params![id.as_slice(), session, label, 1_795_000_000_000 + number, raw, packed])?;
            transaction
                .prepare_cached("UPDATE session_row SET row = ?1 WHERE session = ?2")?
                .execute(params![row, session])?;
        }
        transaction.commit()?;
    }
    Ok(started.elapsed())
}

/// The baseline: axum parses the object and drops it.
pub fn serve_baseline() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let app = axum::Router::new().route(
            "/events",
            axum::routing::post(|body: String| async move {
                match serde_json::from_str::<serde_json::Value>(&body) {
                    Ok(_) => axum::http::StatusCode::OK,
                    Err(_) => axum::http::StatusCode::BAD_REQUEST,
                }
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        axum::serve(listener, app).await?;
        Ok(())
    })
}
