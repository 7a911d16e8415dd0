//! Random numbers that are the same for the same seed, on every machine.

use serde_json::Value;

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// An independent generator for the part named `name`.
    pub fn part(seed: u64, name: &str) -> Random {
        let mixed = name.bytes().fold(seed ^ 0x9e37_79b9_7f4a_7c15, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut random = Random(mixed);
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// `count` lowercase hex digits.
    pub fn hex(&mut self, count: usize) -> String {
        let mut text = String::new();
        while text.len() < count {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(count);
        text
    }

    /// A uuid whose first group says that it is the demo's.
    pub fn uuid(&mut self) -> String {
        let digits = self.hex(23);
        format!("de30de30-{}-7{}-8{}-{}", &digits[..4], &digits[4..7], &digits[7..10], &digits[10..22])
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = self.next() as usize % list.len().max(1);
        list.get(at)
    }
}

/// `at_ms` as agents write times.
pub fn iso(at_ms: i64) -> Value {
    Value::String(crate::clock::rfc3339(at_ms))
}
