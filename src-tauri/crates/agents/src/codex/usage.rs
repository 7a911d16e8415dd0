//! Token counts of a rollout: three generations of lines, repeats and forks, each response counted once.

use orrery_types::Tokens;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id;
use crate::json::{any, count, filled};

/// Codex's counts as written: `input` includes what was cached, `output` includes reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    input: u64,
    cached: u64,
    written: u64,
    output: u64,
    reasoning: u64,
}

impl Counts {
    fn read(usage: &Value) -> Counts {
        let of = |name: &str| count(usage, name).unwrap_or(0);
        Counts {
            input: of("input_tokens"),
            cached: of("cached_input_tokens"),
            written: of("cache_write_input_tokens"),
            output: of("output_tokens"),
            reasoning: of("reasoning_output_tokens"),
        }
    }

    /// The difference to an earlier running total; a total that dropped began anew.
    fn since(self, earlier: Counts) -> Counts {
        let dropped = self.input < earlier.input || self.output < earlier.output;
        if dropped {
            return self;
        }
        Counts {
            input: self.input - earlier.input,
            cached: self.cached.saturating_sub(earlier.cached),
            written: self.written.saturating_sub(earlier.written),
            output: self.output - earlier.output,
            reasoning: self.reasoning.saturating_sub(earlier.reasoning),
        }
    }

    fn tokens(self) -> Tokens {
        let cached = self.cached.min(self.input);
        let written = self.written.min(self.input - cached);
        Tokens {
            input: self.input - cached - written,
            output: self.output,
            cache_read: cached,
            cache_write: written,
            cache_write_1h: 0,
            reasoning: self.reasoning,
        }
    }

    fn parts(self) -> String {
        format!("{}/{}/{}/{}/{}", self.input, self.cached, self.written, self.output, self.reasoning)
    }
}

/// What was counted so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meter {
    total: Option<Counts>,
    /// The file has `token_usage_record` lines, which say it better than `token_count`.
    records: bool,
}

/// One response: its key and tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub key: String,
    pub tokens: Tokens,
}

impl Meter {
    /// Reads a `token_usage_record`.
    pub fn record(&mut self, payload: &Value) -> Option<Response> {
        let usage = any(payload, &["usage"])?;
        let total = any(payload, &["thread_token_usage"]).map(Counts::read);
        let counted = !self.records && total.is_some() && self.total == total;
        self.records = true;
        self.total = total.or(self.total);
        // A `token_count` before the first record told the same response.
        if counted {
            return None;
        }
        let counts = Counts::read(usage);
        let key = match filled(payload, &["response_id"]) {
            Some(response) => format!("codex:{response}"),
            None => format!("codex:{}", id::hash(&[&total.unwrap_or_default().parts(), &counts.parts()])),
        };
        response(key, counts)
    }

    /// Reads the `info` of a `token_count`. `family` is the thread whose history this file carries on; `place` names the
    /// line where there are no totals.
    pub fn count(&mut self, info: &Value, family: &str, place: &str) -> Option<Response> {
        let total = any(info, &["total_token_usage"]).map(Counts::read);
        let last = any(info, &["last_token_usage"]).map(Counts::read);
        let earlier = self.total;
        self.total = total.or(earlier);
        if self.records || (total.is_some() && total == earlier) {
            return None;
        }
        let counts = last.or_else(|| total.map(|total| total.since(earlier.unwrap_or_default())))?;
        let key = match total {
            // A fork replays its parent's totals: under the parent's name they are the parent's rows again.
            Some(total) => format!("codex:{}", id::hash(&[family, &total.parts(), &counts.parts()])),
            None => format!("codex:{}", id::hash(&[family, place])),
        };
        response(key, counts)
    }
}

/// The counts of one usage object under a key that the caller knows.
pub fn response_of(key: String, usage: &Value) -> Option<Response> {
    response(key, Counts::read(usage))
}

fn response(key: String, counts: Counts) -> Option<Response> {
    let tokens = counts.tokens();
    (tokens.total() > 0).then_some(Response { key, tokens })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn info(total: u64, last: Option<u64>) -> Value {
        let usage = |input: u64| json!({"input_tokens": input, "cached_input_tokens": input / 2, "output_tokens": 1});
        json!({"total_token_usage": usage(total), "last_token_usage": last.map(usage)})
    }

    #[test]
    fn repeats_count_once_and_totals_give_differences() {
        let mut meter = Meter::default();
        assert_eq!(meter.count(&info(100, Some(100)), "f", "1").expect("new").tokens.prompt(), 100);
        assert_eq!(meter.count(&info(100, Some(100)), "f", "2"), None);
        assert_eq!(meter.count(&info(160, None), "f", "3").expect("new").tokens.prompt(), 60);
        assert_eq!(meter.count(&info(40, None), "f", "4").expect("restarted").tokens.prompt(), 40);
        assert_eq!(meter.count(&json!(null), "f", "5"), None);
    }

    #[test]
    fn cached_and_written_are_parts_of_the_input() {
        let usage = json!({"input_tokens": 100, "cached_input_tokens": 60, "cache_write_input_tokens": 10, "output_tokens": 7, "reasoning_output_tokens": 5});
        let tokens = Counts::read(&usage).tokens();
        assert_eq!(
            (tokens.input, tokens.cache_read, tokens.cache_write, tokens.output, tokens.total()),
            (30, 60, 10, 7, 107)
        );
        let odd = json!({"input_tokens": 5, "cached_input_tokens": 60, "cache_write_input_tokens": 10});
        assert_eq!(Counts::read(&odd).tokens().total(), 5);
    }

    #[test]
    fn records_win_over_counts() {
        let record = |id: &str, total: u64| json!({"response_id": id, "usage": {"input_tokens": 10}, "thread_token_usage": {"input_tokens": total}});
        let count = |total: u64| json!({"total_token_usage": {"input_tokens": total}, "last_token_usage": {"input_tokens": 10}});
        let mut first = Meter::default();
        assert_eq!(first.record(&record("r1", 10)).expect("new").key, "codex:r1");
        assert_eq!(first.count(&count(10), "f", "1"), None);
        let mut second = Meter::default();
        assert!(second.count(&count(10), "f", "1").is_some());
        assert_eq!(second.record(&record("r1", 10)), None);
        assert!(second.record(&record("r2", 20)).is_some());
    }

    #[test]
    fn a_fork_meets_its_parent() {
        let parent = Meter::default().count(&info(100, Some(100)), "parent", "1");
        let fork = Meter::default().count(&info(100, Some(100)), "parent", "9");
        assert_eq!(parent, fork);
    }
}
