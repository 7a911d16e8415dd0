//! Which alerts are shown, which only go to the log, and which are told in one word.

use chrono::Datelike;
use orrery_types::{Alert, AlertKind, AlertState, QuietHours, Rule, Settings, Snooze, Urgency};

use crate::zone::{Zone, minute_of_day, time_of_day};

/// So many alerts of one kind at a time become one notification.
pub const GROUP_FROM: usize = 3;

/// What keeps alerts silent just now.
#[derive(Debug, Clone, Copy)]
pub struct Silence<'a> {
    pub settings: &'a Settings,
    pub zone: Zone,
    pub paused_until_ms: Option<i64>,
    pub snoozes: &'a [Snooze],
    /// When the rule last spoke of the session (or of no session), ms.
    pub last_ms: Option<i64>,
}

/// Sets the state an alert is logged with: `Logged` when it goes to the sinks, else why it does not.
///
/// A silent alert keeps its key in the log, so it is not made up for when the silence is over.
pub fn admit(alert: Alert, rule: Option<&Rule>, silence: &Silence<'_>, now_ms: i64) -> Alert {
    let state = judge(&alert, rule, silence, now_ms);
    Alert { state, ..alert }
}

fn judge(alert: &Alert, rule: Option<&Rule>, silence: &Silence<'_>, now_ms: i64) -> AlertState {
    if is_paused(silence.paused_until_ms, now_ms) {
        return AlertState::Paused;
    }
    if let Some(until_ms) = snoozed_until(alert, silence.snoozes, now_ms) {
        return AlertState::Snoozed { until_ms };
    }
    let cooldown_ms = rule.map_or(0, |rule| i64::from(rule.cooldown_minutes) * 60_000);
    if silence.last_ms.is_some_and(|last_ms| now_ms.saturating_sub(last_ms) < cooldown_ms) {
        return AlertState::Cooling;
    }
    let quiet = &silence.settings.quiet;
    let passes = quiet.critical_passes && alert.urgency == Urgency::Critical;
    match quiet_until(quiet, silence.zone, now_ms) {
        Some(until_ms) if !passes => AlertState::Quiet { until_ms },
        _ => AlertState::Logged,
    }
}

/// Whether a pause is still running.
pub fn is_paused(paused_until_ms: Option<i64>, now_ms: i64) -> bool {
    paused_until_ms.is_some_and(|until_ms| now_ms < until_ms)
}

fn snoozed_until(alert: &Alert, snoozes: &[Snooze], now_ms: i64) -> Option<i64> {
    let hits = |snooze: &&Snooze| {
        let about = match snooze.target.split_once('/') {
            Some(("rule", id)) => id == alert.rule,
            Some(("session", id)) => alert.session_id.as_deref() == Some(id),
            Some(("alert", key)) => key == alert.key,
            _ => false,
        };
        about && now_ms < snooze.until_ms
    };
    snoozes.iter().filter(hits).map(|snooze| snooze.until_ms).max()
}

/// When the quiet hours around `now_ms` end. Empty when none run. Times that make no sense count as no quiet hours.
pub fn quiet_until(quiet: &QuietHours, zone: Zone, now_ms: i64) -> Option<i64> {
    let (from, to) = (time_of_day(&quiet.from).ok()?, time_of_day(&quiet.to).ok()?);
    if !quiet.on {
        return None;
    }
    let now = zone.local(now_ms);
    let (minute, start, end) = (minute_of_day(now.time()), minute_of_day(from), minute_of_day(to));
    let is_weekend = |day: chrono::NaiveDate| quiet.weekends && day.weekday().number_from_monday() > 5;
    let in_hours = if start <= end { (start..end).contains(&minute) } else { minute >= start || minute < end };
    if is_weekend(now.date()) {
        // Until the morning of the first working day.
        let mut day = now.date();
        while is_weekend(day) {
            day = day.succ_opt()?;
        }
        let morning = if start > end { to } else { chrono::NaiveTime::MIN };
        return Some(zone.instant(day.and_time(morning)));
    }
    if !in_hours {
        return None;
    }
    let mut day = if start > end && minute >= start { now.date().succ_opt()? } else { now.date() };
    if is_weekend(day) {
        while is_weekend(day) {
            day = day.succ_opt()?;
        }
    }
    Some(zone.instant(day.and_time(to)))
}

