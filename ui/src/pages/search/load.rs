//! Asking while one types: the old hits stay until the new ones are here.

use std::collections::HashSet;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Facets, FilterError, Hit, SearchQuery};

use crate::api::ApiError;
use crate::host;
use crate::routes;
use crate::state::{AppState, use_app};

const PAGE: u32 = 100;
/// Typing rests for so long before the server is asked, ms.
const RESTS_MS: u64 = 180;

/// The hits of one query, as far as they were read.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub query: String,
    pub hits: Vec<Arc<Hit>>,
    pub next: Option<i64>,
    pub stopped: bool,
    pub facets: Option<Facets>,
}

impl Found {
    pub fn sessions(&self) -> usize {
        self.hits.iter().map(|hit| hit.event.session_id.as_str()).collect::<HashSet<_>>().len()
    }
}

/// Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Results {
    pub found: RwSignal<Option<Arc<Found>>>,
    pub failed: RwSignal<Option<ApiError>>,
    pub reading: RwSignal<bool>,
    pub took_ms: RwSignal<i64>,
    /// The hit that the keyboard is at.
    pub active: RwSignal<Option<Arc<Hit>>>,
    /// Number of the last question: answers to earlier ones are dropped.
    asked: StoredValue<u64>,
    text: Memo<String>,
    pub app: AppState,
}

pub fn open_results(text: Memo<String>, error: Memo<Option<FilterError>>) -> Results {
    let results = Results {
        found: RwSignal::new(None),
        failed: RwSignal::new(None),
        reading: RwSignal::new(false),
        took_ms: RwSignal::new(0),
        active: RwSignal::new(None),
        asked: StoredValue::new(0),
        text,
        app: use_app(),
    };
    Effect::new(move |before: Option<()>| {
        let text = text.get();
        // A query that cannot be read leaves the last hits on screen.
        if error.with(Option::is_some) {
            return;
        }
        let number = results.asked.get_value() + 1;
        results.asked.set_value(number);
        if text.trim().is_empty() {
            results.found.set(None);
            results.reading.set(false);
            return;
        }
        let ask = move || {
            if results.asked.try_get_value() == Some(number) {
                results.ask(number, text.clone());
            }
        };
        let rests = if before.is_none() { 0 } else { RESTS_MS };
        set_timeout(ask, std::time::Duration::from_millis(rests));
    });
    results
}

impl Results {
    fn ask(&self, number: u64, text: String) {
        let this = *self;
        this.reading.set(true);
        let began = host::precise_ms();
        spawn_local(async move {
            let query = question(&text, None, true);
            let answer = this.app.api().search(&query).await;
            if this.asked.try_get_value() != Some(number) {
                return; // Another question was asked meanwhile, or the page is gone.
            }
            this.reading.set(false);
            this.took_ms.set((host::precise_ms() - began) as i64);
            match answer {
                Ok(page) => {
                    this.failed.set(None);
                    this.active.set(None);
                    this.found.set(Some(Arc::new(Found {
                        query: text,
                        hits: page.hits.into_iter().map(Arc::new).collect(),
                        next: page.next,
                        stopped: page.stopped,
                        facets: page.facets,
                    })));
                }
                Err(error) => this.failed.set(Some(error)),
            }
        });
    }

    pub fn again(&self) {
        let number = self.asked.get_value() + 1;
        self.asked.set_value(number);
        self.ask(number, self.text.get_untracked());
    }

    /// Reads the next page behind the hits that are here.
    pub fn more(&self) {
        let this = *self;
        let Some(found) = this.found.get_untracked() else { return };
        let (Some(next), false) = (found.next, this.reading.get_untracked()) else { return };
        let number = this.asked.get_value();
        this.reading.set(true);
        spawn_local(async move {
            let answer = this.app.api().search(&question(&found.query, Some(next), false)).await;
            if this.asked.try_get_value() != Some(number) {
                return;
            }
            this.reading.set(false);
            match answer {
                Ok(page) => {
                    let hits = found.hits.iter().cloned().chain(page.hits.into_iter().map(Arc::new)).collect();
                    this.found.set(Some(Arc::new(Found {
                        hits,
                        next: page.next,
                        stopped: page.stopped,
                        query: found.query.clone(),
                        facets: found.facets.clone(),
                    })));
                }
                Err(error) => this.failed.set(Some(error)),
            }
        });
    }

    /// Address of the session of the hit that the keyboard is at, at that step.
    pub fn active_path(&self) -> Option<String> {
        let hit = self.active.get_untracked()?;
        Some(format!("{}?step={}", routes::session(&hit.event.session_id), hit.event.seq))
    }
}

/// One page of a query, in the person's zone.
pub fn question(text: &str, before: Option<i64>, facets: bool) -> SearchQuery {
    SearchQuery {
        q: text.to_owned(),
        before,
        limit: Some(PAGE),
        facets,
        utc_offset_minutes: host::utc_offset_minutes(host::now_ms()),
    }
}
