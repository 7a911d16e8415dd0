//! Cost tables: of the store, or straight from transcript files without one.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chrono::{Datelike, Days, NaiveDate};
use orrery_agents::Context;
use orrery_agents::transcript::Reader;
use orrery_store::{Store, StoreError, TotalsQuery};
use orrery_types::{AgentId, CostRow, CostTotals, GroupBy, RequestUsage, Source, UsageRow};
use orrery_views::pricing::PriceTable;
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
    let offset = clock::utc_offset_minutes(clock::now_ms());
    Ok(Costs { rows: store.costs(group, query, offset)?, totals: store.totals(query)? })
}

/// The table of transcript files below `roots`, each request counted once over all of them. Unreadable files and lines
/// are passed over: importing tells about them.
pub fn scanned(roots: &[(AgentId, PathBuf)], group: GroupBy, query: &TotalsQuery) -> Costs {
    let found = files::scan(roots, Names::Any);
    let ledger = Mutex::new(Ledger::default());
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, usize::from).min(found.len().max(1));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(file) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let part = read(file);
                    ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner).merge(part);
                }
            });
        }
    });
    ledger.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).table(group, query)
}

/// Requests by key, and the project of each session.
#[derive(Default)]
struct Ledger {
    rows: HashMap<String, UsageRow>,
    projects: HashMap<String, String>,
}

impl Ledger {
    fn add(&mut self, row: UsageRow) {
        match self.rows.entry(row.request.key.clone()) {
            Entry::Vacant(slot) => drop(slot.insert(row)),
            Entry::Occupied(mut slot) => {
                if usage::prefers(slot.get(), &row) {
                    slot.insert(row);
                }
            }
        }
    }

    fn merge(&mut self, part: Ledger) {
        for (session, project) in part.projects {
            self.projects.entry(session).or_insert(project);
        }
        for row in part.rows.into_values() {
            self.add(row);
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

fn read(found: &Found) -> Ledger {
    let mut ledger = Ledger::default();
    let Ok(file) = File::open(&found.path) else { return ledger };
    let mut file = BufReader::with_capacity(256 * 1024, file);
    let mut reader = Reader::open(found.agent, &found.info, None);
    let context = Context {
        source: Source::Transcript,
        received_ms: found.modified_ms,
        delivery_id: String::new(),
        place: found.path.display().to_string(),
        demo: false,
    };
    let table = PriceTable::builtin();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        match file.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if !tells_of_cost(found.agent, &line) {
            continue;
        }
        let decoded = reader.line(line.trim_ascii_end(), number, &context);
        for facts in decoded.facts {
            let project = facts.project.or_else(|| facts.cwd.map(|cwd| session::folder_name(&cwd)));
            if let Some(project) = project {
                ledger.projects.entry(facts.session_id).or_insert(project);
            }
        }
        for request in &decoded.usage {
            ledger.add(table.price(request));
        }
    }
    ledger
}

/// Whether a line may carry usage, or what later usage hangs on. Most bytes of a transcript do neither.
fn tells_of_cost(agent: AgentId, line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return true };
    match agent {
        AgentId::ClaudeCode => text.contains("\"usage\""),
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
