//! Price tables from elsewhere: LiteLLM's JSON, or our own text. Whatever could give a wrong cost is refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::table::{self, Model, Price, Rate};
use super::{ModelPrice, PriceTable};

/// A table that was read, and what of it was left out.
#[derive(Debug, Clone)]
pub struct ReadPrices {
    pub table: PriceTable,
    /// Entries without a price per token: image and embedding models and the like.
    pub left_out: usize,
}

/// Why nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PricesError {
    /// It is neither JSON nor our own text.
    Unreadable { line: usize, message: String },
    /// One price cannot be one.
    BadPrice { model: String, field: String, value: String },
    /// It has no model with a price.
    Empty,
}

impl std::error::Error for PricesError {}

impl std::fmt::Display for PricesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PricesError::Unreadable { line, message } => write!(f, "line {line}: {message}"),
            PricesError::BadPrice { model, field, value } => {
                write!(f, "{model}: {field} is {value}, which is no price in dollars")
            }
            PricesError::Empty => write!(f, "no model with a price is in it"),
        }
    }
}

/// No token costs a cent and a half: a table in other units would.
const MOST_USD_PER_TOKEN: f64 = 0.015;

/// Reads a table in either form.
///
/// # Errors
/// See [`PricesError`]: then nothing of it may be used.
pub fn read(text: &str) -> Result<ReadPrices, PricesError> {
    let text = text.trim_start_matches('\u{feff}');
    let read = if text.trim_start().starts_with('{') {
        litellm(text)?
    } else {
        ReadPrices { table: table::parse_strict(text)?, left_out: 0 }
    };
    if read.table.models.is_empty() { Err(PricesError::Empty) } else { Ok(read) }
}

fn litellm(text: &str) -> Result<ReadPrices, PricesError> {
    let entries: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| PricesError::Unreadable { line: error.line(), message: error.to_string() })?;
    let mut models = Vec::new();
    let mut left_out = 0;
    for (name, entry) in entries.iter().filter(|(name, _)| !name.starts_with('_') && *name != "sample_spec") {
        match entry.as_object().map(|entry| model(name, entry)).transpose()?.flatten() {
            Some(model) => models.push(model),
            None => left_out += 1,
        }
    }
    models.sort_by(|one, other| one.name.cmp(&other.name));
    models.dedup_by(|one, other| one.name == other.name);
    Ok(ReadPrices { table: PriceTable { date: String::new(), models }, left_out })
}

/// `None` for an entry that is not billed by the token.
fn model(name: &str, entry: &Map<String, Value>) -> Result<Option<Model>, PricesError> {
    let mut prices: BTreeMap<(String, u64), Price> = BTreeMap::new();
    for (field, value) in entry {
        let Some((kind, tier, above)) = kind_of(field) else { continue };
        let Some(rate) = rate(name, field, value)? else { continue };
        let key = (tier.to_owned(), above);
        let price = prices.entry(key).or_insert_with(|| Price { tier: tier.to_owned(), above, ..Price::default() });
        *kind(price) = Some(rate);
    }
    let base = prices.get(&("standard".to_owned(), 0));
    if base.is_none_or(|base| base.input.is_none() || base.output.is_none()) {
        return Ok(None);
    }
    let factor = |key: &str| -> Option<Rate> {
        let factor = entry.get("provider_specific_entry")?.get(key)?.as_f64()?;
        (factor > 0.0 && factor <= 100.0).then(|| (factor * 1e6).round() as Rate)
    };
    let search = entry.get("search_context_cost_per_query").and_then(|cost| {
        let sizes = ["search_context_size_medium", "search_context_size_low", "search_context_size_high"];
        sizes.into_iter().find_map(|size| cost.get(size)?.as_f64())
    });
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    // Names and vendors become cells of a line.
    let word = |text: String| text.replace(['\t', '\n', '\r'], " ");
    Ok(Some(Model {
        name: word(name.trim().to_ascii_lowercase()),
        vendor: word(text("litellm_provider")),
        window: entry.get("max_input_tokens").and_then(Value::as_u64),
        us: factor("us"),
        fast: factor("fast"),
        search: search.filter(|usd| (0.0..=100.0).contains(usd)).map(|usd| (usd * 1e12).round() as Rate),
        retired: entry.get("_retired").and_then(Value::as_bool).unwrap_or(false),
        prices: in_order(prices.into_values().collect()),
    }))
}

/// The standard tier first, then the others by name; within a tier by border.
fn in_order(mut prices: Vec<Price>) -> Vec<Price> {
    prices.sort_by_key(|price| (price.tier != "standard", price.tier.clone(), price.above));
    prices
}

