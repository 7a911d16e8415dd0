//! Finds events: newest first, by number, without ranking and without an offset. Every hit is checked on its own text.
//!
//! Events lie in three places. Fresh ones are read row by row. Packed ones are found through the index of the packs and
//! read pack by pack. Those that changed in their pack are read row by row and sorted in.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use orrery_types::{Body, Event, EventQuery, Filter, Page, SearchPage, SessionRow};
use orrery_views::filter::{Clock, Matcher, body_text, print};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params_from_iter};

use super::filter::Where;
use super::table::packs::{self, Packs};
use super::table::{counters, events, sessions};
use super::{facets, index};
use crate::{Cancel, Search, StoreError};

const PAGE_ROWS: u32 = 100;
const MOST_ROWS: u32 = 10_000;
const MOST_WORDS: usize = 32;
/// Session rows kept during one search.
const SESSIONS: usize = 4_096;
/// Packs looked at together, first and later: a page is often full after a few.
const FIRST_PACKS: usize = 4;
const MOST_PACKS: usize = 64;
const MOST_THREADS: usize = 4;

/// `GET /api/v1/events`: a page by fields alone, or with words.
pub(super) fn page(conn: &Connection, query: &EventQuery) -> Result<Page<Event>, StoreError> {
    let limit = query.limit.unwrap_or(PAGE_ROWS).clamp(1, MOST_ROWS);
    let filter = words_filter(query.words.as_deref().unwrap_or_default());
    let (items, more_from) = match filter {
        Filter::All => plain(conn, query, limit)?,
        filter => with_words(conn, query, &filter, limit)?,
    };
    Ok(Page { next: more_from.map(|seq| seq.to_string()), items, total: None })
}

/// A search as a person makes it.
pub(super) fn search(conn: &Connection, search: &Search) -> Result<SearchPage, StoreError> {
    let limit = search.limit.clamp(1, MOST_ROWS) as usize;
    let base = Where::of_filter(conn, &search.filter, search.clock)?;
    let mut hits = Vec::new();
    let walked = Walk::new(conn, &search.filter, search.clock, base, Budget::of(search)).run(
        search.before.unwrap_or(i64::MAX),
        &mut |event, session| {
            if hits.len() == limit {
                return ControlFlow::Break(());
            }
            hits.push((event, session));
            ControlFlow::Continue(())
        },
    )?;
    let next = match walked.end {
        End::All => None,
        End::Full => hits.last().map(|(event, _)| event.seq),
        End::Stopped(seq) => Some(seq),
    };
    let matcher = Matcher::of(&search.filter);
    let facets = if search.facets { Some(facets::count(conn, search)?) } else { None };
    Ok(SearchPage {
        hits: hits.into_iter().map(|(event, session)| hit(&matcher, event, session.as_deref())).collect(),
        next,
        stopped: matches!(walked.end, End::Stopped(_)),
        visited: walked.visited,
        facets,
        query: print(&search.filter),
    })
}

fn hit(matcher: &Matcher, event: Event, session: Option<&SessionRow>) -> orrery_types::Hit {
    orrery_types::Hit {
        snippet: matcher.snippet(&event),
        title: session.map(|row| row.title.clone()).unwrap_or_default(),
        project: session.map(|row| row.project.clone()).unwrap_or_default(),
        event,
    }
}

/// Words alone, all of which must occur: no sign among them means anything.
fn words_filter(words: &str) -> Filter {
    let text = words.replace('\0', " ");
    let mut parts: Vec<Filter> =
        text.split_whitespace().take(MOST_WORDS).map(|word| Filter::Word(word.to_owned())).collect();
    match parts.len() {
        0 => Filter::All,
        1 => parts.remove(0),
        _ => Filter::And(parts),
    }
}

/// The events of a page, and the number to go on from when more may follow.
type Found = (Vec<Event>, Option<i64>);

fn plain(conn: &Connection, query: &EventQuery, limit: u32) -> Result<Found, StoreError> {
    let (filter, order) = bounded(conn, query)?;
    // Numbers first, which an index alone may give; the wide rows only for the page.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM (SELECT e.seq AS seq FROM event e {} ORDER BY e.seq {order} LIMIT {}) p
         CROSS JOIN event e ON e.seq = p.seq {} ORDER BY e.seq {order}",
        events::COLUMNS,
        filter.sql(),
        limit + 1,
        events::JOINS,
    ))?;
    let mut rows = statement.query(filter.params())?;
    let packs = Packs::new(conn);
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(events::event_from_row(row, &packs)?);
    }
    Ok(cut(items, limit))
}

