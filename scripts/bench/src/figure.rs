//! A measured figure, its floor and target, and the page that keeps them.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// One figure. `floor` must hold; `target` is what we want.
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub floor: Option<f64>,
    pub target: Option<f64>,
    pub better: Better,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Less,
    More,
    /// Reported beside the others; nothing hangs on it.
    Neither,
}

impl Figure {
    pub fn less(name: &str, value: f64, unit: &'static str, floor: f64, target: f64) -> Figure {
        Figure { name: name.to_owned(), value, unit, floor: Some(floor), target: Some(target), better: Better::Less }
    }

    pub fn more(name: &str, value: f64, unit: &'static str, floor: f64, target: f64) -> Figure {
        Figure { name: name.to_owned(), value, unit, floor: Some(floor), target: Some(target), better: Better::More }
    }

    pub fn plain(name: &str, value: f64, unit: &'static str) -> Figure {
        Figure { name: name.to_owned(), value, unit, floor: None, target: None, better: Better::Neither }
    }

    /// `target`, `floor`, `MISSED`, or `-` where nothing hangs on it.
    fn verdict(&self) -> &'static str {
        let meets = |bound: Option<f64>| match (bound, self.better) {
            (Some(bound), Better::Less) => self.value <= bound,
            (Some(bound), Better::More) => self.value >= bound,
            _ => false,
        };
        match self.better {
            Better::Neither => "-",
            _ if meets(self.target) => "target",
            _ if meets(self.floor) => "floor",
            _ => "MISSED",
        }
    }

    /// Whether a floor stands and does not hold.
    pub fn is_missed(&self) -> bool {
        self.verdict() == "MISSED"
    }

    pub fn print(&self) {
        println!(
            "{:<58} {:>12} {:<6} {:>9} {:>9}  {}",
            self.name,
            shown(self.value),
            self.unit,
            self.floor.map_or("-".into(), shown),
            self.target.map_or("-".into(), shown),
            self.verdict()
        );
    }
}

fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// How a bench's figures came about.
pub const BENCH_NOTE: &str = "Baselines ran in the same run, in turn (A B B A), medians of pairs.";

/// Appends a run to the results page: `title` in front of its date, and how its figures came about.
pub fn record(page: &Path, title: &str, note: &str, figures: &[Figure]) -> anyhow::Result<()> {
    let mut text = format!(
        "\n## {title}{} at {}\n\nMachine: {}. {note}\n\n",
        chrono::Utc::now().format("%Y-%m-%d %H:%M UTC"),
        commit(),
        machine()
    );
    text.push_str("| figure | value | floor | target | verdict |\n|---|--:|--:|--:|---|\n");
    for figure in figures {
        let bound = |bound: Option<f64>| bound.map_or("-".into(), shown);
        writeln!(
            text,
            "| {} | {} {} | {} | {} | {} |",
            figure.name,
            shown(figure.value),
            figure.unit,
            bound(figure.floor),
            bound(figure.target),
            figure.verdict()
        )?;
    }
    if let Some(folder) = page.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let is_new = !page.exists();
    let mut file =
        OpenOptions::new().create(true).append(true).open(page).context("the results page cannot be written")?;
    if is_new {
        file.write_all(
            b"# Measured\n\nMade by `cargo xtask bench`; what the figures mean: ARCHITECTURE.md, \"Measured\".\n",
        )?;
    }
    file.write_all(text.as_bytes())?;
    Ok(())
}

fn commit() -> String {
    let output = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    output.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default().trim().to_owned()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    format!("{cores} cores, {}", model.map_or("unknown processor", |(_, name)| name.trim()))
}
