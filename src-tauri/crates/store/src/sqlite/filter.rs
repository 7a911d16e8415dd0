//! Queries to SQL conditions. Values are always bound, never written into the text.

mod compile;

use std::borrow::Cow;

use orrery_types::{EventQuery, Filter, SessionQuery, SessionSort};
use orrery_views::filter::Clock;
use rusqlite::types::Value;
use rusqlite::{Connection, Params, params_from_iter};

use crate::{StoreError, TotalsQuery};

/// Up to so many sessions an event filter reads each session's events; beyond, it walks all events from the newest.
const FEW_SESSIONS: usize = 200;

/// Conditions joined by AND, with their values in order.
#[derive(Default)]
pub(super) struct Where {
    conditions: Vec<Cow<'static, str>>,
    values: Vec<Value>,
    /// Whether few sessions are left, so that reading all their events is quick.
    few: bool,
}

impl Where {
    /// Conditions on `event e`, without words and without the place in the pages.
    pub(super) fn of_events(conn: &Connection, query: &EventQuery) -> Result<Self, StoreError> {
        let mut filter = Where::default();
        filter.text("e.session = (SELECT key FROM session WHERE id = ?)", query.session.as_ref());
        filter.text("e.agent = (SELECT key FROM label WHERE kind = 'agent' AND text = ?)", query.agent.as_ref());
        filter.text("e.name = (SELECT key FROM label WHERE kind = 'name' AND text = ?)", query.name.as_ref());
        filter.integer("e.at_ms >= ?", query.from_ms);
        filter.integer("e.at_ms < ?", query.to_ms);
        filter.few = query.session.is_some();
        if query.session.is_none() {
            filter.of_their_sessions(conn, query)?;
        }
        Ok(filter)
    }

    /// Conditions on `event e` that every match of the filter meets. Not all that meet them match.
    pub(super) fn of_filter(conn: &Connection, filter: &Filter, clock: Clock) -> Result<Self, StoreError> {
        let mut found = Where::default();
        let parts = match filter {
            Filter::And(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        for part in parts {
            if let Some(condition) = compile::condition(conn, part, clock)? {
                found.few |= condition.few;
                found.conditions.push(Cow::Owned(condition.sql));
                found.values.extend(condition.values);
            }
        }
        Ok(found)
    }

    /// Narrows events by what their sessions' rows say: the project, and times that cover their events' times.
    fn of_their_sessions(&mut self, conn: &Connection, query: &EventQuery) -> Result<(), StoreError> {
        let mut sessions = Where::default();
        sessions.text("? IN (s.project, s.project_id)", query.project.as_ref());
        sessions.integer("s.last_ms >= ?", query.from_ms);
        sessions.integer("s.started_ms < ?", query.to_ms);
        if sessions.is_empty() {
            return Ok(());
        }
        let keys = format!("SELECT s.key FROM session s {}", sessions.sql());
        let mut statement = conn.prepare_cached(&format!("{keys} LIMIT {FEW_SESSIONS}"))?;
        let mut rows = statement.query(sessions.params())?;
        let mut count = 0;
        while rows.next()?.is_some() {
            count += 1;
        }
        let is_few = count < FEW_SESSIONS;
        if is_few || query.project.is_some() {
            // A plus keeps SQLite from reading the sessions one by one.
            let plus = if is_few { "" } else { "+" };
            self.conditions.push(Cow::Owned(format!("{plus}e.session IN ({keys})")));
            self.values.extend(sessions.values);
        }
        Ok(())
    }

    /// Conditions on `session s`. Times mean: active at some moment of the range.
    pub(super) fn of_sessions(query: &SessionQuery) -> Self {
        let mut filter = Where::default();
        filter.text("s.agent = ?", query.agent.as_ref());
        filter.text("? IN (s.project, s.project_id)", query.project.as_ref());
        filter.text("s.model = ?", query.model.as_ref());
        filter.text("s.status = ?", query.status.as_ref());
        filter.integer("s.last_ms >= ?", query.from_ms);
        filter.integer("s.started_ms < ?", query.to_ms);
        for word in query.text.iter().flat_map(|text| text.split_whitespace()) {
            filter.push("instr(s.words, ?) > 0", Value::Text(word.to_lowercase()));
        }
        filter
    }

    /// Conditions on `usage u`; session and project need `session s` beside it.
    pub(super) fn of_totals(query: &TotalsQuery) -> Self {
        let mut filter = Where::default();
        filter.integer("u.at_ms >= ?", query.from_ms);
        filter.integer("u.at_ms < ?", query.to_ms);
        filter.text("s.id = ?", query.session.as_ref());
        filter.text("u.agent = ?", query.agent.as_ref());
        filter.text("? IN (s.project, s.project_id)", query.project.as_ref());
        filter.text("coalesce(u.model, '') = ?", query.model.as_ref());
        filter.text("u.subagent = ?", query.subagent.as_ref());
        filter
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    pub(super) fn push(&mut self, condition: &'static str, value: Value) {
        self.conditions.push(Cow::Borrowed(condition));
        self.values.push(value);
    }

    /// `WHERE ...`, or nothing.
    pub(super) fn sql(&self) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        format!("WHERE {}", self.conditions.join(" AND "))
    }

    /// The word that adds one more condition to [`Where::sql`].
    pub(super) fn joint(&self) -> &'static str {
        if self.conditions.is_empty() { "WHERE" } else { "AND" }
    }

    pub(super) fn is_few(&self) -> bool {
        self.few
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(super) fn into_values(self) -> Vec<Value> {
        self.values
    }

    pub(super) fn params(&self) -> impl Params + '_ {
        params_from_iter(self.values.iter())
    }

    fn text(&mut self, condition: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.push(condition, Value::Text(value.clone()));
        }
    }

    fn integer(&mut self, condition: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.push(condition, Value::Integer(value));
        }
    }
}

/// How a page of sessions is ordered, and where it begins.
pub(super) struct Order {
    pub column: &'static str,
    pub direction: &'static str,
}

impl Order {
    pub(super) fn of(query: &SessionQuery) -> Self {
        let column = match query.sort {
            SessionSort::Started => "s.started_ms",
            SessionSort::Last => "s.last_ms",
            SessionSort::Duration => "s.duration_ms",
            SessionSort::Turns => "s.turns",
            SessionSort::Tools => "s.tools",
            SessionSort::Errors => "s.errors",
            SessionSort::Tokens => "s.tokens",
            SessionSort::Cost => "s.cost_usd_micros",
        };
        Order { column, direction: if query.ascending { "ASC" } else { "DESC" } }
    }

    /// Only rows behind the one that `after` names: `VALUE:KEY`.
    pub(super) fn start(&self, after: &str, filter: &Where) -> Result<(String, [Value; 2]), StoreError> {
        let (value, key) = after
            .split_once(':')
            .and_then(|(value, key)| Some((value.parse::<i64>().ok()?, key.parse::<i64>().ok()?)))
            .ok_or_else(|| StoreError::BadQuery(format!("{after} is not the key of a page")))?;
        let sign = if self.direction == "ASC" { '>' } else { '<' };
        let joint = if filter.is_empty() { "WHERE" } else { "AND" };
        let condition = format!("{joint} ({}, s.key) {sign} (?, ?)", self.column);
        Ok((condition, [Value::Integer(value), Value::Integer(key)]))
    }
}
