//! Plays a day through the port: what lies in the past at once, the rest when it is due.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orrery_client::request::Connection;

use super::{Message, Plan, Route, day};

/// Connections that post the past side by side.
const LANES: usize = 8;
/// The past is posted in slices of this much time, so that sessions do not run ahead of each other.
const SLICE_MS: i64 = 4 * 60 * 1000;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Plays one day against one server.
#[derive(Debug)]
pub struct Player<'a> {
    pub server: SocketAddr,
    pub token: String,
    pub plan: Plan,
    /// 1 is real time; 0 plays nothing after the past.
    pub speed: f64,
    pub cancel: &'a AtomicBool,
}

/// What was played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    pub messages: u64,
    pub sessions: u64,
    pub canceled: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("the server refused a message of the demo ({status}): {text}")]
    Refused { status: u16, text: String },
}

impl Player<'_> {
    /// Posts the day; blocks until it is over. `progress` gets messages done and in all, from any thread.
    ///
    /// # Errors
    /// The server is gone or refused a message. What was posted stays, marked as demo.
    pub fn play(&self, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Played, PlayError> {
        let messages = day(&self.plan);
        let total = messages.len() as u64;
        let sessions = self.plan.sessions as u64;
        let split = messages.partition_point(|message| message.at_ms <= self.plan.now_ms);
        let (past, live) = messages.split_at(split);
        let done = AtomicU64::new(0);
        progress(0, total);
        for slice in past.chunk_by(|a, b| a.at_ms / SLICE_MS == b.at_ms / SLICE_MS) {
            if self.cancel.load(Ordering::Relaxed) {
                break;
            }
            self.post_slice(slice, &done)?;
            progress(done.load(Ordering::Relaxed), total);
        }
        if self.speed > 0.0 {
            self.play_live(live, &done, &|count| progress(count, total))?;
        }
        let canceled = self.cancel.load(Ordering::Relaxed);
        Ok(Played { messages: done.into_inner(), sessions, canceled })
    }

    fn post_slice(&self, slice: &[Message], done: &AtomicU64) -> Result<(), PlayError> {
        let mut lanes: Vec<Vec<&Message>> = vec![Vec::new(); LANES];
        for message in slice {
            lanes[message.session % LANES].push(message);
        }
        thread::scope(|scope| {
            let lanes: Vec<_> = lanes
                .into_iter()
                .filter(|lane| !lane.is_empty())
                .map(|lane| scope.spawn(move || self.post_lane(&lane, done)))
                .collect();
            lanes.into_iter().try_for_each(|lane| lane.join().expect("posting does not panic"))
        })
    }

    fn post_lane(&self, lane: &[&Message], done: &AtomicU64) -> Result<(), PlayError> {
        let mut connection = self.connection();
        // Lines of one file that follow each other go together, as a reader of the file would bring them.
        for run in lane.chunk_by(|a, b| {
            a.session == b.session && a.route == b.route && matches!(a.route, Route::Transcript { .. })
        }) {
            if self.cancel.load(Ordering::Relaxed) {
                return Ok(());
            }
            post(&mut connection, run)?;
            done.fetch_add(run.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    fn play_live(&self, live: &[Message], done: &AtomicU64, progress: &dyn Fn(u64)) -> Result<(), PlayError> {
        let start = Instant::now();
        let mut connection = self.connection();
        for message in live {
            let due = Duration::from_secs_f64((message.at_ms - self.plan.now_ms) as f64 / 1000.0 / self.speed);
            // Short waits, so that a cancel is heard.
            while let Some(left) = due.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
                if self.cancel.load(Ordering::Relaxed) {
                    return Ok(());
                }
                thread::sleep(left.min(Duration::from_millis(200)));
            }
            let said_ms = self.plan.now_ms + start.elapsed().as_millis() as i64;
            let mut message = message.clone();
            retime(&mut message, said_ms);
            post(&mut connection, &[&message])?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(())
    }

    fn connection(&self) -> Connection {
        Connection::new(self.server, Some(self.token.clone()), TIMEOUT)
    }
}

/// Faster than real time the day must not run ahead of the clock.
fn retime(message: &mut Message, said_ms: i64) {
    message.at_ms = said_ms;
    if message.body.get("timestamp").is_some() {
        message.body["timestamp"] = super::random::iso(said_ms);
    }
}

fn post(connection: &mut Connection, run: &[&Message]) -> Result<(), PlayError> {
    let Some(first) = run.first() else { return Ok(()) };
    let (path, headers, body) = match &first.route {
        Route::Hook { agent } => {
            let headers = vec![
                "X-Orrery-Demo: 1".to_owned(),
                format!("X-Orrery-At: {}", first.at_ms),
                format!("X-Orrery-Id: {}", first.id),
            ];
            (format!("/hooks/{agent}"), headers, first.body.to_string())
        }
        Route::Transcript { agent, name } => {
            let lines: String = run.iter().map(|message| format!("{}\n", message.body)).collect();
            let headers = vec!["Content-Type: application/x-ndjson".to_owned()];
            (format!("/api/v1/transcripts/{agent}?name={name}&demo=1"), headers, lines)
        }
    };
    let answer = connection.send("POST", &path, &headers, body.as_bytes())?;
    if answer.status / 100 == 2 {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
    Err(PlayError::Refused { status: answer.status, text })
}
