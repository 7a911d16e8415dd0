//! A task is done.

use std::collections::HashMap;

use orrery_types::{Alert, AlertKind, Rule, SessionRow, Status};

use super::{MINUTE_MS, about, minutes, short, who};

/// An end older than this is history being read.
const OLD_MS: i64 = 2 * MINUTE_MS;

/// The turns under way, by session: a row in which a turn has ended no longer says when it began.
#[derive(Debug, Default)]
pub struct Turns {
    open: HashMap<String, (i64, String)>,
}

impl Turns {
    /// Takes in a row as it is now. An alert when its turn has just ended well after at least the rule's minutes; empty for
    /// turns whose start was not seen.
    pub fn row(&mut self, row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
        if let Some(started_ms) = row.turn_started_ms {
            let prompt = row.turn_prompt.as_deref().unwrap_or(&row.title);
            self.open.insert(row.id.clone(), (started_ms, short(prompt)));
            return None;
        }
        let (started_ms, prompt) = self.open.remove(&row.id)?;
        let took_ms = row.state_ms.saturating_sub(started_ms);
        let done = matches!(row.status, Status::Idle | Status::Ended);
        let fresh = now_ms.saturating_sub(row.state_ms) <= OLD_MS;
        if !rule.on || !done || !fresh || took_ms < i64::from(rule.minutes) * MINUTE_MS {
            return None;
        }
        let what = if prompt.is_empty() { "its task".to_owned() } else { format!("'{prompt}'") };
        let key = format!("completed/{}/{started_ms}", row.id);
        let took = if took_ms < MINUTE_MS { String::new() } else { format!(" after {}", minutes(took_ms)) };
        Some(Alert {
            title: "Done".to_owned(),
            text: format!("{} is done with {what}{took}", who(row)),
            ..about(rule, AlertKind::Completed, row, key, now_ms)
        })
    }

    /// Forgets sessions that `keep` does not name.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.open.retain(|id, _| keep(id));
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::RuleKind;

    use super::*;
    use crate::rules::make::{NOW_MS, row};

    fn ended(status: Status) -> SessionRow {
        SessionRow { status, turn_started_ms: None, turn_prompt: None, state_ms: NOW_MS, last_ms: NOW_MS, ..row() }
    }

    #[test]
    fn the_end_of_a_long_turn_is_told_once() {
        let (mut turns, rule) = (Turns::default(), RuleKind::Completed.default_rule());
        assert_eq!(turns.row(&ended(Status::Idle), &rule, NOW_MS), None, "its start was not seen");
        assert_eq!(turns.row(&row(), &rule, NOW_MS), None);
        let alert = turns.row(&ended(Status::Idle), &rule, NOW_MS).expect("done");
        assert_eq!(alert.key, format!("completed/s1/{}", NOW_MS - 300_000));
        assert_eq!(alert.text, "lattice-api is done with 'Rotate the spool when it reaches 64 MB' after 5 m");
        assert_eq!(turns.row(&ended(Status::Idle), &rule, NOW_MS), None);
    }

    #[test]
    fn short_turns_failures_and_history_are_not_told() {
        let rule = RuleKind::Completed.default_rule();
        let check = |before: SessionRow, after: SessionRow, now_ms: i64| {
            let mut turns = Turns::default();
            turns.row(&before, &rule, now_ms);
            turns.row(&after, &rule, now_ms)
        };
        let quick = SessionRow { turn_started_ms: Some(NOW_MS - 30_000), ..row() };
        assert_eq!(check(quick, ended(Status::Idle), NOW_MS), None);
        assert_eq!(check(row(), ended(Status::Failed), NOW_MS), None);
        assert_eq!(check(row(), ended(Status::Idle), NOW_MS + OLD_MS + 1), None);
    }
}
