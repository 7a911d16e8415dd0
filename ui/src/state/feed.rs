//! Everything the stream told us, without a signal in it: frames go in, pages read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use orrery_types::{Alert, Event, Job, LiveFrame, Overview, SessionRow};
use orrery_views::session::{is_active_at, needs_person_at};

/// Events kept for the pages; older ones are read from the server.
pub const EVENTS_KEPT: usize = 20_000;

/// What applying a frame asks its caller to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    /// The server dropped frames: read the newest page again and connect anew.
    Resync,
    /// A notification was clicked: show this session.
    Open(String),
}

/// The stream's state. Sessions are the newest rows we saw, live or fetched.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    /// Arrivals in order, each with its number: a completed event arrives again under a new number.
    arrivals: VecDeque<(u64, Arc<Event>)>,
    arrived: u64,
    newest_seq: i64,
    /// Newest stored event at the last `Hello`.
    server_seq: i64,
    /// Number of the newest frame, and the run of the server that numbered it.
    frame: u64,
    boot: String,
    sessions: BTreeMap<String, Arc<SessionRow>>,
    /// Empty before the first answer: then nothing is known, which is not the same as zero.
    overview: Option<Arc<Overview>>,
    jobs: Vec<Job>,
    alerts: VecDeque<Alert>,
    version: String,
    /// Age of the newest live event when it reached us, ms.
    behind_ms: i64,
    /// Server times of the last live events, for the rate.
    recent_ms: VecDeque<i64>,
}

impl Feed {
    pub fn apply(&mut self, frame: LiveFrame) -> Outcome {
        match frame {
            LiveFrame::Hello { seq, version, overview, jobs, boot, frame, .. } => {
                self.server_seq = seq;
                (self.boot, self.frame) = (boot, frame);
                self.version = version;
                self.jobs = jobs;
                self.set_overview(*overview);
            }
            LiveFrame::Appended { events, sessions, server_ms } => {
                // A completed event comes again long after its first receipt; the demo's times are made up.
                if let Some(event) = events.iter().rev().find(|event| event.seq > self.newest_seq && !event.demo) {
                    self.behind_ms = (server_ms - event.received_ms).max(0);
                }
                self.add_events(events);
                self.add_sessions(sessions);
            }
            LiveFrame::Overview { overview } => self.set_overview(*overview),
            LiveFrame::Job { job } => match self.jobs.iter_mut().find(|known| known.id == job.id) {
                Some(known) => *known = job,
                None => self.jobs.push(job),
            },
            LiveFrame::Alert { alert } => {
                self.alerts.retain(|known| known.key != alert.key);
                self.alerts.push_front(alert);
                self.alerts.truncate(100);
            }
            LiveFrame::Removed { sessions } => self.remove(&sessions),
            LiveFrame::Lagged { newest_seq } => {
                self.server_seq = newest_seq;
                return Outcome::Resync;
            }
            LiveFrame::Open { session_id } => return Outcome::Open(session_id),
        }
        Outcome::Applied
    }

    /// Takes events in the order they were stored.
    pub fn add_events(&mut self, events: Vec<Event>) {
        for event in events {
            if event.seq > self.newest_seq {
                self.newest_seq = event.seq;
                self.recent_ms.push_back(event.received_ms);
            }
            self.arrived += 1;
            self.arrivals.push_back((self.arrived, Arc::new(event)));
        }
        let surplus = self.arrivals.len().saturating_sub(EVENTS_KEPT);
        self.arrivals.drain(..surplus);
        let surplus = self.recent_ms.len().saturating_sub(2_000);
        self.recent_ms.drain(..surplus);
    }

    pub fn add_sessions(&mut self, rows: Vec<SessionRow>) {
        for row in rows {
            self.sessions.insert(row.id.clone(), Arc::new(row));
        }
    }

    /// A numbered frame came.
    pub fn heard(&mut self, frame: u64) {
        self.frame = frame;
    }

    /// Where the stream goes on: the newest event, and the newest frame of the run that numbered it.
    pub fn resume(&self) -> String {
        match self.boot.as_str() {
            "" => format!("after={}", self.newest_seq),
            boot => format!("after={}&frame={}&boot={boot}", self.newest_seq, self.frame),
        }
    }

    /// Forgets the events, so that a fresh page can follow a gap nobody can fill.
    pub fn restart(&mut self) {
        self.arrivals.clear();
        self.newest_seq = 0;
        self.boot.clear();
        // A number nobody got: readers see the hole and start over.
        self.arrived += 1;
    }

    fn set_overview(&mut self, mut overview: Overview) {
        self.add_sessions(std::mem::take(&mut overview.active));
        self.overview = Some(Arc::new(overview));
    }

    fn remove(&mut self, gone: &[String]) {
        self.sessions.retain(|id, _| !gone.contains(id));
        self.arrivals.retain(|(_, event)| !gone.contains(&event.session_id));
        // One number is left out: readers that keep rows of their own see the hole and read all arrivals anew.
        self.arrived += 1;
        let first = self.arrived + 1;
        for (index, (number, _)) in self.arrivals.iter_mut().enumerate() {
            *number = first + index as u64;
        }
        self.arrived += self.arrivals.len() as u64;
    }

    // What pages read

