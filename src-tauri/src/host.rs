//! The server behind the window: our own, or one that runs already.

use std::path::PathBuf;
use std::sync::Arc;

use orrery_alerts::sinks::desktop::DesktopSink;
use orrery_server::{Options, Reach, Running, attach, clock, paths};
use orrery_types::Overview;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::attached;
use crate::elsewhere::Elsewhere;
use crate::ipc::Boot;

const PORT: u16 = 4000;
/// What a server tells the shell.
pub enum News {
    Figures(Box<Overview>),
    /// A notification was clicked; the pages know which session to open.
    Raise,
}

/// A server that answers.
pub enum Host {
    Own(Box<Own>),
    Elsewhere { server: Elsewhere, sink: Arc<DesktopSink> },
}

/// A server in this process. It is taken out when it is stopped.
pub struct Own {
    boot: Boot,
    running: Mutex<Option<Running>>,
}

impl Host {
    /// Attaches to a server that proves to be ours, else starts one, on `port` if that is free: the port of a server that
    /// has just ended, whose browser pages and hooks come back to it. Fails with words for the person.
    pub async fn start(sink: Arc<DesktopSink>, port: Option<u16>) -> Result<Host, String> {
        let data_dir = paths::data_dir();
        if let Some(found) = attach::find(&data_dir).await {
            tracing::info!(port = found.port, "attached to a running server");
            let server = Elsewhere { port: found.port, token: found.token };
            return Ok(Host::Elsewhere { server, sink });
        }
        let running = orrery_server::start(options(data_dir, sink, port)).await.map_err(|error| error.to_string())?;
        let boot = Boot { base_url: running.base_url(), token: running.token().to_owned() };
        Ok(Host::Own(Box::new(Own { boot, running: Mutex::new(Some(running)) })))
    }

    pub fn boot(&self) -> Boot {
        match self {
            Host::Own(own) => own.boot.clone(),
            Host::Elsewhere { server, .. } => Boot { base_url: server.base_url(), token: server.token.clone() },
        }
    }

    /// The port of a server that is not ours.
    pub fn port_elsewhere(&self) -> Option<u16> {
        match self {
            Host::Own(_) => None,
            Host::Elsewhere { server, .. } => Some(server.port),
        }
    }

    pub fn is_own(&self) -> bool {
        matches!(self, Host::Own(_))
    }

    /// Hands what the server tells to `tell`, until the server ends.
    pub async fn follow(&self, tell: impl Fn(News)) {
        match self {
            Host::Own(own) => {
                let Some(mut overview) = own.running.lock().await.as_ref().map(Running::overview) else { return };
                overview.mark_changed();
                while overview.changed().await.is_ok() {
                    let newest = overview.borrow_and_update().clone();
                    tell(News::Figures(Box::new(newest)));
                }
            }
            Host::Elsewhere { server, sink } => attached::follow(server, sink, tell).await,
        }
    }

    /// Tells all pages to open a session. False when they cannot be told from here.
    pub fn open_session(&self, session_id: &str) -> bool {
        let Host::Own(own) = self else { return false };
        let Ok(running) = own.running.try_lock() else { return false };
        running.as_ref().is_some_and(|running| {
            running.open_session(session_id);
            true
        })
    }

    /// Pauses alerts for `pause_ms`, or ends a pause that runs.
    pub async fn pause_or_resume(&self, pause_ms: i64) {
        let until = |paused: bool| (!paused).then(|| clock::now_ms() + pause_ms);
        match self {
            Host::Own(own) => {
                if let Some(running) = own.running.lock().await.as_ref() {
                    let paused = running.overview().borrow().alerts_paused_until_ms.is_some();
                    running.pause_alerts(until(paused));
                }
            }
            Host::Elsewhere { server, .. } => {
                let overview: Result<Overview, _> = server.get("/api/v1/overview").await;
                let paused = overview.is_ok_and(|overview| overview.alerts_paused_until_ms.is_some());
                let body = json!({ "until_ms": until(paused) });
                if let Err(error) = server.post::<Value>("/api/v1/alerts/pause", body).await {
                    tracing::warn!(%error, "alerts are not paused");
                }
            }
        }
    }

    /// An address that opens `path` in a browser once, with the token's rights. Without the server's help, the bare page.
    pub async fn browser_link(&self, path: &str) -> String {
        match self {
            Host::Own(own) => match own.running.lock().await.as_ref() {
                Some(running) => running.one_time_link(path),
                None => own.boot.base_url.clone(),
            },
            Host::Elsewhere { server, .. } => {
                let link: Result<Value, _> = server.post("/api/v1/links", json!({ "path": path })).await;
                let url = link.ok().and_then(|link| link["url"].as_str().map(str::to_owned));
                url.unwrap_or_else(|| format!("{}{path}", server.base_url()))
            }
        }
    }

    /// Ends a server of ours after it committed what it accepted. One elsewhere goes on.
    pub async fn stop(&self) {
        if let Host::Own(own) = self
            && let Some(running) = own.running.lock().await.take()
        {
            running.stop().await;
        }
    }
}

fn options(data_dir: PathBuf, sink: Arc<DesktopSink>, port: Option<u16>) -> Options {
    let set = ["ORRERY_PORT", "SERVER_PORT"].into_iter().find_map(|name| std::env::var(name).ok()?.parse().ok());
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut options = Options {
        host: std::net::Ipv4Addr::LOCALHOST.into(),
        port: port.or(set).unwrap_or(PORT),
        data_dir,
        config_dir: paths::config_dir(),
        home: Default::default(),
        reach: Reach::default(),
        token_needed: true,
        watch: true,
        sink: Some(sink),
        hook_program: hook_program(),
    };
    options.home.home = home_dir();
    options.home.claude_config_dir = text("CLAUDE_CONFIG_DIR");
    options.home.codex_home = text("CODEX_HOME");
    options.home.path_var = text("PATH");
    options
}

fn home_dir() -> PathBuf {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(name).map(PathBuf::from).unwrap_or_default()
}

/// `orrery-hook` beside this program, else on the PATH. Empty when it is not installed.
fn hook_program() -> Option<PathBuf> {
    let name = format!("orrery-hook{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_path_buf()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(&name))
        .find(|program| program.is_file())
}
