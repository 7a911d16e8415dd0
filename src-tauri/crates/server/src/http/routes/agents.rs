//! `/api/v1/agents...`: what is found, and the agents' hooks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use orrery_types::{AgentId, FoundAgent, InstallPlan};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::agents::{self, PlanError, Wish, verify};
use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::{Document, Params};

pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<FoundAgent>> {
    Json(agents::look(&app).await)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PlanParams {
    remove: Option<String>,
    /// `1`, or the port that a server will have: hooks that the agent posts itself.
    http: Option<String>,
}

impl PlanParams {
    fn wish(&self, app: &App, remove: bool) -> Wish {
        match self.http.as_deref() {
            _ if remove => Wish::Remove,
            None | Some("0" | "false") => Wish::Install,
            Some(port) => {
                let port = port.parse().ok().filter(|port: &u16| *port > 1).unwrap_or(app.port);
                Wish::InstallHttp(format!("http://127.0.0.1:{port}"))
            }
        }
    }
}

/// What installing (with `?http=1` over http, or with `?remove=1` removing) would change.
pub async fn plan(
    State(app): State<Arc<App>>,
    Path(agent): Path<String>,
    Params(params): Params<PlanParams>,
) -> Result<Json<InstallPlan>, Failure> {
    let remove = matches!(params.remove.as_deref(), Some("1" | "true" | ""));
    Ok(Json(agents::plan(&app, known(&agent)?, &params.wish(&app, remove)).await?))
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
    params: Params<PlanParams>,
    seen: Document<ApplyParams>,
) -> Result<Json<Value>, Failure> {
    apply(state, agent, params, seen, false).await
}

pub async fn uninstall(
    state: State<Arc<App>>,
    agent: Path<String>,
    params: Params<PlanParams>,
    seen: Document<ApplyParams>,
) -> Result<Json<Value>, Failure> {
    apply(state, agent, params, seen, true).await
}

async fn apply(
    State(app): State<Arc<App>>,
    Path(agent): Path<String>,
    Params(params): Params<PlanParams>,
    Document(seen): Document<ApplyParams>,
    remove: bool,
) -> Result<Json<Value>, Failure> {
    let agent = known(&agent)?;
    let plan = agents::plan(&app, agent, &params.wish(&app, remove)).await?;
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

/// Sends a real event the way the agent's settings say and waits until it is stored.
pub async fn verify(State(app): State<Arc<App>>, Path(agent): Path<String>) -> Result<Json<Value>, Failure> {
    let began_ms = app.clock.now_ms();
    let verdict = verify::verify(&app, known(&agent)?).await?;
    app.changed.notify_one();
    Ok(Json(json!({"ok": verdict.ok, "message": verdict.message, "took_ms": app.clock.now_ms() - began_ms})))
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
            PlanError::ReadOnly { .. } => Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "settings_read_only",
                words,
                "Make the file writable (chmod u+w) or put the change in yourself: the difference shows it",
            ),
            PlanError::Disk { .. } => Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "settings_unwritable",
                words,
                "See to it that this user can read and write the file and its folder",
            ),
        }
    }
}
