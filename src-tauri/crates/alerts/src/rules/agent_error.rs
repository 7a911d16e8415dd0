//! A turn ended with an error of the agent or its API.

use orrery_types::{Alert, AlertKind, NeedsKind, Rule, SessionRow, Status};

use super::{about, short, who};

/// A failure older than this is history, however it got here.
const OLD_MS: i64 = 30 * 60_000;

/// An alert for each failed turn; the key holds the event that told of it.
pub fn check(row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
    let needs = row.needs.as_ref().filter(|needs| needs.kind == NeedsKind::Error)?;
    if row.status != Status::Failed || now_ms.saturating_sub(needs.since_ms) > OLD_MS {
        return None;
    }
    let key = format!("error/{}/{}", row.id, needs.seq);
    let why = short(&needs.target);
    let text = if why.is_empty() { needs.text.clone() } else { why };
    Some(Alert {
        title: "Turn failed".to_owned(),
        text: format!("{}: {text}", who(row)),
        ..about(rule, AlertKind::AgentError, row, key, now_ms)
    })
}

#[cfg(test)]
mod tests {
    use orrery_types::{Needs, RuleKind};

    use super::*;
    use crate::rules::make::{NOW_MS, needs, row};

    #[test]
    fn a_failed_turn_is_told_with_its_reason_while_it_is_fresh() {
        let rule = RuleKind::AgentError.default_rule();
        let failed = Needs { target: "overloaded".to_owned(), ..needs(NeedsKind::Error) };
        let failed = SessionRow { status: Status::Failed, needs: Some(failed), ..row() };
        let alert = check(&failed, &rule, NOW_MS).expect("it failed");
        assert_eq!((alert.key.as_str(), alert.text.as_str()), ("error/s1/41", "lattice-api: overloaded"));
        assert_eq!(check(&failed, &rule, NOW_MS + OLD_MS), None);
        assert_eq!(check(&SessionRow { status: Status::Running, ..failed }, &rule, NOW_MS), None);
    }
}
