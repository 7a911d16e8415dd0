//! A turn that has been in work for long.

use orrery_types::{Alert, AlertKind, AlertState, NeedsKind, SessionRow, Settings, Status};
use orrery_views::format::duration_ms;

const MINUTE_MS: i64 = 60_000;
/// A session that has said nothing for this long is not at work: its end was not reported, or it was read from history.
const SILENT_MS: i64 = 30 * MINUTE_MS;
/// A turn older than this belongs to the past, however it got here.
const OLD_MS: i64 = 24 * 60 * MINUTE_MS;
const PROMPT_CHARS: usize = 60;

/// An alert when the session's turn is in work for longer than the person set (`long_task_minutes`, 0 is never).
///
/// The key holds the session and the start of its turn, so each task is reported once. Empty between turns, while the
/// session waits for the person, for sessions silent for half an hour, for turns of earlier days, and for the demo.
pub fn check(row: &SessionRow, settings: &Settings, now_ms: i64) -> Option<Alert> {
    if row.demo { None } else { check_demo_too(row, settings, now_ms) }
}

/// Like [`check`], for a store that holds nothing but the demo: there its sessions are what the person came to see.
pub fn check_demo_too(row: &SessionRow, settings: &Settings, now_ms: i64) -> Option<Alert> {
    let limit_ms = i64::from(settings.long_task_minutes) * MINUTE_MS;
    let started_ms = row.turn_started_ms?;
    let worked_ms = now_ms.saturating_sub(started_ms);
    let silent_ms = now_ms.saturating_sub(row.last_ms);
    let late = limit_ms > 0 && worked_ms >= limit_ms;
    if !late || !works(row) || silent_ms > SILENT_MS || worked_ms > OLD_MS {
        return None;
    }
    Some(Alert {
        key: format!("long-task/{}/{started_ms}", row.id),
        kind: AlertKind::LongTask,
        at_ms: now_ms,
        title: "Still working".to_owned(),
        text: format!("{} has worked for {}{}", who(row), minutes(worked_ms), on_what(row)),
        session_id: Some(row.id.clone()),
        state: AlertState::Logged,
    })
}

/// In a turn, and the ball is not in the person's court. An agent that goes in circles does work.
fn works(row: &SessionRow) -> bool {
    let at_work = matches!(row.status, Status::Running | Status::Stuck);
    let waits = row.needs.as_ref().is_some_and(|needs| needs.kind != NeedsKind::Stuck);
    at_work && !waits
}

fn who(row: &SessionRow) -> &str {
    [&row.project, &row.agent].into_iter().find(|name| !name.is_empty()).map_or("A session", String::as_str)
}

/// `5 m`, `1 h 05 m`: whole minutes, because the rule runs only every few seconds.
fn minutes(worked_ms: i64) -> String {
    let words = duration_ms(worked_ms - worked_ms % MINUTE_MS);
    words.strip_suffix(" 00 s").unwrap_or(&words).to_owned()
}

fn on_what(row: &SessionRow) -> String {
    let prompt = row.turn_prompt.as_deref().unwrap_or(&row.title);
    let words = prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return String::new();
    }
    let mut short: String = words.chars().take(PROMPT_CHARS).collect();
    if short.len() < words.len() {
        short.truncate(short.trim_end().len());
        short.push_str("...");
    }
    format!(" on '{short}'")
}

#[cfg(test)]
mod tests {
    use orrery_types::Needs;

    use super::*;

    const NOW_MS: i64 = 1_795_380_000_000;

    fn working_row() -> SessionRow {
        SessionRow {
            id: "s1".to_owned(),
            project: "lattice-api".to_owned(),
            agent: "claude-code".to_owned(),
            status: Status::Running,
            turn_started_ms: Some(NOW_MS - 5 * MINUTE_MS),
            turn_prompt: Some("Rotate the spool\nwhen it reaches 64 MB".to_owned()),
            started_ms: NOW_MS - 3 * OLD_MS,
            last_ms: NOW_MS - 1_000,
            ..SessionRow::default()
        }
    }

    fn alert(change: impl FnOnce(&mut SessionRow)) -> Option<Alert> {
        let mut row = working_row();
        change(&mut row);
        check(&row, &Settings::default(), NOW_MS)
    }

    fn needs(kind: NeedsKind) -> Option<Needs> {
        Some(Needs {
            kind,
            text: String::new(),
            target: String::new(),
            since_ms: NOW_MS,
            seq: 1,
            choices: Vec::new(),
            answerable: None,
            subagent: None,
        })
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
        let silent: [(&str, Change); 9] = [
            ("between turns", |row| row.turn_started_ms = None),
            ("short turn", |row| row.turn_started_ms = Some(NOW_MS - 5 * MINUTE_MS + 1)),
            ("asks for permission", |row| row.status = Status::NeedsYou),
            ("asks while a subagent runs", |row| row.needs = needs(NeedsKind::Permission)),
            ("idle", |row| row.status = Status::Idle),
            ("ended", |row| row.status = Status::Ended),
            ("silent", |row| row.last_ms = NOW_MS - SILENT_MS - 1),
            ("of another day", |row| row.turn_started_ms = Some(NOW_MS - OLD_MS - 1)),
            ("demo", |row| row.demo = true),
        ];
        for (what, change) in silent {
            assert_eq!(alert(change), None, "{what}");
        }
    }

    #[test]
    fn zero_minutes_means_never() {
        let settings = Settings { long_task_minutes: 0, ..Settings::default() };
        assert_eq!(check(&working_row(), &settings, NOW_MS), None);
    }

    #[test]
    fn the_demo_alone_may_show_what_an_alert_looks_like() {
        let row = SessionRow { demo: true, ..working_row() };
        assert!(check_demo_too(&row, &Settings::default(), NOW_MS).is_some());
    }
}
