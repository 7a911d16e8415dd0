//! How many hits are what: counted over the newest ones, within a bound of hits and of time.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use orrery_types::{Facet, Facets};
use rusqlite::Connection;

use super::filter::Where;
use super::search::{Budget, End, Walk};
use crate::{Search, StoreError};

const MOST_HITS: u64 = 2_000;
const TIME: Duration = Duration::from_millis(400);
const MOST_ENTRIES: usize = 20;

/// Values with their labels and counts.
#[derive(Default)]
struct Tally(HashMap<String, (String, u64)>);

impl Tally {
    fn add(&mut self, value: &str, label: &str) {
        if value.is_empty() {
            return;
        }
        match self.0.get_mut(value) {
            Some((_, count)) => *count += 1,
            None => {
                self.0.insert(value.to_owned(), (label.to_owned(), 1));
            }
        }
    }

    fn most(self) -> Vec<Facet> {
        let mut facets: Vec<Facet> =
            self.0.into_iter().map(|(value, (label, count))| Facet { value, label, count }).collect();
        facets.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        facets.truncate(MOST_ENTRIES);
        facets
    }
}

pub(super) fn count(conn: &Connection, search: &Search) -> Result<Facets, StoreError> {
    let base = Where::of_filter(conn, &search.filter, search.clock)?;
    let budget = Budget::until(Instant::now() + TIME, &search.cancel);
    let [mut agents, mut projects, mut tools, mut kinds, mut sessions] = std::array::from_fn(|_| Tally::default());
    let mut counted = 0;
    let walked = Walk::new(conn, &search.filter, search.clock, base, budget).run(i64::MAX, &mut |event, session| {
        if counted == MOST_HITS {
            return ControlFlow::Break(());
        }
        counted += 1;
        agents.add(&event.agent, "");
        kinds.add(event.body.kind(), "");
        tools.add(event.body.tool().unwrap_or_default(), "");
        if let Some(row) = &session {
            projects.add(&row.project, "");
            sessions.add(&row.id, &row.title);
        }
        ControlFlow::Continue(())
    })?;
    Ok(Facets {
        counted,
        complete: walked.end == End::All,
        agents: agents.most(),
        projects: projects.most(),
        tools: tools.most(),
        kinds: kinds.most(),
        sessions: sessions.most(),
    })
}
