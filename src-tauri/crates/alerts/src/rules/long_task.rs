//! A turn that has been in work for long.

use orrery_types::{Alert, AlertKind, NeedsKind, Rule, SessionRow, Status};

use super::{MINUTE_MS, about, minutes, on_what, who};

/// A session that has said nothing for this long is not at work: its end was not reported, or it was read from history.
const SILENT_MS: i64 = 30 * MINUTE_MS;
/// A turn older than this belongs to the past, however it got here.
const OLD_MS: i64 = 24 * 60 * MINUTE_MS;

/// An alert when the session's turn is in work for longer than the rule's minutes; 0 is never.
///
/// The key holds the session and the start of its turn, so each task is reported once. Empty between turns, while the
/// session waits for the person, for sessions silent for half an hour, and for turns of earlier days.
pub fn check(row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
    let limit_ms = i64::from(rule.minutes) * MINUTE_MS;
    let started_ms = row.turn_started_ms?;
    let worked_ms = now_ms.saturating_sub(started_ms);
    let silent_ms = now_ms.saturating_sub(row.last_ms);
    let late = limit_ms > 0 && worked_ms >= limit_ms;
    if !late || !works(row) || silent_ms > SILENT_MS || worked_ms > OLD_MS {
        return None;
    }
    let key = format!("long-task/{}/{started_ms}", row.id);
    Some(Alert {
        title: "Still working".to_owned(),
        text: format!("{} has worked for {}{}", who(row), minutes(worked_ms), on_what(row)),
        ..about(rule, AlertKind::LongTask, row, key, now_ms)
    })
}

/// In a turn, and the ball is not in the person's court. An agent that goes in circles does work.
fn works(row: &SessionRow) -> bool {
    let at_work = matches!(row.status, Status::Running | Status::Stuck);
    let waits = row.needs.as_ref().is_some_and(|needs| needs.kind != NeedsKind::Stuck);
    at_work && !waits
}

#[cfg(test)]
mod tests {
    use orrery_types::{RuleKind, Settings, rules};

    use super::*;
    use crate::rules::make::{self, NOW_MS};

    fn working_row() -> SessionRow {
        SessionRow { started_ms: NOW_MS - 3 * OLD_MS, ..make::row() }
    }

    fn alert(change: impl FnOnce(&mut SessionRow)) -> Option<Alert> {
        let mut row = working_row();
        change(&mut row);
        check(&row, &RuleKind::LongTask.default_rule(), NOW_MS)
    }

    fn needs(kind: NeedsKind) -> Option<orrery_types::Needs> {
        Some(make::needs(kind))
    }

    #[test]
    fn a_long_turn_says_who_works_how_long_on_what() {
        let alert = alert(|_| {}).expect("five minutes are up");
        assert_eq!(alert.key, format!("long-task/s1/{}", NOW_MS - 5 * MINUTE_MS));
        assert_eq!(alert.text, "lattice-api has worked for 5 m on 'Rotate the spool when it reaches 64 MB'");
        assert_eq!(alert.session_id.as_deref(), Some("s1"));
    }

    #[test]
    fn a_long_prompt_is_cut_between_characters() {
        let alert = alert(|row| row.turn_prompt = Some("ü".repeat(61))).expect("late");
        assert!(alert.text.ends_with(&format!("on '{}...'", "ü".repeat(60))), "{}", alert.text);
    }

    #[test]
    fn a_session_without_names_still_reads_as_a_sentence() {
        let alert = alert(|row| {
            row.project.clear();
            row.agent.clear();
            row.title.clear();
            row.turn_prompt = None;
        });
        assert_eq!(alert.expect("late").text, "A session has worked for 5 m");
    }

    #[test]
    fn an_agent_in_circles_is_at_work() {
        let found = alert(|row| {
            row.status = Status::Stuck;
            row.needs = needs(NeedsKind::Stuck);
        });
        assert!(found.is_some());
    }

    #[test]
    fn nothing_is_said_of_sessions_that_do_not_work() {
        type Change = fn(&mut SessionRow);
        let silent: [(&str, Change); 8] = [
            ("between turns", |row| row.turn_started_ms = None),
            ("short turn", |row| row.turn_started_ms = Some(NOW_MS - 5 * MINUTE_MS + 1)),
            ("asks for permission", |row| row.status = Status::NeedsYou),
            ("asks while a subagent runs", |row| row.needs = needs(NeedsKind::Permission)),
            ("idle", |row| row.status = Status::Idle),
            ("ended", |row| row.status = Status::Ended),
            ("silent", |row| row.last_ms = NOW_MS - SILENT_MS - 1),
            ("of another day", |row| row.turn_started_ms = Some(NOW_MS - OLD_MS - 1)),
        ];
        for (what, change) in silent {
            assert_eq!(alert(change), None, "{what}");
        }
    }

    #[test]
    fn zero_minutes_means_never() {
        let settings = Settings { long_task_minutes: 0, ..Settings::default() };
        let rule = rules(&settings).into_iter().find(|rule| rule.kind == RuleKind::LongTask).expect("built in");
        assert!(!rule.on);
        assert_eq!(check(&working_row(), &rule, NOW_MS), None);
    }
}
