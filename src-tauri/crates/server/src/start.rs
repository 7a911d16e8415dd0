//! Starting and stopping the server.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use orrery_agents::paths::Env;
use orrery_alerts::Sink;
use orrery_store::{Batch, SqliteStore, Store, StoreError};
use orrery_types::{LiveFrame, Overview, Problem};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::clock::Clock;
use crate::grants::Grants;
use crate::http::tls::{self, Certificate};
use crate::http::{Guesses, router, serve};
use crate::ingest::Ingest;
use crate::jobs::{Jobs, dirty, spool, watch as watcher};
use crate::live::Hub;
use crate::settings::{SettingsFile, write_whole};
use crate::token::{self, Links};
use crate::{alerting, attach, overview, port};

/// Exports that may run at a time; each holds a thread while its client takes it.
const MOST_EXPORTS: usize = 8;
/// Jobs that do not end by themselves get this long at the end.
const GRACE: Duration = Duration::from_secs(5);

/// How to run.
pub struct Options {
    pub host: IpAddr,
    /// 0 takes a free one.
    pub port: u16,
    pub data_dir: PathBuf,
    pub config_dir: PathBuf,
    pub home: Env,
    /// Beyond loopback: certificate and names.
    pub reach: Reach,
    /// Without it, programs on this machine need no token; the checks of Host and Origin stay.
    pub token_needed: bool,
    /// Follow transcripts.
    pub watch: bool,
    /// Where alerts are shown. Empty: they are only logged.
    pub sink: Option<Arc<dyn Sink>>,
    /// The `orrery-hook` program that installing puts into the agents' settings. Empty: the one beside this program.
    pub hook_program: Option<PathBuf>,
}

