//! One batch into the tables: events, ledger rows and the session rows they change.

use std::borrow::Cow;
use std::collections::HashMap;

use orrery_types::{Event, Project, SessionFacts, SessionRow, Source, UsageRow};
use orrery_views::pricing::{Prices, StoredPrices};
use orrery_views::{merge, session, usage as ledger};
use rusqlite::Connection;

use super::table::{
    counters, cursors, events, labels, masked, prices, problems, projects, raw, reports, sessions, usage,
};
use crate::{Appended, Audience, Batch, Item, Raw, StoreError};

/// Session rows kept in memory between transactions.
const HOT_SESSIONS: usize = 512;

/// A batch made ready outside the writer: compressed, encoded, with ids in their one form.
pub(super) struct Prepared {
    items: Vec<PreparedItem>,
    cursors: Vec<crate::FileCursor>,
    problems: Vec<orrery_types::Problem>,
    audience: Audience,
    /// Payloads as they came, for the followers.
    raws: Vec<Option<Raw>>,
}

struct PreparedItem {
    raw: Option<raw::Packed>,
    events: Vec<events::Ready>,
    usage: Vec<UsageRow>,
    facts: Vec<SessionFacts>,
    masked: Vec<(String, u64)>,
}

impl Prepared {
    pub(super) fn of(batch: Batch) -> Result<Self, StoreError> {
        let raws = if batch.tell_raws { batch.items.iter().map(|item| item.raw.clone()).collect() } else { Vec::new() };
        let items = batch.items.into_iter().map(PreparedItem::of).collect::<Result<_, _>>()?;
        Ok(Prepared { items, cursors: batch.cursors, problems: batch.problems, audience: batch.audience, raws })
    }

    pub(super) fn events(&self) -> usize {
        self.items.iter().map(|item| item.events.len()).sum()
    }
}

impl PreparedItem {
    fn of(item: Item) -> Result<Self, StoreError> {
        Ok(PreparedItem {
            raw: item.raw.map(raw::Packed::of).transpose()?,
            events: item.events.into_iter().map(events::Ready::of).collect::<Result<_, _>>()?,
            usage: item.usage.into_iter().map(usage::tame).collect(),
            facts: item.facts,
            masked: item.masked,
        })
    }

    fn is_demo(&self) -> bool {
        self.events.iter().any(|ready| ready.event.demo)
            || self.usage.iter().any(|usage| usage.request.demo)
            || self.facts.iter().any(|facts| facts.demo)
    }
}

/// What the writer remembers between batches. Everything here can be read again from the tables.
pub(super) struct Memory {
    sessions: HashMap<String, Hot>,
    labels: labels::Labels,
    /// Price tables of all rows.
    prices: Prices,
    projects: projects::Projects,
    next_raw: i64,
    /// Differences of the transaction that is open.
    books: Books,
    /// As `books` was when the batch began.
    books_before: Books,
}

/// A session row in memory.
struct Hot {
    key: i64,
    row: SessionRow,
    /// Changed by a batch of the open transaction and not written yet.
    dirty: bool,
    /// The row as this batch found it; `Some(None)` when the batch made it.
    before: Option<Option<SessionRow>>,
}

#[derive(Default, Clone)]
struct Books {
    events: i64,
    sessions: i64,
    hooks: HashMap<String, i64>,
    /// Count and newest arrival by rule.
    masked: HashMap<String, (u64, i64)>,
}

impl Memory {
    pub(super) fn load(conn: &Connection) -> Result<Self, StoreError> {
        if let Err(error) = prices::keep_builtin(conn) {
            tracing::warn!(%error, "the price table could not be kept; the next start tries again");
        }
        Ok(Memory {
            sessions: HashMap::new(),
            labels: labels::Labels::default(),
            prices: Prices::new(prices::all(conn)?),
            projects: projects::Projects::default(),
            next_raw: raw::next_key(conn)?,
            books: Books::default(),
            books_before: Books::default(),
        })
    }

    /// A request begins that may have to be undone.
    pub(super) fn begin(&mut self) {
        self.books_before = self.books.clone();
    }

    /// Puts one batch into the open transaction. After an error the caller rolls the savepoint back and calls
    /// [`Memory::undo_batch`].
    pub(super) fn append(&mut self, conn: &Connection, batch: Prepared) -> Result<Appended, StoreError> {
        let out = Appended { audience: batch.audience, raws: batch.raws, ..Appended::default() };
        let mut work = Append { conn, memory: self, out, positions: HashMap::new(), reports_written: 0 };
        for item in batch.items {
            work.item(item)?;
        }
        for cursor in &batch.cursors {
            work.out.rows_written += cursors::put(conn, cursor)?;
        }
        for problem in &batch.problems {
            work.out.rows_written += problems::insert(conn, problem)?;
        }
        Ok(work.finish())
    }

