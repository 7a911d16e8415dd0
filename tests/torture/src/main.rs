//! Tries to make Orrery lose, double or refuse what it was given: each row of "nothing lost" against the real programs.
//!
//! `orrery-torture [NAME]... [--long] [--record]`, all rows without a name. `cargo xtask torture` builds what is tortured
//! and calls it. Each row prints its figures; a figure over its floor fails the run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks on its terminal")]
#![allow(clippy::disallowed_methods, reason = "it stamps what it sends and measures how long things take")]

mod away;
mod backup;
mod chance;
mod clock;
mod crowd;
mod damage;
mod disk;
mod hostile;
mod kill;
mod mount;
mod proof;
mod start;
mod upgrade;
mod victim;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use orrery_bench::figure::{self, Figure};
use orrery_bench::place::Place;

/// How hard, and where the programs are.
pub struct Plan {
    pub long: bool,
    /// The folder of `orrery` and `orrery-hook`.
    pub programs: PathBuf,
}

impl Plan {
    /// The short form's number, or the long form's.
    pub fn of(&self, short: usize, long: usize) -> usize {
        if self.long { long } else { short }
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

type Row = (&'static str, fn(&Plan) -> anyhow::Result<Vec<Figure>>);

const ROWS: [Row; 14] = [
    ("kill", kill::run),
    ("away", away::down),
    ("hung", away::hung),
    ("full-spool", away::full_spool),
    ("disk", disk::run),
    ("damage", damage::run),
    ("hostile", hostile::run),
    ("crowd", crowd::silent),
    ("stalled", crowd::stalled),
    ("start", start::run),
    ("clock", clock::run),
    ("upgrade", upgrade::run),
    ("backup", backup::backup),
    ("upkeep", backup::upkeep),
];

const NOTE: &str =
    "Each figure is a count, or a ratio to the same server left in peace. Short form unless it says long.";

fn main() -> anyhow::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (options, names): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.starts_with("--"));
    if let Some(odd) = options.iter().find(|option| !["--long", "--record"].contains(&option.as_str())) {
        bail!("there is no option {odd}; there are --long and --record");
    }
    if let Some(odd) = names.iter().find(|name| !ROWS.iter().any(|(row, _)| row == name)) {
        bail!("there is no row '{odd}'; there are {}", ROWS.map(|(row, _)| row).join(", "));
    }
    let programs = std::env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let plan = Plan { long: options.iter().any(|option| option == "--long"), programs };
    for needed in ["orrery", "orrery-hook"] {
        if !plan.program(needed).is_file() {
            bail!("{} is not built; `cargo xtask torture` builds it", plan.program(needed).display());
        }
    }
    let mut figures = Vec::new();
    let mut failed = Vec::new();
    for (name, run) in ROWS.iter().filter(|(row, _)| names.is_empty() || names.iter().any(|name| name == row)) {
        let began = Instant::now();
        match run(&plan) {
            Ok(measured) => {
                measured.iter().for_each(Figure::print);
                if measured.iter().any(Figure::is_missed) {
                    failed.push(*name);
                }
                figures.extend(measured);
            }
            Err(error) => {
                eprintln!("{name}: {error:#}");
                failed.push(*name);
            }
        }
        eprintln!("{name}: {:.1} s", began.elapsed().as_secs_f64());
    }
    if options.iter().any(|option| option == "--record") {
        let title = if plan.long { "Torture, long form, " } else { "Torture, " };
        figure::record(&Place::find()?.results(), title, NOTE, &figures)?;
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("failed: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// A count that must be zero.
pub fn none(name: &str, count: usize) -> Figure {
    Figure::less(name, count as f64, "", 0.0, 0.0)
}

/// A count that is only told.
pub fn told(name: &str, count: f64, unit: &'static str) -> Figure {
    Figure::plain(name, count, unit)
}
