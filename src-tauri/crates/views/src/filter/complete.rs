//! What may stand where the cursor is.

use orrery_types::{Compare, Field};

use super::fields::{self, FACTS, FLAGS, WORDS};

/// Offers for one place of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The bytes that an offer replaces.
    pub start: usize,
    pub end: usize,
    pub items: Vec<Suggestion>,
    /// The field whose stored values the caller may offer as well, and what of one is typed.
    pub wanted: Option<Wanted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub insert: String,
    pub about: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub field: Field,
    pub typed: String,
}

/// Offers for the term that the cursor, a byte position, is in or behind.
pub fn complete(text: &str, cursor: usize) -> Completion {
    let cursor = text.floor_char_boundary(cursor.min(text.len()));
    let Some(start) = term_start(&text[..cursor]) else {
        return Completion { start: cursor, end: cursor, ..Completion::default() };
    };
    let typed = &text[start..cursor];
    match typed.split_once(':') {
        Some((name, value)) => values(&name.to_ascii_lowercase(), value, cursor),
        None => names(start, cursor, &typed.to_ascii_lowercase()),
    }
}

/// Where the term before the cursor begins. `None` inside quotes.
fn term_start(before: &str) -> Option<usize> {
    let (mut start, mut in_quotes, mut escaped) = (0, false, false);
    for (place, letter) in before.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            letter if !in_quotes && (letter.is_whitespace() || letter == '(') => start = place + letter.len_utf8(),
            '-' if !in_quotes && place == start => start = place + 1,
            _ => {}
        }
    }
    (!in_quotes).then_some(start)
}

fn names(start: usize, end: usize, typed: &str) -> Completion {
    let fields = FACTS.iter().map(|fact| (fact.names, fact.about, sign(fact.field)));
    let words =
        WORDS.iter().map(|(word, about)| (std::slice::from_ref(word), *about, if *word == "at" { ">" } else { ":" }));
    let items = fields
        .chain(words)
        .filter_map(|(names, about, sign)| {
            let name = names.iter().find(|name| name.starts_with(typed))?;
            Some(Suggestion { insert: format!("{name}{sign}"), about })
        })
        .collect();
    Completion { start, end, items, wanted: None }
}

fn sign(field: Field) -> &'static str {
    match field.compare() {
        Compare::Money | Compare::Time | Compare::Count => ">",
        _ => ":",
    }
}

fn values(name: &str, typed: &str, end: usize) -> Completion {
    // In a list the last value is the one in work.
    let typed = typed.rsplit(',').next().unwrap_or_default();
    let mut completion = Completion { start: end - typed.len(), end, ..Completion::default() };
    let known: Vec<&'static str> = match name {
        "is" => FLAGS.iter().map(|(_, names)| names[0]).collect(),
        "has" => FACTS.iter().map(|fact| fact.names[0]).collect(),
        "ok" => vec!["true", "false"],
        "since" | "after" | "before" | "until" => vec!["1h", "24h", "7d", "30d", "today", "yesterday"],
        "on" => vec!["today", "yesterday"],
        _ => match FACTS.iter().find(|fact| fact.names.contains(&name)) {
            Some(fact) => {
                if fact.values.is_empty() && sign(fact.field) == ":" {
                    completion.wanted = Some(Wanted { field: fact.field, typed: typed.to_owned() });
                }
                fact.values.to_vec()
            }
            None => Vec::new(),
        },
    };
    let lower = typed.to_ascii_lowercase();
    completion.items = known
        .into_iter()
        .filter(|value| value.starts_with(&lower))
        .map(|value| Suggestion { insert: value.to_owned(), about: about(name, value) })
        .collect();
    completion
}

fn about(name: &str, value: &str) -> &'static str {
    match name {
        "has" => fields::field_of(value)
            .and_then(|field| FACTS.iter().find(|fact| fact.field == field))
            .map_or("", |fact| fact.about),
        _ => "",
    }
}
