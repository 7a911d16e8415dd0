//! Figures and words as a person reads them.
//!
//! Units stand apart from their figure by a plain space (`1.2 M`); a page may draw that space narrow. Exact values belong on hover and in copies.

use chrono::{DateTime, FixedOffset};
use orrery_types::{Status, Verb};

/// `$2.34` of micro-dollars; three places below ten cents (`$0.061`), commas from a thousand on (`$1,284.20`).
pub fn money(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let size = micros.unsigned_abs();
    if size > 0 && size < 500 {
        return format!("{sign}<$0.001");
    }
    if size > 0 && size < 99_500 {
        let mills = (size + 500) / 1_000;
        return format!("{sign}$0.{mills:03}");
    }
    let cents = size.saturating_add(5_000) / 10_000;
    format!("{sign}${}.{:02}", grouped(cents / 100), cents % 100)
}

/// `$60` where the cents are zero, else as [`money`]: for budgets.
pub fn money_short(micros: i64) -> String {
    if micros % 1_000_000 == 0 { money(micros).trim_end_matches(".00").to_owned() } else { money(micros) }
}

/// `$2.340123`: every digit there is, for hovers and copies.
pub fn money_exact(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let size = micros.unsigned_abs();
    format!("{sign}${}.{:06}", grouped(size / 1_000_000), size % 1_000_000)
}

/// `812`, `612 k`, `1.2 M`, `52.4 M`, `1.3 G`.
pub fn tokens(count: u64) -> String {
    let (figure, unit) = tokens_parts(count);
    if unit.is_empty() { figure } else { format!("{figure} {unit}") }
}

/// Figure and unit of [`tokens`] apart, for headline figures. The unit is empty below a thousand.
pub fn tokens_parts(count: u64) -> (String, &'static str) {
    // Limits sit where the smaller unit would round up into the larger one.
    match count {
        0..=999 => (count.to_string(), ""),
        1_000..=999_499 => (scaled(count, 1_000), "k"),
        999_500..=999_499_999 => (scaled(count, 1_000_000), "M"),
        _ => (scaled(count, 1_000_000_000), "G"),
    }
}

/// `1,288`.
pub fn count(value: u64) -> String {
    grouped(value)
}

/// `84 ms`, `7.4 s`, `38 s`, `4 m 12 s`, `9 m 05 s`, `1 h 12 m`, `2 d 4 h`. Negative spans read as `0 s`.
pub fn duration_ms(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        0 => "0 s".to_owned(),
        1..=999 => format!("{ms} ms"),
        1_000..=9_949 => {
            let tenths = (ms + 50) / 100;
            if tenths % 10 == 0 { format!("{} s", tenths / 10) } else { format!("{}.{} s", tenths / 10, tenths % 10) }
        }
        _ => long_span((ms + 500) / 1_000),
    }
}

/// A running span, which changes once a second: `2 s`, `1 m 20 s`, `22 m`, `1 h 12 m`. No seconds from ten minutes on.
pub fn elapsed_ms(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    if (600..3_600).contains(&seconds) { format!("{} m", seconds / 60) } else { long_span(seconds) }
}

fn long_span(seconds: i64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        3_600..=86_399 => format!("{} h {:02} m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// How long ago something of this age was: `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`.
pub fn ago_ms(age_ms: i64) -> String {
    let seconds = age_ms.max(0) / 1_000;
    match seconds {
        0..=4 => "just now".to_owned(),
        5..=59 => format!("{seconds} s ago"),
        60..=3_599 => format!("{} min ago", seconds / 60),
        3_600..=86_399 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// `14:32:06` where clocks stand `offset_minutes` ahead of UTC. Empty for times outside the calendar.
pub fn clock(at_ms: i64, offset_minutes: i32) -> String {
    local(at_ms, offset_minutes, "%H:%M:%S")
}

/// `14:32`.
pub fn clock_minutes(at_ms: i64, offset_minutes: i32) -> String {
    local(at_ms, offset_minutes, "%H:%M")
}

/// `2026-11-22`.
pub fn day(at_ms: i64, offset_minutes: i32) -> String {
    local(at_ms, offset_minutes, "%Y-%m-%d")
}

/// `22 Nov`.
pub fn day_short(at_ms: i64, offset_minutes: i32) -> String {
    local(at_ms, offset_minutes, "%-d %b")
}

/// `2026-11-22 14:32:06.250 +01:00`: the exact moment, for hovers.
pub fn moment(at_ms: i64, offset_minutes: i32) -> String {
    local(at_ms, offset_minutes, "%Y-%m-%d %H:%M:%S%.3f %:z")
}

fn local(at_ms: i64, offset_minutes: i32, pattern: &str) -> String {
    let offset = FixedOffset::east_opt(offset_minutes.saturating_mul(60));
    match (DateTime::from_timestamp_millis(at_ms), offset) {
        (Some(time), Some(offset)) => time.with_timezone(&offset).format(pattern).to_string(),
        _ => String::new(),
    }
}

/// `812 B`, `64 kB`, `1.3 GB`: powers of a thousand.
pub fn bytes(size: u64) -> String {
    match size {
        0..=999 => format!("{size} B"),
        1_000..=999_499 => format!("{} kB", scaled(size, 1_000)),
        999_500..=999_499_999 => format!("{} MB", scaled(size, 1_000_000)),
        999_500_000..=999_499_999_999 => format!("{} GB", scaled(size, 1_000_000_000)),
        _ => format!("{} TB", scaled(size, 1_000_000_000_000)),
    }
}

/// `61 %`; one place below ten (`2.8 %`). `None` when the base is zero: a share of nothing is not a number.
pub fn share(part: u64, whole: u64) -> Option<String> {
    if whole == 0 {
        return None;
    }
    let tenths = u128::from(part) * 1_000 / u128::from(whole);
    Some(if tenths < 100 && tenths % 10 != 0 {
        format!("{}.{} %", tenths / 10, tenths % 10)
    } else {
        format!("{} %", (tenths + 5) / 10)
    })
}

/// `1 tool`, `14 tools`: the plural is the word with an s.
pub fn plural(value: u64, word: &str) -> String {
    if value == 1 { format!("1 {word}") } else { format!("{} {word}s", grouped(value)) }
}

/// The word of [`Verb`] before its target: "Runs cargo test".
pub fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Runs => "Runs",
        Verb::Edits => "Edits",
        Verb::Reads => "Reads",
        Verb::Searches => "Searches",
        Verb::Browses => "Opens",
        Verb::Delegates => "Waits for",
        Verb::Uses => "Uses",
        Verb::Thinks => "Thinks",
        Verb::Asks => "Asks",
        Verb::Compacts => "Compacts",
        Verb::Waits => "Waits",
        Verb::Ended => "Ended",
    }
}

/// The word of a [`Status`].
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Running => "Running",
        Status::NeedsYou => "Needs you",
        Status::Stuck => "Stuck",
        Status::Idle => "Idle",
        Status::Ended => "Ended",
        Status::Failed => "Failed",
        Status::Stopped => "Stopped",
    }
}

