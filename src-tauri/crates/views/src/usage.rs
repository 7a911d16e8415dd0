//! The ledger's rules: one request counted once.

use std::collections::{HashMap, HashSet};

use orrery_types::{Basis, CostTotals, RequestUsage, Source, StandIn, UsageRow};

use crate::pricing::Prices;

/// Whether `incoming` replaces `existing`, a row with the same key.
///
/// A cost the agent reported beats a computed one. A line of the main thread beats its copy in a subagent's file; then the
/// larger token sum wins (lines of one response grow while it streams), then the row that knows more (model, speed). Of
/// equal rows the earlier one is the original: forks and resumed sessions carry copies.
pub fn prefers(existing: &UsageRow, incoming: &UsageRow) -> bool {
    match (existing.basis == Basis::Reported, incoming.basis == Basis::Reported) {
        (false, true) => true,
        (true, false) => false,
        _ => tells_more(&existing.request, &incoming.request),
    }
}

/// Of two equal reports the smaller is the original. Copies can carry the original's time: then any rule will do that does
/// not hang on the order in which files are read.
fn origin(request: &RequestUsage) -> (i64, &str, Option<&str>) {
    (request.at_ms, &request.session_id, request.model.as_deref())
}

/// [`prefers`] without regard to money.
fn tells_more(old: &RequestUsage, new: &RequestUsage) -> bool {
    let rank =
        |request: &RequestUsage| (!request.sidechain, request.tokens.total(), request.model.is_some(), request.fast);
    match rank(new).cmp(&rank(old)) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => origin(new) < origin(old),
    }
}

/// What `existing` becomes when another report of its request arrives. `None` when the report adds nothing.
///
/// Reports of one kind follow [`prefers`]. Of two kinds, the larger token sum wins, then the transcript, which tells cache
/// writes apart; a cost the agent reported stays with the row whoever counts its tokens, and what one report leaves open the
/// other fills. The order of arrival does not matter, but for the price table: `existing` keeps the one it has.
pub fn joined(existing: &UsageRow, incoming: &UsageRow, prices: &Prices) -> Option<UsageRow> {
    let counts = counts_better(&existing.request, &incoming.request);
    let (better, other) = if counts { (incoming, existing) } else { (existing, incoming) };
    let mut row = better.clone();
    let (into, from) = (&mut row.request, &other.request);
    if into.request_id.as_deref().is_some_and(|id| into.key == RequestUsage::by_request_id(id)) {
        into.key.clone_from(&from.key);
    }
    into.request_id = into.request_id.take().or_else(|| from.request_id.clone());
    if into.source != from.source {
        into.model = into.model.take().or_else(|| from.model.clone());
        into.subagent = into.subagent.take().or_else(|| from.subagent.clone());
        into.geo = into.geo.take().or_else(|| from.geo.clone());
        into.tier = into.tier.take().or_else(|| from.tier.clone());
        into.fast |= from.fast;
        into.web_searches = into.web_searches.max(from.web_searches);
    }
    if row.basis != Basis::Reported && other.basis == Basis::Reported {
        row.request.reported_usd_micros = other.request.reported_usd_micros;
        row.cost_usd_micros = other.cost_usd_micros;
        row.basis = Basis::Reported;
    }
    let is_filled = price_hangs_on(&row.request) != price_hangs_on(&better.request);
    if let Some(table) = prices.at(&existing.price_date)
        && (is_filled || row.price_date != existing.price_date)
    {
        let price = table.price(&row.request);
        if row.basis != Basis::Reported {
            (row.cost_usd_micros, row.basis) = (price.cost_usd_micros, price.basis);
        }
        row.calculated_usd_micros = price.calculated_usd_micros;
        (row.price_model, row.price_date) = (price.price_model, price.price_date);
    }
    row.sources = existing.sources.with(incoming.sources);
    (row != *existing).then_some(row)
}

/// What beside the tokens a price hangs on.
fn price_hangs_on(request: &RequestUsage) -> (Option<&str>, bool, Option<&str>, Option<&str>, u32) {
    (request.model.as_deref(), request.fast, request.geo.as_deref(), request.tier.as_deref(), request.web_searches)
}

/// Whether the tokens of `incoming` are to be believed rather than those of `existing`.
fn counts_better(old: &RequestUsage, new: &RequestUsage) -> bool {
    if old.source == new.source {
        return tells_more(old, new);
    }
    let rank = |request: &RequestUsage| (request.tokens.total(), request.source == Source::Transcript);
    rank(new) > rank(old)
}