/// How the server is reached from other machines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    pub certificate: Certificate,
    /// Names and addresses that browsers there ask for, as they stand in a URL.
    pub names: Vec<String>,
    /// Listen beyond loopback without TLS: everybody on the way reads along.
    pub plain: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("another Orrery runs on this data directory: {base_url}")]
    AlreadyRunning { base_url: String },
    #[error(
        "{host} is not this machine alone: Orrery listens on other addresses only with a token and TLS; add --tls (a certificate of its own) or --tls-cert and --tls-key, or use 127.0.0.1"
    )]
    HostNotAllowed { host: IpAddr },
    #[error("TLS cannot be used: {0}")]
    Tls(String),
    #[error("the data directory {} cannot be used: {reason}", dir.display())]
    DataDir { dir: PathBuf, reason: String },
    #[error("no port from {port} on can be opened: {source}")]
    Port { port: u16, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A server that accepts events. Dropping it leaves the work running; call [`Running::stop`].
pub struct Running {
    app: Arc<App>,
    servers: Vec<JoinHandle<()>>,
    jobs: Vec<JoinHandle<()>>,
    fingerprint: Option<String>,
    host: IpAddr,
}

/// Opens the data directory and the port, and starts to work. The port is recorded in `DATA/port`.
///
/// # Errors
/// See [`StartError`]; nothing keeps running.
pub async fn start(options: Options) -> Result<Running, StartError> {
    start_at(options, Clock::system()).await
}

/// [`start`] with a clock of the caller's.
///
/// # Errors
/// See [`StartError`].
pub async fn start_at(options: Options, clock: Clock) -> Result<Running, StartError> {
    let private = options.token_needed && (options.reach.plain || options.reach.certificate != Certificate::None);
    if !options.host.is_loopback() && !private {
        return Err(StartError::HostNotAllowed { host: options.host });
    }
    let dir = options.data_dir.clone();
    let unusable = |reason: String| StartError::DataDir { dir: dir.clone(), reason };
    make_dir(&dir).map_err(|error| unusable(words(&error)))?;
    let store: Arc<dyn Store> = match SqliteStore::open(&dir) {
        Ok(store) => Arc::new(store),
        Err(StoreError::Locked) => return Err(in_use(&dir).await),
        Err(StoreError::Unwritable(reason)) => return Err(unusable(reason)),
        Err(error) => return Err(error.into()),
    };
    let opened = open(options, clock, store.clone()).await;
    if opened.is_err()
        && let Err(error) = store.close().await
    {
        tracing::warn!(%error, "the store did not close");
    }
    opened
}

async fn open(options: Options, clock: Clock, store: Arc<dyn Store>) -> Result<Running, StartError> {
    let dir = options.data_dir.clone();
    let unusable = |error: std::io::Error| StartError::DataDir { dir: dir.clone(), reason: words(&error) };
    let host = options.host;
    let token = token::load_or_create(&dir).map_err(unusable)?;
    let mut names = options.reach.names.clone();
    if !options.host.is_loopback() && !options.host.is_unspecified() {
        names.push(url_host(options.host));
    }
    let tls =
        tls::load(&options.reach.certificate, &dir, options.host, &options.reach.names).map_err(StartError::Tls)?;
    let bound =
        port::bind(options.host, options.port).map_err(|source| StartError::Port { port: options.port, source })?;
    if let Some((wished, holder)) = &bound.moved_from {
        let holder = if attach::is_ours(*wished, &token).await { "another Orrery".to_owned() } else { holder.clone() };
        tracing::warn!(wished, taken = bound.port, holder, "the port is taken, using the next free one");
        let message = format!("Port {wished} is held by {holder}; Orrery listens on {}", bound.port);
        let problem = Problem {
            code: "port_taken".to_owned(),
            message,
            place: format!("port {wished}"),
            line: None,
            at_ms: clock.now_ms(),
        };
        store.append(Batch { problems: vec![problem], ..Batch::default() }).await?;
    }
    write_whole(&dir.join("port"), format!("{}\n", bound.port).as_bytes()).map_err(unusable)?;
    let (settings, complaint) = SettingsFile::open(&options.config_dir);
    if let Some(words) = complaint {
        tracing::warn!(words, "the settings cannot be read; defaults are in force");
    }
    let grants = Grants::load(store.as_ref())?;
    let live = Arc::new(Hub::default());
    // Ends when the store is closed, after the last commit was told.
    tokio::spawn(crate::live::run(live.clone(), clock.clone(), store.committed()));
    let app = Arc::new(App {
        ingest: Arc::new(Ingest::publishing(store.clone(), clock.clone(), live.clone())),
        started_ms: clock.now_ms(),
        clock,
        store,
        live,
        settings,
        overview: watch::Sender::new(Overview::default()),
        changed: Notify::new(),
        jobs: Jobs::default(),
        links: Links::default(),
        grants,
        guesses: Guesses::default(),
        exports: Arc::new(Semaphore::new(MOST_EXPORTS)),
        token,
        token_needed: options.token_needed,
        port: bound.port,
        names,
        data_dir: options.data_dir,
        config_dir: options.config_dir,
        home: options.home,
        hook_program: options.hook_program,
        recent: crate::family::Recent::default(),
        readers: tokio::sync::Mutex::default(),
        versions: crate::agents::Versions::default(),
        themes: tokio::sync::Mutex::default(),
        paused_until_ms: AtomicI64::new(0),
        stop: watch::Sender::new(false),
    });
    app.ingest.redact(&app.settings.get());
    overview::refresh(&app).await;
    let router = router::router(app.clone());
    let (config, fingerprint) = tls.map(|tls| (tls.config, tls.fingerprint)).unzip();
    let seats = serve::seats();
    let servers = bound.listeners.into_iter().map(|listener| {
        tokio::spawn(serve::serve(listener, router.clone(), seats.clone(), config.clone(), app.stop.subscribe()))
    });
    let servers = servers.collect();
    let mut jobs = vec![
        tokio::spawn(overview::run(app.clone())),
        tokio::spawn(alerting::run(app.clone(), options.sink)),
        tokio::spawn(spool::run(app.clone())),
        tokio::spawn(dirty::run(app.clone())),
    ];
    if options.watch {
        jobs.push(tokio::spawn(watcher::run(app.clone())));
    }
    Ok(Running { app, servers, jobs, fingerprint, host })
}

impl Running {
    pub fn port(&self) -> u16 {
        self.app.port
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        self.app.base_url()
    }

    /// URL for other machines, and the SHA-256 fingerprint of the certificate they are shown. Empty on loopback alone.
    pub fn elsewhere(&self) -> Option<(String, Option<&str>)> {
        if self.host.is_loopback() && self.fingerprint.is_none() {
            return None;
        }
        let scheme = if self.fingerprint.is_some() { "https" } else { "http" };
        let name = self.app.names.first().cloned().unwrap_or_else(|| url_host(self.host));
        Some((format!("{scheme}://{name}:{}", self.app.port), self.fingerprint.as_deref()))
    }

    pub fn token(&self) -> &str {
        &self.app.token
    }

    /// A URL that opens `path` (`/app/...`) in a browser once, and leaves it signed in.
    pub fn one_time_link(&self, path: &str) -> String {
        match self.app.links.mint(path, self.app.clock.now_ms()) {
            Some(code) => format!("{}/link/{code}", self.base_url()),
            None => self.base_url(),
        }
    }

    /// The figures as they change.
    pub fn overview(&self) -> watch::Receiver<Overview> {
        self.app.overview.subscribe()
    }

    /// Asks every client to show a session: a notification was clicked. An empty id shows the interface's start.
    pub fn open_session(&self, id: &str) {
        self.app.live.publish(&LiveFrame::Open { session_id: id.to_owned() });
    }

    /// Silences alerts until then, ms since 1970. Empty ends the pause.
    pub fn pause_alerts(&self, until_ms: Option<i64>) {
        self.app.pause_alerts(until_ms);
    }

    /// Answers what was accepted, ends the jobs, and closes the store after the last commit.
    pub async fn stop(self) {
        self.app.stop.send_replace(true);
        self.app.jobs.cancel_all();
        for server in self.servers {
            let _ = server.await;
        }
        let deadline = tokio::time::Instant::now() + GRACE;
        for mut job in self.jobs {
            if tokio::time::timeout_at(deadline, &mut job).await.is_err() {
                job.abort();
            }
        }
        if let Err(error) = self.app.store.close().await {
            tracing::error!(%error, "the store did not close");
        }
    }
}

async fn in_use(dir: &Path) -> StartError {
    match attach::find(dir).await {
        Some(elsewhere) => StartError::AlreadyRunning { base_url: elsewhere.base_url },
        None => StartError::Store(StoreError::Locked),
    }
}

/// An address as it stands in a URL.
fn url_host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Makes the data directory, for its owner alone.
fn make_dir(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    token::restrict(dir, 0o700)
}

fn words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            format!("it cannot be written ({error}); give yourself write access or choose another with --data-dir")
        }
        std::io::ErrorKind::StorageFull => format!("the disk is full ({error})"),
        _ => error.to_string(),
    }
}
