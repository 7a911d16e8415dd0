//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Asks again and again until `question` is true; fails with `what` after `seconds`.
pub fn until(what: &str, seconds: u64, mut question: impl FnMut() -> bool) {
    until_some(what, seconds, || question().then_some(()));
}

/// Asks again and again until there is an answer; fails with `what` after `seconds`.
pub fn until_some<T>(what: &str, seconds: u64, mut question: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {seconds} s in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