/// Several alerts of one kind as one: "3 sessions need you". The newest lends its key, the strongest its urgency.
/// `names` says each alert's session in a word.
pub fn group(alerts: &[Alert], names: impl Fn(&Alert) -> String) -> Option<Alert> {
    let newest = alerts.last()?;
    if alerts.len() < GROUP_FROM {
        return None;
    }
    let count = alerts.len();
    let title = match newest.kind {
        AlertKind::NeedsYou => format!("{count} sessions need you"),
        AlertKind::AgentError => format!("{count} turns failed"),
        AlertKind::LongTask => format!("{count} tasks still run"),
        AlertKind::Completed => format!("{count} tasks are done"),
        AlertKind::Silent => format!("{count} sessions have gone silent"),
        AlertKind::Loop => format!("{count} sessions go in circles"),
        AlertKind::ContextFull => format!("{count} contexts are nearly full"),
        AlertKind::CostSpike => format!("{count} sessions cost more than usual"),
        _ => format!("{count} alerts"),
    };
    let mut said: Vec<String> = Vec::new();
    for name in alerts.iter().map(&names) {
        if !said.contains(&name) {
            said.push(name);
        }
    }
    Some(Alert {
        title,
        text: said.join(", "),
        session_id: None,
        group: alerts.iter().filter_map(|alert| alert.session_id.clone()).collect(),
        asks: None,
        urgency: alerts.iter().map(|alert| alert.urgency).max().unwrap_or_default(),
        ..newest.clone()
    })
}

