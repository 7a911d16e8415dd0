//! The live tiles, defined once: the strip, the page heads, the tray and other programs show these words.

use orrery_types::Overview;

use crate::format;

/// A figure of now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tile {
    pub name: &'static str,
    pub value: String,
    /// What puts it in proportion: "of $60", "p95 1.2 s". May be empty.
    pub small: String,
    /// The rule behind the figure, for hovers.
    pub about: &'static str,
    /// Share of a limit, 0 to 1 and above. Empty without a limit.
    pub share: Option<f64>,
    /// Over its limit.
    pub is_over: bool,
}

/// All live tiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tiles {
    pub active: Tile,
    pub events: Tile,
    pub tools: Tile,
    pub cost: Tile,
    pub errors: Tile,
}

/// The tiles of an overview.
pub fn tiles(overview: &Overview) -> Tiles {
    let (today, strip) = (&overview.today, &overview.strip);
    let budget = today.budget_usd_micros.filter(|budget| *budget > 0);
    let share = budget.map(|budget| today.cost_usd_micros as f64 / budget as f64);
    let unpriced = (today.unpriced_requests > 0)
        .then(|| format!("{} without a price", format::plural(today.unpriced_requests, "request")));
    Tiles {
        active: Tile {
            name: "Active sessions",
            value: strip.active_sessions.to_string(),
            small: if overview.running_subagents > 0 {
                format::plural(u64::from(overview.running_subagents), "subagent")
            } else {
                String::new()
            },
            about: "Sessions in a turn or waiting for you",
            ..Tile::default()
        },
        events: Tile {
            name: "Events a minute",
            value: format::count(u64::from(strip.events_last_minute)),
            about: "Events stored in the last 60 seconds",
            ..Tile::default()
        },
        tools: Tile {
            name: "Tool time",
            value: strip.tool_p50_ms.map_or("–".to_owned(), format::duration_ms),
            small: strip.tool_p95_ms.map(|p95| format!("p95 {}", format::duration_ms(p95))).unwrap_or_default(),
            about: "Median of the tool calls that ended in the last hour; p95: 95 of 100 took no longer",
            ..Tile::default()
        },
        cost: Tile {
            name: "Spent today",
            value: format::money(today.cost_usd_micros),
            small: budget.map(|budget| format!("of {}", format::money_short(budget))).or(unpriced).unwrap_or_default(),
            about: "Every billed request since midnight, at the prices of its day",
            share,
            is_over: share.is_some_and(|share| share > 1.0),
        },
        errors: Tile {
            name: "Errors",
            value: format::share(u64::from(today.failed_last_hour), u64::from(today.calls_last_hour))
                .unwrap_or("–".to_owned()),
            small: format!("{} of {} calls", today.failed_last_hour, format::count(u64::from(today.calls_last_hour))),
            about: "Tool calls that failed, of those that ended in the last hour",
            ..Tile::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::{Spend, Strip};

    use super::*;

    #[test]
    fn figures_stand_in_proportion_and_nothing_known_is_a_dash() {
        let today = Spend {
            cost_usd_micros: 66_000_000,
            budget_usd_micros: Some(60_000_000),
            failed_last_hour: 18,
            calls_last_hour: 640,
            ..Spend::default()
        };
        let strip = Strip { tool_p50_ms: Some(840), tool_p95_ms: Some(12_000), active_sessions: 9, ..Strip::default() };
        let tiles = tiles(&Overview { today, strip, ..Overview::default() });
        assert_eq!(
            (tiles.cost.value.as_str(), tiles.cost.small.as_str(), tiles.cost.is_over),
            ("$66.00", "of $60", true)
        );
        assert_eq!((tiles.errors.value.as_str(), tiles.errors.small.as_str()), ("2.8 %", "18 of 640 calls"));
        assert_eq!((tiles.tools.value.as_str(), tiles.tools.small.as_str()), ("840 ms", "p95 12 s"));
        let none = super::tiles(&Overview::default());
        assert_eq!((none.tools.value.as_str(), none.errors.value.as_str(), none.cost.share), ("–", "–", None));
    }
}
