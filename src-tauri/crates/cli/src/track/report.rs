//! What a run tells the server: its start and its end, as hook payloads of the session it turns out to be.

use std::path::{Path, PathBuf};
use std::time::Instant;

use orrery_client::discover::{self, Target};
use orrery_client::runs::{Held, Record, Report};
use orrery_client::send::{self, Deadline, Delivery};
use orrery_client::{id, spool};
use serde_json::{Value, json};

use super::rollout::Rollout;

const AGENT: &str = "codex";

/// The story of one run as the server gets to know it.
pub struct Reporter {
    run: String,
    started_ms: i64,
    cwd: String,
    parent: Option<String>,
    server: Option<String>,
    data_dir: Option<PathBuf>,
    held: Option<Held>,
    rollout: Option<Rollout>,
    start_id: String,
    end_id: String,
    start_sent: bool,
}

impl Reporter {
    /// A run that begins. From here on its end is reported, whatever happens to us.
    pub fn new(cwd: &Path, parent: Option<String>, server: Option<String>) -> Reporter {
        let started_ms = id::now_ms();
        let mut reporter = Reporter {
            run: id::uuid_v7(started_ms),
            started_ms,
            cwd: cwd.to_string_lossy().into_owned(),
            parent: parent.filter(|parent| !parent.trim().is_empty()),
            server,
            data_dir: discover::data_dir(),
            held: None,
            rollout: None,
            start_id: id::uuid_v7(started_ms),
            end_id: id::uuid_v7(started_ms),
            start_sent: false,
        };
        let record = reporter.record();
        reporter.held = reporter.data_dir.as_deref().and_then(|dir| Held::new(dir, &reporter.run, &record).ok());
        reporter
    }

    pub fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    pub fn rollout(&self) -> Option<&Rollout> {
        self.rollout.as_ref()
    }

    /// The thread is known. What was said of the run by its own id is closed and put below the thread.
    pub fn joins(&mut self, rollout: Rollout) {
        if self.start_sent {
            let mut end = self.payload("SessionEnd");
            end["reason"] = json!("goes on as its Codex thread");
            end["parent_session_id"] = json!(rollout.thread);
            self.deliver(&id::uuid_v7(self.started_ms), id::now_ms(), &end);
            self.start_id = id::uuid_v7(self.started_ms);
            self.start_sent = false;
        }
        self.rollout = Some(rollout);
        let record = self.record();
        if let Some(held) = &mut self.held {
            let _ = held.write(&record);
        }
    }

    /// Tells the start, once.
    pub fn start(&mut self) {
        if !self.start_sent {
            self.start_sent = true;
            self.deliver(&self.start_id, self.started_ms, &self.start_payload());
        }
    }

    /// Tells the end with what is known of it.
    pub fn end(mut self, ended_ms: i64, facts: &Value) {
        self.start();
        let mut payload = self.payload("SessionEnd");
        if let (Some(payload), Some(facts)) = (payload.as_object_mut(), facts.as_object()) {
            payload.extend(facts.clone());
        }
        self.deliver(&self.end_id, ended_ms, &payload);
        if let Some(held) = self.held.take() {
            held.done();
        }
    }

    fn session(&self) -> String {
        self.rollout.as_ref().map_or_else(|| format!("codex-run-{}", self.run), |rollout| rollout.thread.clone())
    }

    fn payload(&self, event: &str) -> Value {
        let session = self.session();
        let mut payload = json!({
            "orrery_run": self.run,
            "hook_event_name": event,
            "session_id": session,
            "cwd": self.cwd,
        });
        if let Some(rollout) = &self.rollout {
            payload["transcript_path"] = json!(rollout.path.to_string_lossy());
        }
        if let Some(parent) = self.parent.as_ref().filter(|parent| **parent != session) {
            payload["parent_session_id"] = json!(parent);
        }
        payload
    }

    fn start_payload(&self) -> Value {
        let mut payload = self.payload("SessionStart");
        payload["source"] = json!("startup");
        payload
    }

    fn record(&self) -> Record {
        let mut end = self.payload("SessionEnd");
        end["reason"] = json!("killed");
        let report =
            |id: &str, body: &Value| Report { id: id.to_owned(), at_ms: self.started_ms, body: body.to_string() };
        Record {
            agent: AGENT.to_owned(),
            session: self.rollout.as_ref().map(|rollout| rollout.thread.clone()).unwrap_or_default(),
            transcript: self
                .rollout
                .as_ref()
                .map(|rollout| rollout.path.to_string_lossy().into_owned())
                .unwrap_or_default(),
            start: report(&self.start_id, &self.start_payload()),
            end: report(&self.end_id, &end),
        }
    }

    /// To the server, else to the spool.
    fn deliver(&self, id: &str, at_ms: i64, payload: &Value) {
        let body = payload.to_string();
        let spool = self.data_dir.as_deref().map(spool::dir);
        let mut late = false;
        if let Target::Local(server) = discover::server(self.server.as_deref(), self.data_dir.as_deref()) {
            let was_slow = spool.as_deref().is_some_and(spool::was_slow);
            let deadline = if was_slow { Deadline::SHORT } else { Deadline::default() };
            let began = Instant::now();
            let delivery = Delivery { id, at_ms, agent: AGENT, body: body.as_bytes() };
            if send::deliver(server, delivery, deadline, false) != send::Outcome::Failed {
                return;
            }
            late = began.elapsed() >= deadline.total;
        }
        let Some(dir) = spool else { return };
        let header = spool::Header { id: id.to_owned(), at_ms, agent: AGENT.to_owned(), kind: "hook".to_owned() };
        // A full disk is the one place where nothing can be kept; the rollout still has the story.
        let _ = spool::put(&dir, &header, body.as_bytes(), None);
        if late {
            spool::mark_slow(&dir);
        }
    }
}