type Kind = fn(&mut Price) -> &mut Option<Rate>;

/// What a field prices, for which tier, above which border. `None` for fields that price no token of text.
fn kind_of(field: &str) -> Option<(Kind, &'static str, u64)> {
    const BASES: [(&str, Kind); 4] = [
        ("input_cost_per_token", |price| &mut price.input),
        ("output_cost_per_token", |price| &mut price.output),
        ("cache_read_input_token_cost", |price| &mut price.cache_read),
        ("cache_creation_input_token_cost", |price| &mut price.cache_write),
    ];
    const TIERS: [(&str, &str); 4] =
        [("_priority", "priority"), ("_flex", "flex"), ("_batches", "batch"), ("_ultrafast", "ultrafast")];
    let (mut kind, mut rest) = BASES.into_iter().find_map(|(base, kind)| Some((kind, field.strip_prefix(base)?)))?;
    if let Some(after) = rest.strip_prefix("_above_1hr") {
        let of_hour: Kind = |price| &mut price.cache_write_1h;
        (kind, rest) = (of_hour, after);
    }
    let mut above = 0;
    if let Some(after) = rest.strip_prefix("_above_") {
        let (number, after) = after.split_once("k_tokens")?;
        above = number.parse::<u64>().ok()?.checked_mul(1000)?;
        rest = after;
    }
    if rest.is_empty() {
        return Some((kind, "standard", above));
    }
    let (_, tier) = TIERS.into_iter().find(|(ending, _)| *ending == rest)?;
    Some((kind, tier, above))
}

/// Dollars per token to micro-dollars per million of them. `None` for null.
fn rate(model: &str, field: &str, value: &Value) -> Result<Option<Rate>, PricesError> {
    let usd = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        // Some writers put numbers into quotes.
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match usd.filter(|usd| (0.0..=MOST_USD_PER_TOKEN).contains(usd)) {
        Some(usd) => Ok(Some((usd * 1e12).round() as Rate)),
        None => {
            Err(PricesError::BadPrice { model: model.to_owned(), field: field.to_owned(), value: value.to_string() })
        }
    }
}

/// What putting a table in force would change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PriceChanges {
    pub added: Vec<ModelPrice>,
    /// Before and after.
    pub changed: Vec<(ModelPrice, ModelPrice)>,
    /// Models with the same prices as before.
    pub same: usize,
    /// Models that the new table does not name: they keep their prices.
    pub kept: usize,
}

