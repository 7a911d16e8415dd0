//! What the chart shows: the time in view, the rows, the slices that were read, the selection, the keyboard's place.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Busy, SessionQuery, SessionSort, Slice, Sums, Timeline, TimelineQuery};
use orrery_views::session::is_active_at;

pub use super::view::{SHORTEST_MS, View};
use crate::api::ApiError;
use crate::host;
use crate::routes::{Query, use_filter, use_query};
use crate::state::{AppState, Range, use_app};

/// The time that is in view at first, ms.
const FIRST_MS: i64 = 40 * 60_000;
/// Slices are read of this much more on both sides, as a share of the view.
const MARGIN: f64 = 0.5;
/// Of so many sessions at once; those in sight are in their middle.
const SESSIONS_AT_ONCE: u32 = 120;
/// While sessions are at work slices are read again so often, ms.
const REFRESH_MS: i64 = 2_000;
/// The minimap has so many columns.
pub const BUSY_COLUMNS: u32 = 480;

/// Which sessions are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub project: Option<String>,
    pub agent: Option<String>,
    pub session: Option<String>,
}

/// A row of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Index of the session, and of the lane in it.
    pub session: usize,
    pub lane: usize,
}

/// The picture as it was read last.
#[derive(Debug, Clone, Default)]
pub struct Drawn {
    pub timeline: Timeline,
    /// Where the slices of a lane lie.
    pub lanes: HashMap<(u32, u16), (usize, usize)>,
    /// Columns that one millisecond was folded to.
    pub density: f64,
}

impl Drawn {
    fn of(timeline: Timeline, px: u32) -> Drawn {
        let mut lanes: HashMap<(u32, u16), (usize, usize)> = HashMap::new();
        for (at, slice) in timeline.slices.0.iter().enumerate() {
            let range = lanes.entry((slice.session, slice.lane)).or_insert((at, at));
            range.1 = at + 1;
        }
        let density = f64::from(px) / (timeline.to_ms - timeline.from_ms).max(1) as f64;
        Drawn { timeline, lanes, density }
    }

    pub fn slices(&self, row: Row) -> &[Slice] {
        let key = (u32::try_from(row.session).unwrap_or(u32::MAX), u16::try_from(row.lane).unwrap_or(u16::MAX));
        self.lanes.get(&key).map_or(&[], |(from, to)| &self.timeline.slices.0[*from..*to])
    }

    pub fn word(&self, slice: &Slice) -> &str {
        self.timeline.words.get(slice.word as usize).map(String::as_str).unwrap_or_default()
    }
}

/// Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Chart {
    pub scope: Memo<Scope>,
    /// All the time there is to look at. Empty without sessions.
    pub all: RwSignal<Option<View>>,
    pub is_known: RwSignal<bool>,
    pub view: RwSignal<View>,
    /// Grows when the slices changed.
    pub revision: RwSignal<u64>,
    drawn: StoredValue<Drawn>,
    /// Rows as they lie below each other.
    pub rows: RwSignal<Arc<Vec<Row>>>,
    /// Sessions whose subagents are folded away, and ones unfolded although there are many.
    pub folded: RwSignal<HashMap<String, bool>>,
    pub busy: RwSignal<Option<Arc<Busy>>>,
    pub sums: RwSignal<Option<Arc<Sums>>>,
    pub selection: RwSignal<Option<(i64, i64)>>,
    /// Session whose critical path is shown.
    pub chosen: RwSignal<Option<String>>,
    pub shows_path: RwSignal<bool>,
    pub by_agent: RwSignal<bool>,
    pub shows_table: RwSignal<bool>,
    /// Row and event number that the keyboard is at.
    pub cursor: RwSignal<Option<(usize, i64)>>,
    pub failed: RwSignal<Option<ApiError>>,
    /// A request is under way.
    pub reading: RwSignal<bool>,
    /// First row in sight, and how many fit.
    pub sight: RwSignal<(usize, usize)>,
    /// Width of the picture in CSS pixels.
    pub px: RwSignal<f64>,
    again: StoredValue<bool>,
    read_ms: StoredValue<i64>,
    pub query: Query,
    pub app: AppState,
}

