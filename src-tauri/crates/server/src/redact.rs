//! Masks secrets in what is stored: tokens, keys and passwords that agents read and print.
//!
//! One pass over the bytes looks for the rules' key words; a rule's regex runs only where one of its words stands, so
//! that text without secrets costs a single walk. What says the kind of a secret stays readable: `ghp_[redacted]`.

mod guess;
mod mask;
mod rules;
mod shadow;

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use orrery_types::{Body, Event, SessionFacts, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use rules::{Rules, builtin};

/// How many secrets were masked, by rule.
pub type Counts = BTreeMap<String, u64>;

/// Masks secrets, unless the person wants everything as it came.
#[derive(Debug)]
pub struct Redactor {
    rules: &'static Rules,
    switches: RwLock<Arc<Switches>>,
}

#[derive(Debug, Default)]
struct Switches {
    all_off: bool,
    /// By the rule's index.
    off: Vec<bool>,
}

impl Default for Redactor {
    fn default() -> Redactor {
        Redactor { rules: builtin(), switches: RwLock::default() }
    }
}

impl Redactor {
    /// Takes the switches of the settings for what comes from now on.
    pub fn set(&self, settings: &Settings) {
        let off = self.rules.list.iter().map(|rule| settings.redact_off.contains(&rule.id)).collect();
        let switches = Switches { all_off: !settings.redact, off };
        *self.switches.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(switches);
    }

    /// Masks a raw payload and what was read from it. Answers what was masked in the payload, or, where there is none,
    /// in the events.
    pub fn item(&self, raw: Option<&mut Vec<u8>>, events: &mut [Event], facts: &mut [SessionFacts]) -> Counts {
        let mut counts = Counts::new();
        if let Some(bytes) = raw {
            if !self.bytes(bytes, &mut counts) {
                // What was read from a payload without secrets has none, but a target may come from an earlier line.
                events.iter_mut().filter_map(target_of).for_each(|target| self.text(target, &mut counts));
                return counts;
            }
            let mut again = Counts::new();
            self.decoded(events, facts, &mut again);
        } else {
            self.decoded(events, facts, &mut counts);
        }
        counts
    }

    fn decoded(&self, events: &mut [Event], facts: &mut [SessionFacts], counts: &mut Counts) {
        for event in events {
            self.event(event, counts);
        }
        for facts in facts {
            for text in [&mut facts.title, &mut facts.cwd, &mut facts.project, &mut facts.branch].into_iter().flatten()
            {
                self.text(text, counts);
            }
            if let Some(project) = &mut facts.repository {
                self.text(&mut project.id, counts);
                self.text(&mut project.name, counts);
            }
        }
    }

    /// Masks the texts of an event.
    pub fn event(&self, event: &mut Event, counts: &mut Counts) {
        self.text(&mut event.name, counts);
        self.all(&mut event.body, counts);
    }

    /// Masks every string of a value. A string's name says what it is, so that both are looked at together.
    pub fn all<T: Serialize + DeserializeOwned>(&self, value: &mut T, counts: &mut Counts) {
        let Ok(mut bytes) = serde_json::to_vec(value) else { return };
        if self.bytes(&mut bytes, counts)
            && let Ok(masked) = serde_json::from_slice(&bytes)
        {
            *value = masked;
        }
    }

    /// Masks a text.
    pub fn text(&self, text: &mut String, counts: &mut Counts) {
        let mut bytes = std::mem::take(text).into_bytes();
        self.bytes(&mut bytes, counts);
        *text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
    }

    /// Masks bytes of any kind. True when something was.
    pub fn bytes(&self, bytes: &mut Vec<u8>, counts: &mut Counts) -> bool {
        let switches = self.switches.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if switches.all_off {
            return false;
        }
        let found = match shadow::Shadow::of(bytes) {
            None => self.rules.find(bytes, &switches.off),
            Some(shadow) => {
                let found = self.rules.find(&shadow.text, &switches.off);
                found.into_iter().map(|found| found.moved(|at| shadow.place(at))).collect()
            }
        };
        if found.is_empty() {
            return false;
        }
        let parts = mask::settle(found);
        for part in &parts {
            *counts.entry(self.rules.list[part.rule].id.clone()).or_default() += 1;
        }
        *bytes = mask::write(bytes, &parts);
        true
    }
}

/// What a tool call works on: known from its start, also where an event tells its end.
fn target_of(event: &mut Event) -> Option<&mut String> {
    match &mut event.body {
        Body::ToolEnd { target, .. } | Body::PermissionDenied { target, .. } => Some(target),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
