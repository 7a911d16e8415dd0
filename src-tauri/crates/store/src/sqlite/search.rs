//! Pages of events, with and without words. Newest first, by number: no ranking, no offset.

use std::collections::BTreeMap;

use orrery_types::{Event, EventQuery, Page};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::filter::Where;
use super::index;
use super::table::{counters, events};
use crate::StoreError;

const PAGE_ROWS: u32 = 100;
const MOST_ROWS: u32 = 10_000;
/// So many events behind the index are read to find words that it does not know yet.
const TAIL_ROWS: u32 = 5_000;
/// So many events are read to find signs that the index does not keep, such as emoji.
const SCAN_ROWS: u32 = 20_000;
const MOST_WORDS: usize = 32;

pub(super) fn page(conn: &Connection, query: &EventQuery) -> Result<Page<Event>, StoreError> {
    let limit = query.limit.unwrap_or(PAGE_ROWS).clamp(1, MOST_ROWS);
    let words = query.words.as_deref().map(Words::of).filter(|words| !words.is_empty());
    let (items, more_from) = match words {
        None => plain(conn, query, limit)?,
        Some(words) => with_words(conn, query, &words, limit)?,
    };
    Ok(Page { next: more_from.map(|seq| seq.to_string()), items, total: None })
}

/// The events of a page, and the number to go on from when more may follow.
type Found = (Vec<Event>, Option<i64>);

fn plain(conn: &Connection, query: &EventQuery, limit: u32) -> Result<Found, StoreError> {
    let (filter, order) = pages(conn, query, "e.seq > ?", "e.seq < ?")?;
    let items = select(conn, &filter, order, limit + 1)?;
    Ok(cut(items, limit))
}

/// Leaves one page of what may be more.
fn cut(mut items: Vec<Event>, limit: u32) -> Found {
    let is_last = items.len() <= limit as usize;
    items.truncate(limit as usize);
    let next = items.last().map(|event| event.seq).filter(|_| !is_last);
    (items, next)
}

/// Conditions and direction of a query, with the columns that hold the number.
fn pages(
    conn: &Connection,
    query: &EventQuery,
    after: &'static str,
    before: &'static str,
) -> Result<(Where, &'static str), StoreError> {
    let mut filter = Where::of_events(conn, query)?;
    if let Some(seq) = query.after {
        filter.push(after, Value::Integer(seq));
    }
    if let Some(seq) = query.before {
        filter.push(before, Value::Integer(seq));
    }
    Ok((filter, if query.after.is_some() { "ASC" } else { "DESC" }))
}

fn select(conn: &Connection, filter: &Where, order: &str, limit: u32) -> Result<Vec<Event>, StoreError> {
    // Numbers first, which an index alone may give; the wide rows only for the page.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM (SELECT e.seq AS seq FROM event e {} ORDER BY e.seq {order} LIMIT {limit}) p
         CROSS JOIN event e ON e.seq = p.seq {} ORDER BY e.seq {order}",
        events::COLUMNS,
        filter.sql(),
        events::JOINS,
    ))?;
    let mut rows = statement.query(filter.params())?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(events::event_from_row(row)?);
    }
    Ok(items)
}

/// What a person typed, as the index and the eye need it.
struct Words {
    /// An FTS5 expression that holds no syntax of the person's. Empty when no word can be indexed.
    expression: String,
    /// Words of signs alone, lowercase: the index does not keep them.
    signs: Vec<String>,
}

impl Words {
    fn of(text: &str) -> Self {
        // FTS5 reads its expression as a C string.
        let text = text.replace('\0', " ");
        let (words, signs): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().take(MOST_WORDS).partition(|word| word.chars().any(char::is_alphanumeric));
        let mut expression =
            words.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect::<Vec<_>>().join(" AND ");
        // The last word may be half typed, unless a sign ends it.
        if text.ends_with(char::is_alphanumeric) && !words.is_empty() {
            expression.push('*');
        }
        Words { expression, signs: signs.into_iter().map(str::to_lowercase).collect() }
    }

    fn is_empty(&self) -> bool {
        self.expression.is_empty() && self.signs.is_empty()
    }

    fn has_signs(&self, event: &Event) -> bool {
        if self.signs.is_empty() {
            return true;
        }
        let text = index::text(event).to_lowercase();
        self.signs.iter().all(|sign| text.contains(sign))
    }
}