pub fn open_chart(scope: Memo<Scope>) -> Chart {
    let app = use_app();
    let query = use_query();
    let filter = use_filter();
    let number = |key: &str| query.get_untracked(key).and_then(|text| text.parse::<i64>().ok());
    let now = app.now.get_untracked();
    let chart = Chart {
        scope,
        all: RwSignal::new(None),
        is_known: RwSignal::new(false),
        view: RwSignal::new(View::of(now - FIRST_MS, now)),
        revision: RwSignal::new(0),
        drawn: StoredValue::new(Drawn::default()),
        rows: RwSignal::default(),
        folded: RwSignal::default(),
        busy: RwSignal::new(None),
        sums: RwSignal::new(None),
        selection: RwSignal::new(number("s0").zip(number("s1")).filter(|(from, to)| from < to)),
        chosen: RwSignal::new(query.get_untracked("path")),
        shows_path: RwSignal::new(true),
        by_agent: RwSignal::new(query.get_untracked("by").as_deref() == Some("agent")),
        shows_table: RwSignal::new(query.get_untracked("as").as_deref() == Some("table")),
        cursor: RwSignal::new(None),
        failed: RwSignal::new(None),
        reading: RwSignal::new(false),
        sight: RwSignal::new((0, 40)),
        px: RwSignal::new(0.0),
        again: StoredValue::new(false),
        read_ms: StoredValue::new(0),
        query,
        app,
    };
    // Another scope or range: the time that there is to look at is looked up anew.
    let range = Memo::new(move |_| (scope.get(), query.get("range"), filter.with(|filter| filter.range)));
    Effect::new(move |before: Option<()>| {
        let (_, named, range) = range.get();
        chart.find_time(named.map(|_| range), before.is_none());
    });
    Effect::new(move |_| {
        chart.view.track();
        chart.sight.track();
        chart.px.track();
        chart.is_known.track();
        chart.want();
    });
    // Whatever is at work grows.
    Effect::new(move |_| {
        let now = app.now.get();
        app.revision.track();
        chart.follow_now(now);
    });
    Effect::new(move |_| {
        let all = chart.all.get();
        chart.scope.track();
        if let Some(all) = all {
            chart.read_busy(all);
        }
    });
    Effect::new(move |_| {
        chart.selection.track();
        chart.chosen.track();
        chart.all.track();
        chart.read_sums();
    });
    Effect::new(move |_| {
        chart.revision.track();
        chart.folded.track();
        chart.lay_rows();
    });
    chart.follow_in_address();
    chart
}

impl Chart {
    pub fn with<T>(&self, read: impl FnOnce(&Drawn) -> T) -> T {
        self.drawn.with_value(read)
    }

    pub fn retry(&self) {
        self.failed.set(None);
        self.is_known.set(false);
        self.find_time(None, false);
    }

    /// Finds the time of the scope: the range that was chosen, else the day of the newest activity.
    fn find_time(&self, range: Option<Range>, first: bool) {
        let this = *self;
        let scope = self.scope.get_untracked();
        spawn_local(async move {
            let wanted = |sort, ascending| SessionQuery {
                agent: scope.agent.clone(),
                project: scope.project.clone(),
                sort,
                ascending,
                limit: Some(1),
                ..SessionQuery::default()
            };
            let now = host::now_ms();
            let newest = match &scope.session {
                Some(id) => this.app.api().session(id).await.map(|detail| {
                    let rows = std::iter::once(&detail.row).chain(&detail.children);
                    let last = rows.clone().map(|row| if is_active_at(row, now) { now } else { row.last_ms }).max();
                    let from = rows.map(|row| row.started_ms).min();
                    from.zip(last).filter(|(from, _)| *from > 0)
                }),
                None => this.app.api().sessions(&wanted(SessionSort::Last, false)).await.map(|page| {
                    let row = page.items.first()?;
                    // Clocks in the future end at now.
                    let last = if is_active_at(row, now) { now } else { row.last_ms.min(now.max(row.started_ms)) };
                    Some((row.started_ms, last))
                }),
            };
            let Some(newest) = this.keep(newest) else { return };
            let Some((started, last)) = newest else {
                this.all.set(None);
                this.is_known.set(true);
                return;
            };
            let offset = host::utc_offset_minutes(last);
            let from = match (scope.session.is_some(), range) {
                (true, _) => started,
                (false, None) => Range::Today.start_ms(last, offset).unwrap_or(started),
                (false, Some(Range::All)) => {
                    let oldest = this.app.api().sessions(&wanted(SessionSort::Started, true)).await;
                    let Some(oldest) = this.keep(oldest) else { return };
                    oldest.items.first().map_or(started, |row| row.started_ms)
                }
                (false, Some(range)) => range.start_ms(now, host::utc_offset_minutes(now)).unwrap_or(started),
            };
            let last = range.and_then(Range::end_ms).map_or(last, |end| end.min(last.max(from)));
            let all = View::of(from, last.max(from + 60_000));
            let number = |key: &str| this.query.get_untracked(key).and_then(|text| text.parse::<i64>().ok());
            let asked = number("t0").zip(number("t1")).filter(|(from, to)| first && to > from);
            let view = match asked {
                Some((from, to)) => View::of(from, to),
                None if scope.session.is_some() => all,
                None => View { from_ms: all.from_ms.max(all.to_ms - FIRST_MS as f64), to_ms: all.to_ms },
            };
            if last < from {
                this.all.set(None);
                this.is_known.set(true);
                return;
            }
            this.all.set(Some(all));
            this.view.set(view);
            this.is_known.set(true);
        });
    }

