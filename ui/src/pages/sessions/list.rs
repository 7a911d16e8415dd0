//! The list behind the table: what is loaded, narrowed, sorted and grouped. No signal and no request in it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use orrery_types::{SessionQuery, SessionRow, SessionSort, Status};
use orrery_views::session::status_at;

/// A line of the table.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    Day(Arc<Day>),
    Row { row: Arc<SessionRow>, status: Status, share: Share },
}

/// Cost of a row against the dearest one in the list, in percent.
pub type Share = u8;

/// The head of a day: sums in the columns of what they sum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Day {
    pub label: String,
    pub sums: Sums,
}

/// Sums over some sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Sums {
    pub sessions: u64,
    pub took_ms: i64,
    pub turns: u64,
    pub tools: u64,
    pub errors: u64,
    pub tokens: u64,
    pub cost_usd_micros: i64,
}

impl Sums {
    pub fn add(&mut self, row: &SessionRow) {
        self.sessions += 1;
        self.took_ms += took_ms(row);
        self.turns += u64::from(row.turns);
        self.tools += u64::from(row.tools);
        self.errors += u64::from(row.errors);
        self.tokens += row.tokens.total();
        self.cost_usd_micros += row.cost_usd_micros;
    }
}

/// From the first event to the end, or to the newest event.
pub fn took_ms(row: &SessionRow) -> i64 {
    (row.ended_ms.unwrap_or(row.last_ms).max(row.last_ms) - row.started_ms).max(0)
}

/// What the page is narrowed to, as its address says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrow {
    pub status: Option<Status>,
    pub agent: Option<String>,
    pub project: Option<String>,
    pub model: Option<String>,
    pub text: Option<String>,
    pub from_ms: Option<i64>,
}

/// A facet: one field that the list can be narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    Status,
    Agent,
    Project,
    Model,
}

impl Facet {
    pub const ALL: [Facet; 4] = [Facet::Status, Facet::Agent, Facet::Project, Facet::Model];

    pub const fn key(self) -> &'static str {
        match self {
            Facet::Status => "status",
            Facet::Agent => "agent",
            Facet::Project => "project",
            Facet::Model => "model",
        }
    }
    pub const fn label(self) -> &'static str {
        match self {
            Facet::Status => "Status",
            Facet::Agent => "Agent",
            Facet::Project => "Project",
            Facet::Model => "Model",
        }
    }
    fn of(self, row: &SessionRow, now_ms: i64) -> Option<String> {
        match self {
            Facet::Status => Some(status_slug(status_at(row, now_ms)).to_owned()),
            Facet::Agent => Some(row.agent.clone()),
            Facet::Project => Some(row.project.clone()).filter(|project| !project.is_empty()),
            Facet::Model => row.model.clone(),
        }
    }
}

/// The word of a status in addresses and on the wire.
pub fn status_slug(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::NeedsYou => "needs_you",
        Status::Stuck => "stuck",
        Status::Idle => "idle",
        Status::Ended => "ended",
        Status::Failed => "failed",
        Status::Stopped => "stopped",
    }
}

/// Every status in the order of the facet.
pub const STATUSES: [Status; 7] =
    [Status::Running, Status::NeedsYou, Status::Stuck, Status::Idle, Status::Ended, Status::Failed, Status::Stopped];

pub fn status_from_slug(slug: &str) -> Option<Status> {
    STATUSES.into_iter().find(|status| status_slug(*status) == slug)
}

impl Narrow {
    /// The narrowing that the server does. Status is ours: silence ends a session by the clock of the reader.
    pub fn query(&self, sort: SessionSort, ascending: bool) -> SessionQuery {
        SessionQuery {
            agent: self.agent.clone(),
            project: self.project.clone(),
            model: self.model.clone(),
            status: self.status.map(|status| status_slug(status).to_owned()),
            text: self.text.clone(),
            from_ms: self.from_ms,
            sort,
            ascending,
            ..SessionQuery::default()
        }
    }

    fn takes(&self, row: &SessionRow, now_ms: i64, without: Option<Facet>) -> bool {
        let fits = |facet: Facet, wanted: Option<&String>| {
            without == Some(facet) || wanted.is_none_or(|wanted| facet.of(row, now_ms).as_ref() == Some(wanted))
        };
        let status = self.status.map(|status| status_slug(status).to_owned());
        fits(Facet::Status, status.as_ref())
            && fits(Facet::Agent, self.agent.as_ref())
            && fits(Facet::Project, self.project.as_ref())
            && fits(Facet::Model, self.model.as_ref())
            && self.from_ms.is_none_or(|from| row.last_ms >= from)
            && self.text.as_ref().is_none_or(|text| has_words(row, text))
    }
}

