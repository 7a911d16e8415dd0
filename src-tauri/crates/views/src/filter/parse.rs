//! Text to a [`Filter`], or to an error that says where and what to write instead.

use orrery_types::{Compare, Field, Filter, FilterError, Moment, Op, Pattern};

use super::{fields, matcher, value};

const MOST_BYTES: usize = 4_096;
const MOST_TERMS: usize = 128;
const MOST_DEPTH: usize = 32;

/// Reads a query. Empty text is [`Filter::All`].
///
/// # Errors
/// What cannot be read: an open quote or parenthesis, an unknown field, a value of the wrong kind, a bad regex.
pub fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.len() > MOST_BYTES {
        return Err(error(0, text.len(), "This query is too long", "Use fewer terms"));
    }
    let mut parser = Parser { text, at: 0, terms: 0 };
    let filter = parser.any(0)?;
    match parser.peek() {
        None => Ok(filter),
        // Only a parenthesis ends a query early.
        Some(_) => Err(error(
            parser.at,
            parser.at + 1,
            "This parenthesis closes nothing",
            "Remove it, or put the text in quotes",
        )),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
}

impl<'a> Parser<'a> {
    /// Parts joined by OR.
    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.all(depth)?];
        loop {
            self.space();
            let start = self.at;
            if !self.take_word("OR") && !self.take_word("|") {
                break;
            }
            let part = self.all(depth)?;
            if part == Filter::All || parts.last() == Some(&Filter::All) {
                return Err(error(start, self.at.max(start + 1), "OR needs a term on both sides", "Write a OR b"));
            }
            parts.push(part);
        }
        Ok(joined(parts, true))
    }

    /// Parts that must all hold.
    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = Vec::new();
        loop {
            self.space();
            if self.peek().is_none_or(|next| next == ')') || self.sees_word("OR") || self.sees_word("|") {
                break;
            }
            if !parts.is_empty() {
                let start = self.at;
                if self.take_word("AND") {
                    self.space();
                    if self.peek().is_none_or(|next| next == ')') {
                        return Err(error(start, self.at, "AND needs a term on both sides", "Write a AND b, or a b"));
                    }
                }
            }
            parts.push(self.one(depth)?);
        }
        Ok(joined(parts, false))
    }

    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        self.terms += 1;
        if self.terms > MOST_TERMS || depth > MOST_DEPTH {
            return Err(error(self.at, self.text.len(), "This query has too many terms", "Use fewer terms"));
        }
        let start = self.at;
        if self.negates() {
            self.at += 1;
            return self.negated(start, depth);
        }
        if self.sees_word("NOT") && self.has_term_after("NOT") {
            self.take_word("NOT");
            self.space();
            return self.negated(start, depth);
        }
        match self.peek() {
            Some('(') => self.group(depth),
            Some('"') => self.quoted().map(|text| if text.is_empty() { Filter::All } else { Filter::Phrase(text) }),
            Some('/') => match self.regex()? {
                Some(pattern) => Ok(Filter::Regex(pattern)),
                None => Ok(Filter::Word(self.word())),
            },
            _ => match self.field()? {
                Some(filter) => Ok(filter),
                None => Ok(Filter::Word(self.word())),
            },
        }
    }

    fn negated(&mut self, start: usize, depth: usize) -> Result<Filter, FilterError> {
        match self.one(depth + 1)? {
            Filter::All => Err(error(start, self.at, "Nothing is left to exclude", "Write a term behind the minus")),
            Filter::Not(part) => Ok(*part),
            part => Ok(Filter::Not(Box::new(part))),
        }
    }

    /// `-word` excludes; `--flag`, `->` and a lone minus are text.
    fn negates(&self) -> bool {
        let mut letters = self.rest().chars();
        letters.next() == Some('-')
            && letters.next().is_some_and(|next| next.is_alphanumeric() || matches!(next, '"' | '(' | '/' | '_'))
    }

    fn group(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let start = self.at;
        self.at += 1;
        let filter = self.any(depth + 1)?;
        if self.peek() != Some(')') {
            return Err(error(start, start + 1, "This parenthesis is not closed", "Add ) where the group ends"));
        }
        self.at += 1;
        Ok(filter)
    }

    /// A quoted text, with `\"` and `\\` for the two signs.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((place, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at = start + place + 1;
                    return Ok(text);
                }
                '\\' => match letters.next() {
                    Some((_, next @ ('"' | '\\'))) => text.push(next),
                    Some((_, next)) => text.extend(['\\', next]),
                    None => text.push('\\'),
                },
                _ => text.push(letter),
            }
        }
        Err(error(start, self.text.len(), "This quote is not closed", "Add \" where the text ends"))
    }

    /// `/source/` or `/source/i` with a space, comma, parenthesis or the end behind it; `None` when it is a path.
    fn regex(&mut self) -> Result<Option<Pattern>, FilterError> {
        let start = self.at;
        let mut source = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        let close = loop {
            match letters.next() {
                None => return Ok(None),
                Some((place, '/')) => break start + place,
                Some((_, '\\')) => match letters.next() {
                    Some((_, '/')) => source.push('/'),
                    Some((_, next)) => source.extend(['\\', next]),
                    None => return Ok(None),
                },
                Some((_, letter)) => source.push(letter),
            }
        };
        let behind = &self.text[close + 1..];
        let ignore_case = behind.starts_with('i');
        let end = close + 1 + usize::from(ignore_case);
        let is_over = self.text[end..].chars().next().is_none_or(|next| next.is_whitespace() || next == ')');
        if source.is_empty() || !is_over {
            return Ok(None);
        }
        let pattern = Pattern { source, ignore_case };
        if let Err(words) = matcher::check(&pattern) {
            return Err(error(start, end, &format!("This regex cannot be read: {words}"), "Put plain text in quotes"));
        }
        self.at = end;
        Ok(Some(pattern))
    }

    /// Text up to a space or a parenthesis that closes something before it.
    fn word(&mut self) -> String {
        let start = self.at;
        let mut open = 0_usize;
        let end = self
            .rest()
            .char_indices()
            .find(|(_, letter)| match letter {
                '(' => {
                    open += 1;
                    false
                }
                ')' if open > 0 => {
                    open -= 1;
                    false
                }
                ')' => true,
                letter => letter.is_whitespace(),
            })
            .map_or(self.text.len(), |(place, _)| start + place);
        self.at = end;
        self.text[start..end].to_owned()
    }

    /// `name:value` or `name>value`; `None` when the text is a word.
    fn field(&mut self) -> Result<Option<Filter>, FilterError> {
        let start = self.at;
        let rest = self.rest();
        let name_end = rest.find(|letter: char| !letter.is_ascii_alphabetic() && letter != '_').unwrap_or(rest.len());
        let name = rest[..name_end].to_ascii_lowercase();
        let (mut op, sign_len) = match operator(&rest[name_end..]) {
            Some(found) if name.len() > 1 => found,
            _ => return Ok(None),
        };
        let is_known = fields::names().any(|known| known == name);
        if !is_known {
            return self.unknown(start, &name, op, &rest[name_end + sign_len..]);
        }
        self.at = start + name_end + sign_len;
        if op.is_none()
            && let Some((Some(later), len)) = operator(self.rest())
        {
            // `cost:>0.5`, as other tools write it.
            op = Some(later);
            self.at += len;
        }
        let at = self.at;
        if self.peek().is_none_or(|next| next.is_whitespace() || next == ')') {
            return Err(error(start, at, &format!("{name} needs a value"), &format!("Write {}", example_of(&name))));
        }
        self.named(start, &name, op).map(Some)
    }

    fn unknown(
        &mut self,
        start: usize,
        name: &str,
        op: Option<Op>,
        behind: &str,
    ) -> Result<Option<Filter>, FilterError> {
        // `std::fs`, `http://` and `a>b` are text.
        if op.is_some()
            || behind.starts_with([':', '/'])
            || behind.is_empty()
            || behind.starts_with(char::is_whitespace)
        {
            return Ok(None);
        }
        let word = self.word();
        let hint = match fields::nearest(name, fields::names()) {
            Some(near) => format!("Did you mean {near}? To search for this text, write \"{word}\""),
            None => format!("To search for this text, write \"{word}\""),
        };
        Err(error(start, start + name.len(), &format!("There is no field {name}"), &hint))
    }

    fn named(&mut self, start: usize, name: &str, op: Option<Op>) -> Result<Filter, FilterError> {
        match name {
            "is" => self.listed(start, op, |parser, text, span| parser.flag(text, span)),
            "has" => self.listed(start, op, |_, text, span| has(text, span)),
            "ok" => self.truth(),
            "since" | "after" => self.time(start, op.or(Some(Op::AtLeast))),
            "before" | "until" => self.time(start, op.or(Some(Op::Less))),
            "at" => self.time(start, op),
            "on" => self.day(),
            _ => {
                let field = fields::field_of(name).expect("every other known name is a field's");
                match field.compare() {
                    Compare::Money | Compare::Time | Compare::Count => self.number(field, op),
                    _ => self.values(start, field, op),
                }
            }
        }
    }

    fn values(&mut self, start: usize, field: Field, op: Option<Op>) -> Result<Filter, FilterError> {
        let at = self.at;
        if op.is_some_and(|op| op != Op::Equal) {
            let name = fields::field_name(field);
            let words = format!("{name} is text and cannot be compared by size");
            return Err(error(start, at, &words, &format!("Write {name}:value")));
        }
        if self.peek() == Some('/')
            && let Some(pattern) = self.regex()?
        {
            return Ok(Filter::Match { field, pattern });
        }
        let mut any: Vec<String> = Vec::new();
        loop {
            let from = self.at;
            let value = self.value(true)?;
            if value.is_empty() {
                return Err(error(
                    from,
                    self.at.max(from + 1),
                    "A value is missing here",
                    "Write a,b or quote a comma",
                ));
            }
            let value = tidy(field, value);
            let known = fields::FACTS.iter().find(|fact| fact.field == field).map_or(&[][..], |fact| fact.values);
            if !known.is_empty() && !value.contains('*') && !known.contains(&value.as_str()) {
                let near = fields::nearest(&value, known.iter().copied());
                let hint =
                    near.map_or_else(|| format!("One of {}", known.join(", ")), |near| format!("Did you mean {near}?"));
                let words = format!("{} is never {value}", fields::field_name(field));
                return Err(error(from, self.at, &words, &hint));
            }
            if !any.contains(&value) {
                any.push(value);
            }
            if self.peek() != Some(',') {
                return Ok(Filter::Value { field, any });
            }
            self.at += 1;
        }
    }

    /// A quoted text, or text up to a space, a parenthesis or, in lists, a comma.
    fn value(&mut self, in_list: bool) -> Result<String, FilterError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let start = self.at;
        let end = self
            .rest()
            .find(|letter: char| letter.is_whitespace() || letter == ')' || (in_list && letter == ','))
            .map_or(self.text.len(), |place| start + place);
        self.at = end;
        Ok(self.text[start..end].to_owned())
    }

    /// One of several words, joined by OR.
    fn listed(
        &mut self,
        start: usize,
        op: Option<Op>,
        read: impl Fn(&Self, &str, (usize, usize)) -> Result<Filter, FilterError>,
    ) -> Result<Filter, FilterError> {
        if op.is_some_and(|op| op != Op::Equal) {
            return Err(error(start, self.at, "This takes a word, not a size", "Write is:error or has:cost"));
        }
        let mut parts = Vec::new();
        loop {
            let from = self.at;
            let text = self.value(true)?.to_ascii_lowercase();
            parts.push(read(self, &text, (from, self.at.max(from + 1)))?);
            if self.peek() != Some(',') {
                return Ok(joined(parts, true));
            }
            self.at += 1;
        }
    }

    fn flag(&self, text: &str, (start, end): (usize, usize)) -> Result<Filter, FilterError> {
        match text {
            "ok" => return Ok(Filter::Ok(true)),
            "today" | "yesterday" => return Parser { text: self.text, at: start, terms: 0 }.day(),
            _ => {}
        }
        fields::flag_of(text).map(Filter::Is).ok_or_else(|| {
            let known = || fields::FLAGS.iter().map(|(_, names)| names[0]);
            let hint = match fields::nearest(text, known()) {
                Some(near) => format!("Did you mean is:{near}?"),
                None => format!("One of {}", known().collect::<Vec<_>>().join(", ")),
            };
            error(start, end, &format!("Nothing is {text}"), &hint)
        })
    }

    fn truth(&mut self) -> Result<Filter, FilterError> {
        let start = self.at;
        match self.value(false)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Filter::Ok(true)),
            "false" | "no" | "0" => Ok(Filter::Ok(false)),
            _ => Err(error(start, self.at, "ok is true or false", "Write ok:false")),
        }
    }

    fn time(&mut self, name_start: usize, op: Option<Op>) -> Result<Filter, FilterError> {
        let start = self.at;
        let text = self.value(false)?;
        let Some(op) = op.filter(|op| *op != Op::Equal) else {
            return Err(error(
                name_start,
                start,
                "at is compared with a time",
                "Write at>2026-11-20T14:00 or on:today",
            ));
        };
        let moment = value::moment(&text).ok_or_else(|| bad_time(start, self.at, &text))?;
        Ok(Filter::Time { op, moment })
    }

    fn day(&mut self) -> Result<Filter, FilterError> {
        let start = self.at;
        let text = self.value(true)?;
        let (from, to) = value::day(&text).ok_or_else(|| bad_time(start, self.at, &text))?;
        let from = Filter::Time { op: Op::AtLeast, moment: from };
        let before = |moment: Moment| Filter::Time { op: Op::Less, moment };
        Ok(joined(std::iter::once(from).chain(to.map(before)).collect(), false))
    }

    fn number(&mut self, field: Field, op: Option<Op>) -> Result<Filter, FilterError> {
        let start = self.at;
        let text = self.value(false)?;
        let compare = field.compare();
        let read = |text: &str| {
            value::number(text, compare).ok_or_else(|| {
                let words = format!("{} is a number, and {text:?} is none", fields::field_name(field));
                error(start, start + text.len().max(1), &words, &format!("Write it as {}", value::example(compare)))
            })
        };
        if op.is_none()
            && let Some((from, to)) = text.split_once("..")
        {
            let bound = |op, text: &str| read(text).map(|value| Filter::Number { field, op, value });
            let bounds = [(Op::AtLeast, from), (Op::AtMost, to)].into_iter().filter(|(_, text)| !text.is_empty());
            let parts = bounds.map(|(op, text)| bound(op, text)).collect::<Result<Vec<_>, _>>()?;
            if parts.is_empty() {
                return Err(error(start, self.at, "This range has no end", "Write 1..5, 1.. or ..5"));
            }
            return Ok(joined(parts, false));
        }
        Ok(Filter::Number { field, op: op.unwrap_or(Op::Equal), value: read(&text)? })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Whether this very word stands here, alone.
    fn sees_word(&self, word: &str) -> bool {
        self.rest().strip_prefix(word).is_some_and(|rest| {
            rest.chars().next().is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | '"'))
        })
    }

    fn has_term_after(&self, word: &str) -> bool {
        let rest = self.rest()[word.len()..].trim_start();
        !rest.is_empty() && !rest.starts_with(')')
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.sees_word(word);
        if found {
            self.at += word.len();
        }
        found
    }
}

