//! One request's bill. All sums are whole numbers; rounding happens once, at the end.

use orrery_types::{CostLine, RequestUsage, Tokens};

use super::PriceTable;
use super::name::find;
use super::table::{Model, Price, Rate};

/// A rate is micro-dollars per million tokens: a cost in these units is a million times its micro-dollars.
const UNIT: i128 = 1_000_000;
/// No request costs a billion dollars: nonsense in a file must not break the sums over all requests.
const MOST: i64 = 1_000_000_000_000_000;
/// What one web search costs where the table does not say: $0.01.
const SEARCH: Rate = 10_000 * UNIT;

#[derive(Debug, Clone)]
pub struct Bill {
    /// The table's entry.
    pub model: String,
    /// The price is no published one for just this request.
    pub guessed: bool,
    items: Vec<Item>,
    /// Product of the factors, in millionths.
    factor: Rate,
    note: String,
}

#[derive(Debug, Clone)]
struct Item {
    what: &'static str,
    count: u64,
    rate: Rate,
}

/// What a price hangs on: one request, or several that are priced alike.
#[derive(Debug, Clone, Copy)]
pub struct Used<'a> {
    pub model: Option<&'a str>,
    pub tokens: Tokens,
    pub web_searches: u64,
    /// Tokens of the prompt, or of each of the prompts as far as borders go.
    pub prompt: u64,
    pub fast: bool,
    pub geo: Option<&'a str>,
    pub tier: Option<&'a str>,
}

impl<'a> From<&'a RequestUsage> for Used<'a> {
    fn from(request: &'a RequestUsage) -> Used<'a> {
        Used {
            model: request.model.as_deref(),
            tokens: request.tokens,
            web_searches: u64::from(request.web_searches),
            prompt: request.tokens.prompt(),
            fast: request.fast,
            geo: request.geo.as_deref(),
            tier: request.tier.as_deref(),
        }
    }
}

/// Prices what was used, unless its model is unknown or has no price.
pub fn make(table: &PriceTable, used: Used<'_>) -> Option<Bill> {
    let found = find(&table.models, used.model?)?;
    let model = found.model;
    let mut guessed = found.guessed;

    let priority = used.fast && model.fast.is_none();
    let tier = if priority { "priority" } else { tier_of(used.tier) };
    let (rates, tier_known) = rates(model, tier, used.prompt)?;
    // Fast mode or a service tier without prices of its own is billed at the standard ones, as far as we know.
    guessed |= !tier_known;

    let tokens = &used.tokens;
    let input = rates.input?;
    let mut or_input = |rate: Option<Rate>, count: u64, input_is_sure: bool| {
        guessed |= rate.is_none() && count > 0 && !input_is_sure;
        rate.unwrap_or(input)
    };
    // OpenAI's models before gpt-6 bill cache writes as plain input.
    let writes_are_input = model.vendor == "openai";
    let read = or_input(rates.cache_read, tokens.cache_read, false);
    let write = or_input(rates.cache_write, tokens.cache_write, writes_are_input);
    let write_1h = or_input(rates.cache_write_1h.or(rates.cache_write), tokens.cache_write_1h, writes_are_input);
    let hour_listed = model
        .prices
        .iter()
        .any(|price| price.tier == rates.tier && price.above == rates.above && price.cache_write_1h.is_some());
    guessed |= !hour_listed && tokens.cache_write_1h > 0;

    let items = vec![
        Item { what: "Input", count: tokens.input, rate: input },
        Item { what: "Cache read", count: tokens.cache_read, rate: read },
        Item { what: "Cache write", count: tokens.cache_write, rate: write },
        Item { what: "Cache write, one hour", count: tokens.cache_write_1h, rate: write_1h },
        Item { what: "Output", count: tokens.output, rate: rates.output? },
        Item { what: "Web searches", count: used.web_searches, rate: model.search.unwrap_or(SEARCH) },
    ];
    let fast = model.fast.filter(|_| used.fast);
    let us = model.us.filter(|_| used.geo == Some("us"));
    let mut notes = Vec::new();
    notes.extend(fast.map(|factor| format!("fast ×{}", factor as f64 / 1e6)));
    notes.extend(us.map(|factor| format!("US ×{}", factor as f64 / 1e6)));
    notes.extend((tier != "standard").then(|| tier.to_owned()));
    notes.extend((rates.above > 0).then(|| format!("prompt above {}k", rates.above / 1000)));
    Some(Bill {
        model: model.name.clone(),
        guessed,
        items: items.into_iter().filter(|item| item.count > 0).collect(),
        factor: fast.unwrap_or(UNIT) * us.unwrap_or(UNIT) / UNIT,
        note: if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) },
    })
}

