//! Whether events get through: one is sent by the very command or post that stands in the agent's settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use orrery_agents::install::{self, Handler};
use orrery_agents::paths;
use orrery_client::request::Connection;
use orrery_types::AgentId;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::{PlanError, hook_program, read_settings};
use crate::app::App;
use crate::clock;

const DEADLINE: Duration = Duration::from_secs(5);
/// Ways that one agent's entries can go: the program, the post, and room for entries of before.
const MOST_WAYS: usize = 4;

/// What became of the events that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub ok: bool,
    pub message: String,
}

impl Verdict {
    fn no(message: String) -> Verdict {
        Verdict { ok: false, message }
    }
}

/// Sends an event through each different handler of ours in the agent's settings and waits until it is stored.
///
/// # Errors
/// The settings cannot be read.
pub async fn verify(app: &Arc<App>, agent: AgentId) -> Result<Verdict, PlanError> {
    let settings = paths::settings_file(agent, &app.home);
    let label = settings.display().to_string();
    let text = read_settings(&settings)?;
    let program = hook_program(app);
    let mut ways: Vec<(String, Handler)> = Vec::new();
    for (event, handler) in install::configured(agent, text.as_deref(), &label, &program)? {
        if !ways.iter().any(|(_, known)| *known == handler) && ways.len() < MOST_WAYS {
            ways.push((event, handler));
        }
    }
    if ways.is_empty() && text.is_some() && install::has_own_file(agent, &program) {
        // The file is the agent's to load; what it starts is our program.
        let args = vec!["--agent".to_owned(), agent.slug().to_owned()];
        ways.push((String::new(), Handler::Program { program: program.clone(), args }));
    }
    if ways.is_empty() {
        return Ok(Verdict::no(format!("No hook of Orrery is in {label}: install first")));
    }
    let mut passed = Vec::new();
    for (_, handler) in &ways {
        let session = format!("orrery-verify-{}", clock::new_id());
        let payload = json!({"session_id": session, "hook_event_name": "Notification",
            "message": "Orrery checks its hook", "notification_type": "orrery_verify", "cwd": app.data_dir});
        let words = words(handler);
        if let Err(error) = run(handler, payload.to_string().into_bytes()).await {
            return Ok(Verdict::no(error));
        }
        if !arrives(app, &session).await {
            return Ok(Verdict::no(format!(
                "{words} ran, and its event did not arrive within {} s{}",
                DEADLINE.as_secs(),
                elsewhere(app)
            )));
        }
        passed.push(words);
    }
    Ok(Verdict {
        ok: true,
        message: format!("An event went through {} and arrived", passed.join(", and one through ")),
    })
}

fn words(handler: &Handler) -> String {
    match handler {
        Handler::Shell(command) => format!("`{command}`"),
        Handler::Program { program, args } if args.is_empty() => format!("`{program}`"),
        Handler::Program { program, args } => format!("`{program} {}`", args.join(" ")),
        Handler::Http { url, .. } => format!("a post to {url}"),
    }
}

/// Where events go instead, when this server keeps its data where hooks do not look.
fn elsewhere(app: &App) -> String {
    match orrery_client::discover::data_dir() {
        Some(dir) if dir != app.data_dir => format!(
            ". Hooks deliver to the server of {}, and this one keeps its data in {}: set ORRERY_DATA_DIR where your agents start",
            dir.display(),
            app.data_dir.display()
        ),
        _ => String::new(),
    }
}

/// Does what the agent would do with one event.
async fn run(handler: &Handler, payload: Vec<u8>) -> Result<(), String> {
    let (mut command, name) = match handler {
        Handler::Http { url, headers } => return post(url.clone(), headers.clone(), payload).await,
        Handler::Program { program, args } => {
            let mut command = Command::new(program);
            command.args(args);
            (command, program)
        }
        Handler::Shell(line) => {
            let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
            let mut command = Command::new(shell);
            command.args([flag, line]);
            (command, line)
        }
    };
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook that ends without reading is found by the event that does not come.
        let _ = stdin.write_all(&payload).await;
    }
    match tokio::time::timeout(DEADLINE, child.wait_with_output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{name} failed with {}: {}", output.status, said.trim()))
        }
        Ok(Err(error)) => Err(format!("{name} failed: {error}")),
        Err(_) => Err(format!("{name} did not end within {} s", DEADLINE.as_secs())),
    }
}

async fn post(url: String, headers: Vec<(String, String)>, payload: Vec<u8>) -> Result<(), String> {
    let place = url.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
    let port = place.and_then(|(host, _)| host.rsplit_once(':')?.1.parse::<u16>().ok());
    let (Some((_, path)), Some(port)) = (place, port) else {
        return Err(format!("{url} is no address of this machine"));
    };
    let path = format!("/{path}");
    let sent = tokio::task::spawn_blocking(move || {
        let mut connection = Connection::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), None, DEADLINE);
        let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        connection.send("POST", &path, &headers, &payload)
    });
    match sent.await {
        Ok(Ok(answer)) if answer.status / 100 == 2 && answer.body.is_empty() => Ok(()),
        Ok(Ok(answer)) => Err(format!("{url} answered {}", answer.status)),
        Ok(Err(error)) => Err(format!("nothing takes events at {url}: {error}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the session appears: through the port, or through the spool, which is drained meanwhile.
async fn arrives(app: &App, session: &str) -> bool {
    let mut stored = app.live.stored();
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        app.jobs.drain.notify_one();
        let id = session.to_owned();
        if app.read(move |store| store.session(&id)).await.is_ok_and(|found| found.is_some()) {
            return true;
        }
        if tokio::time::timeout_at(deadline, stored.recv()).await.is_err() {
            return false;
        }
    }
}