/// The sign behind a name and its length. A colon compares in the field's own way.
fn operator(text: &str) -> Option<(Option<Op>, usize)> {
    let signs = [
        (">=", Some(Op::AtLeast)),
        ("<=", Some(Op::AtMost)),
        (">", Some(Op::More)),
        ("<", Some(Op::Less)),
        ("=", Some(Op::Equal)),
        (":", None),
    ];
    signs.into_iter().find(|(sign, _)| text.starts_with(sign)).map(|(sign, op)| (op, sign.len()))
}

/// Puts a value into the form that is stored.
fn tidy(field: Field, value: String) -> String {
    match (field, value.to_ascii_lowercase().as_str()) {
        (Field::Agent, "claude") => "claude-code".to_owned(),
        (Field::Agent, "gemini") => "gemini-cli".to_owned(),
        (Field::Agent, "copilot") => "copilot-cli".to_owned(),
        (Field::Status, "needs" | "needs-you") => "needs_you".to_owned(),
        (Field::Kind | Field::Status | Field::Class | Field::Source, lower) => lower.replace('-', "_"),
        _ => value,
    }
}

fn has(text: &str, (start, end): (usize, usize)) -> Result<Filter, FilterError> {
    fields::field_of(text).map(Filter::Has).ok_or_else(|| {
        let known = || fields::FACTS.iter().map(|fact| fact.names[0]);
        let hint = match fields::nearest(text, known()) {
            Some(near) => format!("Did you mean has:{near}?"),
            None => "Write has:error, has:cost, has:model, ...".to_owned(),
        };
        error(start, end, &format!("There is no field {text}"), &hint)
    })
}

