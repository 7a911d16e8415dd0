//! What ran when, over many sessions: spans kept ready in memory, folded for each request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use orrery_store::{Store, StoreError, TotalsQuery};
use orrery_types::{
    Busy, SessionQuery, SessionRow, SessionSort, Slices, Sums, Timeline, TimelineLane, TimelineQuery, TimelineSession,
};
use orrery_views::session::{is_active_at, status_at};
use orrery_views::timeline::{Columns, Spans, Tally, busy, busy_ms, critical_path, fold, path_steps, spans_of};

/// Sessions that one picture names.
const MOST_SESSIONS: u32 = 2_000;
/// Columns that one request may fold to.
const MOST_COLUMNS: u32 = 20_000;
/// Slices of so many sessions go into one answer.
const MOST_AT_ONCE: u32 = 400;
/// Spans kept in memory; beyond it the sessions that were read longest ago are forgotten.
const SPANS_KEPT: usize = 1_200_000;

/// Spans of sessions as they were read last.
#[derive(Default)]
pub struct Timelines {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    sessions: HashMap<String, Entry>,
    spans: usize,
    reads: u64,
}

struct Entry {
    edition: i64,
    read: u64,
    spans: Arc<Spans>,
}

impl Timelines {
    /// The slices of a stretch of time.
    ///
    /// # Errors
    /// The store's own.
    pub fn picture(&self, store: &dyn Store, query: &TimelineQuery, now_ms: i64) -> Result<Timeline, StoreError> {
        let (rows, cut) = sessions(store, query)?;
        let columns = Columns::new(query.from_ms, query.to_ms, query.px.min(MOST_COLUMNS));
        let first = query.first as usize;
        let count = query.count.min(MOST_AT_ONCE) as usize;
        let mut answer = Timeline {
            from_ms: columns.from_ms,
            to_ms: columns.to_ms,
            cut,
            first: query.first,
            count: query.count.min(MOST_AT_ONCE),
            words: vec![String::new()],
            behind: store.untracked()?,
            ..Timeline::default()
        };
        let mut slices = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            let mut named = named(row, now_ms);
            if at >= first && at < first + count {
                let spans = self.spans(store, &row.id)?;
                named.lanes = lanes(row, &spans);
                let words = &mut answer.words;
                let label = |word: String| {
                    *known.entry(word).or_insert_with_key(|word| {
                        words.push(word.clone());
                        u32::try_from(words.len() - 1).unwrap_or(0)
                    })
                };
                let session = u32::try_from(at).unwrap_or(u32::MAX);
                answer.spans += fold(&spans, columns, open_until(row, now_ms), session, label, &mut slices);
            }
            answer.sessions.push(named);
        }
        answer.slices = Slices(slices);
        Ok(answer)
    }

    /// How many lanes were at work over the time, in `px` columns.
    ///
    /// # Errors
    /// The store's own.
    pub fn busy(&self, store: &dyn Store, query: &TimelineQuery, now_ms: i64) -> Result<Busy, StoreError> {
        let (rows, _) = sessions(store, query)?;
        let columns = Columns::new(query.from_ms, query.to_ms, query.px.min(MOST_COLUMNS));
        let count = columns.count as usize;
        let (mut work_ms, mut failed) = (vec![0_i64; count], vec![0_u16; count]);
        let mut spans_seen = 0;
        for row in &rows {
            let spans = self.spans(store, &row.id)?;
            spans_seen += busy(&spans, columns, open_until(row, now_ms), &mut work_ms, &mut failed);
        }
        let width = (columns.to_ms - columns.from_ms) as f64 / count as f64;
        let lanes = work_ms
            .iter()
            .map(|work| {
                let lanes = (*work as f64 / width.max(1.0)).round() as u16;
                lanes.max(u16::from(*work > 0))
            })
            .collect();
        let sessions = rows.len() as u64;
        Ok(Busy { from_ms: columns.from_ms, to_ms: columns.to_ms, lanes, failed, spans: spans_seen, sessions })
    }

    /// Figures of a stretch of time, and the critical path of `path_of` in it.
    ///
    /// # Errors
    /// The store's own.
    pub fn sums(
        &self,
        store: &dyn Store,
        query: &TimelineQuery,
        path_of: Option<&str>,
        now_ms: i64,
    ) -> Result<Sums, StoreError> {
        let (rows, _) = sessions(store, query)?;
        let mut tally = Tally::default();
        let mut sums = Sums { from_ms: query.from_ms, to_ms: query.to_ms, ..Sums::default() };
        for row in &rows {
            let spans = self.spans(store, &row.id)?;
            let until = open_until(row, now_ms);
            tally.add(&spans, query.from_ms, query.to_ms, until);
            if path_of == Some(row.id.as_str()) {
                let path = critical_path(&spans, until);
                let (line, steps) = path_steps(&spans, &path, query.from_ms, query.to_ms);
                (sums.path_line, sums.path, sums.path_of) = (line, steps, Some(row.id.clone()));
            }
        }
        sums.kinds = tally.kinds();
        sums.busy_ms = busy_ms(&sums.kinds);
        let calls = |kind: &&orrery_types::KindSum| orrery_types::SliceKind::from_code(kind.kind).is_call();
        sums.calls = sums.kinds.iter().filter(calls).map(|kind| kind.count).sum();
        sums.failed = sums.kinds.iter().map(|kind| kind.failed).sum();
        let totals = TotalsQuery {
            from_ms: Some(query.from_ms),
            to_ms: Some(query.to_ms),
            session: query.session.clone(),
            agent: query.agent.clone(),
            project: query.project.clone(),
            ..TotalsQuery::default()
        };
        sums.cost_usd_micros = store.totals(&totals)?.cost_usd_micros;
        Ok(sums)
    }

    /// The spans of a session, read again only when its track changed.
    fn spans(&self, store: &dyn Store, id: &str) -> Result<Arc<Spans>, StoreError> {
        let edition = store.track_edition(id)?;
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.reads += 1;
            let read = kept.reads;
            if let Some(entry) = kept.sessions.get_mut(id).filter(|entry| entry.edition == edition) {
                entry.read = read;
                return Ok(entry.spans.clone());
            }
        }
        let spans = Arc::new(store.track(id)?.map(|track| spans_of(&track)).unwrap_or_default());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(id, edition, spans.clone());
        Ok(spans)
    }
}

