//! Measures Orrery: each figure is a ratio to a baseline in the same run, or a count.
//!
//! `orrery-bench [hook|ingest|import|sizes|page|ui|desktop]...`, all without a name. `cargo xtask bench` builds what is
//! measured and calls it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks on its terminal")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

mod desktop;
mod hook;
mod import;
mod ingest;
mod page;
mod sizes;
mod tree;
mod ui;

use anyhow::bail;
use orrery_bench::figure::{self, Figure};
use orrery_bench::place::Place;

const ALL: [&str; 7] = ["sizes", "hook", "ingest", "page", "import", "ui", "desktop"];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == ingest::BASELINE) {
        return ingest::serve_baseline();
    }
    let place = Place::find()?;
    let names: Vec<&str> = if args.is_empty() { ALL.to_vec() } else { args.iter().map(String::as_str).collect() };
    let mut figures = Vec::new();
    for name in names {
        eprintln!("measuring {name}");
        let measured = match name {
            "hook" => hook::measure(&place)?,
            "ingest" => ingest::measure(&place)?,
            "import" => import::measure(&place)?,
            "sizes" => sizes::measure(&place)?,
            "page" => page::measure(&place)?,
            "desktop" => desktop::measure(&place)?,
            "ui" => ui::measure(&place)?,
            other => bail!("there is no bench '{other}'; there are {}", ALL.join(", ")),
        };
        measured.iter().for_each(Figure::print);
        figures.extend(measured);
    }
    figure::record(&place.results(), "", figure::BENCH_NOTE, &figures)
}
