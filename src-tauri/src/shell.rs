//! What the parts of the shell share, and the life of the server behind the window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use orrery_alerts::sinks::desktop::{Act, DesktopSink};
use tauri::{AppHandle, Manager};
use tauri_plugin_deep_link::DeepLinkExt as _;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::assets::{self, Failure};
use crate::host::{Host, News};
use crate::outgoing::Outgoing;
use crate::tray::{self, Tray};
use crate::{link, shortcut, window};

const TAKE_OVER_WITHIN: Duration = Duration::from_secs(20);

/// The server, when its start is over: itself, or why there is none.
type Ready = Option<Result<Arc<Host>, String>>;

/// State of the program, kept by Tauri.
pub struct Shell {
    host: watch::Sender<Ready>,
    failure: Failure,
    hides: AtomicBool,
    pub sink: Arc<DesktopSink>,
}

impl Shell {
    /// Waits for the server. Fails with the words of a start that failed.
    pub async fn host(&self) -> Result<Arc<Host>, String> {
        let mut host = self.host.subscribe();
        let ready = host.wait_for(Option::is_some).await.map_err(|_| "Orrery is shutting down".to_owned())?;
        ready.clone().unwrap_or_else(|| Err("Orrery is shutting down".to_owned()))
    }

    /// The server, if it is there by now.
    pub fn ready_host(&self) -> Option<Arc<Host>> {
        self.host.borrow().as_ref()?.as_ref().ok().cloned()
    }

    /// Whether closing the window keeps Orrery in the tray.
    pub fn hides(&self) -> bool {
        self.hides.load(Ordering::Relaxed) && !self.has_failed()
    }

    pub fn has_failed(&self) -> bool {
        self.failure.get().is_some()
    }

    /// Ends a server of ours: what it accepted is committed.
    pub async fn stop(&self) {
        if let Some(host) = self.ready_host() {
            host.stop().await;
        }
    }
}

/// Opens the window and the tray at once, and starts the server beside them.
pub fn start(app: &AppHandle, failure: Failure, open: Option<String>, hidden: bool) -> anyhow::Result<()> {
    let clicked = app.clone();
    let sink = DesktopSink::start(move |act| acted(&clicked, act)).context("no notifications")?;
    let shell = Shell { host: watch::Sender::new(None), failure, hides: AtomicBool::new(false), sink: Arc::new(sink) };
    app.manage(shell);
    app.manage(shortcut::Keys::default());
    app.manage(Outgoing::open(&orrery_server::paths::data_dir()).context("no place for exported files")?);

    let tray = tray::build(app);
    let stays_hidden = hidden && tray.is_some() && open.is_none();
    window::open(app, open.as_deref(), !stays_hidden).context("no window")?;
    let linked = app.clone();
    app.deep_link().on_open_url(move |event| {
        for url in event.urls() {
            open_session(&linked, &link::session(url.as_str()).unwrap_or_default());
        }
    });
    // macOS keeps programs without a window in the dock.
    app.state::<Shell>().hides.store(tray.is_some() || cfg!(target_os = "macos"), Ordering::Relaxed);
    tauri::async_runtime::spawn(keep_host(app.clone(), tray));
    tauri::async_runtime::spawn(quit_on_signal(app.clone()));
    Ok(())
}

/// What a person did with a notification.
fn acted(app: &AppHandle, act: Act) {
    match act {
        Act::Open(session_id) => open_session(app, &session_id),
        act => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Ok(host) = app.state::<Shell>().host().await {
                    host.act(act).await;
                }
            });
        }
    }
}

/// Brings the window up, on a session unless `session_id` is empty.
pub fn open_session(app: &AppHandle, session_id: &str) {
    window::raise(app);
    if session_id.is_empty() {
        return;
    }
    match app.state::<Shell>().ready_host() {
        Some(host) if host.open_session(session_id) => {}
        _ => window::go(app, &window::session_page(session_id)),
    }
}

/// Has a server for as long as the program runs: when the one it attached to ends, it takes over.
async fn keep_host(app: AppHandle, tray: Option<Tray>) {
    let shell = app.state::<Shell>();
    let mut known = None;
    let mut port = None;
    loop {
        // One that ends may hold the store for some seconds yet.
        let patience = if known.is_none() { Duration::ZERO } else { TAKE_OVER_WITHIN };
        let host = match start_within(patience, &shell.sink, port).await {
            Ok(host) => Arc::new(host),
            Err(words) => return fail(&app, words),
        };
        let boot = host.boot();
        shell.host.send_replace(Some(Ok(Arc::clone(&host))));
        // The page asked the server before: it has to ask again.
        if known.as_ref().is_some_and(|known| *known != boot) {
            window::go(&app, "app/live");
        }
        known = Some(boot);
        port = host.port_elsewhere();
        host.follow(|news| match (news, &tray) {
            (News::Figures(overview), Some(tray)) => tray.show(&overview),
            (News::Figures(_), None) => {}
            (News::Settings(settings), _) => {
                if let Err(words) = shortcut::set(&app, &settings.global_shortcut) {
                    tracing::warn!(words, "the window has no keys of its own");
                }
            }
            (News::Raise, _) => window::raise(&app),
        })
        .await;
        if let Some(tray) = &tray {
            tray.show_offline();
        }
        if host.is_own() {
            return;
        }
        tracing::warn!("the server this window was attached to has ended");
    }
}

async fn start_within(patience: Duration, sink: &Arc<DesktopSink>, port: Option<u16>) -> Result<Host, String> {
    let deadline = Instant::now() + patience;
    loop {
        match Host::start(Arc::clone(sink), port).await {
            Err(words) if Instant::now() < deadline => {
                tracing::info!(words, "trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            done => return done,
        }
    }
}

/// The window stays and says why.
fn fail(app: &AppHandle, words: String) {
    tracing::error!(words, "start failed");
    let shell = app.state::<Shell>();
    let words = shell.failure.get_or_init(|| words).clone();
    shell.host.send_replace(Some(Err(words)));
    window::go(app, assets::FAILED);
    window::raise(app);
}

/// SIGTERM and Ctrl+C end the program like Quit: what the server accepted is committed.
async fn quit_on_signal(app: AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    app.exit(0);
}
