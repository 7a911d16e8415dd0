//! The table's text: a line per model, and below it a line per service tier and prompt size.

use super::{ModelPrice, PriceTable};

/// Dollars per million tokens as whole micro-dollars, so that no cost depends on rounding of fractions.
pub type Rate = i128;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    pub name: String,
    pub vendor: String,
    pub window: Option<u64>,
    /// Factors in millionths.
    pub us: Option<Rate>,
    pub fast: Option<Rate>,
    /// Micro-dollars per web search, in millionths like the rates.
    pub search: Option<Rate>,
    pub retired: bool,
    pub prices: Vec<Price>,
}

/// Rates of one service tier, for prompts longer than `above` tokens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Price {
    pub tier: String,
    pub above: u64,
    pub input: Option<Rate>,
    pub output: Option<Rate>,
    pub cache_read: Option<Rate>,
    pub cache_write: Option<Rate>,
    pub cache_write_1h: Option<Rate>,
}

impl Model {
    pub fn summary(&self) -> Option<ModelPrice> {
        let price = self.prices.iter().find(|price| price.tier == "standard" && price.above == 0)?;
        let dollars = |rate: Rate| rate as f64 / 1e6;
        Some(ModelPrice {
            model: self.name.clone(),
            vendor: self.vendor.clone(),
            input: dollars(price.input?),
            output: dollars(price.output?),
            cache_read: price.cache_read.map(dollars),
            cache_write: price.cache_write.map(dollars),
            context_window: self.window,
            retired: self.retired,
        })
    }
}

/// Reads the table. Lines it does not know are left out.
pub fn parse(text: &str) -> PriceTable {
    let mut table = PriceTable { date: String::new(), models: Vec::new() };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        match cells.as_slice() {
            ["date", date] => table.date = (*date).to_owned(),
            ["model", name, vendor, window, us, fast, search, retired] => table.models.push(Model {
                name: (*name).to_owned(),
                vendor: (*vendor).to_owned(),
                window: window.parse().ok(),
                us: rate(us),
                fast: rate(fast),
                search: rate(search).map(|dollars| dollars * 1_000_000),
                retired: *retired == "retired",
                prices: Vec::new(),
            }),
            ["price", tier, above, input, output, read, write, write_1h] => {
                let Some(model) = table.models.last_mut() else { continue };
                model.prices.push(Price {
                    tier: (*tier).to_owned(),
                    above: above.parse::<u64>().unwrap_or(0) * 1000,
                    input: rate(input),
                    output: rate(output),
                    cache_read: rate(read),
                    cache_write: rate(write),
                    cache_write_1h: rate(write_1h),
                });
            }
            _ => {}
        }
    }
    table.models.sort_by(|one, other| one.name.cmp(&other.name));
    table
}

/// A decimal number in millionths. `None` for `-`.
fn rate(text: &str) -> Option<Rate> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<6}");
    let whole: Rate = whole.parse().ok()?;
    let fraction: Rate = digits.get(..6)?.parse().ok()?;
    Some(whole * 1_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact() {
        assert_eq!(rate("0.3125"), Some(312_500));
        assert_eq!(rate("75"), Some(75_000_000));
        assert_eq!(rate("-"), None);
    }
}
