//! From `POST /events` to the row in a real browser's page.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use orrery_bench::figure::Figure;
use orrery_bench::place::Place;
use orrery_bench::server::Server;

pub fn measure(place: &Place) -> anyhow::Result<Vec<Figure>> {
    let server = Server::start(place)?;
    let output = Command::new("node")
        .arg(place.node_script("page-latency.mjs"))
        .arg(server.url())
        .stderr(Stdio::inherit())
        .output()
        .context("node cannot be started; scripts/test installs it")?;
    if !output.status.success() {
        bail!("the browser's measurement ended with {}", output.status);
    }
    let times: serde_json::Value = serde_json::from_slice(&output.stdout).context("no figures came back")?;
    let read = |key: &str| times[key].as_f64().with_context(|| format!("no {key} came back"));
    Ok(vec![
        Figure::plain("page: POST to row in Chromium, median of 50", read("median_ms")?, "ms"),
        Figure::plain("page: POST to row in Chromium, 49th of 50", read("p98_ms")?, "ms"),
        Figure::plain("page: navigation to first event row", read("first_row_ms")?, "ms"),
    ])
}
