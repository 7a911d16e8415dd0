//! The rules: read from data, each regex compiled when its first key word is met.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Captures, Regex, RegexBuilder};
use serde::Deserialize;

use super::guess;

/// Between a provider's name and its secret: the rest of the name, quotes and one assignment of any language. Raw
/// payloads are JSON, where quotes and line ends carry backslashes.
const REST_OF_NAME: &str = r#"[ \t\w.-]{0,24}?"#;
/// Behind a general name: a second word, but not the tail of a longer one (`token_url`, not `tokenizer`).
const SECOND_WORD: &str = r#"(?:[_.-][\w.-]{0,20}|(?-i:[A-Z])\w{0,20}|\d{1,2})?"#;
const ASSIGNS: &str = r#"["'`\\\])]{0,8}(?:\s|\\+[nrt]){0,3}(?::?\s?(?:string|str)\s{0,2})?(?:,(?:\s|\\+[nrt]){0,8}["'\\]{0,4}value["'\\]{0,4}\s?:|:{0,3}=>?|[?+.|&]{1,2}=|<-|\|\||[:,>])(?:\s|\\+[nrt]|\|){0,8}["'`\\]{0,8}"#;
const END: &str = "(?:[^0-9A-Za-z]|$)";
const END_OF_VALUE: &str = "(?:[^0-9A-Za-z_-]|$)";

/// One kind of secret.
#[derive(Debug)]
pub struct Rule {
    pub id: String,
    pub name: String,
    /// Bits per character the masked part needs at least.
    entropy: f32,
    /// The key may stand in the middle of a word.
    inside: bool,
    guess: bool,
    pattern: String,
    regex: OnceLock<Option<Regex>>,
}

/// All rules, and the words at which one may match.
#[derive(Debug)]
pub struct Rules {
    pub list: Vec<Rule>,
    words: AhoCorasick,
    /// Rules of each word, by the word's number.
    rules_of: Vec<Vec<usize>>,
}

/// A part of a text that a rule wants masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Index in [`Rules::list`].
    pub rule: usize,
    /// Where the match begins: from here to `start` stands what says the kind.
    pub from: usize,
    pub start: usize,
    pub end: usize,
}

impl Found {
    /// The same in another text, where `place` says what stands where.
    pub fn moved(self, place: impl Fn(usize) -> usize) -> Found {
        Found { from: place(self.from), start: place(self.start), end: place(self.end), ..self }
    }
}

#[derive(Deserialize)]
struct File {
    rules: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    name: String,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    near: Vec<String>,
    token: Option<String>,
    value: Option<String>,
    #[serde(default)]
    entropy: f32,
    #[serde(default)]
    inside: bool,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    guess: bool,
}

/// The rules that come with the program.
pub fn builtin() -> &'static Rules {
    static BUILTIN: LazyLock<Rules> = LazyLock::new(|| {
        Rules::read(include_str!("rules.toml")).expect("the rules that come with the program are tested")
    });
    &BUILTIN
}

impl Rules {
    /// Reads rules as they stand in `rules.toml`.
    ///
    /// # Errors
    /// The text is no TOML, or a line of it is no rule; in words.
    pub fn read(text: &str) -> Result<Rules, String> {
        let file: File = toml_edit::de::from_str(text).map_err(|error| error.to_string())?;
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let (mut list, mut rules_of) = (Vec::new(), Vec::<Vec<usize>>::new());
        for line in file.rules {
            let keys = if line.keys.is_empty() { &line.near } else { &line.keys };
            for key in keys {
                let number = *numbers.entry(key.to_ascii_lowercase()).or_insert(rules_of.len());
                if number == rules_of.len() {
                    rules_of.push(Vec::new());
                }
                rules_of[number].push(list.len());
            }
            list.push(Rule::of(line)?);
        }
        let mut words = vec![String::new(); rules_of.len()];
        for (word, number) in numbers {
            words[number] = word;
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .map_err(|error| error.to_string())?;
        Ok(Rules { list, words, rules_of })
    }

    /// Everything that rules want masked, those that `off` names left out. Ranges may overlap.
    pub fn find(&self, text: &[u8], off: &[bool]) -> Vec<Found> {
        let mut found = Vec::new();
        for word in self.words.find_overlapping_iter(text) {
            let at = word.start();
            for number in &self.rules_of[word.pattern().as_usize()] {
                let rule = &self.list[*number];
                if off.get(*number).copied().unwrap_or(false) || !(rule.inside || begins_word(text, at)) {
                    continue;
                }
                if let Some((start, end)) = rule.secret(&text[at..]) {
                    found.push(Found { rule: *number, from: at, start: at + start, end: at + end });
                }
            }
        }
        found
    }
}

impl Rule {
    fn of(line: Line) -> Result<Rule, String> {
        let wrong = |what: &str| Err(format!("rule {}: {what}", line.id));
        let (pattern, inside) = match (&line.token, &line.value) {
            (Some(token), None) if !line.keys.is_empty() => {
                (format!("^(?:{token}){}", if line.open { "" } else { END }), line.inside)
            }
            (None, Some(value)) if !line.near.is_empty() => {
                let words: Vec<String> = line.near.iter().map(|word| regex::escape(word)).collect();
                let rest = if line.guess { SECOND_WORD } else { REST_OF_NAME };
                (format!("^(?i:(?:{}){rest}{ASSIGNS}({value}){END_OF_VALUE})", words.join("|")), true)
            }
            _ => return wrong("it needs `keys` and `token`, or `near` and `value`"),
        };
        Ok(Rule {
            id: line.id,
            name: line.name,
            entropy: line.entropy,
            inside,
            guess: line.guess,
            pattern,
            regex: OnceLock::new(),
        })
    }

    /// The rule's regex. Linear in the text, whatever the text is. Empty when the pattern is none.
    pub fn regex(&self) -> Option<&Regex> {
        let compile = || RegexBuilder::new(&self.pattern).unicode(false).size_limit(16 << 20).build().ok();
        self.regex.get_or_init(compile).as_ref()
    }

    /// The secret's range when one begins at the start of `text`.
    fn secret(&self, text: &[u8]) -> Option<(usize, usize)> {
        let found = self.regex()?.captures(text)?;
        let (start, mut end) = group(&found)?;
        // A backslash belongs to the quote behind it.
        while end > start && text[end - 1] == b'\\' {
            end -= 1;
        }
        // Never the half of a character.
        while end < text.len() && text[end] & 0xC0 == 0x80 {
            end += 1;
        }
        let secret = &text[start..end];
        let dense = self.entropy == 0.0 || guess::entropy(secret) >= self.entropy;
        let likely = if self.guess {
            guess::is_likely(&text[..start], secret, text.get(end).copied())
        } else {
            !self.is_named_only() || guess::has_digit(secret)
        };
        (end > start && dense && likely).then_some((start, end))
    }

    /// The secret has no mark of its own: a word of the same length must not pass for one.
    fn is_named_only(&self) -> bool {
        self.pattern.contains(REST_OF_NAME)
    }
}

/// The first group that took part in the match.
fn group(found: &Captures<'_>) -> Option<(usize, usize)> {
    found.iter().skip(1).flatten().next().map(|group| (group.start(), group.end()))
}

/// Whether no word goes on into `at`. A letter behind a backslash is an escape (`\n`), two digits behind `%` are one too.
fn begins_word(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|at| text[at]) else { return true };
    let escape = b"nrtbf".contains(&before) && at >= 2 && text[at - 2] == b'\\';
    let percent = before.is_ascii_hexdigit() && at >= 3 && text[at - 3] == b'%';
    !before.is_ascii_alphanumeric() || escape || percent
}
