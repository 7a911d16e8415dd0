//! Masks secrets in what is stored: tokens, keys and passwords that agents read and print.
//!
//! Patterns are prefixes and shapes that no ordinary text has; a masked part keeps its prefix, so that a reader sees
//! what kind of secret stood there.

use std::sync::atomic::{AtomicBool, Ordering};

use orrery_types::{Body, Event};
use serde_json::Value;

const MASK: &str = "[redacted]";

/// Prefix of a secret, and how many characters of it must follow to be one.
const PREFIXES: &[(&str, usize)] = &[
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("sk-svcacct-", 16),
    ("github_pat_", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("ghr_", 20),
    ("AKIA", 16),
    ("ASIA", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("AIza", 30),
    ("glpat-", 16),
    ("npm_", 30),
    ("hf_", 30),
    ("pypi-", 40),
    ("eyJ", 40),
];

/// Words before `=` or `:` whose value is a secret.
const NAMES: &[&str] =
    &["password", "passwd", "secret", "api_key", "apikey", "access_token", "auth_token", "private_key"];

/// Bytes at which a secret's mark can start. Nearly all bytes are passed over by this alone.
const STARTS: [bool; 256] = {
    let (starts, mut table, mut at) = (b"sgAxnhpePSaBb-:", [false; 256], 0);
    while at < starts.len() {
        table[starts[at] as usize] = true;
        at += 1;
    }
    table
};

/// Masks secrets, unless the person wants everything as it came.
#[derive(Debug, Default)]
pub struct Redactor {
    off: AtomicBool,
}

impl Redactor {
    /// Switches masking on or off for what comes from now on.
    pub fn set(&self, on: bool) {
        self.off.store(!on, Ordering::Relaxed);
    }

    /// Masks the texts of an event.
    pub fn event(&self, event: &mut Event) {
        if self.off.load(Ordering::Relaxed) {
            return;
        }
        match &mut event.body {
            Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => mask(text),
            Body::ToolStart { target, input, .. } | Body::Permission { target, input, .. } => {
                mask(target);
                mask_value(input);
            }
            Body::ToolEnd { target, output, input, error, .. } => {
                mask(target);
                mask(output);
                mask_value(input);
                if let Some(error) = error {
                    mask(error);
                }
            }
            Body::PermissionDenied { target, reason, .. } => {
                mask(target);
                mask(reason);
            }
            Body::Question { question, .. } => mask(&mut question.text),
            Body::Notification { message, .. } | Body::SubagentStop { message } | Body::Stop { message } => {
                mask(message)
            }
            Body::Failure { details, .. } => mask(details),
            Body::Other { summary } => mask(summary),
            Body::SessionStart { .. }
            | Body::SessionEnd { .. }
            | Body::SubagentStart
            | Body::Interrupt
            | Body::Compact { .. } => {}
        }
    }

    /// Masks a raw payload. Bytes that are no text are kept as they came.
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.off.load(Ordering::Relaxed) {
            return bytes;
        }
        match String::from_utf8(bytes) {
            Ok(text) => masked(&text).map_or_else(|| text.into_bytes(), String::into_bytes),
            Err(error) => error.into_bytes(),
        }
    }
}

fn mask(text: &mut String) {
    if let Some(clean) = masked(text) {
        *text = clean;
    }
}

fn mask_value(value: &mut Value) {
    match value {
        Value::String(text) => mask(text),
        Value::Array(list) => list.iter_mut().for_each(mask_value),
        Value::Object(map) => map.values_mut().for_each(mask_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `text` with its secrets masked. `None` when there is none, which is nearly always.
pub fn masked(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| STARTS[*byte as usize]) {
        at += found;
        match secret_at(bytes, at) {
            Some((from, to)) => {
                out.push_str(&text[copied..from]);
                out.push_str(MASK);
                copied = to;
                at = to;
            }
            None => at += 1,
        }
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// The range to mask when a secret's mark stands at `at`. Ranges start and end beside ASCII characters.
fn secret_at(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = &bytes[at..];
    let fresh = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    match bytes[at] {
        b's' | b'g' | b'A' | b'x' | b'n' | b'h' | b'p' | b'e' | b'P' | b'S' | b'a' | b'B' | b'b' if fresh => {
            prefixed(rest).or_else(|| bearer(rest)).or_else(|| assigned(rest)).map(|(from, to)| (at + from, at + to))
        }
        // Names are often the tail of a longer one: DB_PASSWORD, stripe_secret.
        b'p' | b'P' | b's' | b'S' | b'a' | b'A' => assigned(rest).map(|(from, to)| (at + from, at + to)),
        b'-' => pem(rest).map(|(from, to)| (at + from, at + to)),
        b':' => url_password(rest).map(|(from, to)| (at + from, at + to)),
        _ => None,
    }
}

fn prefixed(rest: &[u8]) -> Option<(usize, usize)> {
    let (prefix, least) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix.as_bytes()))?;
    let length = run(&rest[prefix.len()..], |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let jwt = *prefix == "eyJ";
    let whole = !jwt || rest[..prefix.len() + length].iter().filter(|byte| **byte == b'.').count() >= 2;
    (length >= *least && whole).then_some((prefix.len(), prefix.len() + length))
}

/// `Bearer TOKEN`, as it stands in Authorization headers.
fn bearer(rest: &[u8]) -> Option<(usize, usize)> {
    let word = b"bearer ";
    if rest.len() < word.len() || !rest[..word.len()].eq_ignore_ascii_case(word) {
        return None;
    }
    let length = run(&rest[word.len()..], |byte| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(&byte));
    (length >= 16).then_some((word.len(), word.len() + length))
}

/// `password=...`, `"api_key": "..."`, with the value up to a blank, quote or separator.
fn assigned(rest: &[u8]) -> Option<(usize, usize)> {
    let name = NAMES
        .iter()
        .find(|name| rest.len() > name.len() && rest[..name.len()].eq_ignore_ascii_case(name.as_bytes()))?;
    let mut at = name.len();
    at += run(&rest[at..], |byte| b"\"'\\".contains(&byte));
    at += run(&rest[at..], |byte| byte == b' ');
    if !matches!(rest.get(at), Some(b'=' | b':')) {
        return None;
    }
    at += 1;
    at += run(&rest[at..], |byte| byte == b' ');
    at += run(&rest[at..], |byte| b"\"'\\".contains(&byte));
    let length = run(&rest[at..], |byte| byte.is_ascii_graphic() && !b"\"'\\,;&<>(){}[]$`".contains(&byte));
    // Short values and words of a type ("string", "true") are code, not secrets.
    let value = &rest[at..at + length];
    let secret = length >= 8 && value.iter().any(u8::is_ascii_digit);
    secret.then_some((at, at + length))
}

fn pem(rest: &[u8]) -> Option<(usize, usize)> {
    if !rest.starts_with(b"-----BEGIN ") {
        return None;
    }
    let head = rest.iter().take(64).position(|byte| *byte == b'K')?;
    let title_end = find(&rest[..rest.len().min(96)], b"PRIVATE KEY-----")? + b"PRIVATE KEY-----".len();
    let end = find(&rest[title_end..], b"-----END").map_or(rest.len(), |end| title_end + end);
    (head < title_end && end > title_end).then(|| (title_end, ascii_end(rest, title_end, end)))
}

/// The longest part of `rest[from..to]` that ends at a character's border.
fn ascii_end(rest: &[u8], from: usize, to: usize) -> usize {
    from + run(&rest[from..to], |byte| byte.is_ascii())
}

/// The password in `://user:password@`.
fn url_password(rest: &[u8]) -> Option<(usize, usize)> {
    let start = rest.strip_prefix(b"://")?;
    let user = run(start, |byte| byte.is_ascii_graphic() && !b"/:@\"'\\ ".contains(&byte));
    if start.get(user) != Some(&b':') {
        return None;
    }
    let password = run(&start[user + 1..], |byte| byte.is_ascii_graphic() && !b"/@\"'\\ ".contains(&byte));
    let from = 3 + user + 1;
    (password > 0 && rest.get(from + password) == Some(&b'@')).then_some((from, from + password))
}

fn run(bytes: &[u8], keep: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !keep(*byte)).unwrap_or(bytes.len())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(masked(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        check("key sk-ant-api03-abcdefghijklmnop end", Some("key sk-ant-[redacted] end"));
        check("ghp_abcdefghijklmnopqrstuvwxyz0123456789", Some("ghp_[redacted]"));
        check("AKIAIOSFODNN7EXAMPLE", Some("AKIA[redacted]"));
        check("Authorization: Bearer abcdef0123456789abcdef", Some("Authorization: Bearer [redacted]"));
        check("postgres://app:hunter2@db/x", Some("postgres://app:[redacted]@db/x"));
        check("DB_PASSWORD=correct7horse", Some("DB_PASSWORD=[redacted]"));
        check(r#"{"api_key": "abc123def456"}"#, Some(r#"{"api_key": "[redacted]"}"#));
        check(r#"{\"password\":\"abc123def456\"}"#, Some(r#"{\"password\":\"[redacted]\"}"#));
        check(
            "-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----",
            Some("-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----"),
        );
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "sk-ant- is the prefix",
            "password: string",
            "let password = read_password();",
            "ask-anthropic",
            "https://example.org/a:b@c",
            "http://127.0.0.1:4000/app",
            "-----BEGIN CERTIFICATE-----\nMIIE",
            "äöü ghp_x",
        ] {
            check(text, None);
        }
    }
}
