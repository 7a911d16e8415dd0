//! Numbers, lengths of time and dates as a person writes them, and back.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use orrery_types::{Compare, Moment};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// A number in the unit of its field.
pub(super) fn number(text: &str, compare: Compare) -> Option<i64> {
    match compare {
        Compare::Money => scaled(text.strip_prefix('$').unwrap_or(text), 1_000_000),
        Compare::Time => length(text).or_else(|| scaled(text, SECOND)),
        _ => count(text),
    }
}

/// What a number of this kind looks like, for messages.
pub(super) fn example(compare: Compare) -> &'static str {
    match compare {
        Compare::Money => "0.5 or $2",
        Compare::Time => "500ms, 30s, 5m or 2h",
        _ => "20, 100k or 2M",
    }
}

pub(super) fn number_text(value: i64, compare: Compare) -> String {
    match compare {
        Compare::Money => {
            let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
            let cents = format!("{sign}{}.{:06}", value / 1_000_000, value % 1_000_000);
            cents.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Compare::Time => length_text(value),
        _ => value.to_string(),
    }
}

/// `90s`, `1h30m`, `250ms`, `2d`, `1w`.
fn length(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|letter: char| letter.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let unit_ms = match unit {
            "ms" => 1,
            "s" | "sec" => SECOND,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => WEEK,
            _ => return None,
        };
        total = total.checked_add(scaled(number, unit_ms)?)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

pub(super) fn length_text(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    let mut rest = ms;
    for (unit, name) in [(WEEK, "w"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (1, "ms")] {
        if rest / unit != 0 {
            let _ = write!(text, "{}{name}", rest / unit);
            rest %= unit;
        }
    }
    text
}

/// `20`, `1.5k`, `2M`, `1_000`.
fn count(text: &str) -> Option<i64> {
    let text = text.replace('_', "");
    let (digits, factor) = match text.char_indices().next_back()? {
        (end, 'k' | 'K') => (&text[..end], 1_000),
        (end, 'm' | 'M') => (&text[..end], 1_000_000),
        (end, 'b' | 'B' | 'g' | 'G') => (&text[..end], 1_000_000_000),
        _ => (text.as_str(), 1),
    };
    scaled(digits, factor)
}

/// A decimal times `factor`, exactly; digits behind the last one that counts are cut.
fn scaled(text: &str, factor: i64) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut value = whole.checked_mul(factor)?;
    let mut place = factor;
    for digit in part.bytes() {
        // Units that are no power of ten (minutes, hours) lose nothing worth a millisecond this way.
        value = value.checked_add(place * i64::from(digit - b'0') / 10)?;
        place /= 10;
    }
    Some(if negative { -value } else { value })
}

/// `2h`, `today`, `2026-11-20`, `2026-11-20T14:30`, with or without `Z` and offset, or milliseconds since 1970.
pub(super) fn moment(text: &str) -> Option<Moment> {
    match text {
        "now" => return Some(Moment::Ago(0)),
        "today" => return Some(Moment::Midnight(0)),
        "yesterday" => return Some(Moment::Midnight(1)),
        _ => {}
    }
    if let Some(ms) = length(text) {
        return Some(Moment::Ago(ms));
    }
    if text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Moment::Utc);
    }
    if let Some(day) = date(text) {
        return Some(Moment::Wall(wall(day.and_time(NaiveTime::MIN))));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Moment::Utc(time.timestamp_millis()));
    }
    let text = text.replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .map(|time| Moment::Wall(wall(time)))
}

/// The day that a moment begins, as the moments of its beginning and end.
pub(super) fn day(text: &str) -> Option<(Moment, Option<Moment>)> {
    match text {
        "today" => Some((Moment::Midnight(0), None)),
        "yesterday" => Some((Moment::Midnight(1), Some(Moment::Midnight(0)))),
        _ => {
            let day = date(text)?;
            let next = day.succ_opt()?;
            let midnight = |day: NaiveDate| Moment::Wall(wall(day.and_time(NaiveTime::MIN)));
            Some((midnight(day), Some(midnight(next))))
        }
    }
}

pub(super) fn moment_text(moment: Moment) -> String {
    match moment {
        Moment::Ago(0) => "now".to_owned(),
        Moment::Ago(ms) => length_text(ms),
        Moment::Midnight(0) => "today".to_owned(),
        Moment::Midnight(1) => "yesterday".to_owned(),
        // Longer ago than a person can write it; the parser makes none.
        Moment::Midnight(days) => length_text(i64::from(days) * DAY),
        Moment::Wall(ms) => civil(ms),
        Moment::Utc(ms) => format!("{}Z", exact(ms)),
    }
}

fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)
}

fn wall(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp_millis()
}

fn civil(ms: i64) -> String {
    let text = exact(ms);
    text.strip_suffix("T00:00:00").map(str::to_owned).unwrap_or(text)
}

fn exact(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default().naive_utc();
    let format = if ms.rem_euclid(SECOND) == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.3f" };
    time.format(format).to_string()
}
