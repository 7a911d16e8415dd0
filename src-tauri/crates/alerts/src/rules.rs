//! Rules: facts and the time in, at most one alert out. A rule knows no store, no sink and no clock.
//!
//! Most look at a session's row. Those that count over time keep what they counted in a small value of their own, which a
//! restart may lose: keys in the log keep an occasion from being told twice.

pub mod agent_error;
pub mod budget;
pub mod completed;
pub mod context_full;
pub mod cost_spike;
pub mod forecast;
pub mod hooks_silent;
pub mod long_task;
pub mod looping;
pub mod matches;
pub mod needs_you;
pub mod silent;

use orrery_types::{Alert, AlertKind, Rule, SessionRow};
use orrery_views::format::duration_ms;

pub(crate) const MINUTE_MS: i64 = 60_000;
const WORDS_CHARS: usize = 60;

/// An alert of a rule about a session, not yet judged by the policy.
pub(crate) fn about(rule: &Rule, kind: AlertKind, row: &SessionRow, key: String, now_ms: i64) -> Alert {
    Alert {
        key,
        kind,
        at_ms: now_ms,
        session_id: Some(row.id.clone()),
        rule: rule.id.clone(),
        urgency: rule.urgency,
        ..Alert::default()
    }
}

/// The session in a word: its project, else its agent.
pub(crate) fn who(row: &SessionRow) -> &str {
    [&row.project, &row.agent].into_iter().find(|name| !name.is_empty()).map_or("A session", String::as_str)
}

/// Text of an agent or a person on one line, cut between words' characters.
pub(crate) fn short(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = words.chars().take(WORDS_CHARS).collect();
    if short.len() < words.len() {
        short.truncate(short.trim_end().len());
        short.push_str("...");
    }
    short
}

/// ` on 'Rotate the spool'`: what the session works on. Empty when nobody said.
pub(crate) fn on_what(row: &SessionRow) -> String {
    let words = short(row.turn_prompt.as_deref().unwrap_or(&row.title));
    if words.is_empty() { words } else { format!(" on '{words}'") }
}

/// `5 m`, `1 h 05 m`: whole minutes.
pub(crate) fn minutes(ms: i64) -> String {
    let words = duration_ms(ms - ms % MINUTE_MS);
    words.strip_suffix(" 00 s").unwrap_or(&words).to_owned()
}

#[cfg(test)]
pub(crate) mod make {
    use orrery_types::{Needs, NeedsKind, SessionRow, Status};

    pub const NOW_MS: i64 = 1_795_380_000_000;

    pub fn row() -> SessionRow {
        SessionRow {
            id: "s1".to_owned(),
            project: "lattice-api".to_owned(),
            agent: "claude-code".to_owned(),
            title: "Rotate the spool when it reaches 64 MB".to_owned(),
            status: Status::Running,
            turn_started_ms: Some(NOW_MS - 300_000),
            turn_prompt: Some("Rotate the spool\nwhen it reaches 64 MB".to_owned()),
            started_ms: NOW_MS - 3_600_000,
            last_ms: NOW_MS - 1_000,
            state_ms: NOW_MS - 1_000,
            ..SessionRow::default()
        }
    }

    pub fn needs(kind: NeedsKind) -> Needs {
        Needs {
            kind,
            text: "Wants to run a command that your rules do not allow".to_owned(),
            target: "cargo publish".to_owned(),
            since_ms: NOW_MS - 1_000,
            seq: 41,
            choices: Vec::new(),
            answerable: None,
            subagent: None,
        }
    }
}
