//! The server of a data directory, as commands speak to it: the running one, or one of our own for as long as we need it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use orrery_client::request::Connection;
use orrery_server::Running;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::cmd::serve;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A signed-in connection to our server.
pub struct Api {
    connection: Connection,
    pub port: u16,
    pub token: String,
    /// Kept while the server is ours; stopped when this goes.
    own: Option<Own>,
}

struct Own {
    runtime: Runtime,
    running: Option<Running>,
}

impl Api {
    /// The server that runs on `data_dir`, after it has proven to know the token. `None` when none does.
    pub fn running(data_dir: &Path) -> anyhow::Result<Option<Api>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let found = runtime.block_on(orrery_server::attach::find(data_dir));
        Ok(found.map(|found| Api::new(found.port, found.token, None)))
    }

    /// The running server, else one of our own on a free port until this value is dropped.
    pub fn running_or_own(data_dir: &Path) -> anyhow::Result<Api> {
        if let Some(api) = Api::running(data_dir)? {
            return Ok(api);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let running = runtime.block_on(orrery_server::start(serve::options(data_dir)))?;
        let (port, token) = (running.port(), running.token().to_owned());
        Ok(Api::new(port, token, Some(Own { runtime, running: Some(running) })))
    }

    fn new(port: u16, token: String, own: Option<Own>) -> Api {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Api { connection: Connection::new(server, Some(token.clone()), TIMEOUT), port, token, own }
    }

    /// Whether the server is ours and ends with this command.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn get<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<T> {
        let body = self.bytes("GET", path, b"")?;
        serde_json::from_slice(&body).with_context(|| format!("the server's answer to {path} cannot be read"))
    }

    pub fn post<T: DeserializeOwned>(&mut self, path: &str, body: &Value) -> anyhow::Result<T> {
        let body = self.bytes("POST", path, body.to_string().as_bytes())?;
        serde_json::from_slice(&body).with_context(|| format!("the server's answer to {path} cannot be read"))
    }

    /// Any request; the answer's body when the status says success.
    pub fn bytes(&mut self, method: &str, path: &str, body: &[u8]) -> anyhow::Result<Vec<u8>> {
        let answer = self.connection.send(method, path, &[], body).context("the server does not answer")?;
        if answer.status / 100 != 2 {
            bail!("{}", refusal(answer.status, &answer.body));
        }
        Ok(answer.body)
    }
}

/// The server's own words for why it refused.
fn refusal(status: u16, body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| problem[name].as_str().filter(|text| !text.is_empty());
    match (text("title").or_else(|| text("error")), text("hint")) {
        (Some(title), Some(hint)) => format!("{title}. {hint}"),
        (Some(title), None) => title.to_owned(),
        _ => format!("the server answered {status}"),
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

/// `text` as it may stand in a path or query.
pub fn quote(text: &str) -> String {
    text.bytes().fold(String::new(), |mut quoted, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            quoted.push_str(&format!("%{byte:02X}"));
        }
        quoted
    })
}
