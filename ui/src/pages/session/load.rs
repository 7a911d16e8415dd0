//! Reads a session with all its events, and follows it while it runs.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Event, EventQuery, SessionDetail, SessionRow, Status, UsageRow};
use orrery_views::session::status_at;
use orrery_views::story::{Story, Thread, Turn};

use crate::api::ApiError;
use crate::state::AppState;

/// Events read at once.
const PAGE: u32 = 1_000;
/// Sessions with more events than this are read a piece at a time, the newest first.
const WHOLE: u64 = 20_000;
/// Pages of such a piece.
const PIECE_PAGES: usize = 4;
/// How often the totals of a session at work are read again, ms.
const REFRESH_MS: i64 = 15_000;

/// How reading stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    /// Events read so far.
    Loading(usize),
    Done,
    Failed(ApiError),
}

/// Which part of a long session was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Numbers of the first and last event read.
    pub first: i64,
    pub last: i64,
    /// Whether the newest events are in it: then it grows.
    pub at_end: bool,
}

/// One session on screen. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Session {
    pub id: StoredValue<String>,
    pub detail: RwSignal<Option<SessionDetail>>,
    pub load: RwSignal<Load>,
    /// Billed requests. Empty when the server does not say.
    pub usage: RwSignal<Arc<Vec<UsageRow>>>,
    /// Grows when the story changed.
    pub revision: RwSignal<u64>,
    /// The story is a piece of a long session.
    pub piece: RwSignal<Option<Piece>>,
    story: StoredValue<Story>,
    /// Number of the feed's newest arrival that the story has taken.
    seen: StoredValue<u64>,
    /// The newest row: the feed's, or the one that was read.
    pub row: Memo<Option<Arc<SessionRow>>>,
    pub status: Memo<Status>,
    app: AppState,
}

/// Reads the session and follows the feed until the page goes.
pub fn open_session(app: AppState, id: String) -> Session {
    let detail = RwSignal::new(None::<SessionDetail>);
    let own = id.clone();
    let row = Memo::new(move |_| {
        let live = app.feed(|feed| feed.session(&own));
        let read = detail.with(|detail| detail.as_ref().map(|detail| Arc::new(detail.row.clone())));
        match (live, read) {
            (Some(live), Some(read)) if live.last_ms < read.last_ms => Some(read),
            (live, read) => live.or(read),
        }
    });
    let status = Memo::new(move |_| row.get().map_or(Status::Idle, |row| status_at(&row, app.now.get())));
    let session = Session {
        id: StoredValue::new(id),
        detail,
        load: RwSignal::new(Load::Loading(0)),
        usage: RwSignal::new(Arc::default()),
        revision: RwSignal::new(0),
        piece: RwSignal::new(None),
        story: StoredValue::new(Story::default()),
        seen: StoredValue::new(app.feed_untracked(|feed| feed.arrived())),
        row,
        status,
        app,
    };
    session.reload();
    Effect::new(move |_| {
        app.revision.track();
        session.take_live();
    });
    let tick = Memo::new(move |_| app.now.get() / REFRESH_MS);
    Effect::new(move |before: Option<(i64, Status)>| {
        let now = (tick.get(), status.get());
        let at_work = matches!(now.1, Status::Running | Status::NeedsYou | Status::Stuck);
        if let Some(before) = before
            && (before.1 != now.1 || (at_work && before.0 != now.0))
        {
            session.read_detail();
        }
        now
    });
    session
}

impl Session {
    /// Reads everything that is not here yet.
    pub fn reload(&self) {
        let this = *self;
        this.load.set(Load::Loading(0));
        spawn_local(async move {
            // Steps are drawn against the session's folder and state: those come first.
            this.detail_now().await;
            if this.load.try_get_untracked() == Some(Load::Loading(0)) {
                let events = this.row.get_untracked().map_or(0, |row| row.events);
                if events > WHOLE { this.read_piece(None) } else { this.read_events() }
            }
        });
    }

    pub fn with_story<T>(&self, read: impl FnOnce(&Story) -> T) -> T {
        self.revision.track();
        self.story.with_value(read)
    }

    pub fn with_story_untracked<T>(&self, read: impl FnOnce(&Story) -> T) -> T {
        self.story.with_value(read)
    }

    pub fn turn(&self, at: usize) -> Option<Turn> {
        self.with_story(|story| story.turns().get(at).cloned())
    }

    pub fn thread(&self, id: &str) -> Option<Thread> {
        self.with_story(|story| story.subagent(id).cloned())
    }

    fn take(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        self.story.try_update_value(|story| story.extend(events));
        self.revision.update(|revision| *revision += 1);
    }

