//! `cargo xtask`: build the interface, check the house rules, make icons and screenshots, measure.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks on its terminal")]

mod bench;
mod check;
mod dev;
mod dist;
mod icons;
mod paths;
mod shots;
mod torture;
mod ui;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Build, check and measure Orrery")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds the interface into ui/dist.
    Ui {
        /// Small and slow to build: what is shipped (the default).
        #[arg(long, conflicts_with = "dev")]
        release: bool,
        /// Quick to build, large, with names in stack traces.
        #[arg(long)]
        dev: bool,
        /// Builds even when nothing changed.
        #[arg(long)]
        force: bool,
    },
    /// Rebuilds the interface on save and runs `orrery serve`; arguments after -- go to the server.
    Dev {
        #[arg(last = true)]
        serve_args: Vec<String>,
    },
    /// Runs the house rules that need no compiled product.
    Check,
    /// Renders icons/ from icons/icon.svg and icons/tray.svg.
    Icons,
    /// Takes the README's screenshots from `orrery demo` into docs/shots.
    Shots,
    /// Makes the packages people install, in target/dist: deb and rpm, or the named kinds.
    Dist {
        /// From the quick build: for the tests of the packages.
        #[arg(long)]
        debug: bool,
        bundles: Vec<String>,
    },
    /// Builds what is shipped and measures it against baselines: sizes, hook, ingest, page; all without a name.
    Bench { names: Vec<String> },
    /// Tries to make the real programs lose, double or refuse what they were given; all rows without a name.
    Torture {
        names: Vec<String>,
        /// As hard as docs promise: programs as they are shipped, and many more rounds. Takes an hour.
        #[arg(long)]
        long: bool,
        /// Appends the figures to tests/bench/RESULTS.md.
        #[arg(long)]
        record: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Ui { dev, force, release: _ } => {
            let profile = if dev { ui::Profile::Dev } else { ui::Profile::Release };
            ui::build(profile, force)
        }
        Task::Dev { serve_args } => dev::run(&serve_args),
        Task::Check => check::run(),
        Task::Icons => icons::render(),
        Task::Shots => shots::take(),
        Task::Dist { debug, bundles } => dist::run(debug, &bundles),
        Task::Bench { names } => bench::run(&names),
        Task::Torture { names, long, record } => torture::run(&names, long, record),
    }
}