/// Adds one row to sums.
pub fn add(totals: &mut CostTotals, row: &UsageRow) {
    totals.tokens = totals.tokens.plus(row.request.tokens);
    totals.cost_usd_micros = totals.cost_usd_micros.saturating_add(row.cost_usd_micros.unwrap_or(0));
    totals.requests += 1;
    totals.unpriced_requests += u64::from(row.basis == Basis::Unpriced);
    totals.estimated_requests += u64::from(row.basis == Basis::Estimated);
}

/// The sums of two sets of rows together.
pub fn plus(one: &CostTotals, other: &CostTotals) -> CostTotals {
    CostTotals {
        tokens: one.tokens.plus(other.tokens),
        cost_usd_micros: one.cost_usd_micros.saturating_add(other.cost_usd_micros),
        requests: one.requests + other.requests,
        unpriced_requests: one.unpriced_requests + other.unpriced_requests,
        estimated_requests: one.estimated_requests + other.estimated_requests,
    }
}

/// Leaves out the stand-ins of sessions that have better rows.
pub fn drop_stand_ins(rows: &mut HashMap<String, UsageRow>) {
    // `None` is a row that is no stand-in, and better than all of them.
    let mut best: HashMap<String, Option<StandIn>> = HashMap::new();
    for row in rows.values() {
        let kind = row.request.stand_in();
        best.entry(row.request.session_id.clone()).and_modify(|best| *best = kind.min(*best)).or_insert(kind);
    }
    rows.retain(|_, row| best.get(&row.request.session_id).is_none_or(|best| row.request.stand_in() == *best));
}

