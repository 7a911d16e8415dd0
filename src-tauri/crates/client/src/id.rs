//! Ids and times minted beside the agent.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 UTC. 0 when the clock stands before that.
#[allow(clippy::disallowed_methods, reason = "the hook stamps what it sends")]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// 64 random bits. The standard library seeds its hashers from the system's generator: one system call a process.
pub fn random() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

/// A uuid v7 in 32 lowercase hex digits: 48 bits of time, then random ones.
pub fn uuid_v7(at_ms: i64) -> String {
    let time = u64::try_from(at_ms).unwrap_or(0) & 0xffff_ffff_ffff;
    let high = (time << 16) | 0x7000 | (random() & 0x0fff);
    let low = 0x8000_0000_0000_0000 | (random() >> 2);
    let mut text = String::with_capacity(32);
    push_hex(&mut text, high);
    push_hex(&mut text, low);
    text
}

/// Appends 16 hex digits. Written out because `format!` weighs tens of kilobytes in the hook.
pub fn push_hex(text: &mut String, value: u64) {
    for nibble in (0..16).rev() {
        let digit = (value >> (nibble * 4)) & 0xf;
        text.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
}

/// Appends `value` in decimal, padded with zeros to `width`.
pub fn push_number(text: &mut String, value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut rest = value;
    let mut at = digits.len();
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let from = at.min(digits.len() - width.clamp(1, 20));
    for digit in &digits[from..] {
        text.push(char::from(*digit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let early = uuid_v7(1_700_000_000_000);
        let late = uuid_v7(1_700_000_000_001);
        assert_eq!(early.len(), 32);
        assert_eq!(&early[12..13], "7");
        assert!("89ab".contains(&early[16..17]));
        assert!(early < late);
        assert_ne!(early, uuid_v7(1_700_000_000_000));
    }

    #[test]
    fn numbers_are_padded() {
        let mut text = String::new();
        push_number(&mut text, 0, 1);
        push_number(&mut text, 42, 5);
        push_number(&mut text, u64::MAX, 3);
        assert_eq!(text, "00004218446744073709551615");
    }
}
