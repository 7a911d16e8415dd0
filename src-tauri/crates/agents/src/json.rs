//! Reading JSON that agents wrote, and taking fields from it without ever failing.

use std::borrow::Cow;

use std::collections::BTreeMap;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// How many levels are taken apart to save what stands beside a value that is nested too deep.
const SAVED_LEVELS: u32 = 8;

/// JSON that could be read, perhaps after a repair.
pub struct Read {
    pub value: Value,
    /// What was wrong and was put right: `lone surrogate`, `control character`, `not UTF-8`, `nested too deep`.
    pub repaired: Option<&'static str>,
}

/// Reads one JSON value, with or without a byte order mark and trailing NULs.
///
/// Lone surrogate escapes, raw control characters in strings and bytes that are not UTF-8 are replaced and named in
/// [`Read::repaired`]. A value nested beyond serde_json's 128 levels becomes its own text. Anything else that is wrong is
/// the error.
pub fn read(bytes: &[u8]) -> Result<Read, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = trim(bytes);
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(Read { value, repaired: None }),
        Err(error) => error,
    };
    let text = String::from_utf8_lossy(bytes);
    let lossy = matches!(text, Cow::Owned(_)).then_some("not UTF-8");
    let (fixed, repair) = repair(&text);
    match (repair.or(lossy), serde_json::from_str(&fixed)) {
        (Some(repaired), Ok(value)) => Ok(Read { value, repaired: Some(repaired) }),
        _ => match shallow(&fixed, SAVED_LEVELS) {
            Some(value @ Value::Object(_)) => Ok(Read { value, repaired: Some("nested too deep") }),
            _ => Err(error.to_string()),
        },
    }
}

/// Reads one JSON object without the values of the fields named in `skip`, at any depth: those are passed over, not read.
/// `None` when it is no object, or needs what [`read`] repairs.
pub fn read_without(bytes: &[u8], skip: &'static [&'static str]) -> Option<Value> {
    let bytes = trim(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Without { skip }.deserialize(&mut reader).ok().filter(Value::is_object)?;
    reader.end().ok()?;
    Some(value)
}

/// A value without the fields in `skip`.
#[derive(Clone, Copy)]
struct Without {
    skip: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for Without {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Without {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = serde_json::Map::new();
        while let Some(name) = fields.next_key_seed(Name { skip: self.skip })? {
            match name {
                Some(name) => drop(read.insert(name, fields.next_value_seed(self)?)),
                None => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(read))
    }
}

/// A field's name; `None` when it is to be passed over.
struct Name {
    skip: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field's name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok((!self.skip.contains(&name)).then(|| name.to_owned()))
    }
}

/// Reads field by field what cannot be read as a whole. The raw values are only scanned, which has no limit of depth.
fn shallow(text: &str, levels: u32) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let save = |raw: &RawValue| match levels.checked_sub(1) {
        Some(levels) => shallow(raw.get(), levels).unwrap_or_else(|| Value::String(raw.get().to_owned())),
        None => Value::String(raw.get().to_owned()),
    };
    if text.starts_with('{') {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        return Some(fields.into_iter().map(|(name, raw)| (name, save(raw))).collect());
    }
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(save).collect())
}

fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Replaces what serde_json refuses inside strings: unpaired `\uD8xx` escapes and raw control characters.
fn repair(text: &str) -> (String, Option<&'static str>) {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 16);
    let mut found = None;
    let mut in_string = false;
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if !in_string {
            in_string = byte == b'"';
            at += 1;
        } else if byte == b'"' {
            in_string = false;
            at += 1;
        } else if byte < 0x20 {
            out.push_str(&text[copied..at]);
            out.push_str(&format!("\\u{byte:04x}"));
            found = Some("control character");
            at += 1;
            copied = at;
        } else if byte != b'\\' {
            at += 1;
        } else if let Some(unit) = escaped_unit(bytes, at) {
            let low = escaped_unit(bytes, at + 6).filter(|unit| (0xdc00..0xe000).contains(unit));
            if (0xd800..0xdc00).contains(&unit) && low.is_some() {
                at += 12;
            } else if (0xd800..0xe000).contains(&unit) {
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                found = Some("lone surrogate");
                at += 6;
                copied = at;
            } else {
                at += 6;
            }
        } else {
            at += 2;
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    (out, found)
}

/// The UTF-16 unit of a `\uXXXX` escape at `at`.
fn escaped_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..at + 6)?;
    if !escape.starts_with(b"\\u") || !escape[2..].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = std::str::from_utf8(&escape[2..]).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// The first of `names` that holds a text. Empty text counts as there.
