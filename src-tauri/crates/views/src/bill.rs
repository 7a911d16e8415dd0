//! Sums of costs, taken apart: which tokens at which price, told by whom.

use std::collections::BTreeMap;

use orrery_types::{Bill, BillLine, PricesUsed, Reported, Source, Unpriced, UsageGroup};

use crate::pricing::Prices;
use crate::usage;

/// The bill of all requests in `groups`.
pub fn make(groups: &[UsageGroup], prices: &Prices) -> Bill {
    let mut bill = Bill::default();
    let mut lines: Vec<BillLine> = Vec::new();
    let mut unpriced: BTreeMap<String, Unpriced> = BTreeMap::new();
    let mut tables: BTreeMap<&str, u64> = BTreeMap::new();
    let mut sources: BTreeMap<Source, u64> = BTreeMap::new();
    let mut reported = Reported::default();
    for group in groups {
        let model = group.model.clone().unwrap_or_default();
        bill.totals = usage::plus(&bill.totals, &group.totals);
        bill.repeats.reports += group.repeats.reports;
        bill.repeats.usd_micros = bill.repeats.usd_micros.saturating_add(group.repeats.usd_micros);
        for source in Vec::<Source>::from(group.sources) {
            *sources.entry(source).or_default() += group.totals.requests;
        }
        if group.basis == orrery_types::Basis::Reported {
            reported.requests += group.totals.requests;
            reported.usd_micros = reported.usd_micros.saturating_add(group.totals.cost_usd_micros);
            reported.compared_usd_micros = reported.compared_usd_micros.saturating_add(group.compared_usd_micros);
            reported.calculated_usd_micros = reported.calculated_usd_micros.saturating_add(group.calculated_usd_micros);
        }
        if group.calculated == 0 {
            let row = unpriced.entry(model.clone()).or_insert_with(|| Unpriced { model, ..Unpriced::default() });
            row.requests += group.totals.requests;
            row.tokens = row.tokens.saturating_add(group.totals.tokens.total());
            continue;
        }
        *tables.entry(group.price_date.as_str()).or_default() += group.totals.requests;
        let table = prices.at(&group.price_date).unwrap_or(prices.in_force());
        let (explained, estimated) = table.explain_group(group);
        for line in explained {
            let same = |known: &&mut BillLine| {
                known.model == model
                    && known.estimated == estimated
                    && known.line.what == line.what
                    && known.line.usd_per_million.to_bits() == line.usd_per_million.to_bits()
            };
            match lines.iter_mut().find(same) {
                Some(known) => {
                    known.line.count = known.line.count.saturating_add(line.count);
                    known.line.cost_usd_micros = known.line.cost_usd_micros.saturating_add(line.cost_usd_micros);
                }
                None => lines.push(BillLine { model: model.clone(), line, estimated }),
            }
        }
    }
    bill.lines = dearest_first(lines);
    bill.unpriced = unpriced.into_values().collect();
    bill.unpriced.sort_by_key(|row| std::cmp::Reverse(row.tokens));
    bill.sources = sources.into_iter().collect();
    bill.sources.sort_by_key(|(_, requests)| std::cmp::Reverse(*requests));
    bill.reported = (reported.requests > 0).then_some(reported);
    bill.prices =
        tables.into_iter().map(|(version, requests)| PricesUsed { table: prices.version(version), requests }).collect();
    bill
}

/// Lines by model, the dearest model first; within a model as they were found, which is by kind.
fn dearest_first(mut lines: Vec<BillLine>) -> Vec<BillLine> {
    let mut cost: BTreeMap<String, i64> = BTreeMap::new();
    for line in &lines {
        *cost.entry(line.model.clone()).or_default() += line.line.cost_usd_micros;
    }
    lines.sort_by(|one, other| {
        (cost[&other.model], &one.model, kind(&one.line.what)).cmp(&(
            cost[&one.model],
            &other.model,
            kind(&other.line.what),
        ))
    });
    lines
}

