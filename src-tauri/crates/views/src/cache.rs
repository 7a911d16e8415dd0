//! What prompt caching saved: the same tokens at the price of plain input.

use orrery_types::BillLine;

/// Caching over some requests, money in micro-dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheEconomics {
    /// What the lines cost as billed.
    pub billed: i64,
    /// What they would have cost had every cached token been sent as plain input.
    pub without_cache: i64,
    pub read_tokens: u64,
    pub read_cost: i64,
    pub write_tokens: u64,
    pub write_cost: i64,
    /// Everything that was read by the models: input, cache reads and writes.
    pub prompt_tokens: u64,
    /// Cached tokens of models of which no plain input was billed, so that its price is not known from the bill. They count
    /// as billed.
    pub unknown_tokens: u64,
}

impl CacheEconomics {
    /// What caching saved; negative where writing cost more than reading gave back.
    pub fn saved(&self) -> i64 {
        self.without_cache - self.billed
    }
    /// The part of all prompt tokens that came from the cache, 0 to 1. Empty without any.
    pub fn hit_share(&self) -> Option<f64> {
        (self.prompt_tokens > 0).then(|| self.read_tokens as f64 / self.prompt_tokens as f64)
    }
    /// How often a written token was read. Empty where nothing was written.
    pub fn reads_per_write(&self) -> Option<f64> {
        (self.write_tokens > 0).then(|| self.read_tokens as f64 / self.write_tokens as f64)
    }
}

/// Takes a bill's lines; the price of plain input is that of the same model under the same terms (fast, tier, long prompt).
pub fn economics(lines: &[BillLine]) -> CacheEconomics {
    let mut sums = CacheEconomics::default();
    for bill in lines {
        let (kind, terms) = parts(&bill.line.what);
        let (count, cost) = (bill.line.count, bill.line.cost_usd_micros);
        sums.billed += cost;
        match kind {
            Kind::Read | Kind::Write => {
                let input = lines
                    .iter()
                    .find(|other| other.model == bill.model && parts(&other.line.what) == (Kind::Input, terms));
                match input {
                    Some(input) => sums.without_cache += (count as f64 * input.line.usd_per_million).round() as i64,
                    None => {
                        sums.without_cache += cost;
                        sums.unknown_tokens += count;
                    }
                }
                sums.prompt_tokens += count;
                let (tokens, money) = match kind {
                    Kind::Read => (&mut sums.read_tokens, &mut sums.read_cost),
                    _ => (&mut sums.write_tokens, &mut sums.write_cost),
                };
                *tokens += count;
                *money += cost;
            }
            Kind::Input => {
                sums.without_cache += cost;
                sums.prompt_tokens += count;
            }
            Kind::Other => sums.without_cache += cost,
        }
    }
    sums
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Read,
    Write,
    Other,
}

/// `Cache write, one hour (fast ×2)` as its kind and its terms.
fn parts(what: &str) -> (Kind, &str) {
    let (word, terms) = what.split_once(" (").unwrap_or((what, ""));
    let kind = match word {
        "Input" => Kind::Input,
        "Cache read" => Kind::Read,
        _ if word.starts_with("Cache write") => Kind::Write,
        _ => Kind::Other,
    };
    (kind, terms)
}

#[cfg(test)]
mod tests {
    use orrery_types::CostLine;

    use super::*;

    fn line(model: &str, what: &str, count: u64, usd_per_million: f64) -> BillLine {
        let cost_usd_micros = (count as f64 * usd_per_million) as i64;
        let line = CostLine { what: what.into(), count, usd_per_million, cost_usd_micros };
        BillLine { model: model.into(), line, estimated: false }
    }

    #[test]
    fn cached_tokens_are_priced_as_plain_input_of_their_model_and_terms() {
        let sums = economics(&[
            line("opus", "Input", 100, 4.0),
            line("opus", "Cache read", 1_000, 0.4),
            line("opus", "Cache write, one hour", 200, 8.0),
            line("opus", "Input (fast ×2)", 10, 8.0),
            line("opus", "Cache read (fast ×2)", 100, 0.8),
            line("opus", "Output", 50, 20.0),
            line("haiku", "Cache read", 500, 0.1),
        ]);
        assert_eq!(
            (sums.billed, sums.without_cache),
            (400 + 400 + 1_600 + 80 + 80 + 1_000 + 50, 400 + 4_000 + 800 + 80 + 800 + 1_000 + 50)
        );
        assert_eq!(
            (sums.read_tokens, sums.write_tokens, sums.prompt_tokens, sums.unknown_tokens),
            (1_600, 200, 1_910, 500)
        );
        assert_eq!((sums.saved(), sums.reads_per_write()), (3_520, Some(8.0)));
        assert_eq!(economics(&[]).hit_share(), None);
    }
}