fn has_words(row: &SessionRow, text: &str) -> bool {
    let model = row.model.as_deref().unwrap_or_default();
    let branch = row.branch.as_deref().unwrap_or_default();
    let all = format!("{} {} {branch} {model}", row.title, row.project).to_lowercase();
    text.to_lowercase().split_whitespace().all(|word| all.contains(word))
}

/// Everything loaded, over all queries of this visit.
#[derive(Debug, Clone, Default)]
pub struct Known {
    rows: HashMap<String, Arc<SessionRow>>,
}

impl Known {
    /// Takes a row unless the known one is as new. Says whether it was taken.
    pub fn add(&mut self, row: Arc<SessionRow>) -> bool {
        let age = |row: &SessionRow| (row.last_ms, row.events, row.requests, row.tokens.total());
        let taken = self.rows.get(&row.id).is_none_or(|known| age(known) < age(&row));
        if taken {
            self.rows.insert(row.id.clone(), row);
        }
        taken
    }

    pub fn get(&self, id: &str) -> Option<&Arc<SessionRow>> {
        self.rows.get(id)
    }

    /// Forgets what the demo made. Says whether there was any.
    pub fn remove_demo(&mut self) -> bool {
        let before = self.rows.len();
        self.rows.retain(|_, row| !row.demo);
        self.rows.len() < before
    }

    /// Rows of the list in its order. `frontier` is the last row that the server gave for this order: what lies behind
    /// it is not complete and stays away.
    pub fn sorted(&self, narrow: &Narrow, order: Order, frontier: Option<i64>, now_ms: i64) -> Vec<Arc<SessionRow>> {
        let inside = |row: &SessionRow| {
            frontier.is_none_or(|last| {
                let value = order.value(row);
                if order.ascending { value <= last } else { value >= last }
            })
        };
        let mut rows: Vec<Arc<SessionRow>> =
            self.rows.values().filter(|row| narrow.takes(row, now_ms, None) && inside(row)).cloned().collect();
        rows.sort_by(|a, b| {
            let by_value = order.value(a).cmp(&order.value(b));
            let by_value = if order.ascending { by_value } else { by_value.reverse() };
            by_value.then_with(|| a.id.cmp(&b.id))
        });
        rows
    }

    /// Values of a facet with their counts, most first; counted over what is loaded, narrowed by the other facets.
    pub fn counts(&self, facet: Facet, narrow: &Narrow, now_ms: i64) -> Vec<(String, u64)> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.rows.values().filter(|row| narrow.takes(row, now_ms, Some(facet))) {
            if let Some(value) = facet.of(row, now_ms) {
                *counts.entry(value).or_default() += 1;
            }
        }
        let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    pub by: SessionSort,
    pub ascending: bool,
}

impl Order {
    pub fn value(self, row: &SessionRow) -> i64 {
        match self.by {
            SessionSort::Started => row.started_ms,
            SessionSort::Last => row.last_ms,
            SessionSort::Duration => took_ms(row),
            SessionSort::Turns => i64::from(row.turns),
            SessionSort::Tools => i64::from(row.tools),
            SessionSort::Errors => i64::from(row.errors),
            SessionSort::Tokens => i64::try_from(row.tokens.total()).unwrap_or(i64::MAX),
            SessionSort::Cost => row.cost_usd_micros,
        }
    }

    /// Whether days can head the list.
    pub fn is_by_time(self) -> bool {
        matches!(self.by, SessionSort::Started | SessionSort::Last)
    }
}

/// Lines of sorted rows. `day_of` names the day of a moment; without it the list is flat.
pub fn lines(rows: &[Arc<SessionRow>], order: Order, now_ms: i64, day_of: Option<&dyn Fn(i64) -> String>) -> Vec<Line> {
    let dearest = rows.iter().map(|row| row.cost_usd_micros).max().unwrap_or(0).max(1);
    let line = |row: &Arc<SessionRow>| Line::Row {
        row: row.clone(),
        status: status_at(row, now_ms),
        share: u8::try_from(row.cost_usd_micros.max(0) * 100 / dearest).unwrap_or(100),
    };
    let Some(day_of) = day_of.filter(|_| order.is_by_time()) else { return rows.iter().map(line).collect() };
    let mut lines = Vec::with_capacity(rows.len() + 8);
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let label = day_of(order.value(first));
        let end = rest.iter().position(|row| day_of(order.value(row)) != label).unwrap_or(rest.len());
        let mut sums = Sums::default();
        rest[..end].iter().for_each(|row| sums.add(row));
        lines.push(Line::Day(Arc::new(Day { label, sums })));
        lines.extend(rest[..end].iter().map(line));
        rest = &rest[end..];
    }
    lines
}

