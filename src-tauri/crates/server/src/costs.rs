//! Cost tables: of the store, or straight from transcript files without one.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chrono::{Datelike, Days, NaiveDate};
use orrery_agents::Context;
use orrery_agents::transcript::Reader;
use orrery_store::{Store, StoreError, TotalsQuery};
use orrery_types::{AgentId, CostRow, CostTotals, GroupBy, RequestUsage, Source, UsageRow};
use orrery_views::pricing::Prices;
use orrery_views::{session, usage};

use crate::clock;
use crate::jobs::files::{self, Found, Names};

/// A table and the sum of its rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Costs {
    pub rows: Vec<CostRow>,
    pub totals: CostTotals,
}

/// The table of what the store holds, in the person's time zone.
///
/// # Errors
/// The store's own.
pub fn stored(store: &dyn Store, group: GroupBy, query: &TotalsQuery) -> Result<Costs, StoreError> {
    let totals = store.totals(query)?;
    if !matches!(group, GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly) {
        return Ok(Costs { rows: store.costs(group, query, 0)?, totals });
    }
    let mut sums: BTreeMap<String, CostRow> = BTreeMap::new();
    for (from_ms, to_ms) in even_spans(store, query)? {
        let span = TotalsQuery { from_ms: Some(from_ms), to_ms: Some(to_ms), ..query.clone() };
        for row in store.costs(group, &span, clock::utc_offset_minutes(from_ms))? {
            let sum =
                sums.entry(row.key.clone()).or_insert_with(|| CostRow { key: row.key.clone(), ..CostRow::default() });
            sum.totals = usage::plus(&sum.totals, &row.totals);
            sum.models.extend(row.models);
            sum.models.sort();
            sum.models.dedup();
        }
    }
    Ok(Costs { rows: sums.into_values().collect(), totals })
}

/// The time of all that is asked for, cut where the person's clocks change: within each piece days are cut alike.
fn even_spans(store: &dyn Store, query: &TotalsQuery) -> Result<Vec<(i64, i64)>, StoreError> {
    const WEEK_MS: i64 = 7 * 86_400_000;
    let months = store.costs(GroupBy::Monthly, query, 0)?;
    let start = |row: &CostRow| {
        let month = format!("{}-01", row.key).parse::<NaiveDate>().ok()?;
        Some(month.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
    };
    let (Some(first), Some(last)) = (months.first().and_then(start), months.last().and_then(start)) else {
        return Ok(Vec::new());
    };
    let (from, to) =
        (query.from_ms.unwrap_or(first).max(first), (last + 5 * WEEK_MS).min(query.to_ms.unwrap_or(i64::MAX)));
    let mut spans = Vec::new();
    let mut begin = from;
    let mut at = from;
    while at < to {
        let next = (at + WEEK_MS).min(to);
        let offset = clock::utc_offset_minutes(at);
        if clock::utc_offset_minutes(next) != offset {
            let (mut before, mut after) = (at, next);
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                if clock::utc_offset_minutes(middle) == offset { before = middle } else { after = middle }
            }
            spans.push((begin, after));
            begin = after;
            at = after;
        } else {
            at = next;
        }
    }
    spans.push((begin, to));
    spans.retain(|(begin, end)| begin < end);
    Ok(spans)
}

/// The table of transcript files below `roots`, each request counted once over all of them. Unreadable files and lines
/// are passed over: importing tells about them.
pub fn scanned(roots: &[(AgentId, PathBuf)], group: GroupBy, query: &TotalsQuery, prices: &Prices) -> Costs {
    let found = files::scan(roots, Names::Any);
    let ledger = Mutex::new(Ledger::default());
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, usize::from).min(found.len().max(1));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(file) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let part = read(file, prices);
                    ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(part, prices);
                }
            });
        }
    });
    let mut ledger = ledger.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    usage::drop_replays(&mut ledger.rows);
    usage::drop_stand_ins(&mut ledger.rows);
    ledger.table(group, query)
}

/// Requests by key, and the project of each session.
#[derive(Default)]
struct Ledger {
    rows: HashMap<String, UsageRow>,
    projects: HashMap<String, String>,
}

impl Ledger {
    fn add(&mut self, row: UsageRow, prices: &Prices) {
        match self.rows.entry(row.request.key.clone()) {
            Entry::Vacant(slot) => drop(slot.insert(row)),
            Entry::Occupied(mut slot) => {
                if let Some(joined) = usage::joined(slot.get(), &row, prices) {
                    slot.insert(joined);
                }
            }
        }
    }

    fn merge(&mut self, part: Ledger, prices: &Prices) {
        for (session, project) in part.projects {
            self.projects.entry(session).or_insert(project);
        }
        for row in part.rows.into_values() {
            self.add(row, prices);
        }
    }