/// The name of an agent as its maker writes it; an unknown slug stays as it is.
pub fn agent(slug: &str) -> &str {
    match slug {
        "claude-code" => "Claude Code",
        "codex" => "Codex",
        "gemini-cli" => "Gemini CLI",
        "opencode" => "OpenCode",
        "cursor" => "Cursor",
        "copilot-cli" => "Copilot CLI",
        "" => "Agent",
        other => other,
    }
}

/// One place below a hundred (`52.4`), none above; a zero place is left out.
fn scaled(value: u64, unit: u64) -> String {
    let tenths = (u128::from(value) * 10 + u128::from(unit) / 2) / u128::from(unit);
    if tenths >= 1_000 {
        // From the value, not from the tenths: rounding twice would make 1000 of 999.4.
        ((u128::from(value) + u128::from(unit) / 2) / u128::from(unit)).to_string()
    } else if tenths % 10 == 0 {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_like_a_bill() {
        let said: Vec<String> =
            [0, 120, 61_000, 99_499, 99_500, 2_340_000, 41_867_000, 1_284_200_000, -2_340_000].map(money).into();
        assert_eq!(said, ["$0.00", "<$0.001", "$0.061", "$0.099", "$0.10", "$2.34", "$41.87", "$1,284.20", "-$2.34"]);
        assert_eq!(money_short(60_000_000), "$60");
        assert_eq!(money_short(100_000_000), "$100");
        assert_eq!(money_short(7_500_000), "$7.50");
        assert_eq!(money_exact(2_340_123), "$2.340123");
        assert_eq!(money(i64::MIN), "-$9,223,372,036,854.78");
    }

    #[test]
    fn tokens_never_round_into_the_wrong_unit() {
        let said: Vec<String> =
            [0, 812, 1_000, 1_250, 612_300, 999_499, 999_500, 1_230_000, 52_440_000, 1_310_000_000].map(tokens).into();
        assert_eq!(said, ["0", "812", "1 k", "1.3 k", "612 k", "999 k", "1 M", "1.2 M", "52.4 M", "1.3 G"]);
    }

    #[test]
    fn spans_and_ages() {
        let said: Vec<String> =
            [-5, 0, 84, 2_000, 7_400, 9_960, 38_200, 252_000, 545_000, 4_320_000, 187_200_000].map(duration_ms).into();
        assert_eq!(
            said,
            ["0 s", "0 s", "84 ms", "2 s", "7.4 s", "10 s", "38 s", "4 m 12 s", "9 m 05 s", "1 h 12 m", "2 d 4 h"]
        );
        let said: Vec<String> = [900, 80_000, 1_330_000, 4_320_000].map(elapsed_ms).into();
        assert_eq!(said, ["0 s", "1 m 20 s", "22 m", "1 h 12 m"]);
        let said: Vec<String> = [0, 12_000, 200_000, 7_300_000, 500_000_000].map(ago_ms).into();
        assert_eq!(said, ["just now", "12 s ago", "3 min ago", "2 h ago", "5 d ago"]);
    }

    #[test]
    fn times_are_the_persons_own() {
        let at = 1_795_000_000_250;
        assert_eq!(moment(at, 60), "2026-11-18 12:06:40.250 +01:00");
        assert_eq!((clock(at, 60).as_str(), clock_minutes(at, -210).as_str()), ("12:06:40", "07:36"));
        assert_eq!((day(at, 0).as_str(), day_short(at, 0).as_str()), ("2026-11-18", "18 Nov"));
        assert_eq!(clock(i64::MAX, 0), "");
        assert_eq!(clock(at, i32::MAX), "");
    }

    #[test]
    fn sizes_shares_and_words() {
        assert_eq!(
            (bytes(812).as_str(), bytes(64_000).as_str(), bytes(1_310_000_000).as_str()),
            ("812 B", "64 kB", "1.3 GB")
        );
        assert_eq!((share(18, 640), share(61, 100), share(1, 0)), (Some("2.8 %".into()), Some("61 %".into()), None));
        assert_eq!((plural(1, "tool").as_str(), plural(1_288, "event").as_str()), ("1 tool", "1,288 events"));
        assert_eq!(
            (verb(Verb::Delegates), status(Status::NeedsYou), agent("codex"), agent("my-bot")),
            ("Waits for", "Needs you", "Codex", "my-bot")
        );
    }
}
