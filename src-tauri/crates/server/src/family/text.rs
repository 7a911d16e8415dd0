//! JSON as JavaScript accepts it: lone surrogate escapes and bytes that are no UTF-8 included.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// Stands for a part of the body that JavaScript can hold and we cannot: too deep, or a number beyond all others.
const BEYOND: &str = "[beyond what can be read here; the payload is kept as it came]";

/// The value, and the text it was read from: the sender's own but for bytes that are no UTF-8.
///
/// Lone surrogates have no place in a Rust text: they become U+FFFD in the value and stay in the text.
pub fn read(bytes: &[u8]) -> Result<(Value, String), serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes).into_owned();
    match serde_json::from_str(&text) {
        Ok(value) => Ok((value, text)),
        Err(error) => {
            let fixed = without_lone_surrogates(&text);
            let plain = fixed.as_deref().unwrap_or(&text);
            let value = match &fixed {
                Some(fixed) => serde_json::from_str(fixed),
                None => Err(error),
            };
            value.or_else(|error| shallow(plain).ok_or(error)).map(|value| (value, text))
        }
    }
}

/// A valid object of which some fields are beyond us: those are replaced. `None` when it is no valid object.
fn shallow(text: &str) -> Option<Value> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::String(BEYOND.to_owned()));
    Some(Value::Object(fields.into_iter().map(|(name, raw)| (name, read(raw))).collect()))
}

/// `text` with each unpaired `\uD8xx` escape replaced. `None` when there is none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match unit(bytes, at) {
            Some(0xd800..0xdc00) if matches!(unit(bytes, at + 6), Some(0xdc00..0xe000)) => at += 12,
            Some(0xd800..0xe000) => {
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            Some(_) => at += 6,
            None => at = (at + 2).min(bytes.len()),
        }
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// The UTF-16 unit of a `\uXXXX` escape at `at`.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6)?;
    let digits = std::str::from_utf8(escape.strip_prefix(b"\\u")?).ok()?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_read_and_kept() {
        let sent = br#"{"a":"x \ud83d y \udc00","b":"\ud83d\ude00","c":"\\ud83d"}"#;
        let (value, text) = read(sent).unwrap();
        assert_eq!(value["a"], "x \u{fffd} y \u{fffd}");
        assert_eq!((value["b"].as_str(), value["c"].as_str()), (Some("\u{1f600}"), Some("\\ud83d")));
        assert_eq!(text.as_bytes(), sent);
        assert_eq!(read(b"{\"a\":\"\xff\"}").unwrap().0["a"], "\u{fffd}");
        assert!(read(b"{\"a\\").is_err());
    }

    #[test]
    fn what_javascript_reads_is_read() {
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(100_000), "]".repeat(100_000));
        let (value, text) = read(deep.as_bytes()).unwrap();
        assert_eq!((value["a"].as_str(), value["b"].as_i64()), (Some(BEYOND), Some(2)));
        assert_eq!(text, deep);
        assert_eq!(read(br#"{"a":{"n":1e99999},"b":"\ud800"}"#).unwrap().0["b"], "\u{fffd}");
        for broken in ["{\"a\":[[[", "{\"a\":1e99999", "[1e99999]", "{\"a\":1e99999}}"] {
            assert!(read(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