    fn table(&self, group: GroupBy, query: &TotalsQuery) -> Costs {
        let mut sums: BTreeMap<String, CostRow> = BTreeMap::new();
        let mut totals = CostTotals::default();
        for row in self.rows.values().filter(|row| self.wanted(&row.request, query)) {
            let key = self.key(group, &row.request);
            let sum = sums.entry(key.clone()).or_insert_with(|| CostRow { key, ..CostRow::default() });
            usage::add(&mut sum.totals, row);
            usage::add(&mut totals, row);
            if let Some(model) = &row.request.model
                && !sum.models.contains(model)
            {
                sum.models.push(model.clone());
            }
        }
        let mut rows: Vec<CostRow> = sums.into_values().collect();
        rows.iter_mut().for_each(|row| row.models.sort());
        if !matches!(group, GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly) {
            rows.sort_by_key(|row| std::cmp::Reverse((row.totals.cost_usd_micros, row.totals.tokens.total())));
        }
        Costs { rows, totals }
    }

    fn wanted(&self, request: &RequestUsage, query: &TotalsQuery) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        query.from_ms.is_none_or(|from| request.at_ms >= from)
            && query.to_ms.is_none_or(|to| request.at_ms < to)
            && is(&query.session, &request.session_id)
            && is(&query.agent, &request.agent)
            && is(&query.project, self.project(request))
    }

    fn project(&self, request: &RequestUsage) -> &str {
        self.projects.get(&request.session_id).map_or("", String::as_str)
    }

    fn key(&self, group: GroupBy, request: &RequestUsage) -> String {
        match group {
            GroupBy::Daily | GroupBy::Weekly | GroupBy::Monthly => date_key(group, &clock::day(request.at_ms)),
            GroupBy::Session => request.session_id.clone(),
            GroupBy::Project => self.project(request).to_owned(),
            GroupBy::Model => request.model.clone().unwrap_or_default(),
            GroupBy::Agent => request.agent.clone(),
        }
    }
}

/// The key of a local day: itself, its week's Monday, or its month.
fn date_key(group: GroupBy, day: &str) -> String {
    match (group, day.parse::<NaiveDate>()) {
        (GroupBy::Weekly, Ok(date)) => {
            let back = Days::new(u64::from(date.weekday().num_days_from_monday()));
            date.checked_sub_days(back).unwrap_or(date).format("%Y-%m-%d").to_string()
        }
        (GroupBy::Monthly, _) => day.get(..7).unwrap_or(day).to_owned(),
        _ => day.to_owned(),
    }
}

fn read(found: &Found, prices: &Prices) -> Ledger {
    // A line without a time happened when the one before it did: only then all lines have to be read.
    read_some(found, true, prices).or_else(|| read_some(found, false, prices)).unwrap_or_default()
}

/// Reads the lines that tell of cost, or all. `None` when a line that was passed over is needed, or nothing can be read.
fn read_some(found: &Found, pass_over: bool, prices: &Prices) -> Option<Ledger> {
    let mut ledger = Ledger::default();
    let mut file = files::reader(&found.path, 0).ok()?;
    let mut reader = Reader::open(found.agent, &found.info, None);
    let context = Context {
        source: Source::Transcript,
        received_ms: found.modified_ms,
        delivery_id: String::new(),
        place: found.path.display().to_string(),
        demo: false,
    };
    let table = prices.in_force();
    let mut line = Vec::new();
    let mut passed_over = false;
    for number in 1.. {
        line.clear();
        match file.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if pass_over && !tells_of_cost(found.agent, &line) {
            passed_over = true;
            continue;
        }
        if passed_over && !has_time(&line) {
            return None;
        }
        let decoded = reader.line(line.trim_ascii_end(), number, &context);
        for facts in decoded.facts {
            let project = facts.project.or_else(|| facts.cwd.map(|cwd| session::folder_name(&cwd)));
            if let Some(project) = project {
                ledger.projects.entry(facts.session_id).or_insert(project);
            }
        }
        for request in &decoded.usage {
            ledger.add(table.price(request), prices);
        }
    }
    Some(ledger)
}

fn has_time(line: &[u8]) -> bool {
    line.is_empty() || std::str::from_utf8(line).is_ok_and(|text| text.contains("\"timestamp\""))
}

/// Whether a line may carry usage, or what later usage hangs on. Most bytes of a transcript do neither.
fn tells_of_cost(agent: AgentId, line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return true };
    match agent {
        AgentId::ClaudeCode => text.contains("\"usage\""),
        AgentId::GeminiCli | AgentId::Opencode | AgentId::Cursor | AgentId::CopilotCli => true,
        // The line's own type stands before its payload.
        AgentId::Codex => {
            let head = text.get(..160).unwrap_or(text);
            !(head.contains("\"type\":\"response_item\"") || head.contains("\"type\": \"response_item\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_fall_into_weeks_from_monday_and_months() {
        assert_eq!(date_key(GroupBy::Weekly, "2026-11-22"), "2026-11-16");
        assert_eq!(date_key(GroupBy::Weekly, "2026-11-16"), "2026-11-16");
        assert_eq!(date_key(GroupBy::Monthly, "2026-11-22"), "2026-11");
        assert_eq!(date_key(GroupBy::Daily, "2026-11-22"), "2026-11-22");
    }
}
