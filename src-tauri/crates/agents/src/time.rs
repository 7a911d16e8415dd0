//! Times as agents write them.

use chrono::DateTime;
use serde_json::Value;

/// Years 2000 to 2100 in ms: anything else is no time of an event.
const PLAUSIBLE_MS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// Milliseconds since 1970 UTC from RFC 3339 text, or from seconds or milliseconds as a number.
pub fn parse(value: Option<&Value>) -> Option<i64> {
    let ms = match value? {
        Value::String(text) => DateTime::parse_from_rfc3339(text.trim()).ok()?.timestamp_millis(),
        Value::Number(number) => {
            let number = number.as_f64()?;
            // Until the year 2286 a count of seconds has at most ten digits.
            if number.abs() < 1e11 { (number * 1000.0) as i64 } else { number as i64 }
        }
        _ => return None,
    };
    PLAUSIBLE_MS.contains(&ms).then_some(ms)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_text_seconds_and_milliseconds() {
        assert_eq!(parse(Some(&json!("2026-11-20T09:14:03.000Z"))), Some(1_795_166_043_000));
        assert_eq!(parse(Some(&json!("2026-11-20T10:14:03.000000000+01:00"))), Some(1_795_166_043_000));
        assert_eq!(parse(Some(&json!(1_795_166_043))), Some(1_795_166_043_000));
        assert_eq!(parse(Some(&json!(1_795_166_043_000_i64))), Some(1_795_166_043_000));
        assert_eq!(parse(Some(&json!("[trimmed]"))), None);
        assert_eq!(parse(Some(&json!(0))), None);
    }
}
