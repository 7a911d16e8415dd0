//! The ledger's rules: one request counted once.

use orrery_types::{Basis, CostTotals, UsageRow};

/// Whether `incoming` replaces `existing`, a row with the same key.
///
/// A cost the agent reported beats a computed one. A line of the main thread beats its copy in a subagent's file; then the
/// larger token sum wins (lines of one response grow while it streams), then the row that knows more (model, speed). Of
/// equal rows in two sessions the earlier one is the original: forks and resumed sessions carry copies.
pub fn prefers(existing: &UsageRow, incoming: &UsageRow) -> bool {
    let (old, new) = (&existing.request, &incoming.request);
    let rank = |row: &UsageRow| {
        let request = &row.request;
        (
            row.basis == Basis::Reported,
            !request.sidechain,
            request.tokens.total(),
            request.model.is_some(),
            request.fast,
        )
    };
    match rank(incoming).cmp(&rank(existing)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => new.session_id != old.session_id && new.at_ms < old.at_ms,
    }
}

/// Adds one row to sums.
pub fn add(totals: &mut CostTotals, row: &UsageRow) {
    totals.tokens = totals.tokens.plus(row.request.tokens);
    totals.cost_usd_micros = totals.cost_usd_micros.saturating_add(row.cost_usd_micros.unwrap_or(0));
    totals.requests += 1;
    totals.unpriced_requests += u64::from(row.basis == Basis::Unpriced);
    totals.estimated_requests += u64::from(row.basis == Basis::Estimated);
}

/// Sums of `rows`, each request once: of rows with one key the preferred one counts.
pub fn total<'a>(rows: impl IntoIterator<Item = &'a UsageRow>) -> CostTotals {
    let mut kept: std::collections::BTreeMap<&str, &UsageRow> = std::collections::BTreeMap::new();
    for row in rows {
        let slot = kept.entry(row.request.key.as_str()).or_insert(row);
        if prefers(slot, row) {
            *slot = row;
        }
    }
    let mut totals = CostTotals::default();
    kept.into_values().for_each(|row| add(&mut totals, row));
    totals
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use orrery_types::{RequestUsage, Source, Tokens};

    use super::*;

    fn row(output: u64, change: impl FnOnce(&mut UsageRow)) -> UsageRow {
        let request = RequestUsage {
            key: "m1:r1".into(),
            session_id: "s".into(),
            agent: "claude-code".into(),
            subagent: None,
            model: Some("claude-opus-5".into()),
            at_ms: 100,
            tokens: Tokens { input: 10, output, ..Tokens::default() },
            web_searches: 0,
            fast: false,
            geo: None,
            tier: None,
            reported_usd_micros: None,
            sidechain: false,
            source: Source::Transcript,
            place: None,
            demo: false,
        };
        let mut row = crate::pricing::PriceTable::builtin().price(&request);
        change(&mut row);
        row
    }

    #[test]
    fn the_better_report_of_one_request_wins() {
        let plain = row(5, |_| ());
        assert!(!prefers(&plain, &plain));
        assert!(prefers(&plain, &row(6, |_| ())));
        assert!(!prefers(&plain, &row(4, |_| ())));
        assert!(!prefers(&plain, &row(900, |row| row.request.sidechain = true)));
        assert!(prefers(&row(900, |row| row.request.sidechain = true), &plain));
        assert!(prefers(&plain, &row(5, |row| row.request.fast = true)));
        assert!(prefers(&row(5, |row| row.request.model = None), &plain));
        assert!(prefers(&plain, &row(1, |row| row.basis = Basis::Reported)));
        assert!(!prefers(&row(1, |row| row.basis = Basis::Reported), &plain));
    }

    #[test]
    fn the_original_owns_a_request_that_forks_copied() {
        let copy = row(5, |row| {
            row.request.session_id = "fork".into();
            row.request.at_ms = 900;
        });
        let original = row(5, |_| ());
        assert!(prefers(&copy, &original));
        assert!(!prefers(&original, &copy));
    }

    #[test]
    fn sums_count_a_request_once() {
        let rows = [row(1, |_| ()), row(7, |_| ()), row(3, |_| ()), row(9, |row| row.request.key = "m2".into())];
        let totals = total(&rows);
        assert_eq!((totals.requests, totals.tokens.output), (2, 16));
    }
}
