//! Which call a subagent belongs to.

use std::sync::Arc;

use orrery_types::ToolClass;
use serde_json::Value;

use super::{Place, Told};
use crate::story::{ToolStep, What};

impl Told {
    /// Gives a new subagent to the oldest Agent call that waits for one of its kind.
    pub(super) fn claim_by_time(&mut self, id: &str, kind: &str) -> bool {
        let fits = |call: &ToolStep, strict: bool| {
            let wanted = call.input.get("subagent_type").and_then(Value::as_str).unwrap_or_default();
            call.class == ToolClass::Agent
                && call.subagent.is_none()
                && (wanted == kind || (!strict && wanted.is_empty()))
        };
        let place = [true, false].into_iter().find_map(|strict| {
            self.open.iter().find(|place| self.call(place).is_some_and(|call| fits(call, strict))).cloned()
        });
        let Some(place) = place else { return false };
        self.change_call(&place, |_, tool| tool.subagent = Some(id.to_owned()));
        true
    }

    /// The result of an Agent call often names its subagent: that beats any guess by time.
    pub(super) fn claim_by_id(&mut self, place: &Place) {
        let Some(call) = self.call(place).filter(|call| call.class == ToolClass::Agent) else { return };
        let named = self.threads.keys().find(|id| id.len() >= 6 && call.output.contains(id.as_str())).cloned();
        let Some(id) = named.filter(|id| call.subagent.as_ref() != Some(id)) else { return };
        let dropped = call.subagent.clone();
        let owner =
            self.calls.values().find(|other| self.call(other).is_some_and(|c| c.subagent.as_ref() == Some(&id)));
        if let Some(owner) = owner.cloned() {
            let other = dropped.clone();
            self.change_call(&owner, |_, tool| tool.subagent = other);
        } else if let Some(dropped) = dropped {
            self.set_claimed(&dropped, false);
        }
        self.change_call(place, |_, tool| tool.subagent = Some(id.clone()));
        self.set_claimed(&id, true);
    }

    pub(super) fn set_claimed(&mut self, wanted: &str, now: bool) {
        let Some(turn) = self.threads.get(wanted).map(|thread| thread.turn) else { return };
        for step in &mut self.turns[turn].steps {
            if let What::Subagent { id, claimed } = &step.what
                && id == wanted
                && *claimed != now
            {
                Arc::make_mut(step).what = What::Subagent { id: wanted.to_owned(), claimed: now };
            }
        }
    }
}