fn with_words(conn: &Connection, query: &EventQuery, words: &Words, limit: u32) -> Result<Found, StoreError> {
    if words.expression.is_empty() {
        return with_signs(conn, query, words, limit);
    }
    let mut found: BTreeMap<i64, Event> = BTreeMap::new();
    let wanted = if words.signs.is_empty() { limit + 1 } else { SCAN_ROWS };
    for event in indexed(conn, query, words, wanted)?.into_iter().chain(tail(conn, query, words)?) {
        if words.has_signs(&event) {
            found.insert(event.seq, event);
        }
    }
    let items: Vec<Event> =
        if query.after.is_some() { found.into_values().collect() } else { found.into_values().rev().collect() };
    Ok(cut(items, limit))
}

/// Reads a bounded stretch of events and keeps those with all signs. The next page goes on where the stretch ended.
fn with_signs(conn: &Connection, query: &EventQuery, words: &Words, limit: u32) -> Result<Found, StoreError> {
    let (filter, order) = pages(conn, query, "e.seq > ?", "e.seq < ?")?;
    let read = select(conn, &filter, order, SCAN_ROWS)?;
    let stretch_end = read.last().map(|event| event.seq).filter(|_| read.len() == SCAN_ROWS as usize);
    let (items, next) = cut(read.into_iter().filter(|event| words.has_signs(event)).collect(), limit);
    Ok((items, next.or(stretch_end)))
}

fn indexed(conn: &Connection, query: &EventQuery, words: &Words, limit: u32) -> Result<Vec<Event>, StoreError> {
    // The order and the bounds are the index's own row numbers, so that FTS5 walks them and stops early.
    let (filter, order) = pages(conn, query, "search.rowid > ?", "search.rowid < ?")?;
    let joint = if filter.is_empty() { "WHERE" } else { "AND" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {} FROM search CROSS JOIN event e ON e.seq = search.rowid {} {} {joint} search MATCH ?
         ORDER BY search.rowid {order} LIMIT {limit}",
        events::COLUMNS,
        events::JOINS,
        filter.sql(),
    ))?;
    let values = filter.into_values().into_iter().chain([Value::Text(words.expression.clone())]);
    let mut rows = statement.query(params_from_iter(values))?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(events::event_from_row(row)?);
    }
    Ok(items)
}

/// Events that wait for the index, put through the very same tokenizer in memory.
fn tail(conn: &Connection, query: &EventQuery, words: &Words) -> Result<Vec<Event>, StoreError> {
    let waiting = waiting(conn, query)?;
    if waiting.is_empty() {
        return Ok(waiting);
    }
    let scratch = Connection::open_in_memory()?;
    scratch.execute_batch(
        "CREATE VIRTUAL TABLE search USING fts5 (text, content = '', tokenize = 'unicode61 remove_diacritics 2'); BEGIN",
    )?;
    let mut insert = scratch.prepare("INSERT INTO search (rowid, text) VALUES (?1, ?2)")?;
    for event in &waiting {
        insert.execute(params![event.seq, index::text(event)])?;
    }
    let matching: std::collections::HashSet<i64> = scratch
        .prepare("SELECT rowid FROM search WHERE search MATCH ?1")?
        .query_map([&words.expression], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(waiting.into_iter().filter(|event| matching.contains(&event.seq)).collect())
}

/// Events that the index does not have, or not as they are now: the first of them in the page's order.
fn waiting(conn: &Connection, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
    if index::missing(conn)? == 0 {
        return Ok(Vec::new());
    }
    let (mut behind, order) = pages(conn, query, "e.seq > ?", "e.seq < ?")?;
    let indexed = counters::get(conn, counters::INDEXED)?;
    behind.push("e.seq > ?", Value::Integer(indexed));
    let mut waiting = select(conn, &behind, order, TAIL_ROWS)?;
    let (mut changed, _) = pages(conn, query, "e.seq > ?", "e.seq < ?")?;
    changed.push("e.seq <= ? AND e.seq IN (SELECT seq FROM reindex)", Value::Integer(indexed));
    waiting.append(&mut select(conn, &changed, order, TAIL_ROWS)?);
    Ok(waiting)
}
