//! Which packs can hold what a filter looks for, as an expression of the index.

use orrery_types::{Field, Filter, Flag, Pattern};
use orrery_views::filter::{begins_word, fold};
use regex_syntax::hir::{Class, Hir, HirKind};

use super::tokens::{WORD_LETTERS, cut, fact, failed, gram_tokens};

/// A beginning of a word is looked up from so many bytes on; shorter ones are in most packs anyway.
const LEAST_PREFIX: usize = 3;
/// More grams of one text narrow nothing further.
const MOST_GRAMS: usize = 12;
/// An alternation of more branches is not looked up.
const MOST_BRANCHES: usize = 64;

/// What a pack must have. It may have all of it and still hold no match; without it, it holds none.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Need {
    Nothing,
    Token(String),
    Prefix(String),
    All(Vec<Need>),
    Any(Vec<Need>),
}

/// The expression, or `None` when every pack may hold a match.
pub(in crate::sqlite) fn expression(filter: &Filter) -> Option<String> {
    let need = need(filter);
    (need != Need::Nothing).then(|| written(&need))
}

fn need(filter: &Filter) -> Need {
    match filter {
        Filter::And(parts) => all(parts.iter().map(need)),
        Filter::Or(parts) => any(parts.iter().map(need)),
        Filter::Word(word) => text(&fold(word), begins_word(word)),
        Filter::Phrase(phrase) => text(&fold(phrase), false),
        Filter::Regex(pattern) => of_regex(pattern),
        Filter::Value { field: Field::File | Field::Error, any: values } => {
            any(values.iter().map(|value| text(&fold(value), false)))
        }
        Filter::Value { field, any: values } => match kind_of(*field) {
            Some(kind) if values.iter().all(|value| !value.contains('*')) => {
                any(values.iter().map(|value| Need::Token(fact(kind, value))))
            }
            _ => Need::Nothing,
        },
        Filter::Match { field: Field::File | Field::Error, pattern } => of_regex(pattern),
        Filter::Ok(false) | Filter::Is(Flag::Error) => Need::Token(failed()),
        _ => Need::Nothing,
    }
}

fn kind_of(field: Field) -> Option<char> {
    match field {
        Field::Agent => Some('a'),
        Field::Name => Some('n'),
        Field::Kind => Some('k'),
        Field::Tool => Some('t'),
        Field::Class => Some('c'),
        _ => None,
    }
}

/// A folded text. What stands between two signs of it is a whole word; its last word may go on.
fn text(text: &str, starts_word: bool) -> Need {
    let is_sign = |letter: char| !letter.is_alphanumeric();
    let mut needs = Vec::new();
    let mut place = 0;
    for run in text.split(is_sign) {
        let (from, to) = (place, place + run.len());
        place = to + text[to..].chars().next().map_or(0, char::len_utf8);
        if run.is_empty() || (from == 0 && !starts_word) {
            continue;
        }
        let is_whole = to < text.len();
        let is_long = run.chars().count() > WORD_LETTERS;
        if is_whole || is_long {
            needs.push(Need::Token(cut(run).to_owned()));
        } else if run.len() >= LEAST_PREFIX {
            needs.push(Need::Prefix(run.to_owned()));
        }
    }
    if needs.iter().any(|need| matches!(need, Need::Token(word) | Need::Prefix(word) if word.len() > 3)) {
        return all(needs.into_iter());
    }
    all(needs.into_iter().chain(grams(text)))
}

fn grams(text: &str) -> Vec<Need> {
    let tokens = gram_tokens(text);
    let step = tokens.len().div_ceil(MOST_GRAMS).max(1);
    tokens.into_iter().step_by(step).map(Need::Token).collect()
}

fn of_regex(pattern: &Pattern) -> Need {
    let parsed = regex_syntax::ParserBuilder::new()
        .case_insensitive(pattern.ignore_case)
        .multi_line(true)
        .nest_limit(64)
        .build()
        .parse(&pattern.source);
    parsed.map_or(Need::Nothing, |hir| {
        let mut literals = Literals::default();
        literals.read(&hir);
        literals.end()
    })
}

