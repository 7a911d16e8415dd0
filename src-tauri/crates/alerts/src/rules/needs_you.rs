//! A session waits for the person.

use orrery_types::{Alert, AlertKind, Asks, NeedsKind, Rule, SessionRow};
use orrery_views::session::needs_person_at;

use super::{about, short, who};

/// A question older than this was seen, or belongs to a window that is closed.
const OLD_MS: i64 = 60 * 60_000;

/// An alert when the session asks for permission, asks a question or waits for its next prompt. What goes wrong has rules
/// of its own. The key holds the event that asked, so each question is told once.
pub fn check(row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
    let needs = row.needs.as_ref().filter(|_| needs_person_at(row, now_ms))?;
    if now_ms.saturating_sub(needs.since_ms) > OLD_MS {
        return None;
    }
    let (title, verb) = match needs.kind {
        NeedsKind::Permission => ("Asks for permission", lower(&needs.text)),
        NeedsKind::Question => ("Asks you", "asks".to_owned()),
        NeedsKind::Idle => ("Waits for you", "waits for your next prompt".to_owned()),
        NeedsKind::Stuck | NeedsKind::Error => return None,
    };
    let target = short(&needs.target);
    let text = if target.is_empty() || needs.kind == NeedsKind::Idle {
        format!("{} {verb}", who(row))
    } else {
        format!("{} {verb}: {target}", who(row))
    };
    let asks =
        needs.answerable.as_ref().map(|ask| Asks { seq: needs.seq, ask: ask.clone(), choices: needs.choices.clone() });
    let key = format!("needs/{}/{}", row.id, needs.seq);
    Some(Alert { title: title.to_owned(), text, asks, ..about(rule, AlertKind::NeedsYou, row, key, now_ms) })
}

/// "Wants to change a file" goes on behind a name.
fn lower(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use orrery_types::{RuleKind, Status};

    use super::*;
    use crate::rules::make::{NOW_MS, needs, row};

    fn alert(kind: NeedsKind, change: impl FnOnce(&mut SessionRow)) -> Option<Alert> {
        let mut row = SessionRow { status: Status::NeedsYou, needs: Some(needs(kind)), ..row() };
        change(&mut row);
        check(&row, &RuleKind::NeedsYou.default_rule(), NOW_MS)
    }

    #[test]
    fn a_permission_says_who_wants_what() {
        let alert = alert(NeedsKind::Permission, |_| {}).expect("it waits");
        assert_eq!(alert.key, "needs/s1/41");
        assert_eq!(alert.text, "lattice-api wants to run a command that your rules do not allow: cargo publish");
        assert_eq!(alert.asks, None, "only the agent's own screen can answer");
    }

    #[test]
    fn a_question_that_can_be_answered_from_here_says_how() {
        let alert = alert(NeedsKind::Question, |row| {
            let needs = row.needs.as_mut().expect("it asks");
            needs.answerable = Some("permission".to_owned());
        });
        assert_eq!(
            alert.and_then(|alert| alert.asks).map(|asks| (asks.seq, asks.ask)),
            Some((41, "permission".into()))
        );
    }

    #[test]
    fn nothing_is_said_of_old_questions_errors_and_ended_sessions() {
        assert!(alert(NeedsKind::Idle, |_| {}).is_some());
        assert_eq!(alert(NeedsKind::Error, |_| {}), None);
        assert_eq!(alert(NeedsKind::Stuck, |_| {}), None);
        assert_eq!(alert(NeedsKind::Permission, |row| row.status = Status::Ended), None);
        let old = |row: &mut SessionRow| row.needs.as_mut().expect("it asks").since_ms = NOW_MS - OLD_MS - 1;
        assert_eq!(alert(NeedsKind::Permission, old), None);
    }
}
