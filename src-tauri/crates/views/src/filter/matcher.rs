//! A filter made ready to look at events and session rows in memory.

use std::cell::OnceCell;

use orrery_types::{
    Body, Compare, Event, Field, Filter, Flag, Moment, Op, Pattern, SessionRow, Snippet, Source, Status,
};
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::{fold, text};
use crate::session::status_at;

/// A compiled regex may take so many bytes.
const REGEX_BYTES: usize = 4 << 20;
/// Letters of a snippet before and behind its first match.
const BEFORE: usize = 60;
const AROUND: usize = 240;

const DAY_MS: i64 = 86_400_000;

/// Now, and how far the person's clock is ahead of UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clock {
    pub now_ms: i64,
    pub utc_offset_minutes: i32,
}

impl Clock {
    /// A moment as ms since 1970 UTC.
    pub fn ms(self, moment: Moment) -> i64 {
        let offset_ms = i64::from(self.utc_offset_minutes) * 60_000;
        match moment {
            Moment::Ago(ms) => self.now_ms.saturating_sub(ms),
            Moment::Midnight(days) => {
                let today = self.now_ms.saturating_add(offset_ms).div_euclid(DAY_MS);
                (today - i64::from(days)) * DAY_MS - offset_ms
            }
            Moment::Wall(ms) => ms.saturating_sub(offset_ms),
            Moment::Utc(ms) => ms,
        }
    }
}

/// A filter with its regexes compiled.
#[derive(Debug, Clone)]
pub struct Matcher {
    root: Node,
    /// Regexes for what the query looks for in texts, to highlight it.
    found: Vec<(Regex, bool)>,
    /// What every match has in its text.
    required: Vec<regex::bytes::Regex>,
    needs_session: bool,
}

/// What a text alone tells of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
    Maybe,
}

#[derive(Debug, Clone)]
enum Node {
    All,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Text(Test),
    Field(Field, Vec<Test>),
    Number(Field, Op, i64),
    Time(Op, Moment),
    Ok(bool),
    Is(Flag),
    Has(Field),
}

/// One test of a text.
#[derive(Debug, Clone)]
enum Test {
    /// Folded; at the beginning of a word.
    Word(String),
    /// Folded.
    Part(String),
    /// Folded, perhaps with `*`.
    Name(String),
    Start(String),
    Regex(Regex, bool),
}

/// What a filter looks at, with its text made when it is first asked for.
struct Subject<'a> {
    event: Option<&'a Event>,
    session: Option<&'a SessionRow>,
    clock: Clock,
    text: OnceCell<String>,
    folded: OnceCell<String>,
}

impl Matcher {
    /// # Panics
    /// Never for a filter of the parser; a regex that does not compile matches nothing.
    pub fn of(filter: &Filter) -> Self {
        let mut found = Vec::new();
        wanted_texts(filter, &mut found);
        let mut required = Vec::new();
        required_texts(filter, &mut required);
        Matcher { root: node(filter), found, required, needs_session: needs_session(filter) }
    }

    /// Whether the session's row can make a difference for an event.
    pub fn needs_session(&self) -> bool {
        self.needs_session
    }

    /// Whether an event with this text can match: a quick look before the rest of the event is read.
    pub fn may_match_text(&self, text: &str) -> bool {
        let folded = OnceCell::new();
        self.root.told(text, &|| folded.get_or_init(|| fold(text)).as_str()) != Told::No
    }

    /// Whether some event among these, as serde_json writes them, can match.
    pub fn may_be_in(&self, json: &[u8]) -> bool {
        self.required.iter().all(|regex| regex.is_match(json))
    }

    /// Whether the event matches. `session` is its row; without it nothing that only the session knows matches.
    pub fn event(&self, event: &Event, session: Option<&SessionRow>, clock: Clock) -> bool {
        let (text, folded) = (OnceCell::new(), OnceCell::new());
        self.root.matches(&Subject { event: Some(event), session, clock, text, folded })
    }

    /// As [`Matcher::event`], for an event whose text is known.
    pub fn event_with_text(&self, event: &Event, text: String, session: Option<&SessionRow>, clock: Clock) -> bool {
        let (text, folded) = (OnceCell::from(text), OnceCell::new());
        self.root.matches(&Subject { event: Some(event), session, clock, text, folded })
    }