/// Collects texts that every match contains.
#[derive(Default)]
struct Literals {
    needs: Vec<Need>,
    /// Letters in a row up to here.
    run: String,
}

impl Literals {
    fn read(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.run.push_str(&fold(text)),
                Err(_) => self.cut(),
            },
            HirKind::Class(class) => match only_letter(class) {
                Some(letter) => self.run.push_str(&letter),
                None => self.cut(),
            },
            HirKind::Capture(capture) => self.read(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.read(part)),
            HirKind::Repetition(repetition) => {
                self.cut();
                if repetition.min > 0 {
                    self.read(&repetition.sub);
                    self.cut();
                }
            }
            HirKind::Alternation(branches) => {
                self.cut();
                if branches.len() <= MOST_BRANCHES {
                    self.needs.push(any(branches.iter().map(|branch| {
                        let mut literals = Literals::default();
                        literals.read(branch);
                        literals.end()
                    })));
                }
            }
        }
    }

    fn cut(&mut self) {
        self.needs.extend(grams(&std::mem::take(&mut self.run)));
    }

    fn end(mut self) -> Need {
        self.cut();
        all(self.needs.into_iter())
    }
}

/// The folded letter of a class that differs in case alone.
fn only_letter(class: &Class) -> Option<String> {
    let Class::Unicode(class) = class else { return None };
    let mut letters = class.iter().flat_map(|range| range.start()..=range.end()).take(5);
    let first = fold(&letters.next()?.to_string());
    letters.all(|letter| fold(&letter.to_string()) == first).then_some(first)
}

fn all(parts: impl Iterator<Item = Need>) -> Need {
    let mut needs: Vec<Need> = parts.filter(|need| *need != Need::Nothing).collect();
    match needs.len() {
        0 => Need::Nothing,
        1 => needs.remove(0),
        _ => Need::All(needs),
    }
}

fn any(parts: impl Iterator<Item = Need>) -> Need {
    let mut needs: Vec<Need> = parts.collect();
    if needs.contains(&Need::Nothing) || needs.is_empty() {
        return Need::Nothing;
    }
    if needs.len() == 1 { needs.remove(0) } else { Need::Any(needs) }
}

fn written(need: &Need) -> String {
    let joined = |parts: &[Need], word: &str| {
        let parts: Vec<String> = parts.iter().map(written).collect();
        format!("({})", parts.join(word))
    };
    match need {
        Need::Nothing => String::new(),
        Need::Token(token) => format!("\"{token}\""),
        Need::Prefix(token) => format!("\"{token}\" *"),
        Need::All(parts) => joined(parts, " AND "),
        Need::Any(parts) => joined(parts, " OR "),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use orrery_views::filter::parse;

    use super::*;

    fn check(query: &str, expected: &str) {
        assert_eq!(expression(&parse(query).unwrap()).unwrap_or_default(), expected, "{query}");
    }

    #[test]
    fn words_are_whole_inside_and_open_at_the_end() {
        check("panicked", "\"panicked\" *");
        check("src/main.rs", "(\"src\" AND \"main\")");
        check("\"own failed t\"", "\"failed\"");
        check("-panicked", "");
        check("ab", "");
        check("alpha OR ab", "");
        check("alpha OR beta", "(\"alpha\" * OR \"beta\" *)");
    }

    #[test]
    fn a_regex_needs_the_letters_that_every_match_has() {
        check("/[0-9]+/", "");
        check("/a.c/", "");
        check("/abc/", "\"§187163\"");
        check("/ABC/i", "\"§187163\"");
        check("/(abc)+x*/", "\"§187163\"");
        check("/abc|[xyz]+/", "");
        check("/x?abc|abc$/", "(\"§187163\" OR \"§187163\")");
    }
}
