//! The parts of an event that one delivery shares.

use orrery_types::{Body, Event, EventId, Sources, Subagent};

use crate::Context;

/// What every event of one payload or line has in common.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    pub ctx: &'a Context,
    pub agent: String,
    pub session: String,
    pub at_ms: i64,
    pub subagent: Option<Subagent>,
    pub turn_id: Option<String>,
}

impl Draft<'_> {
    pub fn event(&self, id: EventId, name: &str, body: Body) -> Event {
        Event {
            seq: 0,
            id,
            session_id: self.session.clone(),
            agent: self.agent.clone(),
            name: name.to_owned(),
            at_ms: self.at_ms,
            received_ms: self.ctx.received_ms,
            subagent: self.subagent.clone(),
            turn_id: self.turn_id.clone(),
            sources: Sources::one(self.ctx.source),
            body,
            demo: self.ctx.demo,
        }
    }
}

/// Text that cannot be read becomes an event of its own, so that it is seen; the caller keeps the raw bytes.
pub fn unreadable(ctx: &Context, agent: &str, session: &str, id: EventId, bytes: &[u8]) -> Event {
    let draft = Draft {
        ctx,
        agent: agent.to_owned(),
        session: session.to_owned(),
        at_ms: ctx.received_ms,
        subagent: None,
        turn_id: None,
    };
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    draft.event(id, "unreadable", Body::Other { summary: crate::json::one_line(&start, 200) })
}