    /// Whether the session matches. What only events know (tools, kinds, files) never does.
    pub fn session(&self, row: &SessionRow, clock: Clock) -> bool {
        let (text, folded) = (OnceCell::new(), OnceCell::new());
        self.root.matches(&Subject { event: None, session: Some(row), clock, text, folded })
    }

    /// Whether the query looks for words, quotes or regexes at all.
    pub fn has_text(&self) -> bool {
        !self.found.is_empty()
    }

    /// Where a text has what the query looks for: byte ranges in order, apart from each other.
    pub fn ranges(&self, text: &str) -> Vec<(usize, usize)> {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for (regex, begins_word) in &self.found {
            let of_regex = regex.find_iter(text).map(|found| (found.start(), found.end()));
            ranges.extend(
                of_regex.filter(|(start, end)| start < end && (!begins_word || is_word_start(text, *start))).take(100),
            );
        }
        ranges.sort_unstable();
        let mut apart: Vec<(usize, usize)> = Vec::new();
        for (start, end) in ranges {
            match apart.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => apart.push((start, end)),
            }
        }
        apart
    }

    /// The event's text around the first thing found, or its beginning.
    pub fn snippet(&self, event: &Event) -> Snippet {
        let text = text::event_text(event);
        let found = self.ranges(&text);
        let first = found.first().map_or(0, |range| range.0);
        let line_start = text[..first].rfind('\n').map_or(0, |place| place + 1);
        let start = back(&text, first, BEFORE).max(line_start);
        let end = forth(&text, start, AROUND);
        let cut = text[start..end].trim_end();
        let end = start + cut.len();
        let ranges = found
            .into_iter()
            .map(|(from, to)| (from.max(start), to.min(end)))
            .filter(|(from, to)| from < to)
            .map(|(from, to)| (from - start, to - start))
            .collect();
        Snippet { text: cut.to_owned(), ranges }
    }
}

/// `Err` with the words of what is wrong.
pub(super) fn check(pattern: &Pattern) -> Result<(), String> {
    match regex_syntax::ParserBuilder::new().nest_limit(64).build().parse(&pattern.source) {
        Ok(_) => compile(pattern).map(|_| ()).map_err(|_| "it is too large".to_owned()),
        Err(regex_syntax::Error::Parse(error)) => {
            let span = error.span();
            let place = pattern.source.get(span.start.offset..span.end.offset).unwrap_or_default();
            Err(if place.is_empty() { error.kind().to_string() } else { format!("{} at {place}", error.kind()) })
        }
        Err(regex_syntax::Error::Translate(error)) => Err(error.kind().to_string()),
        Err(_) => Err("it is not valid".to_owned()),
    }
}

/// The regex, and whether it has to see each line alone because it could reach over the end of one.
fn compile(pattern: &Pattern) -> Result<(Regex, bool), regex::Error> {
    let regex = RegexBuilder::new(&pattern.source)
        .case_insensitive(pattern.ignore_case)
        .multi_line(true)
        .size_limit(REGEX_BYTES)
        .nest_limit(64)
        .build()?;
    let hir = regex_syntax::ParserBuilder::new()
        .case_insensitive(pattern.ignore_case)
        .multi_line(true)
        .build()
        .parse(&pattern.source);
    Ok((regex, hir.map_or(true, |hir| reaches_over(&hir))))
}

fn reaches_over(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => class.iter().any(|range| range.start() <= '\n' && '\n' <= range.end()),
        HirKind::Class(Class::Bytes(class)) => class.iter().any(|range| range.start() <= b'\n' && b'\n' <= range.end()),
        HirKind::Look(look) => matches!(look, Look::Start | Look::End),
        HirKind::Repetition(repetition) => reaches_over(&repetition.sub),
        HirKind::Capture(capture) => reaches_over(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(reaches_over),
    }
}

