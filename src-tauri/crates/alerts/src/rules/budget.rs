//! Budgets: which are set, how each stands, and the alerts at their limits.

use orrery_types::{Alert, AlertKind, Budget, BudgetState, Period, Rule, Scope, SessionRow, Settings, Urgency, cents};
use orrery_views::format::{self, money};

use crate::zone::Span;

const MICROS_PER_USD: f64 = 1_000_000.0;
const MICROS_PER_CENT: i64 = 10_000;
/// Id of the budget that `budget_daily_usd` sets.
pub const DAILY: &str = "daily";

/// Every budget that makes sense: `budget_daily_usd` first. Limits of zero and less count as none.
pub fn budgets(settings: &Settings) -> Vec<Budget> {
    let daily =
        settings.budget_daily_usd.map(|limit_usd| Budget { id: DAILY.to_owned(), limit_usd, ..Budget::default() });
    let all = daily.into_iter().chain(settings.budgets.iter().cloned());
    all.filter(|budget| limit_usd_micros(budget.limit_usd).is_some()).collect()
}

/// The daily budget over everything in micro-dollars. Empty when none is set.
pub fn budget_usd_micros(settings: &Settings) -> Option<i64> {
    settings.budget_daily_usd.and_then(limit_usd_micros)
}

/// A limit in micro-dollars, rounded to cents. Empty for zero, less, and what is no number.
fn limit_usd_micros(usd: f64) -> Option<i64> {
    let usd = Some(usd).filter(|usd| usd.is_finite() && *usd > 0.0)?;
    let cents = (usd * MICROS_PER_USD / MICROS_PER_CENT as f64).round() as i64;
    Some(cents.max(1).saturating_mul(MICROS_PER_CENT))
}

/// How a budget stands. `of` names the project, agent, model or session; `spent` and `rate_per_hour` are its own.
pub fn state(budget: &Budget, of: &str, span: &Span, spent: i64, rate_per_hour: i64, now_ms: i64) -> BudgetState {
    let limit = limit_usd_micros(budget.limit_usd).unwrap_or(i64::MAX);
    let soft = (1..100).contains(&budget.soft_percent).then(|| limit / 100 * i64::from(budget.soft_percent));
    BudgetState {
        id: budget.id.clone(),
        period: budget.period,
        scope: budget.scope,
        of: of.to_owned(),
        what: what(budget, of),
        day: span.day.clone(),
        from_ms: span.from_ms,
        to_ms: span.to_ms,
        spent_usd_micros: spent,
        limit_usd_micros: limit,
        soft_usd_micros: soft,
        passes_ms: super::forecast::passes_ms(spent, limit, rate_per_hour, now_ms, span.to_ms),
    }
}

/// "today", "this week in lattice-api", "this month with codex".
fn what(budget: &Budget, of: &str) -> String {
    let when = match budget.period {
        Period::Daily => "today",
        Period::Weekly => "this week",
        Period::Monthly => "this month",
    };
    let name = if of.is_empty() { "no name" } else { of };
    match budget.scope {
        Scope::All => when.to_owned(),
        Scope::Project => format!("{when} in {name}"),
        Scope::Agent => format!("{when} by {}", format::agent(of)),
        Scope::Model => format!("{when} with {name}"),
        Scope::Session => format!("{when} in session {}", of.chars().take(8).collect::<String>()),
    }
}

/// An alert when the hard limit is passed, or when the soft one is reached; once each a period, and once more after the
/// person raised the limit and spent that too. The key holds the period's first day and the limit in cents
/// (`budget/daily/2026-11-22/4000`).
pub fn check(state: &BudgetState, rule: &Rule, now_ms: i64) -> Option<Alert> {
    if state.day.is_empty() {
        return None;
    }
    let (spent, limit) = (money(state.spent_usd_micros), money(state.limit_usd_micros));
    let alert = Alert {
        at_ms: now_ms,
        session_id: session_of(state),
        rule: rule.id.clone(),
        urgency: rule.urgency,
        ..Alert::default()
    };
    if state.is_over() {
        return Some(Alert {
            key: format!("budget/{}", key_part(state)),
            kind: AlertKind::BudgetExceeded,
            title: "Budget exceeded".to_owned(),
            text: format!("Budget exceeded: {spent} of {limit} {}", state.what),
            ..alert
        });
    }
    if !state.is_near() {
        return None;
    }
    let percent = cents(state.spent_usd_micros).saturating_mul(100) / cents(state.limit_usd_micros).max(1);
    Some(Alert {
        key: format!("budget-near/{}", key_part(state)),
        kind: AlertKind::BudgetNear,
        title: "Budget nearly spent".to_owned(),
        text: format!("{percent} % of the budget are spent: {spent} of {limit} {}", state.what),
        urgency: rule.urgency.min(Urgency::Normal),
        ..alert
    })
}