/// Leaves one page of what may be more.
fn cut(mut items: Vec<Event>, limit: u32) -> Found {
    let is_last = items.len() <= limit as usize;
    items.truncate(limit as usize);
    let next = items.last().map(|event| event.seq).filter(|_| !is_last);
    (items, next)
}

/// Conditions and direction of a query.
fn bounded(conn: &Connection, query: &EventQuery) -> Result<(Where, &'static str), StoreError> {
    let mut filter = Where::of_events(conn, query)?;
    if let Some(seq) = query.after {
        filter.push("e.seq > ?", Value::Integer(seq));
    }
    if let Some(seq) = query.before {
        filter.push("e.seq < ?", Value::Integer(seq));
    }
    Ok((filter, if query.after.is_some() { "ASC" } else { "DESC" }))
}

fn with_words(conn: &Connection, query: &EventQuery, filter: &Filter, limit: u32) -> Result<Found, StoreError> {
    let base = Where::of_events(conn, query)?;
    let mut walk = Walk::new(conn, filter, Clock::default(), base, Budget::none());
    let mut items = Vec::new();
    let mut take = |event: Event, _| {
        items.push(event);
        if items.len() > limit as usize { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    match query.after {
        Some(after) => {
            walk.rows(Span { above: after, below: query.before.unwrap_or(i64::MAX), order: "ASC" }, &mut take)?
        }
        None => walk.run(query.before.unwrap_or(i64::MAX), &mut take)?.end,
    };
    Ok(cut(items, limit))
}

/// How long a search may take, and who may end it.
#[derive(Clone)]
pub(super) struct Budget {
    until: Option<Instant>,
    cancel: Cancel,
}

impl Budget {
    fn of(search: &Search) -> Self {
        Budget::until(Instant::now() + search.time, &search.cancel)
    }

    pub(super) fn until(until: Instant, cancel: &Cancel) -> Self {
        Budget { until: Some(until), cancel: cancel.clone() }
    }

    fn none() -> Self {
        Budget { until: None, cancel: Cancel::default() }
    }

    fn is_over(&self) -> bool {
        self.cancel.is_set() || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Everything was looked at.
    All,
    /// The taker had enough.
    Full,
    /// Time was over; smaller numbers than this were not looked at.
    Stopped(i64),
}

pub(super) struct Walked {
    pub visited: u64,
    pub end: End,
}

type Take<'t> = dyn FnMut(Event, Option<Arc<SessionRow>>) -> ControlFlow<()> + 't;

/// Numbers between two bounds, both outside.
struct Span {
    above: i64,
    below: i64,
    order: &'static str,
}

/// One search on its way from the newest event to the oldest.
pub(super) struct Walk<'a> {
    conn: &'a Connection,
    packs: Packs<'a>,
    filter: &'a Filter,
    matcher: Matcher,
    clock: Clock,
    base: Where,
    budget: Budget,
    sessions: HashMap<String, Option<Arc<SessionRow>>>,
    visited: u64,
}

/// A pack's events whose text may match, newest first.
struct Examined {
    key: i64,
    first: i64,
    looked_at: u64,
    found: Vec<(i64, Body)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(conn: &'a Connection, filter: &'a Filter, clock: Clock, base: Where, budget: Budget) -> Self {
        Walk {
            conn,
            packs: Packs::new(conn),
            filter,
            matcher: Matcher::of(filter),
            clock,
            base,
            budget,
            sessions: HashMap::new(),
            visited: 0,
        }
    }

    /// Gives every match below `below` to `take`, newest first, until it has enough.
    pub(super) fn run(mut self, below: i64, take: &mut Take<'_>) -> Result<Walked, StoreError> {
        let _watch = Watch::on(&self.budget);
        let packed = counters::get(self.conn, counters::INDEXED)?;
        let mut end = self.rows(Span { above: packed, below, order: "DESC" }, take)?;
        if end == End::All {
            let below = below.min(packed + 1);
            end = match index::expression(self.filter) {
                _ if self.base.is_few() => self.rows(Span { above: 0, below, order: "DESC" }, take)?,
                Some(expression) => self.packed(below, Some(expression), take)?,
                None if self.matcher.has_text() => self.packed(below, None, take)?,
                None => self.rows(Span { above: 0, below, order: "DESC" }, take)?,
            };
        }
        Ok(Walked { visited: self.visited, end })
    }

    /// Row by row.
    fn rows(&mut self, span: Span, take: &mut Take<'_>) -> Result<End, StoreError> {
        let sql = format!(
            "SELECT e.seq FROM event e {} {} e.seq > ? AND e.seq < ? ORDER BY e.seq {}",
            self.base.sql(),
            self.base.joint(),
            span.order
        );
        let bounds = [Value::Integer(span.above), Value::Integer(span.below)];
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(self.base.values().iter().cloned().chain(bounds)))?;
        let mut place = span.below;
        loop {
            let seq: i64 = match rows.next() {
                Ok(Some(row)) => row.get(0)?,
                Ok(None) => return Ok(End::All),
                Err(error) if is_interrupt(&error) => return Ok(End::Stopped(place)),
                Err(error) => return Err(error.into()),
            };
            if self.budget.is_over() {
                return Ok(End::Stopped(place));
            }
            self.visited += 1;
            if let Some(event) = events::by_seq_in(self.conn, seq, &self.packs)?
                && self.give(event, take)?.is_break()
            {
                return Ok(End::Full);
            }
            place = seq;
        }
    }

    /// Hands an event on when it matches.
    fn give(&mut self, event: Event, take: &mut Take<'_>) -> Result<ControlFlow<()>, StoreError> {
        if !self.matcher.needs_session() {
            return if self.matcher.event(&event, None, self.clock) {
                let session = self.session(&event.session_id)?;
                Ok(take(event, session))
            } else {
                Ok(ControlFlow::Continue(()))
            };
        }
        let session = self.session(&event.session_id)?;
        if self.matcher.event(&event, session.as_deref(), self.clock) {
            return Ok(take(event, session));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn session(&mut self, id: &str) -> Result<Option<Arc<SessionRow>>, StoreError> {
        if let Some(known) = self.sessions.get(id) {
            return Ok(known.clone());
        }
        let row = sessions::load(self.conn, id)?.map(|(_, row)| Arc::new(row));
        if self.sessions.len() >= SESSIONS {
            self.sessions.clear();
        }
        self.sessions.insert(id.to_owned(), row.clone());
        Ok(row)
    }

    /// Pack by pack: those that the index names, or all.
    fn packed(&mut self, below: i64, expression: Option<String>, take: &mut Take<'_>) -> Result<End, StoreError> {
        let mut loose = self.loose(below)?;
        let newest: Option<i64> = self
            .conn
            .prepare_cached("SELECT key FROM pack WHERE first < ?1 ORDER BY first DESC LIMIT 1")?
            .query_row([below], |row| row.get(0))
            .optional()?;
        let (sql, values) = match expression {
            Some(expression) => (
                "SELECT rowid FROM find WHERE find MATCH ?1 AND rowid <= ?2 ORDER BY rowid DESC",
                vec![Value::Text(expression), Value::Integer(newest.unwrap_or_default())],
            ),
            None => (
                "SELECT key FROM pack WHERE key <= ?1 ORDER BY key DESC",
                vec![Value::Integer(newest.unwrap_or_default())],
            ),
        };
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut keys = statement.query(params_from_iter(values))?;
        let mut place = below;
        let mut together = FIRST_PACKS;
        loop {
            let mut frames = Vec::with_capacity(together);
            let mut is_end = false;
            while frames.len() < together && !is_end {
                match keys.next() {
                    Ok(Some(row)) => frames.extend(self.frame(row.get(0)?)?),
                    Ok(None) => is_end = true,
                    Err(error) if is_interrupt(&error) => return Ok(End::Stopped(place)),
                    Err(error) => return Err(error.into()),
                }
            }
            for examined in examine(&self.matcher, frames)? {
                if self.budget.is_over() {
                    return Ok(End::Stopped(place));
                }
                place = examined.first;
                if self.pack(examined, below, &mut loose, take)?.is_break() {
                    return Ok(End::Full);
                }
            }
            if is_end {
                for event in loose {
                    if self.give(event, take)?.is_break() {
                        return Ok(End::Full);
                    }
                }
                return Ok(End::All);
            }
            together = (together * 2).min(MOST_PACKS);
        }
    }

    fn frame(&self, key: i64) -> Result<Option<(i64, i64, Vec<u8>)>, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT first, events FROM pack WHERE key = ?1")?
            .query_row([key], |row| Ok((key, row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// Gives a pack's matches, and before each the changed events that are newer.
    fn pack(
        &mut self,
        examined: Examined,
        below: i64,
        loose: &mut std::iter::Peekable<std::vec::IntoIter<Event>>,
        take: &mut Take<'_>,
    ) -> Result<ControlFlow<()>, StoreError> {
        self.visited += examined.looked_at;
        for (seq, body) in examined.found.into_iter().filter(|(seq, _)| *seq < below) {
            let Some(event) = self.row(seq, examined.key, body)? else { continue };
            while let Some(newer) = loose.next_if(|newer| newer.seq > seq) {
                if self.give(newer, take)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if self.give(event, take)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        while let Some(newer) = loose.next_if(|newer| newer.seq >= examined.first) {
            if self.give(newer, take)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The event of a packed body, when it is still there, still this one, and meets the conditions.
    fn row(&self, seq: i64, key: i64, body: Body) -> Result<Option<Event>, StoreError> {
        let sql = format!(
            "SELECT {} FROM event e {} {} {} e.seq = ? AND e.pack = ?",
            events::COLUMNS,
            events::JOINS,
            self.base.sql(),
            self.base.joint(),
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let ids = [Value::Integer(seq), Value::Integer(key)];
        let mut rows = statement.query(params_from_iter(self.base.values().iter().cloned().chain(ids)))?;
        rows.next()?.map(|row| events::event_with_body(row, body)).transpose()
    }

    /// Events that changed in their pack, newest first.
    fn loose(&self, below: i64) -> Result<std::iter::Peekable<std::vec::IntoIter<Event>>, StoreError> {
        let sql = format!(
            "SELECT {} FROM reindex r CROSS JOIN event e ON e.seq = r.seq {} {} {} e.pack IS NULL AND e.seq < ?
             AND e.seq <= (SELECT value FROM counter WHERE name = 'indexed') ORDER BY e.seq DESC",
            events::COLUMNS,
            events::JOINS,
            self.base.sql(),
            self.base.joint(),
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let values = self.base.values().iter().cloned().chain([Value::Integer(below)]);
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(events::event_from_row(row, &self.packs)?);
        }
        Ok(found.into_iter().peekable())
    }
}

/// Looks at the texts of some packs, on as many threads as that is worth.
fn examine(matcher: &Matcher, frames: Vec<(i64, i64, Vec<u8>)>) -> Result<Vec<Examined>, StoreError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    if threads == 1 || frames.len() < FIRST_PACKS * 2 {
        return frames.into_iter().map(|frame| examine_one(matcher, frame)).collect();
    }
    let share = frames.len().div_ceil(threads);
    let mut frames = frames.into_iter();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let frames: Vec<_> = frames.by_ref().take(share).collect();
                scope.spawn(move || frames.into_iter().map(|frame| examine_one(matcher, frame)).collect::<Vec<_>>())
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| {
                worker.join().unwrap_or_else(|_| vec![Err(StoreError::Failed("a search ended".to_owned()))])
            })
            .collect()
    })
}

fn examine_one(matcher: &Matcher, (key, first, frame): (i64, i64, Vec<u8>)) -> Result<Examined, StoreError> {
    let entries = packs::unpack_events(&frame)?;
    let mut examined = Examined { key, first, looked_at: 0, found: Vec::new() };
    if !matcher.may_be_in(entries.plain()) {
        return Ok(examined);
    }
    for (seq, blob) in entries.iter().rev() {
        examined.looked_at += 1;
        let body: Body = serde_json::from_slice(blob)?;
        if matcher.may_match_text(&body_text(&body)) {
            examined.found.push((seq, body));
        }
    }
    Ok(examined)
}

thread_local! {
    /// The budget of the search that this thread is in: SQLite asks for it on the same thread.
    static WATCHED: RefCell<Option<Budget>> = const { RefCell::new(None) };
}

/// Lets SQLite itself stop when the budget is over.
struct Watch;

impl Watch {
    fn on(budget: &Budget) -> Self {
        WATCHED.set(Some(budget.clone()));
        Watch
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.set(None);
    }
}

/// Whether the search that runs on this thread has to end.
pub(super) fn is_over() -> bool {
    WATCHED.with_borrow(|budget| budget.as_ref().is_some_and(Budget::is_over))
}

fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}