    fn read_events(&self) {
        let this = *self;
        this.load.set(Load::Loading(0));
        spawn_local(async move {
            let session = this.id.get_value();
            let mut after = this.story.with_value(Story::newest_seq);
            let mut read = 0;
            loop {
                let query = EventQuery {
                    session: Some(session.clone()),
                    after: Some(after),
                    limit: Some(PAGE),
                    ..EventQuery::default()
                };
                let answer = this.app.api().events(&query).await;
                if this.story.try_with_value(|_| ()).is_none() {
                    return; // The page is gone.
                }
                match answer {
                    Ok(page) => {
                        let last = page.items.iter().map(|event| event.seq).max();
                        read += page.items.len();
                        let more = page.next.is_some();
                        this.take(page.items);
                        match last.filter(|last| more && *last > after) {
                            Some(last) => after = last,
                            None => break,
                        }
                        this.load.set(Load::Loading(read));
                    }
                    Err(error) => {
                        this.load.set(Load::Failed(error));
                        return;
                    }
                }
            }
            this.load.set(Load::Done);
        });
    }

    /// Reads the piece of a long session around an event, unless it is here.
    pub fn read_around(&self, seq: i64) {
        let outside = |piece: &Piece| seq < piece.first || seq > piece.last;
        if self.load.get_untracked() == Load::Done && self.piece.get_untracked().as_ref().is_some_and(outside) {
            self.read_piece(Some(seq));
        }
    }

    /// Reads the piece before the one on screen, or the one after it.
    pub fn read_neighbor(&self, forward: bool) {
        if let Some(piece) = self.piece.get_untracked() {
            self.read_piece(Some(if forward { piece.last + 1 } else { piece.first - 1 }));
        }
    }

    /// Reads a piece with `seq` in its middle, or the newest one, in place of what was read.
    pub fn read_piece(&self, seq: Option<i64>) {
        let this = *self;
        this.load.set(Load::Loading(0));
        spawn_local(async move {
            let session = this.id.get_value();
            let query = |after, before| EventQuery {
                session: Some(session.clone()),
                after,
                before,
                limit: Some(PAGE),
                ..EventQuery::default()
            };
            let (back, onward) = if seq.is_some() { (PIECE_PAGES / 2, PIECE_PAGES / 2) } else { (PIECE_PAGES, 0) };
            let mut events: Vec<Event> = Vec::new();
            let mut at_end = seq.is_none();
            let mut failed = None;
            let mut before = seq;
            for _ in 0..back {
                match this.app.api().events(&query(None, before)).await {
                    Ok(page) => {
                        before = page.items.iter().map(|event| event.seq).min();
                        events.extend(page.items);
                        if page.next.is_none() {
                            break;
                        }
                    }
                    Err(error) => failed = Some(error),
                }
            }
            let mut after = seq.map(|seq| seq - 1);
            for _ in 0..onward {
                match this.app.api().events(&query(after, None)).await {
                    Ok(page) => {
                        after = page.items.iter().map(|event| event.seq).max().or(after);
                        events.extend(page.items);
                        if page.next.is_none() {
                            at_end = true;
                            break;
                        }
                    }
                    Err(error) => failed = Some(error),
                }
            }
            if this.story.try_with_value(|_| ()).is_none() {
                return; // The page is gone.
            }
            if let Some(error) = failed {
                this.load.set(Load::Failed(error));
                return;
            }
            let first = events.iter().map(|event| event.seq).min().unwrap_or(0);
            let last = events.iter().map(|event| event.seq).max().unwrap_or(0);
            this.story.set_value(Story::default());
            this.piece.set(Some(Piece { first, last, at_end }));
            this.take(events);
            this.load.set(Load::Done);
        });
    }

    fn read_detail(&self) {
        let this = *self;
        spawn_local(async move { this.detail_now().await });
    }

    /// Reads totals and billed requests.
    async fn detail_now(self) {
        let id = self.id.get_value();
        let detail = self.app.api().session(&id).await;
        if self.story.try_with_value(|_| ()).is_none() {
            return; // The page is gone.
        }
        match detail {
            Ok(detail) => self.detail.set(Some(detail)),
            Err(error) if self.detail.with_untracked(Option::is_none) => self.load.set(Load::Failed(error)),
            // The last known totals stay on screen.
            Err(_) => {}
        }
        if let Ok(usage) = self.app.api().session_usage(&id).await {
            self.usage.try_set(Arc::new(usage));
        }
    }

    fn take_live(&self) {
        let id = self.id.get_value();
        let seen = self.seen.get_value();
        let (events, fell_behind, arrived) = self.app.feed_untracked(|feed| {
            let (arrivals, fell_behind) = feed.arrivals_after(seen);
            let own: Vec<Event> =
                arrivals.filter(|event| event.session_id == id).map(|event| (**event).clone()).collect();
            (own, fell_behind, feed.arrived())
        });
        self.seen.set_value(arrived);
        if let Some(piece) = self.piece.get_untracked() {
            // Only the newest piece grows.
            if piece.at_end && !fell_behind {
                let last = events.iter().map(|event| event.seq).max().unwrap_or(0).max(piece.last);
                self.piece.set(Some(Piece { last, ..piece }));
                self.take(events.into_iter().filter(|event| event.seq >= piece.first).collect());
            } else if piece.at_end && self.load.get_untracked() == Load::Done {
                self.read_piece(None);
            }
            return;
        }
        self.take(events);
        if fell_behind && self.load.get_untracked() == Load::Done {
            self.read_events();
        }
    }
}
