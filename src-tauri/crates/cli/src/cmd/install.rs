//! `orrery install` and `orrery uninstall`: our hooks in the agents' settings, the change shown first.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use orrery_types::{AgentId, AgentStatus, DiffLine, DiffOp, FoundAgent, InstallPlan};
use serde_json::{Value, json};

use crate::api::Api;
use crate::cmd::serve;
use crate::out;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub struct Install {
    #[command(flatten)]
    change: Change,
    /// Send a real event the way the agent's settings say, and see it arrive
    #[arg(long)]
    verify: bool,
    /// Let Claude Code post its events itself instead of starting orrery-hook: while no server runs they are lost
    #[arg(long)]
    http: bool,
}

#[derive(Debug, clap::Args)]
pub struct Uninstall {
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, clap::Args)]
struct Change {
    /// Whose settings
    #[arg(long, value_parser = Which::parser(), default_value = Which::ALL, env = "ORRERY_AGENT")]
    agent: Which,
    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Change without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    One(AgentId),
    All,
}

impl Which {
    const ALL: &str = "all";

    /// Slugs of the agents, and `all`.
    fn parser() -> impl TypedValueParser<Value = Which> {
        PossibleValuesParser::new(AgentId::ALL.map(AgentId::slug).into_iter().chain([Which::ALL]))
            .map(|slug| AgentId::from_slug(&slug).map_or(Which::All, Which::One))
    }

    fn has(self, agent: AgentId) -> bool {
        match self {
            Which::One(wanted) => agent == wanted,
            Which::All => true,
        }
    }
}

impl Install {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut api = Api::running_or_own(&self.change.place.data_dir())?;
        let agents = self.change.agents(&mut api)?;
        let http = self.http.then(|| self.change.port(&api));
        let mut whole = self.change.apply(&mut api, &agents, "install", http)?;
        if self.verify && !self.change.dry_run {
            for found in &agents {
                whole &= verify(&mut api, found.agent)?;
            }
        }
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Uninstall {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut api = Api::running_or_own(&self.change.place.data_dir())?;
        let agents = self.change.agents(&mut api)?;
        let whole = self.change.apply(&mut api, &agents, "uninstall", None)?;
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Change {
    /// The agents that were asked for and are here. An agent asked for by name counts even when it was not found.
    fn agents(&self, api: &mut Api) -> anyhow::Result<Vec<FoundAgent>> {
        let found: Vec<FoundAgent> = api.get("/api/v1/agents")?;
        let wanted: Vec<FoundAgent> = found
            .into_iter()
            .filter(|found| self.agent.has(found.agent))
            .filter(|found| self.agent != Which::All || found.status != AgentStatus::Absent)
            .collect();
        if wanted.is_empty() {
            bail!("no agent was found on this machine; name one with --agent to set it up in advance");
        }
        Ok(wanted)
    }

    /// The port that hooks over http post to: the running server's, else the one that the next will have.
    fn port(&self, api: &Api) -> u16 {
        if api.is_own() { serve::default_port() } else { api.port }
    }

    /// Shows each change, asks, and makes it. False when a change was refused by the person.
    fn apply(&self, api: &mut Api, agents: &[FoundAgent], action: &str, http: Option<u16>) -> anyhow::Result<bool> {
        let wish = match http {
            Some(port) => format!("?http={port}"),
            None if action == "uninstall" => "?remove=1".to_owned(),
            None => String::new(),
        };
        let mut whole = true;
        for found in agents {
            let slug = found.agent.slug();
            let plan: InstallPlan = api.get(&format!("/api/v1/agents/{slug}/plan{wish}"))?;
            if plan.changes.is_empty() {
                out::say(&format!("{}: nothing to change", found.label));
                continue;
            }
            show(&plan)?;
            if self.dry_run {
                continue;
            }
            if !self.yes && !std::io::stdin().is_terminal() {
                bail!("there is no terminal to ask on; give --yes to change {}", found.settings_path);
            }
            if !self.yes && !out::confirm(&format!("Change {}?", found.settings_path)) {
                out::say(&format!("{}: left as it is", found.label));
                whole = false;
                continue;
            }
            let done: Value = api.post(&format!("/api/v1/agents/{slug}/{action}{wish}"), &json!({ "plan": plan }))?;
            out::say(&format!("{}: {} changed", found.label, found.settings_path));
            for backup in done["backups"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                out::say(&format!("  the old file is kept as {backup}"));
            }
            plan.notes.iter().for_each(|note| out::say(&format!("  {note}")));
        }
        Ok(whole)
    }
}

fn show(plan: &InstallPlan) -> anyhow::Result<()> {
    let colored = out::colors() && std::io::stdout().is_terminal();
    for change in &plan.changes {
        let kind = match (&change.before, &change.after) {
            (None, _) => " (new file)",
            (_, None) => " (removed)",
            _ => "",
        };
        out::line(&format!("--- {}{kind}", change.path))?;
        for line in &change.diff {
            out::line(&diff_line(line, colored))?;
        }
    }
    Ok(())
}

fn diff_line(line: &DiffLine, colored: bool) -> String {
    let text = out::plain(&line.text, 2_000);
    let (mark, color) = match line.op {
        DiffOp::Same => (' ', None),
        DiffOp::Added => ('+', Some(32)),
        DiffOp::Removed => ('-', Some(31)),
        DiffOp::Gap => return "...".to_owned(),
    };
    match color.filter(|_| colored) {
        Some(color) => format!("\x1b[{color}m{mark}{text}\x1b[0m"),
        None => format!("{mark}{text}"),
    }
}

fn verify(api: &mut Api, agent: AgentId) -> anyhow::Result<bool> {
    let answer: Value = api.post(&format!("/api/v1/agents/{}/verify", agent.slug()), &json!({}))?;
    let ok = answer["ok"] == json!(true);
    let words = answer["message"].as_str().unwrap_or_default();
    let took = answer["took_ms"].as_i64().unwrap_or_default();
    out::say(&format!("{}: {} ({took} ms) {words}", agent.label(), if ok { "verified" } else { "NOT verified" }));
    Ok(ok)
}
