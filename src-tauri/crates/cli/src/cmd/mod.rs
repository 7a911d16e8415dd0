//! One file per subcommand.

mod completions;
mod cost;
mod demo;
mod doctor;
mod export;
mod hook;
mod import;
mod install;
mod man;
mod prices;
mod search;
pub mod serve;
pub mod track;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server without a window
    Serve(serve::Serve),
    /// Deliver one hook payload from stdin; always silent, always exit 0
    Hook(hook::Hook),
    /// Run Codex as it is and report its start and end
    Track(track::Track),
    /// Import the history of Claude Code and Codex
    Import(import::Import),
    /// Tokens and cost by day, week, month, session, project, model or agent
    Cost(cost::Cost),
    /// Search everything the agents did
    Search(search::Search),
    /// Write one session to a file or stdout
    Export(export::Export),
    /// Put the hooks into the agents' settings
    Install(install::Install),
    /// Take the hooks out of the agents' settings
    Uninstall(install::Uninstall),
    /// What is found, hooked, seen lately and blind, and what to do about it
    Doctor(doctor::Doctor),
    /// Play a believable day of many agents through the port
    Demo(demo::Demo),
    /// The price table in force
    Prices(prices::Prices),
    /// Shell completions
    Completions(completions::Completions),
    /// Manual pages, for packages
    #[command(hide = true)]
    Man(man::Man),
}

impl Command {
    /// # Errors
    /// Whatever kept the command from doing its work, in words.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Command::Serve(cmd) => cmd.run(),
            Command::Hook(cmd) => cmd.run(),
            Command::Track(cmd) => cmd.run(),
            Command::Import(cmd) => cmd.run(),
            Command::Cost(cmd) => cmd.run(),
            Command::Search(cmd) => cmd.run(),
            Command::Export(cmd) => cmd.run(),
            Command::Install(cmd) => cmd.run(),
            Command::Uninstall(cmd) => cmd.run(),
            Command::Doctor(cmd) => cmd.run(),
            Command::Demo(cmd) => cmd.run(),
            Command::Prices(cmd) => cmd.run(),
            Command::Completions(cmd) => cmd.run(),
            Command::Man(cmd) => cmd.run(),
        }
    }
}
