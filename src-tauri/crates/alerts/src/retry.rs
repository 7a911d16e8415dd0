//! When a delivery that failed is tried again.

/// Attempts before an alert becomes a dead letter at a sink.
pub const MOST_ATTEMPTS: u32 = 8;
const FIRST_MS: i64 = 5_000;
const LONGEST_MS: i64 = 60 * 60_000;

/// How long to wait after `attempts` that failed: twice as long each time from five seconds on, at most an hour, and
/// between half and all of that as `dice` falls, so that many waiting alerts do not come at once. Empty when it is given
/// up.
pub fn wait_ms(attempts: u32, dice: u64) -> Option<i64> {
    if attempts >= MOST_ATTEMPTS {
        return None;
    }
    let full = FIRST_MS.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(LONGEST_MS);
    let spread = u64::try_from(full / 2).unwrap_or(1).max(1);
    Some(full / 2 + i64::try_from(dice % spread).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_spread_and_end() {
        let waits: Vec<i64> = (1..MOST_ATTEMPTS).filter_map(|attempts| wait_ms(attempts, 0)).collect();
        assert_eq!(waits, [2_500, 5_000, 10_000, 20_000, 40_000, 80_000, 160_000]);
        assert_eq!(wait_ms(MOST_ATTEMPTS, 0), None);
        for dice in [1, 7_777, u64::MAX] {
            let wait = wait_ms(3, dice).unwrap_or_default();
            assert!((10_000..20_000).contains(&wait), "{wait}");
        }
    }
}