/// Leaves out the copies of main-thread responses that subagents' files carry under other keys.
pub fn drop_replays(rows: &mut HashMap<String, UsageRow>) {
    let aside = rows.values().filter(|row| row.request.sidechain);
    let messages: HashSet<String> = aside.filter_map(|row| Some(row.request.message_id()?.to_owned())).collect();
    let main = rows.values().filter(|row| !row.request.sidechain);
    let main: HashMap<String, RequestUsage> = main
        .filter_map(|row| Some((row.request.message_id().filter(|id| messages.contains(*id))?.to_owned(), row)))
        .map(|(message, row)| (message, row.request.clone()))
        .collect();
    if main.is_empty() {
        return;
    }
    rows.retain(|_, row| {
        let original = row.request.message_id().and_then(|id| main.get(id));
        !original.is_some_and(|original| row.request.replays(original))
    });
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

/// A request of a model, for tests.
#[cfg(test)]
pub(crate) fn tests_request(model: &str) -> RequestUsage {
    RequestUsage {
        key: "m1:r1".into(),
        request_id: Some("r1".into()),
        session_id: "s".into(),
        agent: "claude-code".into(),
        subagent: None,
        model: Some(model.into()),
        at_ms: 100,
        tokens: orrery_types::Tokens::default(),
        web_searches: 0,
        fast: false,
        geo: None,
        tier: None,
        reported_usd_micros: None,
        sidechain: false,
        source: Source::Transcript,
        place: None,
        demo: false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use orrery_types::Tokens;

    use super::*;

    fn joined(existing: &UsageRow, incoming: &UsageRow) -> Option<UsageRow> {
        super::joined(existing, incoming, &Prices::default())
    }

    fn row(output: u64, change: impl FnOnce(&mut UsageRow)) -> UsageRow {
        let tokens = Tokens { input: 10, output, ..Tokens::default() };
        let request = RequestUsage { tokens, ..tests_request("claude-opus-5") };
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
    fn telemetry_and_transcript_make_one_row_in_either_order() {
        let transcript = row(5, |row| row.request.tokens.cache_write_1h = 3);
        let telemetry = row(5, |row| {
            row.request.key = RequestUsage::by_request_id("r1");
            row.request.source = Source::Otel;
            row.request.tokens.cache_write = 3;
            row.request.subagent = Some("a1".into());
            row.request.reported_usd_micros = Some(77);
            row.sources = orrery_types::Sources::one(Source::Otel);
            (row.cost_usd_micros, row.basis) = (Some(77), Basis::Reported);
        });
        let one = joined(&transcript, &telemetry).unwrap();
        assert_eq!(joined(&telemetry, &transcript).unwrap(), one);
        assert_eq!((one.request.key.as_str(), one.request.tokens.cache_write_1h), ("m1:r1", 3));
        assert_eq!((one.cost_usd_micros, one.basis), (Some(77), Basis::Reported));
        assert!(one.sources.has(Source::Otel) && one.sources.has(Source::Transcript));
        // Neither report again adds anything, and a longer line of the stream keeps the reported cost.
        assert_eq!(joined(&one, &telemetry), None);
        assert_eq!(joined(&one, &transcript), None);
        let longer = joined(&one, &row(9, |_| ())).unwrap();
        assert_eq!((longer.request.tokens.output, longer.cost_usd_micros), (9, Some(77)));
    }

    #[test]
    fn what_another_source_knows_of_the_price_counts() {
        let transcript = row(5, |_| ());
        let telemetry = RequestUsage { fast: true, source: Source::Otel, ..row(5, |_| ()).request };
        let telemetry = crate::pricing::PriceTable::builtin().price(&telemetry);
        let one = joined(&transcript, &telemetry).unwrap();
        assert_eq!((one.request.source, one.cost_usd_micros), (Source::Transcript, telemetry.cost_usd_micros));
        assert_ne!(one.cost_usd_micros, transcript.cost_usd_micros);
        assert_eq!(joined(&telemetry, &transcript).unwrap(), one);
    }

    #[test]
    fn a_row_keeps_the_table_that_priced_it() {
        let text = "date\tx\nmodel\tclaude-opus-5\tanthropic\t-\t-\t-\t-\t-\nprice\tstandard\t0\t1000\t2000\t-\t-\t-\n";
        let version = orrery_types::PriceVersion { version: "2999-01-01".into(), ..Default::default() };
        let prices = Prices::new(vec![crate::pricing::StoredPrices { version, text: text.into() }]);
        let old = row(5, |_| ());
        let longer = prices.in_force().price(&row(9, |_| ()).request);
        assert_eq!(longer.cost_usd_micros, Some(10 * 1000 + 9 * 2000));
        let one = super::joined(&old, &longer, &prices).unwrap();
        assert_eq!((one.request.tokens.output, &one.price_date), (9, &old.price_date));
        assert_eq!(one.cost_usd_micros, row(9, |_| ()).cost_usd_micros);
    }

    #[test]
    fn of_equal_copies_the_same_one_wins_in_any_order() {
        let copy = row(5, |row| row.request.session_id = "t".into());
        let original = row(5, |_| ());
        assert!(prefers(&copy, &original));
        assert!(!prefers(&original, &copy));
    }

    #[test]
    fn a_subagents_copy_of_the_main_thread_is_left_out_under_any_key() {
        let main = row(5, |row| row.request.request_id = Some("r1".into()));
        let side = |key: &str, request_id: Option<&str>| {
            row(9, |row| {
                row.request.key = key.into();
                row.request.request_id = request_id.map(str::to_owned);
                row.request.sidechain = true;
            })
        };
        let rows = [main, side("m1", None), side("m1:r9", Some("r9")), side("m2:r9", Some("r9")), side(":s:f:1", None)];
        let mut rows: HashMap<String, UsageRow> = rows.into_iter().map(|row| (row.request.key.clone(), row)).collect();
        drop_replays(&mut rows);
        let mut kept: Vec<&str> = rows.keys().map(String::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, [":s:f:1", "m1:r1", "m2:r9"]);
    }

    #[test]
    fn stand_ins_count_only_in_sessions_without_better_rows() {
        let stand_in = |kind: StandIn, session: &str| {
            row(5, |row| {
                row.request.session_id = session.into();
                row.request.key = RequestUsage::stand_in_key(kind, session, "x");
            })
        };
        let (total, counted) = (StandIn::Total, StandIn::Counted);
        let rows =
            [row(5, |_| ()), stand_in(total, "s"), stand_in(counted, "t"), stand_in(total, "t"), stand_in(total, "u")];
        let mut rows: HashMap<String, UsageRow> = rows.into_iter().map(|row| (row.request.key.clone(), row)).collect();
        drop_stand_ins(&mut rows);
        let mut kept: Vec<&str> = rows.keys().map(String::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, ["counted/t/x", "m1:r1", "total/u/x"]);
    }

    #[test]
    fn sums_count_a_request_once() {
        let rows = [row(1, |_| ()), row(7, |_| ()), row(3, |_| ()), row(9, |row| row.request.key = "m2".into())];
        let totals = total(&rows);
        assert_eq!((totals.requests, totals.tokens.output), (2, 16));
    }
}
