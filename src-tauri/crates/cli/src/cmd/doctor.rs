//! `orrery doctor`: what is found, hooked, seen lately and blind, and what to do about it.

use std::path::Path;
use std::process::ExitCode;

use orrery_client::{discover, spool};
use orrery_server::offline::format;
use orrery_types::{AgentStatus, Blind, FoundAgent, HookState, Overview, Problem, Redaction, RedactionRule};
use serde::Serialize;
use serde_json::Value;

use crate::api::Api;
use crate::cmd::serve;
use crate::out;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Everything the doctor knows.
#[derive(Debug, Serialize)]
struct Report {
    /// Nothing needs to be done.
    ok: bool,
    version: &'static str,
    data_dir: String,
    server: Server,
    token: Token,
    spool: Spool,
    masked: Masked,
    hook_program: Option<String>,
    agents: Vec<FoundAgent>,
    blind: Vec<Blind>,
    /// Newest first.
    problems: Vec<Problem>,
    /// What to do, in words.
    advice: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Server {
    running: bool,
    url: Option<String>,
    /// The port file's, or the default.
    port: u16,
    health: Value,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Token {
    exists: bool,
    /// Nobody else on this machine can read it.
    private: bool,
}

#[derive(Debug, Serialize)]
struct Spool {
    files: u64,
    bytes: u64,
}

/// Secrets that were masked before they were stored.
#[derive(Debug, Default, Serialize)]
struct Masked {
    on: bool,
    total: u64,
    rules: usize,
    /// Names of the rules that are switched off.
    off: Vec<String>,
    /// Rules that found something, most first.
    found: Vec<RedactionRule>,
}

impl From<Redaction> for Masked {
    fn from(redaction: Redaction) -> Masked {
        let Redaction { on, total, rules } = redaction;
        let off = rules.iter().filter(|rule| on && !rule.on).map(|rule| rule.name.clone()).collect();
        let count = rules.len();
        let mut found: Vec<RedactionRule> = rules.into_iter().filter(|rule| rule.count > 0).collect();
        found.sort_by_key(|rule| std::cmp::Reverse(rule.count));
        Masked { on, total, rules: count, off, found }
    }
}

impl Doctor {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let report = examine(&self.place.data_dir())?;
        if self.json {
            out::json(&report)?;
        } else {
            print(&report)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn examine(data_dir: &Path) -> anyhow::Result<Report> {
    let (files, bytes) = spool::depth(&spool::dir(data_dir));
    let token = token(&data_dir.join("token"));
    let port = discover::read_port(data_dir).unwrap_or_else(serve::default_port);
    let running = Api::running(data_dir)?;
    let is_running = running.is_some();
    let mut report = Report {
        ok: false,
        version: env!("CARGO_PKG_VERSION"),
        data_dir: data_dir.display().to_string(),
        server: Server { running: is_running, url: None, port, health: Value::Null, error: None },
        token,
        spool: Spool { files, bytes },
        masked: Masked::default(),
        hook_program: serve::hook_program().map(|path| path.display().to_string()),
        agents: Vec::new(),
        blind: Vec::new(),
        problems: Vec::new(),
        advice: Vec::new(),
    };
    // Without a server one of our own looks around; it ends with this command.
    let api = running.map_or_else(|| Api::running_or_own(data_dir), Ok);
    match api.and_then(|mut api| ask(&mut api, &mut report)) {
        Ok(()) => {}
        Err(error) => report.server.error = Some(format!("{error:#}")),
    }
    report.advice = advice(&report);
    report.ok = report.advice.is_empty();
    Ok(report)
}

fn ask(api: &mut Api, report: &mut Report) -> anyhow::Result<()> {
    if report.server.running {
        report.server.url = Some(api.base_url());
        report.server.health = api.get("/health")?;
    }
    report.agents = api.get("/api/v1/agents")?;
    report.blind = api.get::<Overview>("/api/v1/overview")?.blind;
    report.problems = api.get("/api/v1/problems?limit=20")?;
    report.masked = api.get::<Redaction>("/api/v1/redaction")?.into();
    Ok(())
}

fn token(path: &Path) -> Token {
    let meta = std::fs::metadata(path).ok();
    #[cfg(unix)]
    let private = meta.as_ref().is_some_and(|meta| std::os::unix::fs::MetadataExt::mode(meta) & 0o077 == 0);
    #[cfg(not(unix))]
    let private = meta.is_some();
    Token { exists: meta.is_some(), private }
}

fn advice(report: &Report) -> Vec<String> {
    let mut advice = Vec::new();
    if let Some(error) = &report.server.error {
        advice.push(format!("The server cannot work: {error}"));
    }
    if !report.server.running {
        advice.push(
            "No server runs: start the app, or `orrery serve`. Until then hooks are kept in the spool".to_owned(),
        );
    }
    if report.token.exists && !report.token.private {
        advice.push(format!("Others can read the token: chmod 600 {}/token", report.data_dir));
    }
    if report.server.running && report.spool.files > 0 {
        advice.push(format!(
            "{} payloads wait in the spool although the server runs; look at the problems below",
            report.spool.files
        ));
    }
    if report.hook_program.is_none() {
        advice.push(
            "orrery-hook is neither beside this program nor on the PATH: run scripts/install-global-tracking.sh"
                .to_owned(),
        );
    }
    if !report.agents.is_empty() && report.agents.iter().all(|found| found.status == AgentStatus::Absent) {
        advice.push("Neither Claude Code nor Codex was found on this machine".to_owned());
    }
    for found in report.agents.iter().filter(|found| found.status == AgentStatus::Found) {
        let slug = found.agent.slug();
        match &found.hooks {
            HookState::Absent => advice.push(format!("{} has no hooks: orrery install --agent {slug}", found.label)),
            HookState::Partial { installed, wanted } => advice.push(format!(
                "{} has {installed} of {wanted} hooks, or they point elsewhere: orrery install --agent {slug}",
                found.label
            )),
            HookState::Unreadable { error } => advice.push(format!("{}: {error}", found.label)),
            HookState::Installed { .. } if found.last_hook_ms.is_none() => {
                advice.push(format!(
                    "{} is hooked and no event came yet: orrery install --agent {slug} --verify",
                    found.label
                ));
            }
            HookState::Installed { .. } => {}
        }
        advice.extend(found.notes.iter().map(|note| format!("{}: {note}", found.label)));
    }
    let known = advice.join("\n");
    advice.extend(
        report.blind.iter().map(|blind| format!("{}. {}", blind.what, blind.hint)).filter(|line| !known.contains(line)),
    );
    advice
}

/// What was masked, in words. Nothing where no server could be asked.
fn masked_lines(masked: &Masked) -> Vec<String> {
    if masked.rules == 0 {
        return Vec::new();
    }
    let kinds: Vec<String> = masked.found.iter().take(5).map(|rule| format!("{} {}", rule.count, rule.name)).collect();
    let more = masked.found.len().saturating_sub(kinds.len());
    let what = match (masked.total, more) {
        (0, _) => "nothing so far".to_owned(),
        (total, 0) => format!("{total} secrets: {}", kinds.join(", ")),
        (total, more) => format!("{total} secrets: {}, {more} more kinds", kinds.join(", ")),
    };
    let mut lines = vec![match masked.on {
        true => format!("Masked   {what} ({} rules)", masked.rules),
        false => format!("Masked   off: secrets are stored as they come ({what})"),
    }];
    if !masked.off.is_empty() {
        lines.push(format!("         switched off: {}", masked.off.join(", ")));
    }
    lines
}

fn print(report: &Report) -> anyhow::Result<()> {
    let mut lines = vec![format!("Orrery {}, data in {}", report.version, report.data_dir)];
    lines.push(match &report.server.url {
        Some(url) => {
            format!("Server   runs at {url}, {} clients", report.server.health["websocket"]["connected_clients"])
        }
        None => format!("Server   not running (port {})", report.server.port),
    });
    let token = match (report.token.exists, report.token.private) {
        (false, _) => "none yet; the server makes one",
        (true, true) => "only you can read it",
        (true, false) => "others can read it",
    };
    lines.push(format!("Token    {token}"));
    lines.push(format!("Spool    {} waiting, {}", report.spool.files, format::bytes(report.spool.bytes)));
    lines.extend(masked_lines(&report.masked));
    let now_ms = orrery_client::id::now_ms();
    for found in &report.agents {
        let hooks = match &found.hooks {
            HookState::Absent => "no hooks".to_owned(),
            HookState::Partial { installed, wanted } => format!("{installed} of {wanted} hooks"),
            HookState::Installed { events } => format!("hooks for {events} events"),
            HookState::Unreadable { .. } => "settings unreadable".to_owned(),
        };
        let seen =
            found.last_hook_ms.map_or("never seen".to_owned(), |at| format!("seen {}", format::ago_ms(now_ms - at)));
        let status = match found.status {
            AgentStatus::Found => found.version.clone().unwrap_or_else(|| "found".to_owned()),
            AgentStatus::HistoryOnly => "only old transcripts".to_owned(),
            AgentStatus::Absent => "not found".to_owned(),
        };
        lines.push(format!("{:<12} {status}, {hooks}, {seen}, {} transcripts", found.label, found.history_files));
    }
    for problem in report.problems.iter().take(10) {
        let line = problem.line.map_or(String::new(), |line| format!(":{line}"));
        lines.push(format!(
            "Problem  {} ({}{line})",
            out::plain(&problem.message, 200),
            out::plain(&problem.place, 200)
        ));
    }
    lines.push(String::new());
    if report.ok {
        lines.push("Nothing to do".to_owned());
    } else {
        lines.push("To do:".to_owned());
        lines.extend(report.advice.iter().map(|line| format!("- {}", out::plain(line, 400))));
    }
    Ok(out::line(&lines.join("\n"))?)
}
