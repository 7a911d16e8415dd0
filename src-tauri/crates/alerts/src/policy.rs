//! Which alerts are shown, and which only go to the log.

use orrery_types::{Alert, AlertState, Settings};

/// Sets the state an alert is logged with: `Paused` when the person wants silence now, `Logged` when it goes to the sinks.
///
/// A paused alert keeps its key in the log, so it is not made up for when the pause is over. `paused_until_ms` is empty
/// when alerts are not paused.
pub fn admit(alert: Alert, settings: &Settings, paused_until_ms: Option<i64>, now_ms: i64) -> Alert {
    let silent = !settings.notifications || is_paused(paused_until_ms, now_ms);
    let state = if silent { AlertState::Paused } else { AlertState::Logged };
    Alert { state, ..alert }
}

/// Whether a pause is still running.
pub fn is_paused(paused_until_ms: Option<i64>, now_ms: i64) -> bool {
    paused_until_ms.is_some_and(|until_ms| now_ms < until_ms)
}

#[cfg(test)]
mod tests {
    use orrery_types::AlertKind;

    use super::*;

    const NOW_MS: i64 = 1_795_380_000_000;

    fn check(notifications: bool, paused_until_ms: Option<i64>, expected: AlertState) {
        let alert = Alert {
            key: "long-task/s1/1".to_owned(),
            kind: AlertKind::LongTask,
            at_ms: NOW_MS,
            title: "Still working".to_owned(),
            text: String::new(),
            session_id: None,
            state: AlertState::Logged,
        };
        let settings = Settings { notifications, ..Settings::default() };
        assert_eq!(admit(alert, &settings, paused_until_ms, NOW_MS).state, expected);
    }

    #[test]
    fn an_alert_is_shown_unless_the_person_wants_silence() {
        check(true, None, AlertState::Logged);
        check(false, None, AlertState::Paused);
        check(true, Some(NOW_MS + 1), AlertState::Paused);
        check(true, Some(NOW_MS), AlertState::Logged);
        check(true, Some(NOW_MS - 60_000), AlertState::Logged);
    }
}
