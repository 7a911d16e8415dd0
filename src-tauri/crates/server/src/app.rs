//! What every route and job shares.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use orrery_agents::paths::Env;
use orrery_agents::transcript::Reader;
use orrery_store::{Store, StoreError};
use orrery_types::Overview;
use tokio::sync::{Mutex, Notify, Semaphore, watch};

use crate::agents::Versions;
use crate::clock::Clock;
use crate::family::Recent;
use crate::grants::Grants;
use crate::http::Guesses;
use crate::ingest::Ingest;
use crate::jobs::Jobs;
use crate::live::Hub;
use crate::settings::SettingsFile;
use crate::token::Links;

/// The server's state. Cheap to share, no lock held across a wait but the readers'.
pub struct App {
    pub clock: Clock,
    pub store: Arc<dyn Store>,
    pub ingest: Arc<Ingest>,
    pub live: Arc<Hub>,
    pub settings: SettingsFile,
    pub overview: watch::Sender<Overview>,
    /// Wakes the overview when something changed that no append tells of.
    pub changed: Notify,
    pub jobs: Jobs,
    pub links: Links,
    /// Signed-in browsers and shared sessions.
    pub grants: Grants,
    /// Counts wrong share links.
    pub guesses: Guesses,
    /// Exports that may run at a time.
    pub exports: Arc<Semaphore>,
    pub token: String,
    /// Routes but `/health`, pages and the tokenless ingest ask for the token.
    pub token_needed: bool,
    pub port: u16,
    /// Names and addresses beside loopback that the server is reached by.
    pub names: Vec<String>,
    pub data_dir: PathBuf,
    pub config_dir: PathBuf,
    pub home: Env,
    pub hook_program: Option<PathBuf>,
    pub started_ms: i64,
    /// Bodies of senders without a time of their own, as seen in the last minutes.
    pub recent: Recent,
    /// Readers of transcripts that arrive over HTTP, by agent and name.
    pub readers: Mutex<HashMap<(String, String), Remote>>,
    pub versions: Versions,
    /// Serializes changes of the themes' file.
    pub themes: Mutex<()>,
    /// Alerts are silent until then, ms; 0 when they are not.
    pub paused_until_ms: AtomicI64,
    /// True from the moment the server is to end.
    pub stop: watch::Sender<bool>,
}

/// A transcript that arrives in pieces over HTTP.
pub struct Remote {
    pub reader: Reader,
    pub lines: u64,
    pub used_ms: i64,
}

impl App {
    /// Runs a blocking read of the store away from the async threads.
    ///
    /// # Errors
    /// The store's own.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || work(store.as_ref())).await {
            Ok(done) => done,
            Err(error) => Err(StoreError::Failed(error.to_string())),
        }
    }

    /// When the pause of alerts ends, ms. Empty when they are not paused.
    pub fn paused_until(&self) -> Option<i64> {
        Some(self.paused_until_ms.load(Ordering::Relaxed)).filter(|until| *until > self.clock.now_ms())
    }

    pub fn pause_alerts(&self, until_ms: Option<i64>) {
        self.paused_until_ms.store(until_ms.unwrap_or(0), Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Names this run of the server in the live stream.
    pub fn boot(&self) -> String {
        format!("{:x}-{:x}", self.started_ms, std::process::id())
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Waits until the server is to stop.
pub async fn ended(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