    /// The answer, or nothing after the failure was shown or the page is gone.
    fn keep<T>(&self, answer: Result<T, ApiError>) -> Option<T> {
        match answer {
            Ok(value) if self.drawn.try_with_value(|_| ()).is_some() => Some(value),
            Ok(_) => None,
            Err(error) => {
                self.failed.try_set(Some(error));
                None
            }
        }
    }

    pub fn set_view(&self, view: View) {
        let view = match self.all.get_untracked() {
            Some(all) => view.inside(all),
            None => view,
        };
        if self.view.get_untracked() != view {
            self.view.set(view);
        }
    }

    /// Shows all of the time, or the chosen session's.
    pub fn fit(&self) {
        if let Some(all) = self.all.get_untracked() {
            let chosen = self.chosen.get_untracked();
            let own = self.with(|drawn| {
                let session = drawn.timeline.sessions.iter().find(|session| Some(&session.id) == chosen.as_ref())?;
                Some(View::of(session.started_ms, session.last_ms.max(session.started_ms + SHORTEST_MS)))
            });
            self.set_view(own.map_or(all, |own| own.zoom(1.05, (own.from_ms + own.to_ms) / 2.0)));
        }
    }

    /// Asks for slices where what was read does not do: soon, and one request at a time.
    fn want(&self) {
        if !self.is_known.get_untracked() || self.all.with_untracked(Option::is_none) || self.px.get_untracked() < 1.0 {
            return;
        }
        if self.is_enough() && !self.is_stale() {
            return;
        }
        if self.reading.get_untracked() {
            self.again.set_value(true);
            return;
        }
        self.read_slices();
    }

    fn is_stale(&self) -> bool {
        let view = self.view.get_untracked();
        let now = self.app.now.get_untracked();
        view.to_ms >= (now - 10_000) as f64 && now - self.read_ms.get_value() >= REFRESH_MS
    }

    /// Whether the slices that were read cover the view at its detail.
    fn is_enough(&self) -> bool {
        let view = self.view.get_untracked();
        let (first, count) = self.sessions_in_sight();
        let density = self.px.get_untracked() * dpr() / view.width();
        self.with(|drawn| {
            let read = &drawn.timeline;
            let covers = (read.from_ms as f64) <= view.from_ms && read.to_ms as f64 >= view.to_ms;
            let rows = read.first as usize <= first && (read.first + read.count) as usize >= first + count;
            covers
                && (rows || read.sessions.is_empty())
                && drawn.density >= density * 0.66
                && drawn.density <= density * 3.0
        })
    }

    /// First session in sight, and how many.
    fn sessions_in_sight(&self) -> (usize, usize) {
        let (first, count) = self.sight.get_untracked();
        self.rows.with_untracked(|rows| {
            let from = rows.get(first.min(rows.len().saturating_sub(1))).map_or(0, |row| row.session);
            let to = rows.get((first + count).min(rows.len().saturating_sub(1))).map_or(0, |row| row.session);
            (from, to - from + 1)
        })
    }