/// The order of kinds in every bill.
fn kind(what: &str) -> usize {
    const KINDS: [&str; 6] = ["Input", "Cache write", "Cache write, one hour", "Cache read", "Output", "Web searches"];
    let word = what.split(" (").next().unwrap_or(what);
    KINDS.iter().position(|kind| word == *kind).unwrap_or(KINDS.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use orrery_types::{Basis, CostTotals, Repeats, Sources, Tokens};

    use super::*;
    use crate::pricing::PriceTable;

    fn group(model: &str, change: impl FnOnce(&mut UsageGroup)) -> UsageGroup {
        let tokens = Tokens { input: 1_000_000, output: 200_000, cache_read: 3_000_000, ..Tokens::default() };
        let mut group = UsageGroup {
            model: Some(model.to_owned()),
            price_date: PriceTable::builtin().date().to_owned(),
            basis: Basis::Calculated,
            fast: false,
            geo: None,
            tier: None,
            above: 0,
            sources: Sources::one(Source::Transcript),
            // 5 + 5 + 1.5 dollars, and a micro-dollar that rounding left.
            totals: CostTotals { tokens, cost_usd_micros: 11_500_001, requests: 40, ..CostTotals::default() },
            web_searches: 0,
            calculated: 40,
            calculated_usd_micros: 11_500_001,
            compared_usd_micros: 0,
            repeats: Repeats { reports: 3, usd_micros: 70 },
        };
        change(&mut group);
        group
    }

    #[test]
    fn lines_add_up_to_the_total() {
        let bill = make(&[group("claude-opus-4-6", |_| ()), group("claude-opus-4-6", |_| ())], &Prices::default());
        assert_eq!(bill.totals.cost_usd_micros, 23_000_002);
        assert_eq!(bill.lines.iter().map(|line| line.line.cost_usd_micros).sum::<i64>(), 23_000_002);
        let told: Vec<_> = bill.lines.iter().map(|line| (line.line.what.as_str(), line.line.count)).collect();
        assert_eq!(told, [("Input", 2_000_000), ("Cache read", 6_000_000), ("Output", 400_000)]);
        assert_eq!(bill.repeats, Repeats { reports: 6, usd_micros: 140 });
        assert_eq!(bill.prices[0].requests, 80);
        assert_eq!(bill.reported, None);
    }

    #[test]
    fn what_has_no_price_stands_apart() {
        let unknown = group("mystery", |group| {
            group.basis = Basis::Unpriced;
            (group.calculated, group.calculated_usd_micros, group.totals.cost_usd_micros) = (0, 0, 0);
        });
        let bill = make(&[unknown], &Prices::default());
        assert!(bill.lines.is_empty());
        assert_eq!((bill.unpriced[0].model.as_str(), bill.unpriced[0].tokens), ("mystery", 4_200_000));
    }

    #[test]
    fn what_the_agent_says_is_compared_with_the_table() {
        let told = group("claude-opus-4-6", |group| {
            group.basis = Basis::Reported;
            (group.totals.cost_usd_micros, group.compared_usd_micros) = (12_000_000, 12_000_000);
            group.sources = Sources::one(Source::Otel).with(Sources::one(Source::Transcript));
        });
        let bill = make(&[told], &Prices::default());
        let reported = bill.reported.unwrap();
        assert_eq!((reported.compared_usd_micros, reported.calculated_usd_micros), (12_000_000, 11_500_001));
        assert_eq!(bill.sources.len(), 2);
    }

    #[test]
    fn a_group_above_a_border_has_the_rates_above_it() {
        let above = group("claude-haiku-5-5", |group| {
            group.above = 100_000;
            let row = PriceTable::builtin().price(&orrery_types::RequestUsage {
                tokens: group.totals.tokens,
                ..crate::usage::tests_request("claude-haiku-5-5")
            });
            group.calculated_usd_micros = row.cost_usd_micros.unwrap();
        });
        let bill = make(&[above], &Prices::default());
        assert!(bill.lines.iter().all(|line| line.line.what.ends_with("(prompt above 100k)")), "{:?}", bill.lines);
    }

    #[test]
    fn a_table_that_is_gone_leaves_one_line() {
        let old = group("claude-opus-4-6", |group| {
            group.price_date = "2020-02-02".to_owned();
            group.calculated_usd_micros = 99;
        });
        let bill = make(&[old], &Prices::default());
        assert_eq!(bill.lines.len(), 1);
        assert_eq!(bill.lines[0].line.what, "Priced with the table of 2020-02-02");
        assert_eq!(bill.prices[0].table.origin, "");
    }
}
