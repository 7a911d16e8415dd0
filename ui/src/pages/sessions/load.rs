//! Reads pages of sessions as the list asks for them, and takes live rows from the feed.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;

use orrery_types::SessionRow;

use super::list::{Facet, Known, Narrow, Order};
use crate::api::ApiError;
use crate::state::{AppState, Connection};

/// Rows read at once.
const PAGE: u32 = 200;

/// How reading stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Load {
    Loading,
    Idle,
    Failed(ApiError),
}

/// The loaded sessions. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Sessions {
    known: StoredValue<Known>,
    /// Grows when `known` changed.
    pub revision: RwSignal<u64>,
    pub load: RwSignal<Load>,
    /// Rows in all for this narrowing, where the server knows it.
    pub total: RwSignal<Option<u64>>,
    /// Key of the next page; the outer `None`: nothing was read yet.
    next: RwSignal<Option<Option<String>>>,
    /// Value of the last row of the last page: behind it the list is not complete.
    frontier: RwSignal<Option<i64>>,
    /// Names the reading in flight, so that an answer for an older narrowing is dropped.
    turn: StoredValue<u32>,
    wanted: Signal<(Narrow, Order)>,
    app: AppState,
}

/// Starts reading for this page and follows the narrowing, the connection and the feed.
pub fn use_sessions(app: AppState, narrow: Memo<Narrow>, order: Memo<Order>) -> Sessions {
    let sessions = Sessions {
        known: StoredValue::new(Known::default()),
        revision: RwSignal::new(0),
        load: RwSignal::new(Load::Loading),
        total: RwSignal::new(None),
        next: RwSignal::new(None),
        frontier: RwSignal::new(None),
        turn: StoredValue::new(0),
        wanted: Signal::derive(move || (narrow.get(), order.get())),
        app,
    };
    let is_live = Memo::new(move |_| matches!(app.connection.get(), Connection::Live | Connection::CatchingUp { .. }));
    Effect::new(move |_| {
        is_live.track();
        sessions.wanted.track();
        sessions.reload();
    });
    Effect::new(move |_| {
        app.revision.track();
        sessions.take_live();
    });
    sessions
}

impl Sessions {
    /// Reads the first page anew; what is known stays on screen.
    pub fn reload(&self) {
        self.next.set(None);
        self.read(None);
    }

    /// Reads the next page, unless one is on its way or all is read.
    pub fn more(&self) {
        if let (Load::Idle, Some(Some(after))) = (self.load.get_untracked(), self.next.get_untracked()) {
            self.read(Some(after));
        }
    }

    pub fn sorted(&self, narrow: Narrow, order: Order, now_ms: i64) -> Vec<Arc<SessionRow>> {
        self.revision.track();
        let frontier = self.frontier.get();
        self.known.with_value(|known| known.sorted(&narrow, order, frontier, now_ms))
    }

    pub fn counts(&self, facet: Facet, narrow: &Narrow, now_ms: i64) -> Vec<(String, u64)> {
        self.revision.track();
        self.known.with_value(|known| known.counts(facet, narrow, now_ms))
    }

    pub fn get(&self, id: &str) -> Option<Arc<SessionRow>> {
        self.known.with_value(|known| known.get(id).cloned())
    }

    fn read(&self, after: Option<String>) {
        let this = *self;
        let turn = this.turn.get_value() + 1;
        this.turn.set_value(turn);
        this.load.set(Load::Loading);
        spawn_local(async move {
            let (narrow, order) = this.wanted.get_untracked();
            let mut query = narrow.query(order.by, order.ascending);
            query.after = after;
            query.limit = Some(PAGE);
            let answer = this.app.api().sessions(&query).await;
            if this.turn.try_get_value() != Some(turn) {
                return;
            }
            match answer {
                Ok(page) => {
                    this.frontier.set(page.next.as_ref().and_then(|_| page.items.last().map(|row| order.value(row))));
                    this.known.update_value(|known| {
                        page.items.into_iter().for_each(|row| {
                            known.add(Arc::new(row));
                        })
                    });
                    if page.total.is_some() {
                        this.total.set(page.total);
                    }
                    this.next.set(Some(page.next));
                    this.revision.update(|revision| *revision += 1);
                    this.load.set(Load::Idle);
                }
                Err(error) => this.load.set(Load::Failed(error)),
            }
        });
    }

    /// Rows that changed since they were read. Only the feed's own rows can vanish (the demo was removed).
    fn take_live(&self) {
        let mut changed = false;
        let demo_over = self.app.feed_untracked(|feed| feed.overview().is_some_and(|overview| !overview.demo));
        self.known.update_value(|known| {
            changed |= demo_over && known.remove_demo();
            self.app.feed_untracked(|feed| {
                for row in feed.sessions().filter(|row| !(demo_over && row.demo)) {
                    changed |= known.add(row.clone());
                }
            });
        });
        if changed {
            self.revision.update(|revision| *revision += 1);
        }
    }
}
