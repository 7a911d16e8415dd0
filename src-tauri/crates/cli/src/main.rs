//! The `orrery` command: data on stdout, words on stderr; exit 0 when it worked, 1 when not, 2 for a wrong command line.

mod api;
mod cmd;
mod fetch;
mod out;
mod place;
mod signal;
#[cfg(unix)]
mod track;

use std::process::ExitCode;

use clap::Parser;

use crate::cmd::Command;

#[derive(Debug, Parser)]
#[command(name = "orrery", version, about = "See what every coding agent does, what it costs and who needs you")]
#[command(propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    // The hook never complains about its command line and starts before anything else is set up.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "hook")
        && !std::env::args_os().any(|word| word == "--help" || word == "-h")
    {
        orrery_client::hook::run(&orrery_client::hook::Args::parse(words));
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().next().is_some_and(|name| cmd::track::is_name(&name)) {
        let args: Vec<_> = std::env::args_os().skip(1).collect();
        return finish(cmd::track::codex(&args, None));
    }
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("ORRERY_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    finish(cli.command.run())
}

fn finish(done: anyhow::Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if out::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            out::say(&format!("orrery: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