impl PriceTable {
    /// This table with the models of `newer` in it: what `newer` names has its prices, all else stays.
    pub fn with(&self, newer: &PriceTable, version: &str) -> (PriceTable, PriceChanges) {
        let mut models: BTreeMap<String, Model> =
            self.models.iter().map(|model| (model.name.clone(), model.clone())).collect();
        let mut changes = PriceChanges::default();
        for new in &newer.models {
            let Some(old) = models.get(&new.name) else {
                changes.added.extend(new.summary());
                models.insert(new.name.clone(), new.clone());
                continue;
            };
            // Factors that a table does not name are not known to be gone.
            let new = Model {
                us: new.us.or(old.us),
                fast: new.fast.or(old.fast),
                search: new.search.or(old.search),
                window: new.window.or(old.window),
                vendor: if new.vendor.is_empty() { old.vendor.clone() } else { new.vendor.clone() },
                ..new.clone()
            };
            let billing = |model: &Model| (in_order(model.prices.clone()), model.us, model.fast, model.search);
            if billing(old) == billing(&new) {
                changes.same += 1;
            } else {
                changes.changed.extend(old.summary().zip(new.summary()));
            }
            models.insert(new.name.clone(), new);
        }
        changes.kept = models.len() - changes.added.len() - changes.changed.len() - changes.same;
        (PriceTable { date: version.to_owned(), models: models.into_values().collect() }, changes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const JSON: &str = r#"{
      "_meta": {"a": 1},
      "sample_spec": {"input_cost_per_token": "dollars"},
      "claude-opus-9": {"litellm_provider": "anthropic", "max_input_tokens": 1000000,
        "input_cost_per_token": 5e-06, "output_cost_per_token": 2.5e-05, "cache_read_input_token_cost": 3.125e-07,
        "cache_creation_input_token_cost": 6.25e-06, "cache_creation_input_token_cost_above_1hr": 1e-05,
        "input_cost_per_token_batches": 2.5e-06, "output_cost_per_token_batches": 1.25e-05,
        "input_cost_per_token_above_200k_tokens": 1e-05, "output_cost_per_token_above_200k_tokens": 3.75e-05,
        "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 2e-05,
        "cache_creation_input_token_cost_above_12hr": 9.0, "input_cost_per_token_decisions": 7.0,
        "provider_specific_entry": {"us": 1.1, "fast": 6.0},
        "search_context_cost_per_query": {"search_context_size_low": 0.03, "search_context_size_medium": 0.01}},
      "dall-e-3": {"input_cost_per_image": 0.04},
      "half": {"input_cost_per_token": 1e-06}
    }"#;

    #[test]
    fn a_table_of_litellm_is_read() {
        let read = read(JSON).unwrap();
        assert_eq!((read.table.models.len(), read.left_out), (1, 2));
        let text = read.table.to_text();
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "model\tclaude-opus-9\tanthropic\t1000000\t1.1\t6\t0.01\t-",
                "price\tstandard\t0\t5\t25\t0.3125\t6.25\t10",
                "price\tstandard\t200\t10\t37.5\t-\t-\t20",
                "price\tbatch\t0\t2.5\t12.5\t-\t-\t-",
            ]
        );
    }

    #[test]
    fn what_cannot_be_a_price_refuses_the_whole_table() {
        let with = |price: &str| {
            read(&format!(r#"{{"m": {{"input_cost_per_token": {price}, "output_cost_per_token": 1e-06}}}}"#))
        };
        assert!(with("\"3e-06\"").is_ok());
        for price in ["-1e-06", "3.0", "\"free\"", "true", "[1]"] {
            let PricesError::BadPrice { model, field, .. } = with(price).unwrap_err() else { panic!("{price}") };
            assert_eq!((model.as_str(), field.as_str()), ("m", "input_cost_per_token"));
        }
        assert_eq!(with("null").unwrap_err(), PricesError::Empty);
        assert!(matches!(read("{\n  \"a\": 1,\n  b\n}").unwrap_err(), PricesError::Unreadable { line: 3, .. }));
        assert_eq!(read("{}").unwrap_err(), PricesError::Empty);
        assert_eq!(read("").unwrap_err(), PricesError::Empty);
        assert!(matches!(read("<html>\n").unwrap_err(), PricesError::Unreadable { line: 1, .. }));
    }

    #[test]
    fn our_own_text_is_read_strictly() {
        let own = PriceTable::builtin().to_text();
        assert_eq!(read(&own).unwrap().table.models, PriceTable::builtin().models);
        let bad = |line: &str| read(&format!("date\t2026-01-01\n{line}\n")).unwrap_err().to_string();
        assert!(bad("model\tx").starts_with("line 2: "));
        assert!(bad("price\tstandard\t0\t1\t2\t-\t-\t-").starts_with("line 2: "));
        assert!(bad("model\tx\tv\t-\t-\t-\t-\t-\nprice\tstandard\t0\tone\t2\t-\t-\t-").starts_with("line 3: "));
        assert!(bad("model\tx\tv\t-\t-\t-\t-\t-\nprice\tstandard\t0\t-1\t2\t-\t-\t-").starts_with("line 3: "));
        assert!(bad("model\tx\tv\t-\t-\t-\t-\t-").contains("no price"));
    }

    #[test]
    fn a_newer_table_changes_what_it_names_and_nothing_else() {
        let own = PriceTable::builtin();
        let newer = r#"{"claude-opus-4-6": {"input_cost_per_token": 4e-06, "output_cost_per_token": 2.5e-05},
                        "claude-opus-9": {"input_cost_per_token": 5e-06, "output_cost_per_token": 2.5e-05}}"#;
        let (table, changes) = own.with(&read(newer).unwrap().table, "2027-01-01");
        assert_eq!(table.date(), "2027-01-01");
        assert_eq!((changes.added.len(), changes.changed.len(), changes.same, changes.kept), (1, 1, 0, 136));
        let (before, after) = &changes.changed[0];
        assert_eq!((before.input, after.input), (5.0, 4.0));
        assert_eq!(table.models().len(), 138);
        // The factor for fast mode was not named, and stays.
        let fast = table.models.iter().find(|model| model.name == "claude-opus-4-6").unwrap().fast;
        assert_eq!(fast, Some(6_000_000));
        let (_, again) = own.with(own, "2027-01-02");
        assert_eq!((again.added.len(), again.changed.len(), again.same, again.kept), (0, 0, 137, 0));
    }

    #[test]
    fn the_built_in_table_is_what_its_source_says() {
        let place =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/prices/model_prices.json");
        let Ok(text) = std::fs::read_to_string(&place) else { return };
        let (_, changes) = PriceTable::builtin().with(&read(&text).unwrap().table, "x");
        assert_eq!(changes.changed, []);
        assert_eq!((changes.added.len(), changes.same), (0, 137));
    }
}