/// `daily/2026-11-22/4000`, `shop/lattice-api/2026-11-22/1000`.
pub(super) fn key_part(state: &BudgetState) -> String {
    let of = if state.of.is_empty() { String::new() } else { format!("{}/", state.of) };
    format!("{}/{of}{}/{}", state.id, state.day, cents(state.limit_usd_micros))
}

pub(super) fn session_of(state: &BudgetState) -> Option<String> {
    (state.scope == Scope::Session).then(|| state.of.clone()).filter(|id| !id.is_empty())
}

/// Whether spending of this session counts against the budget whose state this is.
pub fn covers(state: &BudgetState, row: &SessionRow) -> bool {
    match state.scope {
        Scope::All => true,
        Scope::Project => state.of == row.project,
        Scope::Agent => state.of == row.agent,
        Scope::Model => row.model.as_deref() == Some(state.of.as_str()),
        Scope::Session => state.of == row.id,
    }
}

/// Why an agent is stopped: the words it reads.
pub fn guard_reason(state: &BudgetState, until: &str) -> String {
    format!(
        "Orrery: the budget is spent ({} of {} {}). The person has set a hard limit: stop here and tell them, or wait \
         until {until}. They can raise the limit in Orrery's settings",
        money(state.spent_usd_micros),
        money(state.limit_usd_micros),
        state.what,
    )
}

#[cfg(test)]
mod tests {
    use orrery_types::RuleKind;

    use super::*;

    const NOW_MS: i64 = 1_795_380_000_000;

    fn span() -> Span {
        Span { day: "2026-11-22".to_owned(), from_ms: NOW_MS - 3_600_000, to_ms: NOW_MS + 3_600_000 }
    }

    fn alert(spent: i64, budget_daily_usd: Option<f64>) -> Option<Alert> {
        let settings = Settings { budget_daily_usd, ..Settings::default() };
        let budget = budgets(&settings).into_iter().next()?;
        check(&state(&budget, "", &span(), spent, 0, NOW_MS), &RuleKind::Budget.default_rule(), NOW_MS)
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
    fn the_soft_limit_is_told_before_the_hard_one() {
        assert_eq!(alert(31_990_000, Some(40.0)), None);
        let near = alert(32_000_000, Some(40.0)).expect("four fifths");
        assert_eq!(near.key, "budget-near/daily/2026-11-22/4000");
        assert_eq!(near.text, "80 % of the budget are spent: $32.00 of $40.00 today");
        let none = Budget { limit_usd: 40.0, soft_percent: 0, ..Budget::default() };
        assert!(!state(&none, "", &span(), 39_000_000, 0, NOW_MS).is_near());
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
        let over = |spent, usd| alert(spent, usd).is_some_and(|alert| alert.kind == AlertKind::BudgetExceeded);
        assert!(!over(40_000_000, Some(40.0)));
        assert!(!over(40_004_999, Some(40.0)), "not a whole cent more");
        assert!(over(40_005_000, Some(40.0)));
        assert_eq!(alert(40_000_000, None), None);
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(alert(40_000_000, Some(odd)), None, "{odd}");
        }
    }

    #[test]
    fn budgets_of_a_project_speak_of_it_and_cover_its_sessions() {
        let budget = Budget {
            id: "shop".to_owned(),
            period: Period::Weekly,
            scope: Scope::Project,
            limit_usd: 10.0,
            ..Budget::default()
        };
        let state = state(&budget, "lattice-api", &span(), 12_000_000, 0, NOW_MS);
        let alert = check(&state, &RuleKind::Budget.default_rule(), NOW_MS).expect("over");
        assert_eq!(alert.key, "budget/shop/lattice-api/2026-11-22/1000");
        assert_eq!(alert.text, "Budget exceeded: $12.00 of $10.00 this week in lattice-api");
        let row = |project: &str| SessionRow { project: project.to_owned(), ..SessionRow::default() };
        assert!(covers(&state, &row("lattice-api")) && !covers(&state, &row("other")));
    }

    #[test]
    fn a_day_that_is_not_known_yet_raises_nothing() {
        let state = BudgetState { spent_usd_micros: 50_000_000, limit_usd_micros: 1, ..BudgetState::default() };
        assert_eq!(check(&state, &RuleKind::Budget.default_rule(), NOW_MS), None);
    }
}
