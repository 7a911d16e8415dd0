#![allow(clippy::unwrap_used)]

use orrery_types::{Source, Tokens};

use super::*;

fn request(model: &str, tokens: Tokens) -> RequestUsage {
    RequestUsage {
        key: "k".into(),
        request_id: None,
        session_id: "s".into(),
        agent: "claude-code".into(),
        subagent: None,
        model: Some(model.to_owned()),
        at_ms: 0,
        tokens,
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

fn million(what: &str) -> Tokens {
    let n = 1_000_000;
    match what {
        "input" => Tokens { input: n, ..Tokens::default() },
        "output" => Tokens { output: n, ..Tokens::default() },
        "read" => Tokens { cache_read: n, ..Tokens::default() },
        "write" => Tokens { cache_write: n, ..Tokens::default() },
        "write 1h" => Tokens { cache_write_1h: n, ..Tokens::default() },
        other => panic!("{other}"),
    }
}

/// The cost in micro-dollars of one request.
fn cost(request: &RequestUsage) -> (Option<i64>, Basis) {
    let row = PriceTable::builtin().price(request);
    let lines = PriceTable::builtin().explain(&row);
    if let Some(cost) = row.calculated_usd_micros {
        assert_eq!(lines.iter().map(|line| line.cost_usd_micros).sum::<i64>(), cost, "{lines:?}");
    }
    (row.cost_usd_micros, row.basis)
}

#[test]
fn every_kind_of_token_has_its_price() {
    let check = |what: &str, micros: i64| {
        assert_eq!(cost(&request("claude-opus-4-6", million(what))), (Some(micros), Basis::Calculated), "{what}")
    };
    check("input", 5_000_000);
    check("output", 25_000_000);
    check("read", 500_000);
    check("write", 6_250_000);
    check("write 1h", 10_000_000);
    assert_eq!(cost(&request("claude-opus-5-5", million("read"))).0, Some(200_000));
    assert_eq!(cost(&request("claude-fable-5-1", million("read"))).0, Some(250_000));
}

#[test]
fn factors_multiply_all_of_it() {
    let fast = RequestUsage { fast: true, ..request("claude-opus-4-8", million("output")) };
    let plain = cost(&request("claude-opus-4-8", million("output"))).0.unwrap();
    assert_eq!(cost(&fast).0, Some(plain * 2));
    let both = RequestUsage { geo: Some("us".into()), ..fast };
    assert_eq!(cost(&both).0, Some(plain * 2 * 11 / 10));
    let six = RequestUsage { fast: true, ..request("claude-opus-4-6", million("input")) };
    assert_eq!(cost(&six).0, Some(30_000_000));
    let searched = RequestUsage { web_searches: 3, ..request("claude-opus-4-6", Tokens::default()) };
    assert_eq!(cost(&searched).0, Some(30_000));
}

#[test]
fn a_long_prompt_moves_all_tokens_to_the_higher_price() {
    let tokens = |input: u64| Tokens { input, output: 1_000, ..Tokens::default() };
    assert_eq!(cost(&request("claude-haiku-5-5", tokens(100_000))).0, Some(10_000 + 500));
    assert_eq!(cost(&request("claude-haiku-5-5", tokens(100_001))).0, Some(50_001 + 2_500));
    let cached = Tokens { input: 1, cache_read: 272_000, ..Tokens::default() };
    assert_eq!(cost(&request("gpt-5.5", cached)).0, Some(272_010));
    assert_eq!(cost(&request("claude-opus-4-6", Tokens { input: 900_000, ..Tokens::default() })).0, Some(4_500_000));
}

#[test]
fn tiers_have_their_own_prices() {
    let tier = |tier: &str| RequestUsage {
        tier: Some(tier.into()),
        ..request("gpt-5.4", Tokens { output: 1_000_000, ..Tokens::default() })
    };
    assert_eq!(cost(&tier("batch")), (Some(7_500_000), Basis::Calculated));
    assert_eq!(cost(&tier("flex")), (Some(7_500_000), Basis::Calculated));
    assert_eq!(cost(&tier("priority")), (Some(30_000_000), Basis::Calculated));
    assert_eq!(cost(&tier("default")), (Some(15_000_000), Basis::Calculated));
    let unlisted = RequestUsage { tier: Some("priority".into()), ..request("claude-opus-4-6", million("input")) };
    assert_eq!(cost(&unlisted), (Some(5_000_000), Basis::Estimated));
    let fast = RequestUsage { fast: true, ..request("gpt-6-astra", Tokens { output: 1_000_000, ..Tokens::default() }) };
    assert_eq!(cost(&fast), (Some(100_000_000), Basis::Calculated));
}

#[test]
fn names_are_found_as_gateways_write_them() {
    let check = |name: &str, entry: &str, basis: Basis| {
        let row = PriceTable::builtin().price(&request(name, million("input")));
        assert_eq!((row.price_model.as_deref(), row.basis), (Some(entry), basis), "{name}");
    };
    check("claude-opus-4-6[1m]", "claude-opus-4-6", Basis::Calculated);
    check("anthropic/claude-opus-4-6", "claude-opus-4-6", Basis::Calculated);
    check("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", Basis::Calculated);
    check("bedrock/eu.anthropic.claude-opus-5", "claude-opus-5", Basis::Calculated);
    check("claude-opus-4-1@20250805", "claude-opus-4-1-20250805", Basis::Calculated);
    check("openai/gpt-5.5", "gpt-5.5", Basis::Calculated);
    check("claude-sonnet-5-20260901", "claude-sonnet-5", Basis::Calculated);
    check("claude-sonnet-4", "claude-sonnet-4-20250514", Basis::Calculated);
    check("gpt-5-2025-12-31", "gpt-5", Basis::Calculated);
    check("claude-opus-5-turbo", "claude-opus-5", Basis::Estimated);
}

#[test]
fn an_unknown_model_is_unpriced_not_free() {
    for name in ["mystery-model", "vendor/mystery", "", "claude", "gpt", "opus"] {
        assert_eq!(cost(&request(name, million("input"))), (None, Basis::Unpriced), "{name}");
    }
    let nameless = RequestUsage { model: None, ..request("", million("input")) };
    assert_eq!(cost(&nameless), (None, Basis::Unpriced));
}

#[test]
fn missing_cache_prices_are_guessed_from_the_input() {
    assert_eq!(
        cost(&request("gpt-5.5", Tokens { cache_write: 1_000, ..Tokens::default() })),
        (Some(5_000), Basis::Calculated)
    );
    assert_eq!(
        cost(&request("o1-pro", Tokens { cache_read: 1_000, ..Tokens::default() })),
        (Some(150_000), Basis::Estimated)
    );
}

#[test]
fn writes_kept_an_hour_keep_their_factor_where_a_tier_does_not_list_them() {
    // Below the border 3.75 and 6 dollars, above it 7.50 and no price for the hour.
    let long = Tokens { cache_write_1h: 1_000_000, ..Tokens::default() };
    assert_eq!(cost(&request("claude-sonnet-4-20250514", long)), (Some(12_000_000), Basis::Estimated));
    let batch = RequestUsage { tier: Some("batch".into()), ..request("claude-opus-5", long) };
    assert_eq!(cost(&batch), (Some(5_000_000), Basis::Estimated));
}

#[test]
fn a_reported_cost_is_kept() {
    let reported = RequestUsage { reported_usd_micros: Some(12_345), ..request("mystery", million("input")) };
    assert_eq!(cost(&reported), (Some(12_345), Basis::Reported));
}

#[test]
fn rounding_happens_once() {
    // Three kinds of 0.5 micro-dollars each are 1.5, rounded to 2; each alone would be 1.
    let tokens = Tokens { input: 1, cache_read: 1, cache_write: 1, output: 0, ..Tokens::default() };
    // claude-haiku-4-5: 1 + 0.1 + 1.25 micro-dollars.
    assert_eq!(cost(&request("claude-haiku-4-5", tokens)).0, Some(2));
    assert_eq!(cost(&request("claude-opus-4-6", Tokens { cache_read: 1, ..Tokens::default() })).0, Some(1));
    let huge = Tokens { input: u64::MAX, output: u64::MAX, cache_read: u64::MAX, ..Tokens::default() };
    assert_eq!(cost(&request("claude-opus-4-6", huge)).0, Some(1_000_000_000_000_000));
}

#[test]
fn the_table_is_whole() {
    let table = PriceTable::builtin();
    assert_eq!(table.models().len(), 137);
    assert_eq!(table.date(), "2026-11-22");
    assert_eq!(table.context_window("claude-opus-4-6"), Some(1_000_000));
    assert_eq!(table.context_window("claude-sonnet-4-5[1m]"), Some(1_000_000));
    assert_eq!(table.context_window("mystery"), None);
    assert!(table.models.windows(2).all(|pair| pair[0].name < pair[1].name));
}