/// The selection as a Markdown table.
pub fn markdown(rows: &[Arc<SessionRow>], now_ms: i64, clock: impl Fn(i64) -> String) -> String {
    use orrery_views::format;
    let mut text = String::from(
        "| Status | Session | Project | Model | Start | Took | Turns | Tools | Errors | Tokens | Cost |\n|---|---|---|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let cells = [
            format::status(status_at(row, now_ms)).to_owned(),
            title(row),
            format!("{} {}", row.project, row.branch.as_deref().unwrap_or_default()),
            row.model.clone().unwrap_or_default(),
            clock(row.started_ms),
            format::duration_ms(took_ms(row)),
            row.turns.to_string(),
            row.tools.to_string(),
            row.errors.to_string(),
            format::tokens(row.tokens.total()),
            format::money(row.cost_usd_micros),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " ").trim().to_owned());
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// What a session is called: its title on one line, or that it has none yet.
pub fn title(row: &SessionRow) -> String {
    let line = row.title.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "No prompt yet".to_owned() } else { line }
}

/// A model's name without its maker's prefix and its date, its version with a dot: `opus-4.5`.
pub fn short_model(model: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let name = model.rsplit('/').next().unwrap_or(model);
    let name = match name.rsplit_once('-') {
        Some((head, date)) if date.len() == 8 && is_number(date) => head,
        _ => name,
    };
    let Some(name) = name.strip_prefix("claude-") else { return name.to_owned() };
    let mut short = String::with_capacity(name.len());
    let mut before_is_number = false;
    for part in name.split('-') {
        if !short.is_empty() {
            short.push(if before_is_number && is_number(part) { '.' } else { '-' });
        }
        short.push_str(part);
        before_is_number = is_number(part);
    }
    short
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(id: &str, started_ms: i64, cost: i64, project: &str) -> Arc<SessionRow> {
        Arc::new(SessionRow {
            id: id.into(),
            agent: "codex".into(),
            project: project.into(),
            started_ms,
            last_ms: started_ms + 10,
            ended_ms: Some(started_ms + 10),
            status: Status::Ended,
            cost_usd_micros: cost,
            turns: 2,
            ..SessionRow::default()
        })
    }

    fn known() -> Known {
        let mut known = Known::default();
        for row in [row("a", 100, 4, "x"), row("b", 250, 8, "x"), row("c", 220, 1, "y")] {
            known.add(row);
        }
        known
    }

    const NEWEST: Order = Order { by: SessionSort::Started, ascending: false };

    #[test]
    fn days_carry_the_sums_of_their_rows() {
        let rows = known().sorted(&Narrow::default(), NEWEST, None, 1_000);
        let lines = lines(&rows, NEWEST, 1_000, Some(&|at| format!("day {}", at / 200)));
        let Line::Day(day) = &lines[0] else { panic!("{lines:?}") };
        assert_eq!(
            (day.label.as_str(), day.sums.sessions, day.sums.cost_usd_micros, day.sums.turns),
            ("day 1", 2, 9, 4)
        );
        assert!(matches!(&lines[1], Line::Row { row, share: 100, .. } if row.id == "b"));
        assert!(matches!(&lines[3], Line::Day(_)));
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn what_lies_behind_the_frontier_is_not_shown() {
        let ids = |rows: Vec<Arc<SessionRow>>| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(known().sorted(&Narrow::default(), NEWEST, Some(220), 1_000)), ["b", "c"]);
        let cheapest = Order { by: SessionSort::Cost, ascending: true };
        assert_eq!(ids(known().sorted(&Narrow::default(), cheapest, Some(4), 1_000)), ["c", "a"]);
    }

    #[test]
    fn a_facet_counts_without_itself() {
        let narrow = Narrow { project: Some("x".into()), ..Narrow::default() };
        assert_eq!(known().counts(Facet::Project, &narrow, 1_000), [("x".to_owned(), 2), ("y".to_owned(), 1)]);
        assert_eq!(known().counts(Facet::Agent, &narrow, 1_000), [("codex".to_owned(), 2)]);
    }

    #[test]
    fn an_older_copy_of_a_row_is_not_taken() {
        let mut known = known();
        let newer = Arc::new(SessionRow { last_ms: 900, title: "new".into(), ..(*row("a", 100, 4, "x")).clone() });
        known.add(newer);
        known.add(row("a", 100, 4, "x"));
        assert_eq!(known.get("a").unwrap().title, "new");
    }

    #[test]
    fn names_are_short() {
        assert_eq!(short_model("claude-opus-4-5-20251101"), "opus-4.5");
        assert_eq!(short_model("claude-3-5-haiku-20241022"), "3.5-haiku");
        assert_eq!(short_model("openai/gpt-5.6-sol"), "gpt-5.6-sol");
    }
}
