//! A task runs and nothing is heard of it.

use orrery_types::{Alert, AlertKind, NeedsKind, Rule, SessionRow, Status};

use super::{MINUTE_MS, about, minutes, on_what, who};

/// Silence this much longer than the limit was there before Orrery looked.
const OLD_MS: i64 = 60 * MINUTE_MS;

/// An alert when a session in a turn says nothing for the rule's minutes. The key holds the moment of its last word.
///
/// `row.status` is what its events say: a session that fell silent still counts as running here.
pub fn check(row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
    let limit_ms = i64::from(rule.minutes) * MINUTE_MS;
    let silent_ms = now_ms.saturating_sub(row.last_ms);
    let works = matches!(row.status, Status::Running | Status::Stuck)
        && row.turn_started_ms.is_some()
        && row.needs.as_ref().is_none_or(|needs| needs.kind == NeedsKind::Stuck);
    if !works || limit_ms == 0 || silent_ms < limit_ms || silent_ms > limit_ms + OLD_MS {
        return None;
    }
    let open = row.open_calls.values().max_by_key(|call| call.since_ms);
    let doing = open.map_or(String::new(), |call| format!("; its {} has not come back", call.tool));
    let key = format!("silent/{}/{}", row.id, row.last_ms);
    Some(Alert {
        title: "Gone silent".to_owned(),
        text: format!("Nothing heard of {} for {}{}{doing}", who(row), minutes(silent_ms), on_what(row)),
        ..about(rule, AlertKind::Silent, row, key, now_ms)
    })
}

#[cfg(test)]
mod tests {
    use orrery_types::{OpenCall, RuleKind};

    use super::*;
    use crate::rules::make::{NOW_MS, needs, row};

    #[test]
    fn silence_in_a_turn_is_told_once_with_what_was_under_way() {
        let rule = RuleKind::Silent.default_rule();
        let mut quiet = SessionRow { last_ms: NOW_MS - 15 * MINUTE_MS, ..row() };
        let call = OpenCall { tool: "Bash".to_owned(), ..OpenCall::default() };
        quiet.open_calls.insert("c1".to_owned(), call);
        let alert = check(&quiet, &rule, NOW_MS).expect("silent");
        assert_eq!(alert.key, format!("silent/s1/{}", NOW_MS - 15 * MINUTE_MS));
        assert_eq!(
            alert.text,
            "Nothing heard of lattice-api for 15 m on 'Rotate the spool when it reaches 64 MB'; its Bash has not come back"
        );
        let later = check(&quiet, &rule, NOW_MS + MINUTE_MS).expect("still silent");
        assert_eq!(later.key, alert.key);
        assert_eq!(check(&quiet, &rule, NOW_MS + 2 * OLD_MS), None, "of the past");
        assert_eq!(check(&quiet, &rule, NOW_MS - 1), None, "not yet");
        let waits = SessionRow { needs: Some(needs(NeedsKind::Permission)), ..quiet.clone() };
        assert_eq!(check(&waits, &rule, NOW_MS), None, "it waits for the person");
        let idle = SessionRow { status: Status::Idle, turn_started_ms: None, ..quiet };
        assert_eq!(check(&idle, &rule, NOW_MS), None);
    }
}
