//! The window's program: from its start to a page that is live, and what it costs while nothing happens.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use orrery_tests::{Bus, Desktop, Display, Home, Panel};

use orrery_bench::figure::Figure;
use orrery_bench::place::Place;

const STARTS: usize = 5;
const SETTLE: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(60);
/// Ticks of the processor's clock a second, as Linux tells user space on every machine.
const TICKS: f64 = 100.0;

pub fn measure(place: &Place) -> anyhow::Result<Vec<Figure>> {
    let program = place.built("release", "orrery-desktop");
    let program = program.context("build it first: cargo build --release -p orrery-desktop")?;
    let mut starts: Vec<f64> = (0..STARTS).map(|_| start_ms(&program)).collect();
    starts.sort_by(f64::total_cmp);
    let idle = idle(&program)?;
    let minutes = IDLE.as_secs_f64() / 60.0;
    Ok(vec![
        Figure::plain("desktop: start to a live page, median of 5", starts[STARTS / 2], "ms"),
        Figure::less("desktop: processor time idle in the tray, a minute", idle.cpu_s / minutes, "s", 0.06, 0.01),
        Figure::plain("desktop: wake-ups idle in the tray, a second", idle.wakeups / IDLE.as_secs_f64(), "/s"),
        Figure::less("desktop: bytes written idle in the tray", idle.written, "B", 0.0, 0.0),
        Figure::plain("desktop: memory of all its processes", idle.memory_mb, "MB"),
    ])
}

fn start_ms(program: &Path) -> f64 {
    let (home, display, bus) = (Home::new(), Display::start(), Bus::start());
    let started = Instant::now();
    let desktop = Desktop::start_program(program, &home, &display, &bus, &[]);
    let api = desktop.api();
    while api.get("/health")["websocket"]["connected_clients"].as_u64().unwrap_or(0) == 0 {
        sleep(Duration::from_millis(10));
    }
    started.elapsed().as_secs_f64() * 1000.0
}

/// Sums over the program and everything it started.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    cpu_s: f64,
    wakeups: f64,
    written: f64,
    memory_mb: f64,
}

fn idle(program: &Path) -> anyhow::Result<Sums> {
    let (home, display, bus) = (Home::new(), Display::start(), Bus::start());
    let _panel = Panel::start(&bus);
    let desktop = Desktop::start_program(program, &home, &display, &bus, &["--hidden"]);
    desktop.api();
    sleep(SETTLE);
    let before = sums(desktop.pid())?;
    sleep(IDLE);
    let after = sums(desktop.pid())?;
    Ok(Sums {
        cpu_s: after.cpu_s - before.cpu_s,
        wakeups: after.wakeups - before.wakeups,
        written: after.written - before.written,
        memory_mb: after.memory_mb,
    })
}

fn sums(program: u32) -> anyhow::Result<Sums> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = field(pid, "status", "PPid:") {
            parents.insert(pid, parent as u32);
        }
    }
    let is_ours =
        |pid: u32| std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).any(|pid| pid == program);
    let mut sums = Sums::default();
    for pid in parents.keys().copied().filter(|pid| is_ours(*pid)) {
        sums.cpu_s += ticks(pid).unwrap_or(0.0) / TICKS;
        sums.written += field(pid, "io", "write_bytes:").unwrap_or(0.0);
        sums.memory_mb += field(pid, "smaps_rollup", "Pss:").unwrap_or(0.0) / 1000.0;
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let text = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            sums.wakeups += number(&text, "voluntary_ctxt_switches:").unwrap_or(0.0);
        }
    }
    Ok(sums)
}

/// User and system time of a process, in ticks.
fn ticks(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which may hold anything: state is the first, utime the 12th, stime the 13th.
    let rest: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(rest.get(11)?.parse::<f64>().ok()? + rest.get(12)?.parse::<f64>().ok()?)
}

fn field(pid: u32, file: &str, name: &str) -> Option<f64> {
    number(&fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?, name)
}

fn number(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
