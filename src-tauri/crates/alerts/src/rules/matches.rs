//! Events that a filter of the person picks, counted over a window.

use std::collections::{HashMap, VecDeque};

use orrery_types::{Alert, AlertKind, Event, Rule, SessionRow};

use super::{MINUTE_MS, about, short, who};

/// Counts beyond this are not needed by any rule.
const MOST: usize = 10_000;

/// When events matched, by rule.
#[derive(Debug, Default)]
pub struct Windows {
    rules: HashMap<String, VecDeque<i64>>,
}

impl Windows {
    /// Takes in an event that the rule's filter picked. An alert when it is the rule's nth within its minutes; then the
    /// count starts anew. History says nothing. `words` says what the event was.
    pub fn event(&mut self, event: &Event, row: &SessionRow, rule: &Rule, words: &str, now_ms: i64) -> Option<Alert> {
        let window_ms = i64::from(rule.minutes.max(1)) * MINUTE_MS;
        let from_ms = now_ms.saturating_sub(window_ms);
        if event.at_ms < from_ms {
            return None;
        }
        let seen = self.rules.entry(rule.id.clone()).or_default();
        while seen.front().is_some_and(|at_ms| *at_ms < from_ms) || seen.len() >= MOST {
            seen.pop_front();
        }
        seen.push_back(event.at_ms);
        let wanted = rule.times.max(1) as usize;
        if seen.len() < wanted {
            return None;
        }
        seen.clear();
        let key = format!("match/{}/{}", rule.id, event.id);
        let text = match wanted {
            1 => format!("{}: {}", who(row), short(words)),
            count => format!("{count} events, the last in {}: {}", who(row), short(words)),
        };
        Some(Alert { title: rule.name.clone(), text, ..about(rule, AlertKind::Match, row, key, now_ms) })
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::{Body, RuleKind, Source, Sources};

    use super::*;
    use crate::rules::make::{NOW_MS, row};

    fn event(number: i64, at_ms: i64) -> Event {
        Event {
            seq: number,
            id: format!("e{number}"),
            session_id: "s1".to_owned(),
            agent: "codex".to_owned(),
            name: "Stop".to_owned(),
            at_ms,
            received_ms: at_ms,
            subagent: None,
            turn_id: None,
            sources: Sources::one(Source::Hook),
            body: Body::Stop { message: String::new() },
            demo: false,
        }
    }

    #[test]
    fn the_nth_event_within_the_window_is_told() {
        let rule = Rule { id: "mine".into(), name: "Mine".into(), times: 3, ..RuleKind::Match.default_rule() };
        let mut windows = Windows::default();
        let mut take = |number: i64, at_ms: i64, now_ms: i64| {
            windows.event(&event(number, at_ms), &row(), &rule, "rm -rf", now_ms)
        };
        assert_eq!(take(1, NOW_MS - 60 * MINUTE_MS, NOW_MS), None, "history does not count");
        assert_eq!(take(2, NOW_MS, NOW_MS), None);
        assert_eq!(take(3, NOW_MS + 11 * MINUTE_MS, NOW_MS + 11 * MINUTE_MS), None, "the first left the window");
        assert_eq!(take(4, NOW_MS + 12 * MINUTE_MS, NOW_MS + 12 * MINUTE_MS), None);
        let alert = take(5, NOW_MS + 13 * MINUTE_MS, NOW_MS + 13 * MINUTE_MS).expect("three");
        assert_eq!((alert.key.as_str(), alert.title.as_str()), ("match/mine/e5", "Mine"));
        assert_eq!(alert.text, "3 events, the last in lattice-api: rm -rf");
        assert_eq!(take(6, NOW_MS + 13 * MINUTE_MS, NOW_MS + 13 * MINUTE_MS), None, "counted anew");
    }
}
