//! The demo as a job of the server: what the Welcome page's button starts, through the server's own port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use orrery_types::{Job, JobKind, JobState};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock;
use crate::demo::{Plan, Player};

/// Messages between two reports of progress.
const TELL_EVERY: u64 = 25;

/// What to play.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// 1 is real time; 0 posts what lies in the past and ends.
    pub speed: f64,
    pub sessions: usize,
    pub seed: u64,
}

impl Default for Wish {
    fn default() -> Self {
        Wish { speed: 1.0, sessions: Plan::DEFAULT_SESSIONS, seed: Plan::DEFAULT_SEED }
    }
}

impl Wish {
    /// The day this wish means at `now_ms`.
    pub fn plan(self, now_ms: i64) -> Plan {
        Plan {
            seed: self.seed,
            sessions: self.sessions.clamp(1, Plan::MAX_SESSIONS),
            now_ms,
            midnight_ms: clock::midnight(now_ms),
        }
    }

    /// A speed that can be played: never negative, endless or no number.
    pub fn speed(self) -> f64 {
        if self.speed.is_finite() { self.speed.clamp(0.0, 1000.0) } else { 1.0 }
    }
}

/// Starts playing. `None` when a demo plays already.
pub fn start(app: &Arc<App>, wish: Wish) -> Option<Job> {
    let now_ms = app.clock.now_ms();
    let (job, cancel) = app.jobs.start(&app.live, JobKind::Demo, clock::new_id(), now_ms)?;
    let first = job.clone();
    let app = app.clone();
    tokio::task::spawn_blocking(move || {
        let player = Player {
            server: SocketAddr::from((Ipv4Addr::LOCALHOST, app.port)),
            token: app.token.clone(),
            plan: wish.plan(now_ms),
            speed: wish.speed(),
            cancel: &cancel,
        };
        let tell = |done: u64, total: u64| {
            if done == total || done.is_multiple_of(TELL_EVERY) || done < TELL_EVERY {
                app.jobs.update(&app.live, &measured(&first, done, total, app.clock.now_ms()));
            }
        };
        let played = player.play(&tell);
        let state = if cancel.load(Ordering::Relaxed) { JobState::Canceled } else { JobState::Done };
        let shown = app.jobs.list().into_iter().find(|known| known.id == first.id).unwrap_or_else(|| first.clone());
        let last = match played {
            Ok(played) => Job { state, events: played.messages, sessions: played.sessions, ..shown },
            // A server that ends closes its port under the demo.
            Err(_) if state == JobState::Canceled => Job { state, ..shown },
            Err(error) => Job { state: JobState::Failed, error: Some(error.to_string()), ..shown },
        };
        app.jobs.update(&app.live, &Job { updated_ms: app.clock.now_ms(), eta_ms: None, ..last });
    });
    Some(job)
}

fn measured(first: &Job, done: u64, total: u64, now_ms: i64) -> Job {
    let elapsed_ms = (now_ms - first.started_ms).max(1);
    let rate = done as f64 * 1000.0 / elapsed_ms as f64;
    Job { done, total, events: done, rate, updated_ms: now_ms, ..first.clone() }
}
