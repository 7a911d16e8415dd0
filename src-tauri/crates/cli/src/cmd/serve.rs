//! `orrery serve`: the server without a window.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use orrery_agents::paths::Env;
use orrery_server::alerts::Sink;
use orrery_server::alerts::sinks::desktop::DesktopSink;
use orrery_server::{Certificate, Options, Reach, StartError};
use tokio::sync::mpsc;

use crate::out;
use crate::place::Place;
use crate::signal::StopSignal;

#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Address to listen on; `::1` is served beside `127.0.0.1`
    #[arg(long, env = "ORRERY_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one [default: SERVER_PORT, else 4000]
    #[arg(long, env = "ORRERY_PORT")]
    port: Option<u16>,
    #[command(flatten)]
    place: Place,
    /// Ask no token of programs on this machine; Host and Origin are checked still
    #[arg(long, env = "ORRERY_NO_TOKEN", value_parser = clap::builder::FalseyValueParser::new())]
    no_token: bool,
    /// Encrypt: with a certificate of its own, made at the first start and kept in the data directory
    #[arg(long, env = "ORRERY_TLS", value_parser = clap::builder::FalseyValueParser::new(), conflicts_with = "tls_cert")]
    tls: bool,
    /// Encrypt: with this certificate, in PEM form
    #[arg(long, env = "ORRERY_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, in PEM form
    #[arg(long, env = "ORRERY_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A name that browsers of other machines ask for; may be given again
    #[arg(long, env = "ORRERY_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// Listen on other addresses without TLS: everybody on the way can read along
    #[arg(long, env = "ORRERY_ALLOW_PLAIN", value_parser = clap::builder::FalseyValueParser::new())]
    allow_plain: bool,
    /// Do not follow the agents' transcript files
    #[arg(long, env = "ORRERY_NO_WATCH", value_parser = clap::builder::FalseyValueParser::new())]
    no_watch: bool,
    /// Open no browser (the default)
    #[arg(long, env = "ORRERY_NO_OPEN", value_parser = clap::builder::FalseyValueParser::new())]
    no_open: bool,
    /// Open the interface in the browser
    #[arg(long, conflicts_with = "no_open")]
    open: bool,
}

impl Serve {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let done = runtime.block_on(self.serve());
        // The sockets of clients that never hang up do not hold the process.
        runtime.shutdown_timeout(std::time::Duration::from_millis(500));
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn serve(self) -> anyhow::Result<()> {
        // Before anything answers, so that a signal at any moment ends it in order.
        let mut stop = StopSignal::new()?;
        let (clicked, mut clicks) = mpsc::unbounded_channel();
        let mut options = options(&self.place.data_dir());
        options.host = self.host;
        options.port = self.port.unwrap_or_else(default_port);
        options.token_needed = !self.no_token;
        options.watch = !self.no_watch;
        options.reach = self.reach();
        options.sink = desktop_sink(clicked);
        let wished = options.port;
        let running = match orrery_server::start(options).await {
            Err(StartError::AlreadyRunning { base_url }) => {
                anyhow::bail!(
                    "another Orrery serves this data directory at {base_url}; open that one, or give another --data-dir"
                )
            }
            other => other.context("the server did not start")?,
        };
        if wished != 0 && running.port() != wished {
            out::say(&format!("port {wished} is taken, using {}", running.port()));
        }
        // A reader that went away does not end the server.
        let _ = out::line(&format!("listening on {}", running.base_url()));
        if let Some((url, fingerprint)) = running.elsewhere() {
            out::say(&format!("from other machines: {url}"));
            if let Some(fingerprint) = fingerprint {
                out::say(&format!("certificate SHA-256 {fingerprint}"));
            }
        }
        let link = running.one_time_link("/app/");
        out::say(&format!("open {link}"));
        if self.open {
            open_in_browser(&link);
        }
        loop {
            tokio::select! {
                () = stop.wait() => break,
                Some(session) = clicks.recv() => running.open_session(&session),
            }
        }
        running.stop().await;
        Ok(())
    }
}

impl Serve {
    fn reach(&self) -> Reach {
        let certificate = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Certificate::Files { certificate: certificate.clone(), key: key.clone() },
            _ if self.tls => Certificate::Own,
            _ => Certificate::None,
        };
        Reach { certificate, names: self.allow_host.clone(), plain: self.allow_plain }
    }
}

/// Options with the platform's places, a free port and nothing that watches or alerts.
pub fn options(data_dir: &Path) -> Options {
    Options {
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 0,
        data_dir: data_dir.to_owned(),
        config_dir: orrery_server::paths::config_dir(),
        home: env(),
        reach: Reach::default(),
        token_needed: true,
        watch: false,
        sink: None,
        hook_program: hook_program(),
    }
}

/// Where the agents of this process's environment keep their files.
pub fn env() -> Env {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Env {
        home: std::env::home_dir().unwrap_or_default(),
        claude_config_dir: text("CLAUDE_CONFIG_DIR"),
        codex_home: text("CODEX_HOME"),
        path_var: text("PATH"),
    }
}

/// The hook binary to write into the agents' settings: the one beside this program, else the one on the PATH.
pub fn hook_program() -> Option<PathBuf> {
    let name = if cfg!(windows) { "orrery-hook.exe" } else { "orrery-hook" };
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(|dir| dir.join(name)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside.into_iter().chain(std::env::split_paths(&path).map(|dir| dir.join(name))).find(|file| file.is_file())
}

pub fn default_port() -> u16 {
    std::env::var("SERVER_PORT").ok().and_then(|port| port.trim().parse().ok()).unwrap_or(4000)
}

/// Native notifications, where there is a session that could show them. A click sends the session's id.
fn desktop_sink(clicked: mpsc::UnboundedSender<String>) -> Option<Arc<dyn Sink>> {
    if cfg!(all(unix, not(target_os = "macos"))) && std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none() {
        return None;
    }
    match DesktopSink::start(move |session| drop(clicked.send(session))) {
        Ok(sink) => Some(Arc::new(sink)),
        Err(error) => {
            tracing::warn!(%error, "no native notifications");
            None
        }
    }
}

fn open_in_browser(url: &str) {
    let (program, args): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let started = std::process::Command::new(program)
        .args(args)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = started {
        out::say(&format!("the browser could not be opened: {error}"));
    }
}
