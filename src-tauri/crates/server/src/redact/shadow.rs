//! Texts in which plain characters stand as escapes: `\u002d` for `-`, `\/` for `/`.

/// A text with such escapes undone, and where each of its bytes stood.
pub struct Shadow {
    pub text: Vec<u8>,
    /// Place of each byte in the text as it was, and its end as the last entry.
    places: Vec<usize>,
}

impl Shadow {
    /// `None` when there is nothing to undo, which is nearly always.
    pub fn of(text: &[u8]) -> Option<Shadow> {
        text.windows(2).any(|pair| pair == b"\\/" || pair == b"\\u").then(|| Shadow::undo(text)).flatten()
    }

    fn undo(text: &[u8]) -> Option<Shadow> {
        let mut shadow = Shadow { text: Vec::with_capacity(text.len()), places: Vec::with_capacity(text.len() + 1) };
        let mut at = 0;
        while at < text.len() {
            let slashes = text[at..].iter().take_while(|byte| **byte == b'\\').count();
            let (byte, next) = match (slashes, plain(&text[at + slashes..])) {
                (1.., Some((byte, length))) => (byte, at + slashes + length),
                _ => (text[at], at + 1),
            };
            shadow.text.push(byte);
            shadow.places.push(at);
            at = next;
        }
        shadow.places.push(text.len());
        (shadow.text.len() < text.len()).then_some(shadow)
    }

    /// Where `at` of the shadow stands in the text.
    pub fn place(&self, at: usize) -> usize {
        self.places[at]
    }
}

/// The plain character behind the backslashes, and how long its escape is.
fn plain(rest: &[u8]) -> Option<(u8, usize)> {
    match rest {
        [b'/', ..] => Some((b'/', 1)),
        [b'u', b'0', b'0', high, low, ..] => {
            let digits = [*high, *low];
            let byte = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
            // Quotes and backslashes stay: they are what holds the JSON together.
            let taken = (byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') || b" \n\r\t".contains(&byte);
            taken.then_some((byte, 5))
        }
        _ => None,
    }
}