fn node(filter: &Filter) -> Node {
    let nodes = |parts: &[Filter]| parts.iter().map(node).collect();
    match filter {
        Filter::All => Node::All,
        Filter::And(parts) => Node::And(nodes(parts)),
        Filter::Or(parts) => Node::Or(nodes(parts)),
        Filter::Not(part) => Node::Not(Box::new(node(part))),
        Filter::Word(word) => Node::Text(word_test(word)),
        Filter::Phrase(text) => Node::Text(Test::Part(fold(text))),
        Filter::Regex(pattern) => {
            compile(pattern).map_or(never(), |(regex, lines)| Node::Text(Test::Regex(regex, lines)))
        }
        Filter::Value { field, any } => {
            let test = |value: &String| match field.compare() {
                Compare::Part => Test::Part(fold(value)),
                Compare::Start => Test::Start(value.clone()),
                _ => Test::Name(fold(value)),
            };
            Node::Field(*field, any.iter().map(test).collect())
        }
        Filter::Match { field, pattern } => {
            compile(pattern).map_or(never(), |(regex, lines)| Node::Field(*field, vec![Test::Regex(regex, lines)]))
        }
        Filter::Number { field, op, value } => Node::Number(*field, *op, *value),
        Filter::Time { op, moment } => Node::Time(*op, *moment),
        Filter::Ok(ok) => Node::Ok(*ok),
        Filter::Is(flag) => Node::Is(*flag),
        Filter::Has(field) => Node::Has(*field),
    }
}

fn never() -> Node {
    Node::Or(Vec::new())
}

fn word_test(word: &str) -> Test {
    if begins_word(word) { Test::Word(fold(word)) } else { Test::Part(fold(word)) }
}

/// Whether a search word is looked for at the beginning of words only. Scripts that put no spaces between words are not.
pub fn begins_word(word: &str) -> bool {
    word.chars().next().is_some_and(|first| first.is_alphanumeric() && first < '\u{2e80}')
}

fn is_word_start(text: &str, place: usize) -> bool {
    text[..place].chars().next_back().is_none_or(|before| !before.is_alphanumeric())
}

fn has_word(text: &str, word: &str) -> bool {
    let mut from = 0;
    while let Some(place) = text[from..].find(word) {
        if is_word_start(text, from + place) {
            return true;
        }
        from += place + text[from + place..].chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// What the query wants to be there, apart from what it excludes.
fn wanted_texts(filter: &Filter, found: &mut Vec<(Regex, bool)>) {
    let plain = |text: &str| RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build().ok();
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| wanted_texts(part, found)),
        Filter::Word(word) => found.extend(plain(word).map(|regex| (regex, begins_word(word)))),
        Filter::Phrase(text) => found.extend(plain(text).map(|regex| (regex, false))),
        Filter::Regex(pattern) => found.extend(compile(pattern).ok().map(|(regex, _)| (regex, false))),
        _ => {}
    }
}

impl Test {
    /// `folded` is made only for tests that need it.
    fn finds<'t>(&self, text: &str, folded: impl Fn() -> &'t str) -> bool {
        match self {
            Test::Word(word) => has_word(folded(), word),
            Test::Part(part) => folded().contains(part.as_str()),
            Test::Name(name) => text::name_matches(name, text),
            Test::Start(start) => text.starts_with(start.as_str()),
            Test::Regex(..) if text.is_empty() => false,
            Test::Regex(regex, false) => regex.is_match(text),
            Test::Regex(regex, true) => text.lines().any(|line| regex.is_match(line)),
        }
    }

    fn finds_in(&self, text: &str) -> bool {
        let folded = OnceCell::new();
        self.finds(text, || folded.get_or_init(|| fold(text)))
    }
}

/// Texts that a JSON string holds as they are.
fn required_texts(filter: &Filter, required: &mut Vec<regex::bytes::Regex>) {
    match filter {
        Filter::And(parts) => parts.iter().for_each(|part| required_texts(part, required)),
        Filter::Word(text) | Filter::Phrase(text)
            if !text.chars().any(|letter| letter.is_control() || matches!(letter, '"' | '\\')) =>
        {
            let regex = regex::bytes::RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build();
            required.extend(regex.ok());
        }
        _ => {}
    }
}

fn needs_session(filter: &Filter) -> bool {
    let of_session = |field: &Field| {
        matches!(
            field,
            Field::Project
                | Field::Model
                | Field::Branch
                | Field::Cwd
                | Field::Title
                | Field::Status
                | Field::Cost
                | Field::Tokens
                | Field::Turns
                | Field::Tools
                | Field::Errors
        )
    };
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(needs_session),
        Filter::Not(part) => needs_session(part),
        Filter::Value { field, .. }
        | Filter::Match { field, .. }
        | Filter::Number { field, .. }
        | Filter::Has(field) => of_session(field),
        Filter::Is(flag) => !matches!(flag, Flag::Error | Flag::Subagent | Flag::Demo),
        _ => false,
    }
}