    fn read_slices(&self) {
        let this = *self;
        let view = this.view.get_untracked();
        let all = this.all.get_untracked();
        let scope = this.scope.get_untracked();
        let (first, count) = this.sessions_in_sight();
        let first = u32::try_from(first).unwrap_or(0);
        let count = u32::try_from(count).unwrap_or(SESSIONS_AT_ONCE);
        let spare = SESSIONS_AT_ONCE.saturating_sub(count) / 2;
        let margin = view.width() * MARGIN;
        let px = (this.px.get_untracked() * dpr() * (1.0 + 2.0 * MARGIN)) as u32;
        let query = TimelineQuery {
            from_ms: (view.from_ms - margin) as i64,
            to_ms: (view.to_ms + margin) as i64 + 1,
            px,
            project: scope.project.clone(),
            agent: scope.agent.clone(),
            session: scope.session.clone(),
            first: first.saturating_sub(spare),
            count: count.max(SESSIONS_AT_ONCE),
            all_from_ms: all.map(|all| all.from_ms as i64),
            all_to_ms: all.map(|all| all.to_ms as i64 + 1),
        };
        this.reading.set(true);
        this.again.set_value(false);
        spawn_local(async move {
            let answer = this.app.api().timeline(&query).await;
            if this.drawn.try_with_value(|_| ()).is_none() {
                return; // The page is gone.
            }
            this.reading.set(false);
            match answer {
                Ok(timeline) if this.scope.get_untracked() == scope => {
                    this.failed.set(None);
                    this.drawn.set_value(Drawn::of(timeline, px));
                    this.read_ms.set_value(this.app.now.get_untracked());
                    this.revision.update(|revision| *revision += 1);
                }
                Ok(_) => this.again.set_value(true),
                Err(error) => {
                    this.failed.set(Some(error));
                    return;
                }
            }
            if this.again.get_value() || !this.is_enough() {
                this.want();
            }
        });
    }

    /// Time goes on: the range grows, and a view at its end goes with it.
    fn follow_now(&self, now: i64) {
        let Some(all) = self.all.get_untracked() else { return };
        let is_live = self.app.feed_untracked(|feed| feed.sessions().any(|row| is_active_at(row, now)));
        let wants_more = self.with(|drawn| drawn.timeline.behind > 0);
        let scope_is_live = self.scope.with_untracked(|scope| {
            scope.session.as_ref().is_none_or(|id| {
                self.app.feed_untracked(|feed| feed.session(id).is_some_and(|row| is_active_at(&row, now)))
            })
        });
        if is_live && scope_is_live && now as f64 > all.to_ms && now as f64 - all.to_ms < 86_400_000.0 {
            let view = self.view.get_untracked();
            let at_end = view.to_ms >= all.to_ms - 1_500.0;
            self.all.set(Some(View { to_ms: now as f64, ..all }));
            if at_end {
                self.view.set(view.pan(now as f64 - all.to_ms));
            }
        } else if wants_more || (is_live && self.is_stale()) {
            self.want();
        }
    }

    fn read_busy(&self, all: View) {
        let this = *self;
        // Growing by seconds changes nothing one could see.
        let known = self.busy.get_untracked();
        let step = (all.width() / f64::from(BUSY_COLUMNS)).max(1_000.0);
        let is_same = known.is_some_and(|busy| {
            busy.from_ms == all.from_ms as i64 && (busy.to_ms as f64 - all.to_ms).abs() < step.max(5_000.0)
        });
        if is_same {
            return;
        }
        let scope = self.scope.get_untracked();
        let query = TimelineQuery {
            from_ms: all.from_ms as i64,
            to_ms: all.to_ms as i64,
            px: BUSY_COLUMNS,
            project: scope.project,
            agent: scope.agent,
            session: scope.session,
            ..TimelineQuery::default()
        };
        spawn_local(async move {
            if let Ok(busy) = this.app.api().busy(&query).await {
                this.busy.try_set(Some(Arc::new(busy)));
            }
        });
    }

