//! Who is connected: a bounded number, and when all seats are taken, whoever keeps us waiting longest gives up theirs.
//!
//! A connection waits for its client (no request yet, a body on its way, or nothing asked since the last answer) or works.
//! Clients that open connections and say nothing, or say it a byte at a time, therefore never keep honest ones out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Memory for bodies larger than [`FREE_BYTES`], over all connections, in KB.
const LARGE_KB: usize = 256 * 1024;
/// A body up to this size costs no more than its connection does anyway.
pub const FREE_BYTES: usize = 256 * 1024;
/// A large body waits for memory no longer than this.
const ROOM_TIME: Duration = Duration::from_secs(5);

/// All seats of the server.
#[derive(Debug)]
pub struct Seats {
    most: usize,
    state: Mutex<State>,
    large: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    turn: u64,
    /// Connections that wait for their clients, the longest wait first.
    waiting: BTreeMap<u64, Arc<Notify>>,
}

impl Seats {
    pub fn new(most: usize) -> Arc<Seats> {
        let large = Arc::new(Semaphore::new(LARGE_KB));
        Arc::new(Seats { most, state: Mutex::default(), large })
    }

    /// A seat, if need be that of the connection whose client kept us waiting longest. `None` when all seats work.
    pub fn take(self: &Arc<Seats>) -> Option<Arc<Seat>> {
        let mut state = self.lock();
        if state.taken >= self.most {
            let (_, leave) = state.waiting.pop_first()?;
            leave.notify_one();
        } else {
            state.taken += 1;
        }
        drop(state);
        let place = Mutex::new(Place { turn: None, room: Vec::new() });
        let seat = Arc::new(Seat { seats: self.clone(), place, leave: Arc::default() });
        seat.waits();
        Some(seat)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's seat.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    place: Mutex<Place>,
    leave: Arc<Notify>,
}

#[derive(Debug)]
struct Place {
    /// Where it stands among those that wait. Empty while it works.
    turn: Option<u64>,
    /// Memory its request takes.
    room: Vec<OwnedSemaphorePermit>,
}

impl Seat {
    /// The client's turn: it may be asked to leave.
    pub fn waits(&self) {
        let mut place = self.place();
        place.room.clear();
        let mut state = self.seats.lock();
        if let Some(turn) = place.turn.take() {
            // Still there unless it was asked to leave already.
            if state.waiting.remove(&turn).is_none() {
                return;
            }
        }
        state.turn += 1;
        let turn = state.turn;
        state.waiting.insert(turn, self.leave.clone());
        place.turn = Some(turn);
    }

    /// Our turn: the request is here, whole.
    pub fn works(&self) {
        let mut place = self.place();
        if let Some(turn) = place.turn
            && self.seats.lock().waiting.remove(&turn).is_some()
        {
            place.turn = None;
        }
    }

    /// Memory for `bytes` more of a large body, kept until the answer. False when there is none for now.
    pub async fn room(&self, bytes: usize) -> bool {
        let kilobytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let wait = self.seats.large.clone().acquire_many_owned(kilobytes);
        match tokio::time::timeout(ROOM_TIME, wait).await {
            Ok(Ok(permit)) => {
                self.place().room.push(permit);
                true
            }
            _ => false,
        }
    }

    /// Waits until somebody else needs the seat.
    pub async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let place = self.place.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.seats.state.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up = place.turn.is_some_and(|turn| state.waiting.remove(&turn).is_none());
        if !given_up {
            state.taken -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_asked(seat: &Seat) -> bool {
        tokio::time::timeout(Duration::from_millis(10), seat.asked_to_leave()).await.is_ok()
    }

    #[tokio::test]
    async fn the_longest_wait_gives_up_its_seat() {
        let seats = Seats::new(2);
        let (first, second) = (seats.take().unwrap(), seats.take().unwrap());
        first.works();
        first.waits();
        let third = seats.take().unwrap();
        assert!(is_asked(&second).await && !is_asked(&first).await);
        drop(second);
        third.works();
        first.works();
        assert!(seats.take().is_none(), "all seats work");
        drop((first, third));
        assert!(seats.lock().taken == 0 && seats.lock().waiting.is_empty());
        assert!(seats.take().is_some());
    }

    #[tokio::test]
    async fn large_bodies_share_their_memory() {
        let seats = Seats::new(8);
        let (one, two) = (seats.take().unwrap(), seats.take().unwrap());
        assert!(one.room(LARGE_KB * 1024).await);
        let waits = two.room(1);
        one.waits();
        assert!(waits.await);
    }
}
