//! Text without regard to case: Unicode's simple folding, the same that `(?i)` means in a regex.

/// The letter that stands for all letters that differ only in case.
pub fn fold_char(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    match letter {
        // Lowercase in two letters, or of another letter: alone in their classes.
        '\u{130}' | '\u{131}' => letter,
        // Equal to a neighbor only by the folding table.
        '\u{1fd3}' => '\u{390}',
        '\u{1fe3}' => '\u{3b0}',
        '\u{fb05}' => '\u{fb06}',
        _ => one(one(letter, letter.to_uppercase()), one(letter, letter.to_uppercase()).to_lowercase()),
    }
}

fn one(letter: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(other), None) => other,
        _ => letter,
    }
}

/// [`fold_char`] over a text.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(fold_char).collect()
}
