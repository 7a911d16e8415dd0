//! Whether the value of a name like `secret` or `token` looks like one.

/// Bits per byte of Shannon's measure over the bytes of `text`.
pub fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for byte in text {
        counts[*byte as usize] += 1;
    }
    let length = text.len() as f32;
    counts.iter().filter(|count| **count > 0).map(|count| *count as f32 / length).map(|part| -part * part.log2()).sum()
}

pub fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// `before` is the name with its assignment, `after` the byte behind the value.
pub fn is_likely(before: &[u8], value: &[u8], after: Option<u8>) -> bool {
    let quoted = before.last().is_some_and(|byte| b"\"'`".contains(byte));
    let password = starts(before, b"pass") || starts(before, b"pwd");
    if after == Some(b'(') || after == Some(b'[') || is_placeholder(value) || is_path(value) || is_date(value) {
        return false;
    }
    if value.iter().all(|byte| byte.is_ascii_digit() || b".-+eE_".contains(byte)) {
        return quoted && password && has_digit(value);
    }
    if is_name(value) && !(quoted && password && has_digit(value)) {
        return false;
    }
    let kinds = kinds(value);
    let mixed = has_digit(value) || (quoted && kinds >= 3);
    mixed && entropy(value) >= if password { 2.5 } else { 3.0 }
}

fn starts(text: &[u8], word: &[u8]) -> bool {
    text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word)
}

/// How many of lower, upper, digit and sign stand in it.
fn kinds(value: &[u8]) -> usize {
    let tests: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
    tests.iter().filter(|test| value.iter().any(*test)).count()
}

fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let has = |word: &[u8]| lower.windows(word.len()).any(|part| part == word);
    has(b"process.env") || has(b"os.environ") || has(b"xxxx") || has(b"your_") || has(b"your-") || value[0] == b'%'
}

fn is_path(value: &[u8]) -> bool {
    let rooted = value[0] == b'/' || value.starts_with(b"./") || value.starts_with(b"../") || value.starts_with(b"~/");
    rooted && value.iter().filter(|byte| **byte == b'/').count() >= 1
}

/// `2026-11-25...`
fn is_date(value: &[u8]) -> bool {
    value.len() >= 10 && value[4] == b'-' && value[7] == b'-' && value[..4].iter().all(u8::is_ascii_digit)
}

/// Words of code joined by dots or lines, at most with a number at the end: `self.tokens.next_2`.
fn is_name(value: &[u8]) -> bool {
    let trimmed = value.trim_ascii_end();
    let digits = trimmed.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let body = &trimmed[..trimmed.len() - digits];
    let joined = body.iter().any(|byte| b"._-".contains(byte));
    let words = body
        .split(|byte| b"._-".contains(byte))
        .all(|word| word.len() < 20 && word.iter().all(u8::is_ascii_alphabetic));
    joined && words && digits <= 2
}
