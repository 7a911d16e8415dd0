//! A session's context is nearly full.

use std::collections::HashMap;

use orrery_types::{Alert, AlertKind, Rule, SessionRow};
use orrery_views::format::tokens;

use super::{about, who};

const OLD_MS: i64 = 10 * 60_000;
/// Below this share the context was emptied, and filling it again is a new occasion.
const EMPTIED_PERCENT: u64 = 50;

/// When each session's context was last seen emptied.
#[derive(Debug, Default)]
pub struct Fill {
    emptied: HashMap<String, i64>,
}

impl Fill {
    /// Takes in a row. An alert when its newest request used at least the rule's share of what the model takes; once until
    /// the context is emptied. Empty where the window is not known.
    pub fn row(&mut self, row: &SessionRow, rule: &Rule, now_ms: i64) -> Option<Alert> {
        let (used, window) = (row.context_tokens?, row.context_window.filter(|window| *window > 0)?);
        let percent = used.saturating_mul(100) / window;
        if percent < EMPTIED_PERCENT {
            // The first fill has the number 0, also after a restart.
            if self.emptied.contains_key(&row.id) {
                self.emptied.insert(row.id.clone(), row.context_ms);
            }
            return None;
        }
        let fresh = now_ms.saturating_sub(row.context_ms) <= OLD_MS;
        if !rule.on || !fresh || percent < u64::from(rule.percent) {
            return None;
        }
        let emptied_ms = *self.emptied.entry(row.id.clone()).or_default();
        let key = format!("context/{}/{emptied_ms}", row.id);
        Some(Alert {
            title: "Context nearly full".to_owned(),
            text: format!(
                "{} uses {percent} % of its context ({} of {} tokens)",
                who(row),
                tokens(used),
                tokens(window)
            ),
            ..about(rule, AlertKind::ContextFull, row, key, now_ms)
        })
    }

    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.emptied.retain(|id, _| keep(id));
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::RuleKind;

    use super::*;
    use crate::rules::make::{NOW_MS, row};

    fn filled(used: u64, at_ms: i64) -> SessionRow {
        SessionRow { context_tokens: Some(used), context_window: Some(200_000), context_ms: at_ms, ..row() }
    }

    #[test]
    fn it_is_told_once_until_the_context_is_emptied() {
        let (mut fill, rule) = (Fill::default(), RuleKind::ContextFull.default_rule());
        assert_eq!(fill.row(&filled(160_000, NOW_MS), &rule, NOW_MS), None);
        let first = fill.row(&filled(171_000, NOW_MS), &rule, NOW_MS).expect("85 %");
        assert_eq!(first.key, "context/s1/0");
        assert_eq!(first.text, "lattice-api uses 85 % of its context (171 k of 200 k tokens)");
        let same = fill.row(&filled(180_000, NOW_MS), &rule, NOW_MS).expect("still full");
        assert_eq!(same.key, first.key);
        assert_eq!(fill.row(&filled(30_000, NOW_MS + 5), &rule, NOW_MS + 5), None);
        let again = fill.row(&filled(175_000, NOW_MS + 9), &rule, NOW_MS + 9).expect("full again");
        assert_eq!(again.key, format!("context/s1/{}", NOW_MS + 5));
        assert_eq!(fill.row(&filled(175_000, NOW_MS), &rule, NOW_MS + OLD_MS + 1), None, "history");
    }
}
