//! The daily budget is spent.

use orrery_types::{Alert, AlertKind, AlertState, Settings, Spend};
use orrery_views::format::money;

const MICROS_PER_USD: f64 = 1_000_000.0;
const MICROS_PER_CENT: i64 = 10_000;

/// An alert when today's spend is above the daily budget.
///
/// The key holds the day and the budget in cents (`budget/daily/2026-11-22/4000`): one alert a day, and one more after
/// the person raised the budget and spent that too. Empty without a budget, and while the day is unknown.
pub fn check(spend: &Spend, settings: &Settings, now_ms: i64) -> Option<Alert> {
    let budget_micros = budget_usd_micros(settings)?;
    // Whole cents on both sides, or a fraction of a cent would read as "$40.00 of $40.00".
    let spent_cents = spend.cost_usd_micros.saturating_add(MICROS_PER_CENT / 2) / MICROS_PER_CENT;
    if spend.day.is_empty() || spent_cents <= budget_micros / MICROS_PER_CENT {
        return None;
    }
    Some(Alert {
        key: format!("budget/daily/{}/{}", spend.day, budget_micros / MICROS_PER_CENT),
        kind: AlertKind::BudgetExceeded,
        at_ms: now_ms,
        title: "Budget exceeded".to_owned(),
        text: format!("Budget exceeded: {} of {} today", money(spend.cost_usd_micros), money(budget_micros)),
        session_id: None,
        state: AlertState::Logged,
    })
}

/// The daily budget in micro-dollars, rounded to cents. Empty when none is set; zero and less count as none.
pub fn budget_usd_micros(settings: &Settings) -> Option<i64> {
    let usd = settings.budget_daily_usd.filter(|usd| usd.is_finite() && *usd > 0.0)?;
    let cents = (usd * MICROS_PER_USD / MICROS_PER_CENT as f64).round() as i64;
    Some(cents.max(1).saturating_mul(MICROS_PER_CENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_380_000_000;

    fn alert(spent_usd_micros: i64, budget_daily_usd: Option<f64>) -> Option<Alert> {
        let spend = Spend { day: "2026-11-22".to_owned(), cost_usd_micros: spent_usd_micros, ..Spend::default() };
        check(&spend, &Settings { budget_daily_usd, ..Settings::default() }, NOW_MS)
    }

    #[test]
    fn spending_more_than_the_budget_says_how_much() {
        let alert = alert(50_120_000, Some(40.0)).expect("over budget");
        assert_eq!(alert.key, "budget/daily/2026-11-22/4000");
        assert_eq!(alert.title, "Budget exceeded");
        assert_eq!(alert.text, "Budget exceeded: $50.12 of $40.00 today");
        assert_eq!(alert.at_ms, NOW_MS);
    }

    #[test]
    fn a_raised_budget_is_a_new_occasion() {
        let first = alert(50_120_000, Some(40.0)).expect("over 40");
        let second = alert(50_120_000, Some(45.5)).expect("over 45.50");
        assert_ne!(first.key, second.key);
        assert_eq!(second.key, "budget/daily/2026-11-22/4550");
    }

    #[test]
    fn there_is_no_alert_up_to_the_budget_or_without_one() {
        assert_eq!(alert(40_000_000, Some(40.0)), None);
        assert_eq!(alert(40_004_999, Some(40.0)), None, "not a whole cent more");
        assert_eq!(alert(40_000_000, None), None);
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(alert(40_000_000, Some(odd)), None, "{odd}");
        }
    }

    #[test]
    fn a_day_that_is_not_known_yet_raises_nothing() {
        let spend = Spend { cost_usd_micros: 50_000_000, ..Spend::default() };
        let settings = Settings { budget_daily_usd: Some(1.0), ..Settings::default() };
        assert_eq!(check(&spend, &settings, NOW_MS), None);
    }
}
