//! `/api/v1/jobs`, `/import`, `/demo`, `/spool`: long work, started and stopped.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use orrery_types::{AgentId, Job, JobKind, LiveFrame};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Document;
use crate::jobs::{demo, files, import, spool};

pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<Job>> {
    Json(app.jobs.list())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ImportParams {
    /// Folders to read instead of the agents' own.
    claude: Vec<PathBuf>,
    codex: Vec<PathBuf>,
    /// Only these agents. Empty: all.
    agents: Vec<AgentId>,
}

/// Starts reading history; 202 with the job.
pub async fn import(
    State(app): State<Arc<App>>,
    Document(params): Document<ImportParams>,
) -> Result<(StatusCode, Json<Job>), Failure> {
    let claude = params.claude.into_iter().map(|root| (AgentId::ClaudeCode, root));
    let mut roots: Vec<_> = claude.chain(params.codex.into_iter().map(|root| (AgentId::Codex, root))).collect();
    if roots.is_empty() {
        roots = files::history_dirs(&app.home);
        roots.retain(|(agent, _)| params.agents.is_empty() || params.agents.contains(agent));
    }
    let job = import::start(&app, roots).ok_or_else(|| running("An import"))?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// Asks the running import to stop; what was read stays.
pub async fn cancel_import(State(app): State<Arc<App>>) -> Result<Json<Job>, Failure> {
    app.jobs.cancel(JobKind::Import).map(Json).ok_or_else(|| Failure::not_found("A running import"))
}

/// Starts the demo; 202 with the job.
pub async fn demo(
    State(app): State<Arc<App>>,
    Document(wish): Document<demo::Wish>,
) -> Result<(StatusCode, Json<Job>), Failure> {
    let job = demo::start(&app, wish).ok_or_else(|| running("The demo"))?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// Stops the demo and takes everything away that it made.
pub async fn remove_demo(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    app.jobs.cancel(JobKind::Demo);
    app.jobs.ended(JobKind::Demo).await;
    app.readers.lock().await.clear();
    let removed = app.store.remove_demo().await?;
    app.live.publish(&LiveFrame::Removed { sessions: removed.clone() });
    app.changed.notify_one();
    Ok(Json(json!({"removed": removed})))
}

/// Drains the spool now: a hook or `orrery doctor` asks for it.
pub async fn drain(State(app): State<Arc<App>>) -> Result<Json<Value>, Failure> {
    let stored = spool::drain(&app).await?;
    Ok(Json(json!({"stored": stored})))
}

fn running(what: &str) -> Failure {
    Failure::conflict("already_running", format!("{what} runs already"), "Wait for its end, or cancel it")
}