impl Bill {
    pub fn total_micros(&self) -> i64 {
        let sum = self.items.iter().map(|item| i128::from(item.count) * item.rate).sum::<i128>();
        round(sum * self.factor, UNIT * UNIT)
    }

    /// Lines that add up to `total`: what rounding leaves goes to the largest. Empty when nothing was counted.
    pub fn lines(&self, total: i64) -> Vec<CostLine> {
        let mut lines: Vec<CostLine> = self
            .items
            .iter()
            .map(|item| CostLine {
                what: format!("{}{}", item.what, self.note),
                count: item.count,
                usd_per_million: item.rate as f64 * self.factor as f64 / 1e12,
                cost_usd_micros: round(i128::from(item.count) * item.rate * self.factor, UNIT * UNIT),
            })
            .collect();
        let rest = total - lines.iter().map(|line| line.cost_usd_micros).sum::<i64>();
        if let Some(largest) = lines.iter_mut().max_by_key(|line| line.cost_usd_micros) {
            largest.cost_usd_micros += rest;
        }
        lines
    }
}

fn tier_of(tier: Option<&str>) -> &str {
    match tier {
        Some(tier @ ("batch" | "priority" | "flex" | "ultrafast")) => tier,
        Some("batches") => "batch",
        Some("fast") => "priority",
        _ => "standard",
    }
}

/// The rates for a tier and prompt size. A border that the prompt exceeds moves all its tokens to the rates above it;
/// rates missing there are those below it. False when the tier has no prices and the standard ones stand in.
fn rates(model: &Model, tier: &str, prompt: u64) -> Option<(Price, bool)> {
    let of_tier = |tier: &str| {
        let mut steps: Vec<&Price> = model
            .prices
            .iter()
            .filter(|price| price.tier == tier && (price.above == 0 || prompt > price.above))
            .collect();
        steps.sort_by_key(|price| price.above);
        let base = steps.first().filter(|price| price.above == 0)?;
        Some(steps.iter().fold((*base).clone(), |below, price| Price {
            tier: price.tier.clone(),
            above: price.above,
            input: price.input.or(below.input),
            output: price.output.or(below.output),
            cache_read: price.cache_read.or(below.cache_read),
            cache_write: price.cache_write.or(below.cache_write),
            cache_write_1h: price.cache_write_1h.or_else(|| kept_hour(&below, price.cache_write)),
        }))
    };
    let own = of_tier(tier).filter(|price| price.input.is_some() && price.output.is_some());
    match own {
        // A tier that lists less than the standard one: the rest is standard.
        Some(price) => {
            let standard = of_tier("standard");
            let with =
                |own: Option<Rate>, of: fn(&Price) -> Option<Rate>| own.or_else(|| standard.as_ref().and_then(of));
            let full = Price {
                cache_read: with(price.cache_read, |price| price.cache_read),
                cache_write: with(price.cache_write, |price| price.cache_write),
                cache_write_1h: price
                    .cache_write_1h
                    .or_else(|| standard.as_ref().and_then(|standard| kept_hour(standard, price.cache_write))),
                ..price
            };
            Some((full, true))
        }
        None => of_tier("standard").map(|price| (price, false)),
    }
}

/// Writes kept an hour where only those kept five minutes have a price: dearer by the factor they are at the base.
fn kept_hour(base: &Price, write: Option<Rate>) -> Option<Rate> {
    let hour = base.cache_write_1h?;
    match (write, base.cache_write) {
        (Some(write), Some(base_write)) => (hour * write).checked_div(base_write),
        _ => Some(hour),
    }
}

/// Divides, rounding half up.
fn round(value: i128, unit: i128) -> i64 {
    i64::try_from((value.saturating_add(unit / 2)).div_euclid(unit)).unwrap_or(MOST).min(MOST)
}
