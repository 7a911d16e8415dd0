//! The day in one line each, for places outside the window: the tray's menu.

use orrery_types::{NeedsKind, Overview, SessionRow};
use orrery_views::format::{self, money};

/// "Today $41.87", or "Today $41.87 of $60.00" with a daily budget.
pub fn today(overview: &Overview) -> String {
    let spent = money(overview.today.cost_usd_micros);
    match overview.today.budget_usd_micros {
        Some(budget) => format!("Today {spent} of {}", money(budget)),
        None => format!("Today {spent}"),
    }
}

/// "9 active, 4 need you".
pub fn activity(overview: &Overview) -> String {
    let active = match overview.strip.active_sessions {
        0 => "Nothing active".to_owned(),
        count => format!("{count} active"),
    };
    match overview.needs_you {
        0 => active,
        1 => format!("{active}, 1 needs you"),
        count => format!("{active}, {count} need you"),
    }
}

/// Who waits and what for: "lattice-api: permission for git push --force-with-lease". The name alone when nothing does.
pub fn waiting(row: &SessionRow) -> String {
    let name = if row.project.is_empty() { format::agent(&row.agent) } else { &row.project };
    let Some(needs) = &row.needs else { return name.to_owned() };
    let words = match needs.kind {
        NeedsKind::Permission => format!("permission for {}", needs.target),
        NeedsKind::Question => needs.target.clone(),
        NeedsKind::Idle => "waits for your next prompt".to_owned(),
        NeedsKind::Stuck => format!("stuck on {}", needs.target),
        NeedsKind::Error => needs.text.clone(),
    };
    format!("{name}: {words}")
}

#[cfg(test)]
mod tests {
    use orrery_types::{Spend, Strip};

    use super::*;

    fn overview(active_sessions: u32, needs_you: u32, budget_usd_micros: Option<i64>) -> Overview {
        Overview {
            needs_you,
            today: Spend { cost_usd_micros: 41_870_000, budget_usd_micros, ..Spend::default() },
            strip: Strip { active_sessions, ..Strip::default() },
            ..Overview::default()
        }
    }

    #[test]
    fn the_tray_reads_as_words() {
        assert_eq!(today(&overview(9, 4, None)), "Today $41.87");
        assert_eq!(today(&overview(9, 4, Some(60_000_000))), "Today $41.87 of $60.00");
        assert_eq!(activity(&overview(9, 4, None)), "9 active, 4 need you");
        assert_eq!(activity(&overview(1, 1, None)), "1 active, 1 needs you");
        assert_eq!(activity(&overview(2, 0, None)), "2 active");
        assert_eq!(activity(&overview(0, 0, None)), "Nothing active");
    }
}
