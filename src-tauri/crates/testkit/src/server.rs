//! The server under test: in this process, on a free port, over directories of its own.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use orrery_agents::paths::Env;
use orrery_alerts::Sink;
use orrery_server::clock::Clock;
use orrery_server::{Options, Reach, Running};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;

use crate::Socket;

const DEADLINE: Duration = Duration::from_secs(10);

/// A data directory, a configuration directory and a home, removed at the end.
#[derive(Debug)]
pub struct Homes {
    root: TempDir,
}

impl Homes {
    pub fn new() -> anyhow::Result<Homes> {
        let homes = Homes { root: tempfile::tempdir()? };
        for dir in [homes.data_dir(), homes.config_dir(), homes.home()] {
            std::fs::create_dir_all(dir)?;
        }
        Ok(homes)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub fn config_dir(&self) -> PathBuf {
        self.root.path().join("config")
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Options for a server over these directories: any port, the token needed, no watcher, no sink.
    pub fn options(&self) -> Options {
        Options {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            data_dir: self.data_dir(),
            config_dir: self.config_dir(),
            // No PATH: a test finds no program of the person who runs it.
            home: Env { home: self.home(), claude_config_dir: None, codex_home: None, path_var: None },
            reach: Reach::default(),
            token_needed: true,
            watch: false,
            sink: None,
            hook_program: Some(PathBuf::from("/opt/orrery/orrery-hook")),
        }
    }
}

/// A running server with a client.
pub struct TestServer {
    pub running: Running,
    pub homes: Homes,
    pub client: Client,
    now_ms: Option<Arc<AtomicI64>>,
}

impl TestServer {
    /// A server over fresh directories and the machine's clock.
    pub async fn start() -> anyhow::Result<TestServer> {
        Self::over(Homes::new()?, |_| {}).await
    }

    /// A server over `homes`; `adjust` may change the options.
    pub async fn over(homes: Homes, adjust: impl FnOnce(&mut Options)) -> anyhow::Result<TestServer> {
        let mut options = homes.options();
        adjust(&mut options);
        let running = orrery_server::start(options).await?;
        Ok(TestServer { running, homes, client: client()?, now_ms: None })
    }

    /// A server whose clock stands at `now_ms` until it is moved.
    pub async fn at(homes: Homes, now_ms: i64, sink: Option<Arc<dyn Sink>>) -> anyhow::Result<TestServer> {
        let cell = Arc::new(AtomicI64::new(now_ms));
        let options = Options { sink, ..homes.options() };
        let running = orrery_server::start_at(options, Clock::fixed(cell.clone())).await?;
        Ok(TestServer { running, homes, client: client()?, now_ms: Some(cell) })
    }

    /// Moves the clock of a server started with [`TestServer::at`].
    pub fn set_now_ms(&self, now_ms: i64) {
        if let Some(cell) = &self.now_ms {
            cell.store(now_ms, Ordering::Relaxed);
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url())
    }

    /// A request with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(self.running.token())
    }

    /// A request without the token.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// The JSON at `path`, which must answer 200.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        json(self.request(Method::GET, path).send().await?).await
    }

    /// Posts JSON with the token; the answer must be a 2xx.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        json(self.request(Method::POST, path).json(body).send().await?).await
    }

    /// Posts a hook payload as an agent on this machine does, without a token.
    pub async fn hook(&self, agent: &str, payload: &Value) -> anyhow::Result<Response> {
        Ok(self.bare(Method::POST, &format!("/hooks/{agent}")).json(payload).send().await?)
    }

    /// Opens a WebSocket with the token.
    pub async fn socket(&self, path: &str) -> anyhow::Result<Socket> {
        let url = self.url(path).replacen("http", "ws", 1);
        Socket::open(&url, &[("authorization", format!("Bearer {}", self.running.token()))]).await
    }

    /// Events in the store.
    pub async fn count(&self) -> anyhow::Result<u64> {
        let health = json(self.bare(Method::GET, "/health").send().await?).await?;
        Ok(health["database"]["total_events"].as_u64().unwrap_or_default())
    }

    /// Stops the server; its directories stay for another one.
    pub async fn stop(self) -> Homes {
        self.running.stop().await;
        self.homes
    }

    /// Asks again until `check` answers something.
    pub async fn wait_for<T, F>(&self, mut check: impl FnMut() -> F) -> anyhow::Result<T>
    where
        F: Future<Output = anyhow::Result<Option<T>>>,
    {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if let Some(found) = check().await? {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("what the test waits for did not happen within {} s", DEADLINE.as_secs())
    }
}

fn client() -> anyhow::Result<Client> {
    Ok(Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?)
}

async fn json(response: Response) -> anyhow::Result<Value> {
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{status}: {text}");
    }
    Ok(serde_json::from_str(&text)?)
}