fn example_of(name: &str) -> String {
    match name {
        "is" => "is:error".to_owned(),
        "has" => "has:cost".to_owned(),
        "ok" => "ok:false".to_owned(),
        "on" => "on:today".to_owned(),
        "at" => "at>2026-11-20T14:00".to_owned(),
        "since" | "after" | "before" | "until" => format!("{name}:2h or {name}:2026-11-20"),
        _ => match fields::field_of(name).map(Field::compare) {
            Some(Compare::Money) => format!("{name}>0.5"),
            Some(Compare::Time) => format!("{name}>30s"),
            Some(Compare::Count) => format!("{name}>10"),
            _ => format!("{name}:value"),
        },
    }
}

fn bad_time(start: usize, end: usize, text: &str) -> FilterError {
    let words = format!("{text:?} is no time");
    error(start, end.max(start + 1), &words, "Write 2h, 3d, today, 2026-11-20 or 2026-11-20T14:30")
}

/// One filter of several parts, without a group inside a group of the same kind.
fn joined(parts: Vec<Filter>, any: bool) -> Filter {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Filter::And(inner) if !any => flat.extend(inner),
            Filter::Or(inner) if any => flat.extend(inner),
            Filter::All if !any => {}
            part => flat.push(part),
        }
    }
    match (flat.len(), any) {
        (0, _) => Filter::All,
        (1, _) => flat.remove(0),
        (_, true) => Filter::Or(flat),
        (_, false) => Filter::And(flat),
    }
}

fn error(start: usize, end: usize, message: &str, hint: &str) -> FilterError {
    FilterError { start, end, message: message.to_owned(), hint: hint.to_owned() }
}