    /// Keeps a price table. False when one of its version is there.
    pub(super) fn add_prices(&mut self, conn: &Connection, table: &StoredPrices) -> Result<bool, StoreError> {
        let added = prices::put(conn, table)?;
        self.prices = Prices::new(prices::all(conn)?);
        Ok(added > 0)
    }

    /// Makes the rows as they were before the batch that failed.
    pub(super) fn undo_batch(&mut self) {
        self.labels.forget();
        self.projects.forget();
        self.books = std::mem::take(&mut self.books_before);
        self.sessions.retain(|_, hot| match hot.before.take() {
            Some(Some(row)) => {
                hot.row = row;
                true
            }
            Some(None) => false,
            None => true,
        });
    }

    /// Writes what the transaction's batches left in memory. Called once, before the commit.
    pub(super) fn flush(&mut self, conn: &Connection) -> Result<(), StoreError> {
        for hot in self.sessions.values_mut().filter(|hot| hot.dirty) {
            sessions::save(conn, hot.key, &hot.row)?;
            hot.dirty = false;
        }
        let books = std::mem::take(&mut self.books);
        if books.events != 0 {
            counters::add(conn, counters::EVENTS, books.events)?;
        }
        if books.sessions != 0 {
            counters::add(conn, counters::SESSIONS, books.sessions)?;
        }
        for (agent, at_ms) in &books.hooks {
            counters::set_last_hook(conn, agent, *at_ms)?;
        }
        for (rule, (count, last_ms)) in &books.masked {
            masked::add(conn, rule, *count, *last_ms)?;
        }
        Ok(())
    }

    /// After a commit: keeps the memory small.
    pub(super) fn trim(&mut self) {
        if self.sessions.len() > HOT_SESSIONS {
            self.sessions.clear();
        }
    }

    /// After a transaction was lost, or rows were deleted: nothing remembered is sure.
    pub(super) fn forget(&mut self) {
        self.sessions.clear();
        self.labels.forget();
        self.projects.forget();
        self.books = Books::default();
    }
}

/// One batch at work.
struct Append<'a> {
    conn: &'a Connection,
    memory: &'a mut Memory,
    out: Appended,
    /// Where in `out.events` an event lies.
    positions: HashMap<i64, usize>,
    /// Counted apart: a repeat alone is no news of its item.
    reports_written: u64,
}

