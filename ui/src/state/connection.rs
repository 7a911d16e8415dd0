//! How we stand with the server.

/// State of the live stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Connection {
    #[default]
    Connecting,
    Live,
    /// Events are stored that this page has not received yet.
    CatchingUp {
        left: i64,
    },
    /// Values on screen are the last known ones.
    Offline {
        since_ms: i64,
        reason: String,
    },
    /// The server answers and does not know this browser.
    Unauthorized,
}

/// Wait before try number `attempt` (from 0): 0.5 s doubling up to 10 s, milliseconds.
pub fn backoff_ms(attempt: u32) -> u32 {
    500_u32.saturating_mul(1 << attempt.min(5)).min(10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stop_at_ten_seconds() {
        let waits: Vec<u32> = (0..7).map(backoff_ms).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(backoff_ms(u32::MAX), 10_000);
    }
}
