//! A session costs far more than its project's usually do.

use std::collections::BTreeMap;

use orrery_types::{Alert, AlertKind, Rule, SessionRow, Status};
use orrery_views::format::money;

use super::{about, who};

/// Less than this is no spike, whatever is usual.
const LEAST_MICROS: i64 = 2_000_000;
/// So many sessions make something usual.
const LEAST_SESSIONS: usize = 5;
const OLD_MS: i64 = 10 * 60_000;

/// What a session of each project usually costs: the median of those that cost anything, in micro-dollars. Projects with
/// fewer than five are left out.
pub fn usual(rows: &[SessionRow]) -> BTreeMap<String, i64> {
    let mut costs: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let settled = rows.iter().filter(|row| row.cost_usd_micros > 0 && row.turn_started_ms.is_none());
    for row in settled.filter(|row| !row.project.is_empty()) {
        costs.entry(&row.project).or_default().push(row.cost_usd_micros);
    }
    costs.retain(|_, costs| costs.len() >= LEAST_SESSIONS);
    let median = |mut costs: Vec<i64>| {
        costs.sort_unstable();
        costs[costs.len() / 2]
    };
    costs.into_iter().map(|(project, costs)| (project.to_owned(), median(costs))).collect()
}

/// An alert when a session at work costs more than the rule's multiple of what is usual; once a session.
pub fn check(row: &SessionRow, usual: &BTreeMap<String, i64>, rule: &Rule, now_ms: i64) -> Option<Alert> {
    let usual = *usual.get(&row.project)?;
    let limit = ((usual as f64) * rule.factor) as i64;
    let fresh = now_ms.saturating_sub(row.last_ms) <= OLD_MS && row.status != Status::Ended;
    if rule.factor < 1.0 || !fresh || row.cost_usd_micros < limit.max(LEAST_MICROS) {
        return None;
    }
    let key = format!("cost-spike/{}", row.id);
    Some(Alert {
        title: "Cost spike".to_owned(),
        text: format!(
            "{} has cost {} so far; sessions of this project usually cost {}",
            who(row),
            money(row.cost_usd_micros),
            money(usual)
        ),
        ..about(rule, AlertKind::CostSpike, row, key, now_ms)
    })
}

#[cfg(test)]
mod tests {
    use orrery_types::RuleKind;

    use super::*;
    use crate::rules::make::{NOW_MS, row};

    fn cost(micros: i64) -> SessionRow {
        SessionRow { cost_usd_micros: micros, turn_started_ms: None, ..row() }
    }

    #[test]
    fn three_times_the_usual_is_told_once() {
        let rule = RuleKind::CostSpike.default_rule();
        let past: Vec<SessionRow> = [900_000, 1_000_000, 1_100_000, 50_000, 9_000_000].map(cost).to_vec();
        let usual = usual(&past);
        assert_eq!(usual["lattice-api"], 1_000_000);
        let alert = check(&cost(3_000_000), &usual, &rule, NOW_MS).expect("three times");
        assert_eq!(alert.key, "cost-spike/s1");
        assert_eq!(alert.text, "lattice-api has cost $3.00 so far; sessions of this project usually cost $1.00");
        assert_eq!(check(&cost(2_990_000), &usual, &rule, NOW_MS), None);
        assert_eq!(check(&cost(3_000_000), &usual, &rule, NOW_MS + OLD_MS), None);
    }

    #[test]
    fn a_few_sessions_and_small_sums_say_nothing() {
        assert!(usual(&[cost(1_000_000), cost(1_000_000)]).is_empty());
        let cheap = usual(&[1_000, 1_000, 1_000, 1_000, 1_000].map(cost));
        assert_eq!(check(&cost(1_900_000), &cheap, &RuleKind::CostSpike.default_rule(), NOW_MS), None);
    }
}
