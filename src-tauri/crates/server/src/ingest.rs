//! The one pipeline: what was decoded is redacted, priced and appended; `live` publishes it from the store's commits.

use std::sync::{Arc, PoisonError, RwLock};

use orrery_agents::Decoded;
pub use orrery_store::Audience;
use orrery_store::{Appended, Batch, Item, Raw, Store, StoreError};
use orrery_types::{Body, Event, Problem, Settings, Source, Sources};
use orrery_views::pricing::{Prices, StoredPrices};

use crate::clock::Clock;
use crate::live::Hub;
use crate::projects::Projects;
use crate::redact::{Counts, Redactor};

/// The pipeline over one store. Without a hub nothing is published: that is how `orrery import` runs.
pub struct Ingest {
    store: Arc<dyn Store>,
    prices: RwLock<Arc<Prices>>,
    redactor: Redactor,
    projects: Projects,
    hub: Option<Arc<Hub>>,
    clock: Clock,
}

impl Ingest {
    /// A pipeline that appends and tells nobody.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Ingest {
        let stored = store.price_tables().unwrap_or_else(|error| {
            tracing::warn!(%error, "stored prices could not be read; the built-in ones are in force");
            Vec::new()
        });
        let prices = RwLock::new(Arc::new(Prices::new(stored)));
        let projects = Projects::default();
        Ingest { store, prices, redactor: Redactor::default(), projects, hub: None, clock }
    }

    /// The price tables: what comes in now takes the one in force.
    pub fn prices(&self) -> Arc<Prices> {
        self.prices.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a price table and prices what comes in from now on with it. Rows that are stored keep their prices.
    ///
    /// # Errors
    /// The store's own; then the tables stay as they were.
    pub async fn add_prices(&self, prices: StoredPrices) -> Result<bool, StoreError> {
        let added = self.store.add_prices(prices).await?;
        let all = Arc::new(Prices::new(self.store.price_tables()?));
        *self.prices.write().unwrap_or_else(PoisonError::into_inner) = all;
        Ok(added)
    }

    /// The same, for a server whose `hub` publishes the store's commits.
    pub fn publishing(store: Arc<dyn Store>, clock: Clock, hub: Arc<Hub>) -> Ingest {
        Ingest { hub: Some(hub), ..Ingest::new(store, clock) }
    }

    /// Masks secrets in what comes from now on as the settings say. Every rule is on at first.
    pub fn redact(&self, settings: &Settings) {
        self.redactor.set(settings);
    }

    /// Bytes that were not stored, masked as stored ones are.
    pub fn masked(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        self.redactor.bytes(&mut bytes, &mut Counts::new());
        bytes
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// One decoded payload or line as the store takes it, with the problems found in it.
    pub fn item(&self, raw: Option<Raw>, decoded: Decoded) -> (Item, Vec<Problem>) {
        let Decoded { mut events, usage, mut facts, problems } = decoded;
        self.projects.fill(&mut facts, &events, self.clock.now_ms());
        let mut raw = raw;
        let masked = self.redactor.item(raw.as_mut().map(|raw| &mut raw.bytes), &mut events, &mut facts);
        let prices = self.prices();
        let usage = usage.iter().map(|request| prices.in_force().price(request)).collect();
        (Item { raw, events, usage, facts, masked: masked.into_iter().collect() }, problems)
    }

    /// Decoded payload in, committed rows out.
    ///
    /// # Errors
    /// Nothing was kept: see [`StoreError`].
    pub async fn one(&self, raw: Raw, decoded: Decoded) -> Result<Arc<Appended>, StoreError> {
        let (item, problems) = self.item(Some(raw), decoded);
        self.append(Batch { items: vec![item], problems, ..Batch::default() }, Audience::All).await
    }

    /// Appends a batch; answers after the commit. Clients hear of it from the store's commits.
    ///
    /// # Errors
    /// Nothing was kept: see [`StoreError`].
    pub async fn append(&self, mut batch: Batch, audience: Audience) -> Result<Arc<Appended>, StoreError> {
        // What a reader remembers of open calls, and what a problem quotes, are texts of the agent too.
        let mut unseen = Counts::new();
        for text in batch.cursors.iter_mut().map(|cursor| &mut cursor.state) {
            self.redactor.text(text, &mut unseen);
        }
        for text in batch.problems.iter_mut().map(|problem| &mut problem.message) {
            self.redactor.text(text, &mut unseen);
        }
        let tell_raws = audience == Audience::All && self.hub.as_ref().is_some_and(|hub| hub.has_family_clients());
        self.store.append(Batch { audience, tell_raws, ..batch }).await
    }
}

/// Whose report a hook payload is: the agent's own, or that of our wrapper around it, which marks what it sends.
pub fn reporter_of(payload: &[u8]) -> Source {
    /// The wrapper's payloads are smaller.
    const MAX: usize = 16 * 1024;
    const MARK: &[u8] = b"\"orrery_run\":\"";
    let is_wrapper = payload.len() <= MAX && payload.windows(MARK.len()).any(|part| part == MARK);
    if is_wrapper { Source::Orrery } else { Source::Hook }
}

/// The event for a payload in which no decoder found one: nothing that arrives is lost.
pub fn unreadable(context: &orrery_agents::Context, agent: &str, summary: String) -> Event {
    Event {
        seq: 0,
        id: context.delivery_id.clone(),
        session_id: "unknown".to_owned(),
        agent: agent.to_owned(),
        name: "unreadable".to_owned(),
        at_ms: context.received_ms,
        received_ms: context.received_ms,
        subagent: None,
        turn_id: None,
        sources: Sources::one(context.source),
        body: Body::Other { summary },
        demo: context.demo,
    }
}
