//! `orrery import`: history into the store, through the running server or straight.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use orrery_agents::paths;
use orrery_server::jobs::import::{self, ImportReport};
use orrery_server::offline;
use orrery_types::{AgentId, Job, JobState};

use crate::api::Api;
use crate::cmd::serve;
use crate::out;
use crate::place::Place;
use crate::signal::StopSignal;

/// How often a job of the server is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub struct Import {
    /// A folder (or file) of Claude Code transcripts; may be given more than once
    #[arg(long, value_name = "DIR", env = "ORRERY_CLAUDE", value_delimiter = ',')]
    claude: Vec<PathBuf>,
    /// A folder (or file) of Codex rollouts; may be given more than once
    #[arg(long, value_name = "DIR", env = "ORRERY_CODEX", value_delimiter = ',')]
    codex: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let roots = roots(&self.claude, &self.codex)?;
        let data_dir = self.place.data_dir();
        let report = match Api::running(&data_dir)? {
            Some(api) => through_server(api, &roots)?,
            None => straight(&data_dir, &roots)?,
        };
        out::progress_end();
        if self.json {
            out::json(&report)?;
        } else {
            let ImportReport { files, files_parsed, lines, events, sessions, rows_written, problems } = report;
            out::line(&format!(
                "{files} files, {files_parsed} with something new; {lines} lines, {events} new events, {sessions} new sessions, {rows_written} rows written"
            ))?;
            if problems > 0 {
                out::say(&format!("{problems} problems in the files were kept; `orrery doctor` shows them"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What was asked for, else everything this machine has.
///
/// # Errors
/// A folder that was named does not exist.
pub fn roots(claude: &[PathBuf], codex: &[PathBuf]) -> anyhow::Result<Vec<(AgentId, PathBuf)>> {
    let named =
        claude.iter().map(|dir| (AgentId::ClaudeCode, dir)).chain(codex.iter().map(|dir| (AgentId::Codex, dir)));
    let mut roots = Vec::new();
    for (agent, dir) in named {
        let whole =
            std::fs::canonicalize(dir).map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", dir.display()))?;
        roots.push((agent, whole));
    }
    if !roots.is_empty() {
        return Ok(roots);
    }
    let home = serve::env();
    let known = AgentId::ALL
        .into_iter()
        .flat_map(|agent| paths::history_dirs(agent, &home).into_iter().map(move |dir| (agent, dir)));
    Ok(known.filter(|(_, dir)| dir.is_dir()).collect())
}

/// Starts the import as a job of the server and follows it to its end.
fn through_server(mut api: Api, roots: &[(AgentId, PathBuf)]) -> anyhow::Result<ImportReport> {
    let of = |wanted: AgentId| -> Vec<&PathBuf> {
        roots.iter().filter(|(agent, _)| *agent == wanted).map(|(_, dir)| dir).collect()
    };
    let wish = serde_json::json!({ "claude": of(AgentId::ClaudeCode), "codex": of(AgentId::Codex) });
    let mut job: Job = api.post("/api/v1/import", &wish)?;
    while job.state == JobState::Running {
        std::thread::sleep(LOOK_EVERY);
        let jobs: Vec<Job> = api.get("/api/v1/jobs")?;
        job = jobs.into_iter().find(|known| known.id == job.id).context("the server forgot the import")?;
        show(&job);
    }
    match job.state {
        JobState::Failed => anyhow::bail!("{}", job.error.unwrap_or_else(|| "the import failed".to_owned())),
        JobState::Canceled => anyhow::bail!("the import was canceled; what was read is stored"),
        JobState::Running | JobState::Done => {}
    }
    Ok(ImportReport {
        files: job.total,
        files_parsed: job.files_parsed,
        lines: job.lines,
        events: job.events,
        sessions: job.sessions,
        rows_written: job.rows_written,
        problems: job.problems,
    })
}

fn straight(data_dir: &std::path::Path, roots: &[(AgentId, PathBuf)]) -> anyhow::Result<ImportReport> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store = offline::write_store(data_dir)?;
    runtime.block_on(async {
        let cancel = Arc::new(AtomicBool::new(false));
        let mut stop = StopSignal::new()?;
        let flag = cancel.clone();
        let watch = tokio::spawn(async move {
            stop.wait().await;
            flag.store(true, Ordering::Relaxed);
        });
        let done = import::run(store.clone(), roots, show, cancel.clone()).await;
        watch.abort();
        store.close().await?;
        let report = done?;
        if cancel.load(Ordering::Relaxed) {
            out::progress_end();
            anyhow::bail!("interrupted; what was read is stored, the next import goes on from there");
        }
        Ok(report)
    })
}

fn show(job: &Job) {
    if job.state != JobState::Running {
        return out::progress_end();
    }
    let eta = job.eta_ms.map_or(String::new(), |ms| format!(", {} left", offline::format::duration_ms(ms)));
    out::progress(&format!(
        "{} of {} files, {} events, {:.0}/s{eta}",
        job.done,
        job.total,
        offline::format::count(job.events),
        job.rate
    ));
}
