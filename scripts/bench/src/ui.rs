//! The pages on a generated million of spans: timeline, scrubber, Live under load, in Chromium.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use orrery_bench::figure::Figure;
use orrery_bench::place::Place;
use orrery_bench::server::Server;

/// Calls on the timeline: with the model's time between them twice as many spans.
const CALLS: u32 = 500_000;
/// Calls of the long session: twice as many events.
const LONG_CALLS: u32 = 100_000;
const LIVE_SECONDS: u32 = 60;

pub fn measure(place: &Place) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(place)?;
    let number = |name: &str, usual: u32| std::env::var(name).unwrap_or_else(|_| usual.to_string());
    let output = Command::new("node")
        .arg(place.node_script("ui-bench.mjs"))
        .arg(server.url())
        .arg(number("ORRERY_BENCH_CALLS", CALLS))
        .arg(number("ORRERY_BENCH_LONG_CALLS", LONG_CALLS))
        .arg(number("ORRERY_BENCH_SECONDS", LIVE_SECONDS))
        .stderr(Stdio::inherit())
        .output()
        .context("node cannot be started; scripts/test installs it")?;
    if !output.status.success() {
        bail!("the browser's measurement ended with {}", output.status);
    }
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).context("no figures came back")?;
    let read = |key: &str| told[key].as_f64().with_context(|| format!("no {key} came back"));
    Ok(vec![
        Figure::plain("ui: spans on the timeline", read("spans")?, ""),
        Figure::plain("ui: timeline read for the first time, server", read("timeline_cold_ms")?, "ms"),
        Figure::plain("ui: timeline folded again, server", read("timeline_warm_ms")?, "ms"),
        Figure::less("ui: primitives per pixel column and lane", read("primitives_per_column_and_lane")?, "", 2.0, 1.0),
        Figure::less("ui: timeline, frame while panning, p95", read("pan_p95_ms")?, "ms", 33.0, 16.7),
        Figure::plain("ui: timeline, one drawing, p95", read("paint_p95_ms")?, "ms"),
        Figure::plain("ui: moments of the long session", read("replay_moments")?, ""),
        Figure::plain("ui: replay of the long session opened", read("replay_open_ms")?, "ms"),
        Figure::less("ui: scrubbing it, frame p95", read("scrub_p95_ms")?, "ms", 33.0, 16.7),
        Figure::plain("ui: scrubbing it, tasks over 50 ms in 80 moves", read("scrub_long_tasks")?, ""),
        Figure::plain("ui: Live, events sent a second", read("live_rate")?, "/s"),
        Figure::less("ui: Live, frame p95", read("live_p95_ms")?, "ms", 33.0, 16.7),
        Figure::less("ui: Live, tasks over 50 ms", read("live_long_tasks")?, "", 5.0, 0.0),
        Figure::less("ui: Live, rows in the document", read("live_dom_rows")?, "", 150.0, 80.0),
    ])
}
