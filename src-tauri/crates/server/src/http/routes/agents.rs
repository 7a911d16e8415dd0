//! `/api/v1/agents...`: what is found, and the agents' hooks.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use orrery_types::{AgentId, FoundAgent, InstallPlan};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::agents::{self, PlanError};
use crate::app::App;
use crate::clock;
use crate::http::problem::Failure;
use crate::http::request::{Document, Params};

const VERIFY_DEADLINE: Duration = Duration::from_secs(5);

pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<FoundAgent>> {
    Json(agents::look(&app).await)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PlanParams {
    remove: Option<String>,
}

/// What installing (or with `?remove=1` removing) would change.
pub async fn plan(
    State(app): State<Arc<App>>,
    Path(agent): Path<String>,
    Params(params): Params<PlanParams>,
) -> Result<Json<InstallPlan>, Failure> {
    let remove = matches!(params.remove.as_deref(), Some("1" | "true" | ""));
    Ok(Json(agents::plan(&app, known(&agent)?, remove).await?))
}

/// The plan the person saw. Empty: whatever is right now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ApplyParams {
    plan: Option<InstallPlan>,
}

pub async fn install(
    state: State<Arc<App>>,
    agent: Path<String>,
    seen: Document<ApplyParams>,
) -> Result<Json<Value>, Failure> {
    apply(state, agent, seen, false).await
}

pub async fn uninstall(
    state: State<Arc<App>>,
    agent: Path<String>,
    seen: Document<ApplyParams>,
) -> Result<Json<Value>, Failure> {
    apply(state, agent, seen, true).await
}

async fn apply(
    State(app): State<Arc<App>>,
    Path(agent): Path<String>,
    Document(seen): Document<ApplyParams>,
    remove: bool,
) -> Result<Json<Value>, Failure> {
    let agent = known(&agent)?;
    let plan = agents::plan(&app, agent, remove).await?;
    // A client's plan is never written: it only has to be the one that would be made now.
    if seen.plan.is_some_and(|seen| seen.changes != plan.changes) {
        return Err(PlanError::Changed {
            path: plan.changes.first().map(|change| change.path.clone()).unwrap_or_default(),
        }
        .into());
    }
    let now_ms = app.clock.now_ms();
    let written = plan.clone();
    let backups =
        tokio::task::spawn_blocking(move || agents::apply(&written, now_ms)).await.map_err(Failure::internal)??;
    let found = agents::look(&app).await.into_iter().find(|found| found.agent == agent);
    app.changed.notify_one();
    Ok(Json(json!({"plan": plan, "backups": backups, "agent": found})))
}

/// Sends a real event through the hook program and waits until it is stored.
pub async fn verify(State(app): State<Arc<App>>, Path(agent): Path<String>) -> Result<Json<Value>, Failure> {
    let agent = known(&agent)?;
    let program = agents::hook_program(&app);
    let session = format!("orrery-verify-{}", clock::new_id());
    let payload = json!({"session_id": session, "hook_event_name": "Notification", "message": "Orrery checks its hook",
        "notification_type": "orrery_verify", "cwd": app.data_dir});
    let began_ms = app.clock.now_ms();
    let sent = send(&app, &program, agent, payload.to_string().into_bytes()).await;
    let arrived = match &sent {
        Ok(()) => wait_for(&app, &session).await,
        Err(_) => false,
    };
    let words = match (sent, arrived) {
        (Err(words), _) => words,
        (Ok(()), true) => "An event went through the hook program and arrived".to_owned(),
        (Ok(()), false) => {
            format!("{program} ran, and its event did not arrive within {} s", VERIFY_DEADLINE.as_secs())
        }
    };
    Ok(Json(json!({"ok": arrived, "message": words, "took_ms": app.clock.now_ms() - began_ms})))
}

async fn send(app: &App, program: &str, agent: AgentId, payload: Vec<u8>) -> Result<(), String> {
    use tokio::io::AsyncWriteExt;
    let mut command = tokio::process::Command::new(program);
    command.args(["--agent", agent.slug(), "--server", &app.base_url()]).env("ORRERY_DATA_DIR", &app.data_dir);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child =
        command.kill_on_drop(true).spawn().map_err(|error| format!("{program} cannot be started: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook that ends without reading is found by the event that does not come.
        let _ = stdin.write_all(&payload).await;
    }
    match tokio::time::timeout(VERIFY_DEADLINE, child.wait()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{program} failed: {error}")),
        Err(_) => Err(format!("{program} did not end within {} s", VERIFY_DEADLINE.as_secs())),
    }
}

/// Whether the session appears: through the port, or through the spool, which is drained meanwhile.
async fn wait_for(app: &App, session: &str) -> bool {
    let mut stored = app.live.stored();
    let deadline = tokio::time::Instant::now() + VERIFY_DEADLINE;
    loop {
        app.jobs.drain.notify_one();
        let id = session.to_owned();
        if app.read(move |store| store.session(&id)).await.is_ok_and(|found| found.is_some()) {
            return true;
        }
        let woken = tokio::time::timeout_at(deadline, stored.recv());
        if woken.await.is_err() {
            return false;
        }
    }
}

fn known(agent: &str) -> Result<AgentId, Failure> {
    AgentId::from_slug(agent).ok_or_else(|| Failure::not_found("This agent"))
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Failure {
        let words = error.to_string();
        match error {
            PlanError::Changed { .. } => Failure::conflict("plan_outdated", words, "Look at the new difference first"),
            PlanError::Settings(_) => {
                Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "settings_unreadable", words, "Repair the file by hand")
            }
            PlanError::Disk { .. } => Failure::internal(words),
        }
    }
}
