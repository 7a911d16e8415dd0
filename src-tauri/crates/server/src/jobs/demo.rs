//! The demo as a job of the server: what the Welcome page's button starts, through the server's own port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use orrery_types::{Job, JobKind, JobState};
use serde::Deserialize;

use crate::app::App;
use crate::clock;
use crate::demo::{Plan, Player};

/// Messages between two reports of progress.
const TELL_EVERY: u64 = 25;
const MAX_SPEED: f64 = 1_000.0;

/// What to play; what is absent is the default.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// 1 is real time; 0 posts what lies in the past and ends.
    pub speed: Option<f64>,
    pub sessions: Option<usize>,
    pub seed: Option<u64>,
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
            plan: Plan::new(wish.seed, wish.sessions, now_ms),
            speed: wish.speed.filter(|speed| (0.0..=MAX_SPEED).contains(speed)).unwrap_or(1.0),
            cancel: &cancel,
        };
        let tell = |done: u64, total: u64| {
            if done == total || done.is_multiple_of(TELL_EVERY) || done < TELL_EVERY {
                app.jobs.update(&app.live, &measured(&first, done, total, app.clock.now_ms()));
            }
        };
        let played = player.play(&tell);
        let state = if cancel.load(Ordering::Relaxed) { JobState::Canceled } else { JobState::Done };
        let shown = known(&app, &first);
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

fn known(app: &App, first: &Job) -> Job {
    app.jobs.list().into_iter().find(|known| known.id == first.id).unwrap_or_else(|| first.clone())
}

fn measured(first: &Job, done: u64, total: u64, now_ms: i64) -> Job {
    let elapsed_ms = (now_ms - first.started_ms).max(1);
    let rate = done as f64 * 1000.0 / elapsed_ms as f64;
    Job { done, total, events: done, rate, updated_ms: now_ms, ..first.clone() }
}