    fn read_sums(&self) {
        let this = *self;
        let chosen = self.chosen.get_untracked().or_else(|| self.scope.get_untracked().session);
        let selection = self.selection.get_untracked();
        let Some(all) = self.all.get_untracked().filter(|_| selection.is_some() || chosen.is_some()) else {
            self.sums.set(None);
            return;
        };
        let (from_ms, to_ms) = selection.unwrap_or((all.from_ms as i64, all.to_ms as i64));
        let known = self.sums.get_untracked();
        if known
            .is_some_and(|sums| sums.from_ms == from_ms && (sums.to_ms - to_ms).abs() < 5_000 && sums.path_of == chosen)
        {
            return;
        }
        let scope = self.scope.get_untracked();
        let query = TimelineQuery {
            from_ms,
            to_ms: to_ms.max(from_ms + 1),
            project: scope.project,
            agent: scope.agent,
            session: scope.session,
            ..TimelineQuery::default()
        };
        spawn_local(async move {
            match this.app.api().sums(&query, chosen.as_deref()).await {
                Ok(sums) if this.selection.try_get_untracked() == Some(selection) => {
                    this.sums.set(Some(Arc::new(sums)))
                }
                Ok(_) => {}
                Err(error) => {
                    this.failed.try_set(Some(error));
                }
            }
        });
    }

    /// Lays the lanes below each other: those that ran at some moment of the time, folded ones left out.
    fn lay_rows(&self) {
        let folded = self.folded.get_untracked();
        let rows: Vec<Row> = self.with(|drawn| {
            let sessions = &drawn.timeline.sessions;
            let lanes: usize = sessions.iter().map(|session| session.lanes.len()).sum();
            let opens = lanes <= 400;
            let mut rows = Vec::with_capacity(lanes);
            for (at, session) in sessions.iter().enumerate() {
                rows.push(Row { session: at, lane: 0 });
                let is_folded = folded.get(&session.id).copied().unwrap_or(!opens || session.lanes.len() > 24);
                if !is_folded {
                    rows.extend((1..session.lanes.len()).map(|lane| Row { session: at, lane }));
                }
            }
            rows
        });
        if self.rows.with_untracked(|known| **known != rows) {
            self.rows.set(Arc::new(rows));
        }
    }

    pub fn is_folded(&self, session: &str, lanes: usize) -> bool {
        let chosen = self.folded.with(|folded| folded.get(session).copied());
        chosen.unwrap_or_else(|| {
            let all: usize = self.with(|drawn| drawn.timeline.sessions.iter().map(|one| one.lanes.len()).sum());
            all > 400 || lanes > 24
        })
    }

    /// The session of a row becomes the one whose critical path is shown, or stops being it.
    pub fn choose(&self, session: Option<String>) {
        self.chosen.set(session);
    }

    pub fn clear(&self) {
        self.selection.set(None);
        self.chosen.set(None);
    }

    /// View, selection and choice stand in the address, once they rest.
    fn follow_in_address(&self) {
        let this = *self;
        let moves = StoredValue::new(0_u64);
        Effect::new(move |before: Option<()>| {
            let view = this.view.get();
            let selection = this.selection.get();
            let chosen = this.chosen.get();
            let by_agent = this.by_agent.get();
            let table = this.shows_table.get();
            let number = moves.get_value() + 1;
            moves.set_value(number);
            if before.is_none() || !this.is_known.get_untracked() {
                return;
            }
            let write = move || {
                if moves.try_get_value() != Some(number) {
                    return;
                }
                let at_end = this.all.get_untracked().is_some_and(|all| {
                    view.to_ms >= all.to_ms - 1_500.0
                        && view.width() <= FIRST_MS as f64 + 1.0
                        && view.width() >= FIRST_MS as f64 - 1.0
                });
                let (t0, t1) = ((view.from_ms as i64).to_string(), (view.to_ms as i64).to_string());
                let (s0, s1) = selection.map(|(from, to)| (from.to_string(), to.to_string())).unzip();
                let path = this.query.with(&[
                    ("t0", Some(t0.as_str()).filter(|_| !at_end)),
                    ("t1", Some(t1.as_str()).filter(|_| !at_end)),
                    ("s0", s0.as_deref()),
                    ("s1", s1.as_deref()),
                    ("path", chosen.as_deref()),
                    ("by", Some("agent").filter(|_| by_agent)),
                    ("as", Some("table").filter(|_| table)),
                ]);
                this.app.replace(&path);
            };
            set_timeout(write, std::time::Duration::from_millis(500));
        });
    }

    /// Sessions with slices in the picture, for the sentence that says what was cut.
    pub fn cut(&self) -> u64 {
        self.revision.track();
        self.with(|drawn| drawn.timeline.cut)
    }
}

/// The screen's pixels in one of CSS.
pub fn dpr() -> f64 {
    window().device_pixel_ratio().clamp(1.0, 3.0)
}
