//! An agent's transcripts go on and its hooks are not heard.

use orrery_types::{Alert, AlertKind, Rule, Source};
use orrery_types::{SessionRow, Status};
use orrery_views::format;

use super::{MINUTE_MS, minutes};

/// What is known of one agent's hooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Slug.
    pub agent: String,
    /// Its settings name our hook.
    pub installed: bool,
    /// Newest hook event, ms. Empty when none ever came.
    pub last_hook_ms: Option<i64>,
}

/// An alert when a session of the agent moved within the last minutes without any hook, for the rule's minutes at least.
/// The key holds the last hook's time, so each silence is told once. Agents without our hook are blind spots, not alerts.
pub fn check(heard: &Heard, rows: &[&SessionRow], rule: &Rule, now_ms: i64) -> Option<Alert> {
    let limit_ms = i64::from(rule.minutes) * MINUTE_MS;
    let moves = |row: &&&SessionRow| {
        row.agent == heard.agent
            && row.sources.has(Source::Transcript)
            && row.status != Status::Ended
            && now_ms.saturating_sub(row.last_ms) < 2 * MINUTE_MS
            && row.last_ms.saturating_sub(row.started_ms.max(heard.last_hook_ms.unwrap_or(0))) >= limit_ms
    };
    if !heard.installed || limit_ms == 0 || !rows.iter().any(|row| moves(&row)) {
        return None;
    }
    let agent = format::agent(&heard.agent);
    let since = match heard.last_hook_ms {
        Some(last_ms) => format!("for {}", minutes(now_ms.saturating_sub(last_ms))),
        None => "at all".to_owned(),
    };
    Some(Alert {
        key: format!("hooks-silent/{}/{}", heard.agent, heard.last_hook_ms.unwrap_or(0)),
        kind: AlertKind::HooksSilent,
        at_ms: now_ms,
        title: "Hooks gone silent".to_owned(),
        text: format!(
            "{agent} writes its transcript and none of its hooks came {since}: questions are seen late. Verify the hooks \
             in Settings"
        ),
        rule: rule.id.clone(),
        urgency: rule.urgency,
        ..Alert::default()
    })
}

#[cfg(test)]
mod tests {
    use orrery_types::{RuleKind, Sources};

    use super::*;
    use crate::rules::make::{NOW_MS, row};

    #[test]
    fn transcripts_without_hooks_are_told_once_per_silence() {
        let rule = RuleKind::HooksSilent.default_rule();
        let last = NOW_MS - 12 * MINUTE_MS;
        let heard = Heard { agent: "claude-code".to_owned(), installed: true, last_hook_ms: Some(last) };
        let moving = SessionRow { sources: Sources::one(Source::Transcript), ..row() };
        let alert = check(&heard, &[&moving], &rule, NOW_MS).expect("silent hooks");
        assert_eq!(alert.key, format!("hooks-silent/claude-code/{last}"));
        assert!(alert.text.starts_with("Claude Code writes its transcript and none of its hooks came for 12 m"));
        let fine = Heard { last_hook_ms: Some(NOW_MS - MINUTE_MS), ..heard.clone() };
        assert_eq!(check(&fine, &[&moving], &rule, NOW_MS), None);
        assert_eq!(check(&Heard { installed: false, ..heard.clone() }, &[&moving], &rule, NOW_MS), None);
        let still = SessionRow { last_ms: NOW_MS - 3 * MINUTE_MS, ..moving.clone() };
        assert_eq!(check(&heard, &[&still], &rule, NOW_MS), None);
        let young = SessionRow { started_ms: NOW_MS - MINUTE_MS, ..moving };
        assert_eq!(check(&Heard { last_hook_ms: None, ..heard }, &[&young], &rule, NOW_MS), None);
    }
}