impl Node {
    fn told<'t>(&self, text: &str, folded: &impl Fn() -> &'t str) -> Told {
        let sure = |yes: bool| if yes { Told::Yes } else { Told::No };
        match self {
            Node::All => Told::Yes,
            Node::Text(test) => sure(test.finds(text, folded)),
            Node::Not(part) => match part.told(text, folded) {
                Told::Yes => Told::No,
                Told::No => Told::Yes,
                Told::Maybe => Told::Maybe,
            },
            Node::And(parts) => {
                parts.iter().map(|part| part.told(text, folded)).fold(Told::Yes, |all, one| match (all, one) {
                    (Told::No, _) | (_, Told::No) => Told::No,
                    (Told::Yes, Told::Yes) => Told::Yes,
                    _ => Told::Maybe,
                })
            }
            Node::Or(parts) => {
                parts.iter().map(|part| part.told(text, folded)).fold(Told::No, |any, one| match (any, one) {
                    (Told::Yes, _) | (_, Told::Yes) => Told::Yes,
                    (Told::No, Told::No) => Told::No,
                    _ => Told::Maybe,
                })
            }
            _ => Told::Maybe,
        }
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Node::All => true,
            Node::And(parts) => parts.iter().all(|part| part.matches(subject)),
            Node::Or(parts) => parts.iter().any(|part| part.matches(subject)),
            Node::Not(part) => !part.matches(subject),
            Node::Text(test) => test.finds(subject.text(), || subject.folded()),
            Node::Field(field, tests) => {
                subject.values(*field).iter().any(|value| tests.iter().any(|test| test.finds_in(value)))
            }
            Node::Number(field, op, value) => subject.number(*field).is_some_and(|number| op.holds(number, *value)),
            Node::Time(op, moment) => subject.time(*op, subject.clock.ms(*moment)),
            Node::Ok(ok) => subject.ok() == Some(*ok),
            Node::Is(flag) => subject.is(*flag),
            Node::Has(field) => match field.compare() {
                Compare::Money | Compare::Time | Compare::Count => {
                    subject.number(*field).is_some_and(|number| number != 0 || *field == Field::Exit)
                }
                _ => subject.values(*field).iter().any(|value| !value.is_empty()),
            },
        }
    }
}

impl<'a> Subject<'a> {
    fn text(&self) -> &str {
        self.text.get_or_init(|| match (self.event, self.session) {
            (Some(event), _) => text::event_text(event),
            (None, Some(row)) => text::session_text(row),
            (None, None) => String::new(),
        })
    }

    fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold(self.text()))
    }

    /// The field's values as text. Empty when nothing is known.
    fn values(&self, field: Field) -> Vec<&'a str> {
        let of_session = |get: fn(&SessionRow) -> Option<&str>| self.session.and_then(get).into_iter().collect();
        match field {
            Field::Session => vec![
                self.event
                    .map_or_else(|| self.session.map_or("", |row| row.id.as_str()), |event| event.session_id.as_str()),
            ],
            Field::Agent => vec![
                self.event
                    .map_or_else(|| self.session.map_or("", |row| row.agent.as_str()), |event| event.agent.as_str()),
            ],
            Field::Project => of_session(|row| Some(&row.project)),
            Field::Branch => of_session(|row| row.branch.as_deref()),
            Field::Cwd => of_session(|row| row.cwd.as_deref()),
            Field::Title => of_session(|row| Some(&row.title)),
            Field::Status => self.session.map(|row| status_at(row, self.clock.now_ms).word()).into_iter().collect(),
            Field::Model => match self.event.and_then(event_model) {
                Some(model) => vec![model],
                None => of_session(|row| row.model.as_deref()),
            },
            _ => self.event.map_or_else(Vec::new, |event| event_values(event, field)),
        }
    }

    fn number(&self, field: Field) -> Option<i64> {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let row = self.session;
        match (field, self.event) {
            (Field::Duration, Some(event)) => match &event.body {
                Body::ToolEnd { duration_ms, .. } => *duration_ms,
                _ => None,
            },
            (Field::Duration, None) => row.map(|row| row.ended_ms.unwrap_or(row.last_ms) - row.started_ms),
            (Field::Lines, Some(event)) => match &event.body {
                Body::ToolEnd { lines_added: None, lines_removed: None, .. } => None,
                Body::ToolEnd { lines_added, lines_removed, .. } => {
                    Some(i64::from(lines_added.unwrap_or(0)) + i64::from(lines_removed.unwrap_or(0)))
                }
                _ => None,
            },
            (Field::Lines, None) => row.map(|row| i64::from(row.lines_added) + i64::from(row.lines_removed)),
            (Field::Exit, Some(event)) => match &event.body {
                Body::ToolEnd { exit_code, .. } => exit_code.map(i64::from),
                _ => None,
            },
            (Field::Cost, _) => row.map(|row| row.cost_usd_micros),
            (Field::Tokens, _) => row.map(|row| count(row.tokens.total())),
            (Field::Turns, _) => row.map(|row| i64::from(row.turns)),
            (Field::Tools, _) => row.map(|row| i64::from(row.tools)),
            (Field::Errors, _) => row.map(|row| i64::from(row.errors)),
            _ => None,
        }
    }

    /// Of a session: whether some moment between its first and last event compares so.
    fn time(&self, op: Op, ms: i64) -> bool {
        match (self.event, self.session) {
            (Some(event), _) => op.holds(event.at_ms, ms),
            (None, Some(row)) => match op {
                Op::Less | Op::AtMost => op.holds(row.started_ms, ms),
                Op::More | Op::AtLeast => op.holds(row.last_ms, ms),
                Op::Equal => (row.started_ms..=row.last_ms).contains(&ms),
            },
            (None, None) => false,
        }
    }

    fn ok(&self) -> Option<bool> {
        match (self.event.map(|event| &event.body), self.session) {
            (Some(Body::ToolEnd { ok, .. }), _) => Some(*ok),
            (Some(Body::Failure { .. }), _) => Some(false),
            (Some(_), _) => None,
            (None, row) => row.map(|row| row.errors == 0),
        }
    }

    fn is(&self, flag: Flag) -> bool {
        let status = || self.session.map(|row| status_at(row, self.clock.now_ms));
        match flag {
            Flag::Error => self.ok() == Some(false),
            Flag::Active => matches!(status(), Some(Status::Running | Status::NeedsYou | Status::Stuck)),
            Flag::Running => status() == Some(Status::Running),
            Flag::Needs => status() == Some(Status::NeedsYou),
            Flag::Stuck => status() == Some(Status::Stuck),
            Flag::Idle => status() == Some(Status::Idle),
            Flag::Ended => status() == Some(Status::Ended),
            Flag::Failed => status() == Some(Status::Failed),
            Flag::Stopped => status() == Some(Status::Stopped),
            Flag::Subagent => match self.event {
                Some(event) => event.subagent.is_some(),
                None => self.session.is_some_and(|row| row.parent.is_some()),
            },
            Flag::Demo => match self.event {
                Some(event) => event.demo,
                None => self.session.is_some_and(|row| row.demo),
            },
        }
    }
}

fn event_model(event: &Event) -> Option<&str> {
    match &event.body {
        Body::SessionStart { model, .. } | Body::Message { model, .. } => model.as_deref(),
        _ => None,
    }
}

/// Values of fields that only events have.
fn event_values(event: &Event, field: Field) -> Vec<&str> {
    match field {
        Field::Tool => event.body.tool().into_iter().collect(),
        Field::Class => match &event.body {
            Body::ToolStart { class, .. } | Body::ToolEnd { class, .. } | Body::Permission { class, .. } => {
                vec![class.word()]
            }
            _ => Vec::new(),
        },
        Field::Name => vec![event.name.as_str()],
        Field::Kind => vec![event.body.kind()],
        Field::File => text::files(event),
        Field::Error => match &event.body {
            Body::ToolEnd { error: Some(error), .. } => vec![error.as_str()],
            Body::Failure { error, details } => vec![error.as_str(), details.as_str()],
            Body::PermissionDenied { reason, .. } => vec![reason.as_str()],
            _ => Vec::new(),
        },
        Field::Source => Vec::<Source>::from(event.sources).into_iter().map(Source::word).collect(),
        Field::Turn => event.turn_id.as_deref().into_iter().collect(),
        Field::Subagent => {
            event.subagent.as_ref().map_or_else(Vec::new, |subagent| vec![subagent.kind.as_str(), subagent.id.as_str()])
        }
        _ => Vec::new(),
    }
}

/// So many letters before `place`.
fn back(text: &str, place: usize, letters: usize) -> usize {
    text[..place].char_indices().rev().take(letters).last().map_or(place, |(start, _)| start)
}

fn forth(text: &str, place: usize, letters: usize) -> usize {
    text[place..].char_indices().nth(letters).map_or(text.len(), |(end, _)| place + end)
}