impl Kept {
    fn keep(&mut self, id: &str, edition: i64, spans: Arc<Spans>) {
        if let Some(old) = self.sessions.remove(id) {
            self.spans -= old.spans.spans.len();
        }
        self.spans += spans.spans.len();
        self.sessions.insert(id.to_owned(), Entry { edition, read: self.reads, spans });
        if self.spans <= SPANS_KEPT {
            return;
        }
        // Room for a while: not one session is forgotten at a time.
        let mut oldest: Vec<(u64, String)> = self
            .sessions
            .iter()
            .filter(|(known, _)| *known != id)
            .map(|(id, entry)| (entry.read, id.clone()))
            .collect();
        oldest.sort_unstable();
        for (_, id) in oldest {
            if self.spans <= SPANS_KEPT / 4 * 3 {
                break;
            }
            if let Some(entry) = self.sessions.remove(&id) {
                self.spans -= entry.spans.spans.len();
            }
        }
    }
}

/// Sessions at work in the time, the newest of them when they are too many, by project and start; and how many are
/// left out.
fn sessions(store: &dyn Store, query: &TimelineQuery) -> Result<(Vec<SessionRow>, u64), StoreError> {
    if let Some(id) = &query.session {
        let Some(detail) = store.session(id)? else { return Ok((Vec::new(), 0)) };
        let mut rows = vec![detail.row];
        rows.extend(detail.children);
        return Ok((rows, 0));
    }
    let wanted = SessionQuery {
        agent: query.agent.clone(),
        project: query.project.clone(),
        from_ms: Some(query.all_from_ms.unwrap_or(query.from_ms)),
        to_ms: Some(query.all_to_ms.unwrap_or(query.to_ms)),
        sort: SessionSort::Last,
        limit: Some(MOST_SESSIONS),
        ..SessionQuery::default()
    };
    let page = store.sessions(&wanted)?;
    let mut rows = page.items;
    let cut = page.total.unwrap_or(0).saturating_sub(rows.len() as u64);
    rows.sort_by(|a, b| (&a.project, a.started_ms, &a.id).cmp(&(&b.project, b.started_ms, &b.id)));
    Ok((rows, cut))
}

/// Until when open spans of the session reach: to now while it is at work.
fn open_until(row: &SessionRow, now_ms: i64) -> Option<i64> {
    is_active_at(row, now_ms).then_some(now_ms)
}

fn named(row: &SessionRow, now_ms: i64) -> TimelineSession {
    TimelineSession {
        id: row.id.clone(),
        agent: row.agent.clone(),
        project: row.project.clone(),
        branch: row.branch.clone().unwrap_or_default(),
        title: row.title.clone(),
        status: status_at(row, now_ms),
        started_ms: row.started_ms,
        last_ms: row.last_ms,
        cost_usd_micros: row.cost_usd_micros,
        lanes: vec![TimelineLane::default()]
            .into_iter()
            .chain(row.subagents.iter().map(|(id, subagent)| TimelineLane {
                id: id.clone(),
                kind: subagent.kind.clone(),
                cost_usd_micros: subagent.cost_usd_micros,
            }))
            .collect(),
    }
}

/// The lanes as the track numbers them.
fn lanes(row: &SessionRow, spans: &Spans) -> Vec<TimelineLane> {
    let lane = |subagent: &orrery_types::Subagent| {
        let known = row.subagents.get(&subagent.id);
        TimelineLane {
            id: subagent.id.clone(),
            kind: subagent.kind.clone(),
            cost_usd_micros: known.map_or(0, |known| known.cost_usd_micros),
        }
    };
    if spans.lanes.is_empty() { vec![TimelineLane::default()] } else { spans.lanes.iter().map(lane).collect() }
}
