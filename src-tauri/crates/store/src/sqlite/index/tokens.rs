//! The tokens under which a pack is found: its words, every three letters in a row, and what its events are.
//!
//! All of it is folded. A token is an ASCII letter or digit run, or begins with a sign that no word has.

use std::collections::HashSet;
use std::fmt::Write as _;

use orrery_types::{Body, Event};
use orrery_views::filter::{event_text, fold};

/// Words are kept up to so many letters.
pub(super) const WORD_LETTERS: usize = 32;
/// From here on scripts put no spaces between words: two letters in a row are a token as well.
const DENSE: char = '\u{2e80}';

const GRAM: char = '§';
const FACT: char = '¶';

/// Tokens of a pack, each once.
#[derive(Default)]
pub(super) struct Tokens {
    grams: HashSet<u64>,
    words: HashSet<String>,
    facts: HashSet<String>,
}

impl Tokens {
    pub(super) fn add(&mut self, event: &Event) {
        let text = fold(&event_text(event));
        self.grams.extend(grams(&text));
        for word in words(&text) {
            if !self.words.contains(word) {
                self.words.insert(word.to_owned());
            }
        }
        self.facts.extend([
            fact('s', &event.session_id),
            fact('a', &event.agent),
            fact('n', &event.name),
            fact('k', event.body.kind()),
        ]);
        match &event.body {
            Body::ToolStart { tool, class, .. } | Body::Permission { tool, class, .. } => {
                self.facts.extend([fact('t', tool), fact('c', class.word())]);
            }
            Body::ToolEnd { tool, class, ok, .. } => {
                self.facts.extend([fact('t', tool), fact('c', class.word())]);
                if !ok {
                    self.facts.insert(failed());
                }
            }
            Body::PermissionDenied { tool, .. } => {
                self.facts.insert(fact('t', tool));
            }
            Body::Failure { .. } => {
                self.facts.insert(failed());
            }
            _ => {}
        }
    }

    /// What the index is given: tokens with spaces between them.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.grams.len() * 8 + self.words.len() * 10);
        for key in &self.grams {
            push_gram(&mut text, *key);
            text.push(' ');
        }
        for word in self.words.iter().chain(&self.facts) {
            text.push_str(word);
            text.push(' ');
        }
        text
    }
}

/// The token of a value that an event has: `kind` tells what the value is.
pub(super) fn fact(kind: char, value: &str) -> String {
    format!("{FACT}{kind}{:x}", hash(fold(value).chars()))
}

/// The token of packs in which something failed.
pub(super) fn failed() -> String {
    format!("{FACT}f")
}

/// The tokens of all grams of a folded text.
pub(super) fn gram_tokens(text: &str) -> Vec<String> {
    let mut keys: Vec<u64> = grams(text).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| {
            let mut token = String::new();
            push_gram(&mut token, key);
            token
        })
        .collect()
}

/// Runs of letters and digits, cut to their first letters.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(cut)
}

pub(super) fn cut(word: &str) -> &str {
    if word.len() <= WORD_LETTERS {
        return word;
    }
    word.char_indices().nth(WORD_LETTERS).map_or(word, |(end, _)| &word[..end])
}

/// Keys of every three letters in a row, and of two where letters are dense.
fn grams(text: &str) -> impl Iterator<Item = u64> + '_ {
    let mut last: [Option<char>; 2] = [None, None];
    text.chars().flat_map(move |letter| {
        let [first, second] = last;
        last = [second, Some(letter)];
        let three = first.zip(second).map(|(first, second)| key(&[first, second, letter]));
        let two = second.filter(|second| *second >= DENSE && letter >= DENSE).map(|second| key(&[second, letter]));
        three.into_iter().chain(two)
    })
}

/// Three ASCII letters are their own key; anything else a hash of 32 bits behind them.
fn key(letters: &[char]) -> u64 {
    if letters.len() == 3 && letters.iter().all(char::is_ascii) {
        return letters.iter().fold(0, |key, letter| key << 7 | u64::from(*letter as u32));
    }
    (1 << 21) + (hash(letters.iter().copied()) & 0xffff_ffff)
}

fn push_gram(text: &mut String, key: u64) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{GRAM}{key:x}");
}

/// FNV-1a: the index is kept on disk, so the hash may not change.
fn hash(letters: impl Iterator<Item = char>) -> u64 {
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, letter| {
        (hash ^ u64::from(letter as u32)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
