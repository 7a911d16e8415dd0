//! The last frames of a stream, kept once for all clients: as many as fit a number and a size.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::watch;

/// Frames a slow client may be behind before it is told to fetch again.
const FRAMES: usize = 4_096;
/// And their bytes. All clients share them: a stalled one costs its socket's buffers and nothing else.
const BYTES: usize = 8 * 1024 * 1024;
/// After the last client left, frames are kept for so long: one that comes back goes on where it was.
const LINGER: Duration = Duration::from_secs(60);

/// Numbered frames. Numbers grow by one, also over frames that nobody listened to.
#[derive(Debug, Clone)]
pub struct Ring {
    kept: Arc<Mutex<Kept>>,
    /// Number of the next frame.
    next: watch::Sender<u64>,
}

#[derive(Debug)]
struct Kept {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    /// Number of the first frame kept.
    first: u64,
    last_heard: Option<Instant>,
}

impl Default for Ring {
    fn default() -> Self {
        let kept = Kept { frames: VecDeque::new(), bytes: 0, first: 1, last_heard: None };
        Ring { kept: Arc::new(Mutex::new(kept)), next: watch::Sender::new(1) }
    }
}

impl Ring {
    /// Adds the frame that `write` makes of its number. It is not made when nobody listens or may come back.
    pub fn push(&self, write: impl FnOnce(u64) -> Option<String>) {
        if !self.is_heard() {
            self.skip();
            return;
        }
        let mut kept = self.lock();
        let number = kept.next();
        let Some(text) = write(number) else { return };
        kept.bytes += text.len();
        kept.frames.push_back(text.into());
        // The newest stays, however large: whoever keeps up gets it.
        while kept.frames.len() > 1
            && (kept.frames.len() > FRAMES || kept.bytes > BYTES)
            && let Some(gone) = kept.frames.pop_front()
        {
            kept.bytes -= gone.len();
            kept.first += 1;
        }
        drop(kept);
        self.next.send_replace(number + 1);
    }

    /// Whether somebody listens, or did a moment ago.
    pub fn is_heard(&self) -> bool {
        if self.next.receiver_count() > 0 {
            return true;
        }
        self.lock().last_heard.is_some_and(|at| at.elapsed() < LINGER)
    }

    /// Everything from now on.
    pub fn follow(&self) -> Follower {
        let heard = self.next.subscribe();
        let next = self.lock().next();
        Follower { ring: self.clone(), next, heard }
    }

    /// Everything from frame `number` on. `None` when some of that is not kept any more.
    pub fn follow_from(&self, number: u64) -> Option<Follower> {
        let heard = self.next.subscribe();
        let kept = self.lock();
        (kept.first..=kept.next()).contains(&number).then(|| Follower { ring: self.clone(), next: number, heard })
    }

    /// A frame that nobody heard: it has a number and is not kept.
    pub fn skip(&self) {
        let mut kept = self.lock();
        kept.first = kept.next() + 1;
        kept.frames.clear();
        kept.bytes = 0;
        let next = kept.first;
        drop(kept);
        self.next.send_replace(next);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn next(&self) -> u64 {
        self.first + self.frames.len() as u64
    }
}

/// One client's place in the ring.
#[derive(Debug)]
pub struct Follower {
    ring: Ring,
    next: u64,
    heard: watch::Receiver<u64>,
}

/// The client is so far behind that frames it did not get are gone.
#[derive(Debug, PartialEq, Eq)]
pub struct Lagged;

impl Follower {
    /// Number of the frame that comes next.
    pub fn number(&self) -> u64 {
        self.next
    }

    /// The next frame, when there is one. May be dropped and asked again: no frame is lost by it.
    pub async fn next(&mut self) -> Result<Utf8Bytes, Lagged> {
        loop {
            if let Some(frame) = self.ready()? {
                return Ok(frame);
            }
            // The sender lives in the ring that this follower holds.
            let _ = self.heard.changed().await;
        }
    }

    fn ready(&mut self) -> Result<Option<Utf8Bytes>, Lagged> {
        self.heard.mark_unchanged();
        let kept = self.ring.lock();
        let Some(place) = self.next.checked_sub(kept.first) else { return Err(Lagged) };
        let frame = kept.frames.get(place as usize).cloned();
        self.next += u64::from(frame.is_some());
        Ok(frame)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.ring.lock().last_heard = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(ring: &Ring, size: usize) {
        ring.push(|number| Some(format!("{number}{}", " ".repeat(size))));
    }

    async fn numbers(follower: &mut Follower, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(follower.next().await.expect("kept").trim().to_owned());
        }
        all
    }

    #[tokio::test]
    async fn every_follower_gets_every_frame_in_order() {
        let ring = Ring::default();
        push(&ring, 0);
        let (mut one, mut two) = (ring.follow(), ring.follow());
        (0..3).for_each(|_| push(&ring, 0));
        assert_eq!(numbers(&mut one, 3).await, ["2", "3", "4"]);
        assert_eq!(numbers(&mut two, 1).await, ["2"]);
        push(&ring, 0);
        assert_eq!(numbers(&mut two, 3).await, ["3", "4", "5"]);
    }

    #[tokio::test]
    async fn one_that_left_goes_on_where_it_was() {
        let ring = Ring::default();
        let mut one = ring.follow();
        push(&ring, 0);
        assert_eq!(numbers(&mut one, 1).await, ["1"]);
        let next = one.number();
        drop(one);
        push(&ring, 0);
        let mut back = ring.follow_from(next).expect("kept for a while");
        assert_eq!(numbers(&mut back, 1).await, ["2"]);
        assert!(ring.follow_from(99).is_none() && ring.follow_from(0).is_none());
    }

    #[tokio::test]
    async fn nothing_is_made_when_nobody_ever_listened() {
        let ring = Ring::default();
        ring.push(|_| panic!("not asked for"));
        assert!(ring.follow_from(1).is_none());
        assert_eq!(ring.follow().number(), 2);
    }

    #[tokio::test]
    async fn a_stalled_one_is_told_and_costs_no_more_than_the_ring() {
        let ring = Ring::default();
        let (mut stalled, mut quick) = (ring.follow(), ring.follow());
        for _ in 0..40 {
            push(&ring, 1_000_000);
            quick.next().await.expect("keeps up");
        }
        assert_eq!(stalled.next().await, Err(Lagged));
        assert!(ring.lock().bytes <= BYTES);
        for _ in 0..FRAMES + 10 {
            push(&ring, 0);
        }
        assert!(ring.lock().frames.len() <= FRAMES);
        assert_eq!(quick.next().await, Err(Lagged));
    }
}