pub fn text<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| value.get(name)?.as_str())
}

/// The first of `names` that holds a text with something in it.
pub fn filled<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| value.get(name)?.as_str().filter(|text| !text.trim().is_empty()))
}

pub fn owned(value: &Value, names: &[&str]) -> Option<String> {
    filled(value, names).map(str::to_owned)
}

/// A whole number that is not negative, also from a float or a text. At most a trillion, so that sums stay sums.
pub fn count(value: &Value, name: &str) -> Option<u64> {
    number(value.get(name)?).map(|number| number.min(1e12) as u64)
}

/// A number of at least zero, also written as a text.
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}

pub fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// The first of `names` that is there and not null.
pub fn any<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| value.get(name).filter(|found| !found.is_null()))
}

/// The first line with something in it, at most `max` characters.
pub fn first_line(text: &str, max: usize) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    one_line(line, max)
}

/// `text` on one line: runs of white space become a space, control characters vanish, at most `max` characters.
pub fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        for letter in word.chars().filter(|letter| !letter.is_control()) {
            if length >= max {
                line.push_str("...");
                return line;
            }
            line.push(letter);
            length += 1;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str, repaired: Option<&str>) {
        let read = read(bytes).expect("readable");
        assert_eq!(read.value["a"].as_str(), Some(expected));
        assert_eq!(read.repaired, repaired);
    }

    #[test]
    fn what_is_not_wanted_is_passed_over() {
        let without = |text: &str| read_without(text.as_bytes(), &["content"]);
        let line = r#"{"a":[1,-2,0.5,"x",null,true],"content":{"deep":[[[]]]},"m":{"content":"\ud800","id":"i"}}"#;
        assert_eq!(without(line), Some(serde_json::json!({"a": [1, -2, 0.5, "x", null, true], "m": {"id": "i"}})));
        assert_eq!(without(" \u{feff}{}"), None);
        assert_eq!(without("\u{feff}{} \r\n\0"), Some(serde_json::json!({})));
        assert_eq!(
            (without("[1]"), without("{\"a\":1} x"), without("{\"a\":\"\\ud800\"}"), without("{")),
            (None, None, None, None)
        );
    }

    #[test]
    fn tolerates_what_agents_write() {
        check(b"\xef\xbb\xbf{\"a\":\"x\"}\r\n", "x", None);
        check(br#"{"a":"x \ud83d y"}"#, "x \u{fffd} y", Some("lone surrogate"));
        check(br#"{"a":"\udc00\ud83d\ude00"}"#, "\u{fffd}\u{1f600}", Some("lone surrogate"));
        check(br#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}\u{1f600}", Some("lone surrogate"));
        check(br#"{"a":"\\ud83d"}"#, "\\ud83d", None);
        check(b"{\"a\":\"n\0l\"}\0\0", "n\0l", Some("control character"));
        check(b"{\"a\":\"\xff\"}", "\u{fffd}", Some("not UTF-8"));
        check(br#"{"a":"first","a":"last"}"#, "last", None);
    }

    #[test]
    fn saves_what_stands_beside_a_deep_value() {
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        check(format!("{{\"a\":\"x\",\"deep\":{deep}}}").as_bytes(), "x", Some("nested too deep"));
        let bomb = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(super::read(bomb.as_bytes()).is_err());
    }

    #[test]
    fn refuses_what_is_no_json() {
        assert!(read(b"").is_err());
        assert!(read(b"{\"a\":").is_err());
        assert!(read("[".repeat(300).as_bytes()).is_err());
    }

    #[test]
    fn one_line_cuts_at_characters() {
        assert_eq!(one_line("a\n b\tcäd", 5), "a b c...");
        assert_eq!(first_line("\n\n  x y\nz", 80), "x y");
    }
}
