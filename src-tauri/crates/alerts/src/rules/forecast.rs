//! At this rate a budget is passed before its period ends.

use orrery_types::{Alert, AlertKind, BudgetState, Rule};
use orrery_views::format::money;

use super::budget::key_part;
use crate::Zone;

/// When `limit` is passed at `rate` micro-dollars an hour from `spent` on. Empty when it is passed already, when nothing
/// is being spent, and when `end_ms` comes first.
pub fn passes_ms(spent: i64, limit: i64, rate_per_hour: i64, now_ms: i64, end_ms: i64) -> Option<i64> {
    let left = limit.saturating_sub(spent);
    if left <= 0 || rate_per_hour <= 0 {
        return None;
    }
    let wait_ms = left as f64 / rate_per_hour as f64 * 3_600_000.0;
    let at_ms = now_ms.saturating_add(wait_ms as i64);
    (at_ms < end_ms).then_some(at_ms)
}

/// An alert when the state foresees that its limit is passed and more than the rule's share is spent; once a budget and
/// period.
pub fn check(state: &BudgetState, rule: &Rule, zone: Zone, now_ms: i64) -> Option<Alert> {
    let passes_ms = state.passes_ms?;
    let enough =
        i128::from(state.spent_usd_micros) * 100 > i128::from(state.limit_usd_micros) * i128::from(rule.percent);
    if !enough || state.is_over() {
        return None;
    }
    let limit = money(state.limit_usd_micros);
    let at = zone.say(passes_ms, now_ms);
    Some(Alert {
        key: format!("forecast/{}", key_part(state)),
        kind: AlertKind::Forecast,
        at_ms: now_ms,
        title: "Budget will not last".to_owned(),
        text: format!("At this rate you pass {limit} at {at}: {} spent {}", money(state.spent_usd_micros), state.what),
        session_id: super::budget::session_of(state),
        rule: rule.id.clone(),
        urgency: rule.urgency,
        ..Alert::default()
    })
}

#[cfg(test)]
mod tests {
    use orrery_types::RuleKind;

    use super::*;
    use crate::rules::make::NOW_MS;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn the_rate_of_the_last_hour_says_when() {
        let end = NOW_MS + 10 * HOUR_MS;
        assert_eq!(passes_ms(30, 40, 5, NOW_MS, end), Some(NOW_MS + 2 * HOUR_MS));
        assert_eq!(passes_ms(30, 40, 1, NOW_MS, end), None, "the day ends first");
        assert_eq!(passes_ms(40, 40, 5, NOW_MS, end), None, "passed already");
        assert_eq!(passes_ms(30, 40, 0, NOW_MS, end), None, "nothing is spent");
    }

    #[test]
    fn the_sentence_names_sum_and_time() {
        let rule = RuleKind::Forecast.default_rule();
        let state = BudgetState {
            id: "daily".to_owned(),
            what: "today".to_owned(),
            day: "2026-11-22".to_owned(),
            spent_usd_micros: 31_400_000,
            limit_usd_micros: 40_000_000,
            passes_ms: Some(1_795_380_000_000 + 20 * 60_000),
            ..BudgetState::default()
        };
        let zone = Zone::of("Europe/Berlin").expect("a zone");
        let alert = check(&state, &rule, zone, NOW_MS).expect("it will not last");
        let at = zone.say(NOW_MS + 20 * 60_000, NOW_MS);
        assert_eq!(alert.text, format!("At this rate you pass $40.00 at {at}: $31.40 spent today"));
        assert_eq!(alert.key, "forecast/daily/2026-11-22/4000");
        let early = BudgetState { spent_usd_micros: 10_000_000, ..state.clone() };
        assert_eq!(check(&early, &rule, zone, NOW_MS), None, "a quarter is not passed");
        assert_eq!(check(&BudgetState { passes_ms: None, ..state }, &rule, zone, NOW_MS), None);
    }
}
