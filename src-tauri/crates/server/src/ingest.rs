//! The one pipeline: what was decoded is redacted, priced, appended, and published after its commit.

use std::collections::HashMap;
use std::sync::Arc;

use orrery_agents::Decoded;
use orrery_store::{Appended, Batch, Item, Raw, Store, StoreError};
use orrery_types::{Body, Event, LiveFrame, Problem, Source, Sources};
use orrery_views::pricing::PriceTable;

use crate::clock::Clock;
use crate::family;
use crate::live::Hub;
use crate::redact::Redactor;

/// What was committed, for the server's own subscribers (overview, alerts).
#[derive(Debug, Clone, Default)]
pub struct Stored {
    pub new_events: u64,
    pub sessions: Vec<orrery_types::SessionRow>,
}

/// Who hears of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Every client gets the events and the rows they changed.
    All,
    /// History being read: clients get the changed rows; thousands of old events would only bury the new ones.
    Rows,
}

/// The pipeline over one store. Without a hub nothing is published: that is how `orrery import` runs.
pub struct Ingest {
    store: Arc<dyn Store>,
    prices: PriceTable,
    redactor: Redactor,
    hub: Option<Arc<Hub>>,
    clock: Clock,
}

impl Ingest {
    /// A pipeline that appends and tells nobody.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Ingest {
        Ingest { store, prices: PriceTable::builtin().clone(), redactor: Redactor::default(), hub: None, clock }
    }

    /// The same, publishing to `hub` after each commit.
    pub fn publishing(store: Arc<dyn Store>, clock: Clock, hub: Arc<Hub>) -> Ingest {
        Ingest { hub: Some(hub), ..Ingest::new(store, clock) }
    }

    /// Masks secrets in what comes from now on, or keeps it as it is. On at first.
    pub fn redact(&self, on: bool) {
        self.redactor.set(on);
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// One decoded payload or line as the store takes it, with the problems found in it.
    pub fn item(&self, raw: Option<Raw>, decoded: Decoded) -> (Item, Vec<Problem>) {
        let Decoded { mut events, usage, facts, problems } = decoded;
        for event in &mut events {
            self.redactor.event(event);
        }
        let raw = raw.map(|raw| Raw { bytes: self.redactor.bytes(raw.bytes), ..raw });
        let usage = usage.iter().map(|request| self.prices.price(request)).collect();
        (Item { raw, events, usage, facts }, problems)
    }

    /// Decoded payload in, committed rows out.
    ///
    /// # Errors
    /// Nothing was kept: see [`StoreError`].
    pub async fn one(&self, raw: Raw, decoded: Decoded) -> Result<Appended, StoreError> {
        let (item, problems) = self.item(Some(raw), decoded);
        self.append(Batch { items: vec![item], cursors: Vec::new(), problems }, Audience::All).await
    }

    /// Appends a batch and publishes it after the commit.
    ///
    /// # Errors
    /// Nothing was kept: see [`StoreError`].
    pub async fn append(&self, batch: Batch, audience: Audience) -> Result<Appended, StoreError> {
        let raws = match &self.hub {
            Some(hub) if audience == Audience::All && hub.has_family_clients() => raw_texts(&batch),
            _ => Vec::new(),
        };
        let appended = self.store.append(batch).await?;
        if let Some(hub) = &self.hub {
            self.publish(hub, &appended, &raws, audience);
        }
        Ok(appended)
    }

    fn publish(&self, hub: &Hub, appended: &Appended, raws: &[Option<(Source, Vec<u8>)>], audience: Audience) {
        let events = if audience == Audience::All { appended.events.clone() } else { Vec::new() };
        if !events.is_empty() || !appended.sessions.is_empty() {
            let sessions = appended.sessions.clone();
            hub.publish(&LiveFrame::Appended { events, sessions, server_ms: self.clock.now_ms() });
            hub.tell(Stored { new_events: appended.new_events, sessions: appended.sessions.clone() });
        }
        if raws.is_empty() {
            return;
        }
        let item_of: HashMap<i64, usize> = appended
            .seqs
            .iter()
            .enumerate()
            .flat_map(|(item, seqs)| seqs.iter().map(move |seq| (*seq, item)))
            .collect();
        for event in &appended.events {
            let raw = item_of.get(&event.seq).and_then(|item| raws.get(*item)?.as_ref());
            let event = family::event_json(event, raw.map(|(source, bytes)| (*source, bytes.as_slice())));
            hub.publish_family(serde_json::json!({"type": "event", "data": event}).to_string());
        }
    }
}

fn raw_texts(batch: &Batch) -> Vec<Option<(Source, Vec<u8>)>> {
    batch.items.iter().map(|item| item.raw.as_ref().map(|raw| (raw.source, raw.bytes.clone()))).collect()
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