impl Append<'_> {
    fn item(&mut self, item: PreparedItem) -> Result<(), StoreError> {
        let demo = item.is_demo();
        let raw_key = item.raw.as_ref().map(|_| self.memory.next_raw);
        let written_before = self.out.rows_written;
        let received_ms = item.events.iter().map(|ready| ready.event.received_ms).max().unwrap_or_default();
        let mut seqs = Vec::with_capacity(item.events.len());
        for ready in item.events {
            seqs.push(self.event(ready, raw_key)?);
        }
        for row in item.usage {
            self.usage(row)?;
        }
        let mut facts_changed = false;
        for facts in &item.facts {
            facts_changed |= self.facts(facts)?;
        }
        let is_new = facts_changed || self.out.rows_written > written_before;
        if let (Some(raw), Some(key), true) = (&item.raw, raw_key, is_new) {
            raw::insert(self.conn, key, raw, demo)?;
            self.memory.next_raw += 1;
            self.out.rows_written += 1;
        }
        if is_new {
            self.note_masked(item.masked, received_ms);
        }
        self.out.seqs.push(seqs);
        Ok(())
    }

    fn event(&mut self, ready: events::Ready, raw_key: Option<i64>) -> Result<i64, StoreError> {
        match events::same_id(self.conn, &ready)? {
            Some(existing) => self.known_event(&existing, &ready.event, raw_key),
            None => self.new_event(ready, raw_key),
        }
    }

    fn new_event(&mut self, ready: events::Ready, raw_key: Option<i64>) -> Result<i64, StoreError> {
        let keys = events::Keys {
            session: self.hot(&ready.event.session_id, &ready.event.agent)?.key,
            agent: self.memory.labels.key(self.conn, labels::AGENT, &ready.event.agent)?,
            name: self.memory.labels.key(self.conn, labels::NAME, &ready.event.name)?,
            raw: raw_key,
        };
        let seq = events::insert(self.conn, &ready, &keys)?;
        let event = Event { seq, ..ready.event };
        session::fold_event(&mut self.hot(&event.session_id, &event.agent)?.row, &event, None);
        self.memory.books.events += 1;
        self.note_hook(&event);
        self.out.new_events += 1;
        self.out.rows_written += 1;
        self.announce(event);
        Ok(seq)
    }

    /// The same fact again: written only when the other report adds something.
    fn known_event(&mut self, existing: &Event, incoming: &Event, raw_key: Option<i64>) -> Result<i64, StoreError> {
        let seq = existing.seq;
        let Some(merged) = merge::merge(existing, incoming) else { return Ok(seq) };
        // Whatever a merge does, these name the row.
        let merged = Event { seq, id: existing.id.clone(), session_id: existing.session_id.clone(), ..merged };
        let agent = self.memory.labels.key(self.conn, labels::AGENT, &merged.agent)?;
        let name = self.memory.labels.key(self.conn, labels::NAME, &merged.name)?;
        events::update(self.conn, &merged, agent, name)?;
        if let Some(raw) = raw_key {
            raw::link(self.conn, seq, raw)?;
        }
        super::index::mark_changed(self.conn, seq)?;
        session::fold_event(&mut self.hot(&merged.session_id, &merged.agent)?.row, &merged, Some(existing));
        self.note_hook(incoming);
        self.out.rows_written += 1;
        self.announce(merged);
        Ok(seq)
    }

    fn usage(&mut self, row: UsageRow) -> Result<(), StoreError> {
        let report = reports::Report::of(&row);
        let (row, existing) = match usage::same_request(self.conn, &row.request)? {
            Some(existing) => match ledger::joined(&existing, &row, &self.memory.prices) {
                Some(joined) => (joined, Some(existing)),
                None => return self.report(&existing.request.key, report.as_ref()),
            },
            None => (row, None),
        };
        if existing.is_none() && !self.stand_ins(&row)? {
            return Ok(());
        }
        let mut copies = Vec::new();
        if existing.as_ref().is_none_or(|old| old.request.sidechain != row.request.sidechain) {
            match replays(self.conn, &row)? {
                Replays::IsOneOf(key) => return self.report(&key, report.as_ref()),
                Replays::Has(found) => copies = found,
            }
        }
        let owner = self.hot(&row.request.session_id, &row.request.agent)?;
        let key = owner.key;
        match &existing {
            Some(old) if old.request.session_id != row.request.session_id => {
                session::fold_usage(&mut owner.row, &row, None);
                let former = self.hot(&old.request.session_id, &old.request.agent)?;
                session::unfold_usage(&mut former.row, old);
            }
            old => session::fold_usage(&mut owner.row, &row, old.as_ref()),
        }
        if let Some(old) = existing.filter(|old| old.request.key != row.request.key) {
            usage::rename(self.conn, &old.request.key, &row.request.key)?;
        }
        usage::put(self.conn, &row, key)?;
        self.out.rows_written += 1;
        for copy in copies {
            reports::hand_over(self.conn, &copy.request.key, &row.request.key)?;
            usage::remove(self.conn, &copy.request.key)?;
            let owner = self.hot(&copy.request.session_id, &copy.request.agent)?;
            session::unfold_usage(&mut owner.row, &copy);
            self.out.rows_written += 1;
        }
        self.report(&row.request.key, report.as_ref())
    }

    /// Notes that `report` told of the request of this key.
    fn report(&mut self, key: &str, report: Option<&reports::Report>) -> Result<(), StoreError> {
        if let Some(report) = report {
            self.reports_written += reports::add(self.conn, key, report)?;
        }
        Ok(())
    }

    /// Makes room for a new row among those of its session. Answers false when better ones are there already.
    fn stand_ins(&mut self, row: &UsageRow) -> Result<bool, StoreError> {
        let request = &row.request;
        let kind = request.stand_in();
        if let Some(kind) = kind {
            let session = self.hot(&request.session_id, &request.agent)?.key;
            if usage::has_better(self.conn, session, &request.session_id, kind)? {
                return Ok(false);
            }
        }
        for taken in usage::take_stand_ins(self.conn, &request.session_id, kind)? {
            let owner = self.hot(&taken.request.session_id, &taken.request.agent)?;
            session::unfold_usage(&mut owner.row, &taken);
            self.out.rows_written += 1;
        }
        Ok(true)
    }

    /// Whether the row changed.
    fn facts(&mut self, facts: &SessionFacts) -> Result<bool, StoreError> {
        let named = self.named(facts)?;
        let hot = self.hot(&facts.session_id, &facts.agent)?;
        let before = hot.row.clone();
        session::fold_facts(&mut hot.row, &named);
        Ok(hot.row != before)
    }

    /// The facts with the name that their project has among all projects.
    fn named<'f>(&mut self, facts: &'f SessionFacts) -> Result<Cow<'f, SessionFacts>, StoreError> {
        let Some(project) = &facts.repository else { return Ok(Cow::Borrowed(facts)) };
        let (label, renamed) = self.memory.projects.label(self.conn, project)?;
        for project in renamed {
            self.rename(&project)?;
        }
        if label == project.name {
            return Ok(Cow::Borrowed(facts));
        }
        let project = Project { name: label, ..project.clone() };
        Ok(Cow::Owned(SessionFacts { repository: Some(project), ..facts.clone() }))
    }

    /// Tells the sessions of a project its new name: another project of the old one has come.
    fn rename(&mut self, project: &projects::Renamed) -> Result<(), StoreError> {
        let mut ids = sessions::of_project(self.conn, &project.id)?;
        let unsaved = self.memory.sessions.iter().filter(|(_, hot)| hot.row.project_id == project.id);
        ids.extend(unsaved.map(|(id, _)| id.clone()));
        for id in ids {
            let hot = self.hot(&id, "")?;
            if hot.row.project_id == project.id {
                hot.row.project.clone_from(&project.label);
            }
        }
        Ok(())
    }

    /// The session's row, from memory, the table or new.
    fn hot(&mut self, id: &str, agent: &str) -> Result<&mut Hot, StoreError> {
        if !self.memory.sessions.contains_key(id) {
            let hot = match sessions::load(self.conn, id)? {
                Some((key, row)) => Hot { key, row, dirty: false, before: None },
                None => {
                    let key = sessions::create(self.conn, id)?;
                    self.memory.books.sessions += 1;
                    Hot { key, row: session::new_row(id, agent), dirty: false, before: Some(None) }
                }
            };
            self.memory.sessions.insert(id.to_owned(), hot);
        }
        let hot = self.memory.sessions.get_mut(id).expect("the session was put there above");
        if hot.before.is_none() {
            hot.before = Some(Some(hot.row.clone()));
        }
        Ok(hot)
    }

    fn note_hook(&mut self, event: &Event) {
        if !event.sources.has(Source::Hook) || event.demo {
            return;
        }
        let newest = self.memory.books.hooks.entry(event.agent.clone()).or_insert(event.received_ms);
        *newest = event.received_ms.max(*newest);
    }

    fn note_masked(&mut self, masked: Vec<(String, u64)>, received_ms: i64) {
        for (rule, count) in masked {
            let (sum, last_ms) = self.memory.books.masked.entry(rule).or_default();
            *sum += count;
            *last_ms = received_ms.max(*last_ms);
        }
    }

    /// Puts an event into the answer, once, as it stands after the batch.
    fn announce(&mut self, event: Event) {
        match self.positions.get(&event.seq) {
            Some(position) => self.out.events[*position] = event,
            None => {
                self.positions.insert(event.seq, self.out.events.len());
                self.out.events.push(event);
            }
        }
    }

    fn finish(mut self) -> Appended {
        self.out.rows_written += self.reports_written;
        for hot in self.memory.sessions.values_mut() {
            let Some(before) = hot.before.take() else { continue };
            let is_new = before.is_none();
            if is_new || before.as_ref() != Some(&hot.row) {
                hot.dirty = true;
                self.out.sessions.push(hot.row.clone());
                self.out.rows_written += 1;
                self.out.new_sessions += u64::from(is_new);
            }
        }
        self.out.sessions.sort_by(|a, b| a.id.cmp(&b.id));
        self.out
    }
}

/// Reports of one response that a subagent's file copied from the main thread.
enum Replays {
    /// The row is a copy of the row of this key.
    IsOneOf(String),
    /// These rows are copies of the row.
    Has(Vec<UsageRow>),
}

fn replays(conn: &Connection, row: &UsageRow) -> Result<Replays, StoreError> {
    let Some(message) = row.request.message_id() else { return Ok(Replays::Has(Vec::new())) };
    let mut copies = Vec::new();
    for other in usage::of_message(conn, message)? {
        if row.request.replays(&other.request) {
            return Ok(Replays::IsOneOf(other.request.key));
        }
        if other.request.replays(&row.request) {
            copies.push(other);
        }
    }
    Ok(Replays::Has(copies))
}