/// What came in quiet hours that are over, in one word. Empty when nothing did. The key holds their end.
pub fn after_quiet(log: &[Alert], now_ms: i64) -> Option<Alert> {
    const LATE_MS: i64 = 12 * 60 * 60 * 1000;
    let over = |alert: &&Alert| matches!(alert.state, AlertState::Quiet { until_ms } if until_ms <= now_ms && now_ms - until_ms < LATE_MS);
    let until_of = |alert: &Alert| match alert.state {
        AlertState::Quiet { until_ms } => until_ms,
        _ => 0,
    };
    let until_ms = log.iter().filter(over).map(until_of).max()?;
    let of_them: Vec<&Alert> = log.iter().filter(over).filter(|alert| until_of(alert) == until_ms).collect();
    let title = match of_them.len() {
        1 => "1 alert while it was quiet".to_owned(),
        count => format!("{count} alerts while it was quiet"),
    };
    let mut said: Vec<&str> = of_them.iter().map(|alert| alert.text.as_str()).take(3).collect();
    if of_them.len() > said.len() {
        said.push("...");
    }
    Some(Alert {
        key: format!("quiet/{until_ms}"),
        kind: AlertKind::Quiet,
        at_ms: now_ms,
        title,
        text: said.join("; "),
        ..Alert::default()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use orrery_types::RuleKind;

    use super::*;

    const NOW_MS: i64 = 1_795_380_000_000;
    const HOUR_MS: i64 = 3_600_000;

    fn alert() -> Alert {
        Alert {
            key: "long-task/s1/1".to_owned(),
            kind: AlertKind::LongTask,
            at_ms: NOW_MS,
            title: "Still working".to_owned(),
            session_id: Some("s1".to_owned()),
            rule: "long_task".to_owned(),
            ..Alert::default()
        }
    }

    fn silence(settings: &Settings) -> Silence<'_> {
        Silence { settings, zone: Zone::of("UTC").unwrap(), paused_until_ms: None, snoozes: &[], last_ms: None }
    }

    #[test]
    fn a_pause_holds_until_it_is_over() {
        let settings = Settings::default();
        let state =
            |paused_until_ms| admit(alert(), None, &Silence { paused_until_ms, ..silence(&settings) }, NOW_MS).state;
        assert_eq!(state(None), AlertState::Logged);
        assert_eq!(state(Some(NOW_MS + 1)), AlertState::Paused);
        assert_eq!(state(Some(NOW_MS)), AlertState::Logged);
    }

    #[test]
    fn snoozes_hit_their_rule_session_or_occasion() {
        let settings = Settings::default();
        for (target, hit) in [
            ("rule/long_task", true),
            ("rule/budget", false),
            ("session/s1", true),
            ("session/s2", false),
            ("alert/long-task/s1/1", true),
            ("alert/long-task/s1/2", false),
        ] {
            let snoozes = [Snooze { target: target.to_owned(), until_ms: NOW_MS + 5 }];
            let state = admit(alert(), None, &Silence { snoozes: &snoozes, ..silence(&settings) }, NOW_MS).state;
            let expected = if hit { AlertState::Snoozed { until_ms: NOW_MS + 5 } } else { AlertState::Logged };
            assert_eq!(state, expected, "{target}");
            let later = admit(alert(), None, &Silence { snoozes: &snoozes, ..silence(&settings) }, NOW_MS + 5).state;
            assert_eq!(later, AlertState::Logged, "{target}");
        }
    }

    #[test]
    fn a_rule_cools_down() {
        let settings = Settings::default();
        let rule = Rule { cooldown_minutes: 60, ..RuleKind::LongTask.default_rule() };
        let state = |last_ms| admit(alert(), Some(&rule), &Silence { last_ms, ..silence(&settings) }, NOW_MS).state;
        assert_eq!(state(Some(NOW_MS - HOUR_MS + 1)), AlertState::Cooling);
        assert_eq!(state(Some(NOW_MS - HOUR_MS)), AlertState::Logged);
    }

    fn at(zone: Zone, text: &str) -> i64 {
        zone.instant(chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap())
    }

    #[test]
    fn quiet_hours_end_by_the_wall_clock_whatever_the_clocks_do() {
        let zone = Zone::of("Europe/Berlin").unwrap();
        let quiet = QuietHours { on: true, ..QuietHours::default() };
        let until = |text: &str| quiet_until(&quiet, zone, at(zone, text));
        assert_eq!(until("2026-11-25 21:59"), None);
        assert_eq!(until("2026-11-25 22:00"), Some(at(zone, "2026-11-26 07:00")));
        assert_eq!(until("2026-11-26 06:59"), Some(at(zone, "2026-11-26 07:00")));
        assert_eq!(until("2026-11-26 07:00"), None);
        // The night in March is an hour shorter, the one in October an hour longer.
        let night = |evening: &str| until(evening).unwrap() - at(zone, evening);
        assert_eq!(night("2026-03-28 22:00"), 8 * HOUR_MS);
        assert_eq!(night("2026-10-24 22:00"), 10 * HOUR_MS);
        // 02:30 is skipped on 29 March: quiet ends at the next moment there is.
        let odd = QuietHours { to: "02:30".to_owned(), ..quiet.clone() };
        assert_eq!(quiet_until(&odd, zone, at(zone, "2026-03-29 01:00")), Some(at(zone, "2026-03-29 03:00")));
        let broken = QuietHours { to: "25:00".to_owned(), ..quiet };
        assert_eq!(quiet_until(&broken, zone, at(zone, "2026-11-25 23:00")), None);
    }

    #[test]
    fn quiet_weekends_reach_to_mondays_morning() {
        let zone = Zone::of("UTC").unwrap();
        let quiet = QuietHours { on: true, weekends: true, ..QuietHours::default() };
        // 28 November 2026 is a Saturday.
        assert_eq!(quiet_until(&quiet, zone, at(zone, "2026-11-28 12:00")), Some(at(zone, "2026-11-30 07:00")));
        assert_eq!(quiet_until(&quiet, zone, at(zone, "2026-11-27 23:00")), Some(at(zone, "2026-11-30 07:00")));
        assert_eq!(quiet_until(&quiet, zone, at(zone, "2026-11-27 12:00")), None);
    }

    #[test]
    fn critical_alerts_may_pass_and_the_rest_is_told_in_the_morning() {
        let zone = Zone::of("UTC").unwrap();
        let quiet = QuietHours { on: true, ..QuietHours::default() };
        let settings = Settings { quiet, ..Settings::default() };
        let night = at(zone, "2026-11-25 23:00");
        let urgent = Alert { urgency: Urgency::Critical, ..alert() };
        assert_eq!(admit(urgent, None, &silence(&settings), night).state, AlertState::Logged);
        let held = admit(
            Alert { text: "lattice-api has worked for 5 m".to_owned(), ..alert() },
            None,
            &silence(&settings),
            night,
        );
        let morning = at(zone, "2026-11-26 07:00");
        assert_eq!(held.state, AlertState::Quiet { until_ms: morning });
        assert_eq!(after_quiet(std::slice::from_ref(&held), morning - 1), None);
        let told = after_quiet(&[held], morning).unwrap();
        assert_eq!(told.title, "1 alert while it was quiet");
        assert_eq!(told.text, "lattice-api has worked for 5 m");
    }

    #[test]
    fn three_of_a_kind_are_one() {
        let of = |id: &str| Alert { kind: AlertKind::NeedsYou, session_id: Some(id.to_owned()), ..alert() };
        let names = |alert: &Alert| alert.session_id.clone().unwrap_or_default();
        assert_eq!(group(&[of("a"), of("b")], names), None);
        let one = group(&[of("a"), of("b"), of("c")], names).unwrap();
        assert_eq!((one.title.as_str(), one.text.as_str()), ("3 sessions need you", "a, b, c"));
        assert_eq!((one.group.len(), one.session_id), (3, None));
    }
}
