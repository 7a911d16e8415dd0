//! Where ccusage 20.0 counts otherwise, and why the figure here is meant.

/// Input, output, cache writes and cache reads of a day and a model; `None` where there is no row.
pub struct Difference {
    pub day: &'static str,
    pub model: &'static str,
    pub ccusage: Option<[u64; 4]>,
    pub orrery: Option<[u64; 4]>,
    pub because: &'static str,
}

const fn differ(
    day: &'static str,
    model: &'static str,
    ccusage: Option<[u64; 4]>,
    orrery: Option<[u64; 4]>,
    because: &'static str,
) -> Difference {
    Difference { day, model, ccusage, orrery, because }
}

const FAST: &str = "ccusage shows fast mode as a model of its own; here it is the same model at another price";
const NO_TIME: &str = "a line without a time, or with a negative count, is a response all the same";
const SPLIT: &str = "cache writes that the split leaves out were written too";
const NO_REQUEST: &str = "lines of one message without a request id are one response; ccusage counts each time of day";
const RESTART: &str = "a running total that dropped began anew: its first count is usage";
const NO_MODEL: &str = "usage before any model was named is unpriced; ccusage guesses gpt-5";
const SETTINGS: &str = "a model set for the thread in its settings holds from there on";
const PROGRESS: &str = "progress lines repeat a subagent's messages: they are not counted";
const NO_ROLLOUT: &str = "the events of `codex exec --json` are no rollout: the rollout of that run counts";
const TURNS: &str = "the total that a turn's end tells stands where no count of a response does";
const FORK: &str = "all that a fork replays of its parent is the parent's; ccusage counts some of it again";

pub const OWN: &[Difference] = &[
    differ("2025-07-12", "claude-opus-5", None, Some([71, 163, 0, 0]), NO_TIME),
    differ("2026-07-06", "claude-opus-5", Some([4, 40, 10_500, 0]), Some([4, 40, 12_000, 0]), SPLIT),
    differ("2026-07-07", "claude-opus-4-6", None, Some([101, 203, 0, 307]), FAST),
    differ("2026-07-07", "claude-opus-4-6-fast", Some([101, 203, 0, 307]), None, FAST),
    differ("2026-07-07", "claude-opus-4-8", Some([101, 203, 0, 307]), Some([303, 609, 0, 921]), FAST),
    differ("2026-07-07", "claude-opus-4-8-fast", Some([202, 406, 0, 614]), None, FAST),
    differ("2026-07-09", "claude-opus-5", Some([324, 406, 0, 0]), Some([242, 304, 0, 0]), NO_REQUEST),
    differ("2026-08-02", "gpt-5.2-codex", Some([1660, 94, 0, 2090]), Some([1960, 106, 0, 2190]), RESTART),
    differ("2026-08-03", "", None, Some([800, 40, 0, 200]), NO_MODEL),
    differ("2026-08-03", "gpt-5", Some([800, 40, 0, 200]), None, NO_MODEL),
    differ("2026-08-07", "gpt-5.4", Some([544_501, 230, 0, 500]), Some([544_001, 200, 0, 0]), SETTINGS),
    differ("2026-08-07", "gpt-6-astra", None, Some([500, 30, 0, 500]), SETTINGS),
];

pub const SHARED: &[Difference] = &[
    differ("2025-10-30", "", None, Some([2060, 1760, 0, 2400]), TURNS),
    differ("2026-01-01", "claude-opus-4-6", Some([300, 150, 20, 10]), None, NO_REQUEST),
    differ("2026-01-09", "claude-opus-4-20250514", None, Some([200, 75, 50, 20]), FAST),
    differ("2026-01-09", "claude-opus-4-20250514-fast", Some([200, 75, 50, 20]), None, FAST),
    differ(
        "2026-02-10",
        "claude-haiku-4-5-20251001",
        Some([243, 35, 53_723, 553_201]),
        Some([219, 28, 39_438, 457_858]),
        PROGRESS,
    ),
    differ("2026-12-13", "gpt-5", Some([5203, 1894, 2048, 40_960]), None, NO_ROLLOUT),
    differ(
        "2030-01-01",
        "fixture-model",
        Some([1_519_671, 161_888, 0, 36_858_112]),
        Some([1_151_858, 102_678, 0, 23_737_856]),
        FORK,
    ),
];
