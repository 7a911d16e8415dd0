//! An agent goes in circles: one call fails again and again, or comes back again and again with the same result.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use orrery_types::{Alert, AlertKind, Body, Event, Rule, SessionRow, Status, ToolClass};

use super::{MINUTE_MS, about, short, who};

/// Distinct calls remembered per session since its last progress.
const MOST_CALLS: usize = 64;
const OLD_MS: i64 = 10 * MINUTE_MS;

/// An alert when the session's last call failed the rule's number of times in a row. The key holds the first failure.
pub fn failing(row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
    let failing = row.failing.as_ref().filter(|failing| rule.times > 0 && failing.times >= rule.times)?;
    let works = matches!(row.status, Status::Running | Status::Stuck);
    if !works || now_ms.saturating_sub(row.last_ms) > OLD_MS {
        return None;
    }
    let key = format!("loop/{}/{}", row.id, failing.since_ms);
    let call = if failing.target.is_empty() { &failing.tool } else { &failing.target };
    Some(Alert {
        title: "Goes in circles".to_owned(),
        text: format!("{} failed {} times in a row: {}", who(row), failing.times, short(call)),
        ..about(rule, AlertKind::Loop, row, key, now_ms)
    })
}

/// Calls of each session with the same input and result since it last got on: an edit that worked, or a prompt.
#[derive(Debug, Default)]
pub struct Repeats {
    sessions: HashMap<String, HashMap<u64, Repeat>>,
}

#[derive(Debug, Clone, Copy)]
struct Repeat {
    times: u32,
    since_ms: i64,
}

impl Repeats {
    /// Takes in one new event. An alert when it makes twice the rule's number of equal calls without progress between.
    pub fn event(&mut self, event: &Event, row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
        if now_ms.saturating_sub(event.at_ms) > OLD_MS {
            return None;
        }
        match &event.body {
            Body::Prompt { .. } | Body::Stop { .. } | Body::SessionEnd { .. } => {
                self.sessions.remove(&event.session_id);
                None
            }
            Body::ToolEnd { class: ToolClass::Edit, ok: true, .. } => {
                self.sessions.remove(&event.session_id);
                None
            }
            Body::ToolEnd { tool, target, ok: true, output, .. } if !output.is_empty() => {
                let mut hasher = DefaultHasher::new();
                (tool, target, output, event.subagent.as_ref().map(|subagent| &subagent.id)).hash(&mut hasher);
                let calls = self.sessions.entry(event.session_id.clone()).or_default();
                let known = calls.len();
                let start = Repeat { times: 0, since_ms: event.at_ms };
                let repeat = match calls.get_mut(&hasher.finish()) {
                    Some(repeat) => repeat,
                    None if known >= MOST_CALLS => return None,
                    None => calls.entry(hasher.finish()).or_insert(start),
                };
                repeat.times += 1;
                let limit = rule.times.saturating_mul(2);
                if !rule.on || limit == 0 || repeat.times != limit {
                    return None;
                }
                let key = format!("loop/{}/{}", row.id, repeat.since_ms);
                let call = if target.is_empty() { tool } else { target };
                Some(Alert {
                    title: "Goes in circles".to_owned(),
                    text: format!("{} did the same {} times with the same result: {}", who(row), limit, short(call)),
                    ..about(rule, AlertKind::Loop, row, key, now_ms)
                })
            }
            _ => None,
        }
    }

    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.sessions.retain(|id, _| keep(id));
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::{Failing, RuleKind, Source, Sources};
    use serde_json::Value;

    use super::*;
    use crate::rules::make::{NOW_MS, row};

    #[test]
    fn the_same_failure_five_times_is_told_once() {
        let rule = RuleKind::Loop.default_rule();
        let fails = |times| {
            let failing =
                Failing { tool: "Bash".into(), target: "cargo test".into(), times, since_ms: NOW_MS - MINUTE_MS };
            SessionRow { failing: Some(failing), ..row() }
        };
        assert_eq!(failing(&fails(4), &rule, NOW_MS), None);
        let alert = failing(&fails(5), &rule, NOW_MS).expect("five times");
        assert_eq!(alert.text, "lattice-api failed 5 times in a row: cargo test");
        assert_eq!(failing(&fails(6), &rule, NOW_MS).expect("six times").key, alert.key);
    }

    fn call(class: ToolClass, target: &str, output: &str) -> Event {
        Event {
            seq: 1,
            id: String::new(),
            session_id: "s1".to_owned(),
            agent: "claude-code".to_owned(),
            name: "PostToolUse".to_owned(),
            at_ms: NOW_MS,
            received_ms: NOW_MS,
            subagent: None,
            turn_id: None,
            sources: Sources::one(Source::Hook),
            body: Body::ToolEnd {
                call_id: String::new(),
                tool: "Bash".to_owned(),
                class,
                target: target.to_owned(),
                ok: true,
                error: None,
                exit_code: None,
                duration_ms: None,
                output: output.to_owned(),
                lines_added: None,
                lines_removed: None,
                input: Value::Null,
            },
            demo: false,
        }
    }

    #[test]
    fn the_same_result_again_and_again_is_a_circle_and_an_edit_is_progress() {
        let rule = RuleKind::Loop.default_rule();
        let mut repeats = Repeats::default();
        let status = call(ToolClass::Shell, "gh run view", "queued");
        let mut told = |event: &Event| repeats.event(event, &row(), &rule, NOW_MS);
        for _ in 0..9 {
            assert_eq!(told(&status), None);
        }
        assert_eq!(told(&call(ToolClass::Shell, "gh run view", "done")), None, "another result is another call");
        let alert = told(&status).expect("ten times");
        assert_eq!(alert.text, "lattice-api did the same 10 times with the same result: gh run view");
        assert_eq!(told(&status), None, "told once");
        assert_eq!(told(&call(ToolClass::Edit, "a.rs", "ok")), None);
        for _ in 0..9 {
            assert_eq!(told(&status), None);
        }
        assert!(told(&status).is_some(), "after progress it counts anew");
    }
}
