//! Query strings from the typed queries of `orrery-types`.

use serde::Serialize;
use serde_json::Value;

/// `?a=1&b=x` of a flat struct; what is empty, false or null stays away. Empty when nothing is left.
pub fn to_query<Q: Serialize>(query: &Q) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(query) else { return String::new() };
    let pairs: Vec<String> = fields
        .iter()
        .filter_map(|(key, value)| {
            let text = match value {
                Value::Null | Value::Bool(false) => return None,
                Value::String(text) if text.is_empty() => return None,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(format!("{key}={}", percent_encode(&text)))
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// Percent-encodes everything outside RFC 3986's unreserved set.
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The way back. `None` when it is no text.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())) {
            (b'%', Some(digits)) => {
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[2..];
            }
            (b'%', None) => return None,
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use orrery_types::{EventQuery, SessionQuery};

    use super::*;

    #[test]
    fn what_was_encoded_comes_back() {
        let text = "a b/%&=ü\u{1f600}";
        assert_eq!(percent_decode(&percent_encode(text)).as_deref(), Some(text));
        assert_eq!((percent_decode("%4"), percent_decode("%zz"), percent_decode("%ff")), (None, None, None));
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let query =
            EventQuery { session: Some("a b/ü".into()), after: Some(-1), limit: Some(50), ..EventQuery::default() };
        assert_eq!(to_query(&query), "?after=-1&limit=50&session=a%20b%2F%C3%BC");
        assert_eq!(to_query(&EventQuery::default()), "");
        assert_eq!(to_query(&SessionQuery::default()), "?sort=started");
    }
}
