//! The table's text: a line per model, and below it a line per service tier and prompt size.

use super::{ModelPrice, PriceTable, PricesError};

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

/// The table as text that [`parse`] reads.
pub fn write(table: &PriceTable) -> String {
    let cell = |rate: Option<Rate>| rate.map_or_else(|| "-".to_owned(), decimal);
    let mut lines = vec![format!("date\t{}", table.date)];
    for model in &table.models {
        let window = model.window.map_or_else(|| "-".to_owned(), |window| window.to_string());
        let search = cell(model.search.map(|micros| micros / 1_000_000));
        let retired = if model.retired { "retired" } else { "-" };
        let (us, fast) = (cell(model.us), cell(model.fast));
        lines.push(format!("model\t{}\t{}\t{window}\t{us}\t{fast}\t{search}\t{retired}", model.name, model.vendor));
        for price in &model.prices {
            let rates =
                [price.input, price.output, price.cache_read, price.cache_write, price.cache_write_1h].map(cell);
            lines.push(format!("price\t{}\t{}\t{}", price.tier, price.above / 1000, rates.join("\t")));
        }
    }
    lines.join("\n") + "\n"
}

/// Millionths as a decimal number.
fn decimal(rate: Rate) -> String {
    let text = format!("{}.{:06}", rate / 1_000_000, rate % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads a table that somebody wrote.
///
/// # Errors
/// The first line that is not as it should be, counted from 1.
pub fn parse_strict(text: &str) -> Result<PriceTable, PricesError> {
    let wrong = |line: usize, message: &str| PricesError::Unreadable { line, message: message.to_owned() };
    let is_number = |cell: &str| cell == "-" || (!cell.starts_with('-') && rate(cell).is_some());
    let mut open = None;
    let (mut models, mut last) = (0, 0);
    for (index, line) in text.lines().enumerate() {
        last = index + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        match cells.as_slice() {
            ["date", date] if date.len() == 10 => {}
            ["model", name, _, window, us, fast, search, _] => {
                if open.is_some() {
                    return Err(wrong(last, "the model before it has no price"));
                }
                if name.is_empty() || [us, fast, search].into_iter().any(|cell| !is_number(cell)) {
                    return Err(wrong(last, "a name, and numbers or `-`, belong here"));
                }
                if **window != *"-" && window.parse::<u64>().is_err() {
                    return Err(wrong(last, "the largest prompt is a whole number or `-`"));
                }
                open = Some(last);
                models += 1;
            }
            ["price", _, above, rates @ ..] if rates.len() == 5 => {
                if models == 0 {
                    return Err(wrong(last, "a price belongs below its model"));
                }
                if above.parse::<u64>().is_err() || rates.iter().any(|cell| !is_number(cell)) {
                    return Err(wrong(last, "prices are dollars per million tokens, or `-`"));
                }
                open = None;
            }
            _ => return Err(wrong(last, "this is no line of a price table (tabs between the cells)")),
        }
    }
    if open.is_some() {
        return Err(wrong(last, "the last model has no price"));
    }
    Ok(parse(text))
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
        assert_eq!(
            (decimal(312_500).as_str(), decimal(75_000_000).as_str(), decimal(0).as_str()),
            ("0.3125", "75", "0")
        );
    }

    #[test]
    fn a_table_survives_being_written() {
        let table = PriceTable::builtin();
        let again = parse(&write(table));
        assert_eq!((again.date.as_str(), &again.models), (table.date(), &table.models));
    }
}