    /// Arrivals after number `seen`, oldest first. The second value says that some between were dropped or removed: start over.
    pub fn arrivals_after(&self, seen: u64) -> (impl Iterator<Item = &Arc<Event>>, bool) {
        let first = self.arrivals.front().map_or(self.arrived + 1, |(number, _)| *number);
        let restart = seen > 0 && first > seen + 1;
        let from = if restart { 0 } else { self.arrivals.partition_point(|(number, _)| *number <= seen) };
        (self.arrivals.range(from..).map(|(_, event)| event), restart)
    }
    /// Number of the newest arrival.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }
    /// The newest version of an event we hold.
    pub fn event(&self, seq: i64) -> Option<Arc<Event>> {
        self.arrivals.iter().rev().find(|(_, event)| event.seq == seq).map(|(_, event)| event.clone())
    }
    pub fn newest_seq(&self) -> i64 {
        self.newest_seq
    }
    /// Stored events that did not reach us yet.
    pub fn missing(&self) -> i64 {
        (self.server_seq - self.newest_seq).max(0)
    }
    pub fn behind_ms(&self) -> i64 {
        self.behind_ms
    }
    pub fn session(&self, id: &str) -> Option<Arc<SessionRow>> {
        self.sessions.get(id).cloned()
    }
    pub fn sessions(&self) -> impl Iterator<Item = &Arc<SessionRow>> {
        self.sessions.values()
    }
    /// Sessions in a turn or waiting for the person, newest activity first.
    pub fn active(&self, now_ms: i64) -> Vec<Arc<SessionRow>> {
        let mut rows: Vec<Arc<SessionRow>> = self
            .sessions
            .values()
            .filter(|row| is_active_at(row, now_ms) || needs_person_at(row, now_ms))
            .cloned()
            .collect();
        rows.sort_by(|a, b| b.last_ms.cmp(&a.last_ms).then_with(|| a.id.cmp(&b.id)));
        rows
    }
    pub fn overview(&self) -> Option<Arc<Overview>> {
        self.overview.clone()
    }
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter()
    }
    /// Version of the server. Empty before its first frame.
    pub fn version(&self) -> &str {
        &self.version
    }
    /// Events per second over the last ten seconds before `now_ms`.
    pub fn rate(&self, now_ms: i64) -> f64 {
        let from = self.recent_ms.partition_point(|at| *at < now_ms - 10_000);
        let counted = self.recent_ms.len() - from;
        // The window holds 2,000: at higher rates it is shorter than ten seconds.
        let span_ms = if from == 0 {
            self.recent_ms.front().map_or(10_000, |first| (now_ms - first).clamp(1_000, 10_000))
        } else {
            10_000
        };
        counted as f64 * 1_000.0 / span_ms as f64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use orrery_types::{Body, Sources};

    use super::*;

    fn event(seq: i64, session: &str) -> Event {
        Event {
            seq,
            id: format!("{seq:032x}"),
            session_id: session.into(),
            agent: "codex".into(),
            name: "prompt".into(),
            at_ms: seq * 100,
            received_ms: seq * 100,
            subagent: None,
            turn_id: None,
            sources: Sources::default(),
            body: Body::Prompt { text: "go".into() },
            demo: false,
        }
    }
    fn appended(events: Vec<Event>) -> LiveFrame {
        LiveFrame::Appended { events, sessions: vec![], server_ms: 0 }
    }
    fn seqs(feed: &Feed, seen: u64) -> (Vec<i64>, bool) {
        let (events, restart) = feed.arrivals_after(seen);
        (events.map(|event| event.seq).collect(), restart)
    }

    #[test]
    fn a_completed_event_arrives_again_and_the_newest_number_stays() {
        let mut feed = Feed::default();
        feed.apply(appended(vec![event(7, "a"), event(8, "a")]));
        assert_eq!(seqs(&feed, 0), (vec![7, 8], false));
        feed.apply(appended(vec![event(7, "a")]));
        assert_eq!(seqs(&feed, 2), (vec![7], false));
        assert_eq!(feed.newest_seq(), 8);
    }

    #[test]
    fn a_reader_that_fell_behind_the_buffer_starts_over() {
        let mut feed = Feed::default();
        feed.add_events((1..=EVENTS_KEPT as i64 + 10).map(|seq| event(seq, "a")).collect());
        let (events, restart) = feed.arrivals_after(5);
        assert_eq!((events.count(), restart), (EVENTS_KEPT, true));
        assert_eq!(seqs(&feed, feed.arrived()), (vec![], false));
    }

    #[test]
    fn removed_sessions_leave_no_row_and_no_event() {
        let mut feed = Feed::default();
        feed.add_events(vec![event(1, "demo"), event(2, "mine")]);
        let seen = feed.arrived();
        feed.apply(LiveFrame::Removed { sessions: vec!["demo".into()] });
        assert_eq!(seqs(&feed, seen), (vec![2], true));
        assert_eq!(feed.event(1), None);
    }

    #[test]
    fn rate_counts_ten_seconds() {
        let mut feed = Feed::default();
        feed.add_events((1..=200).map(|seq| event(seq, "a")).collect());
        assert_eq!(feed.rate(20_000).round() as i64, 10);
        assert_eq!(feed.rate(90_000) as i64, 0);
    }

    #[test]
    fn lag_asks_for_a_fresh_page() {
        let mut feed = Feed::default();
        assert_eq!(feed.apply(LiveFrame::Lagged { newest_seq: 900 }), Outcome::Resync);
        assert_eq!(feed.missing(), 900);
        feed.restart();
        feed.add_events(vec![event(900, "a")]);
        assert_eq!(feed.missing(), 0);
    }
}
