//! Prices: usage to micro-dollars, and the bill that explains them.

mod bill;
mod name;
mod read;
mod table;
mod versions;

use std::sync::OnceLock;

use orrery_types::{Basis, CostLine, RequestUsage, UsageGroup, UsageRow};

pub use read::{PriceChanges, PricesError, ReadPrices, read};
use table::Model;
pub use versions::{BUILT_IN, Prices, StoredPrices};

/// Prices of models at one date.
#[derive(Debug, Clone)]
pub struct PriceTable {
    /// `YYYY-MM-DD`.
    date: String,
    /// Sorted by name.
    models: Vec<Model>,
}

/// A model's price as a person asks for it, dollars per million tokens at the standard tier and below any long-prompt border.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelPrice {
    pub model: String,
    pub vendor: String,
    pub input: f64,
    pub output: f64,
    pub cache_read: Option<f64>,
    pub cache_write: Option<f64>,
    /// Largest prompt in tokens.
    pub context_window: Option<u64>,
    pub retired: bool,
}

impl PriceTable {
    /// The table that comes with the program.
    pub fn builtin() -> &'static PriceTable {
        static TABLE: OnceLock<PriceTable> = OnceLock::new();
        TABLE.get_or_init(|| table::parse(include_str!("table.tsv")))
    }

    /// The table as text, in the form of the one that comes with the program.
    pub fn to_text(&self) -> String {
        table::write(self)
    }

    /// Date of the prices, `YYYY-MM-DD`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// All models, by name.
    pub fn models(&self) -> Vec<ModelPrice> {
        self.models.iter().filter_map(Model::summary).collect()
    }

    /// Prices one request. What the agent itself reported wins; a model without a price is unpriced, never free.
    pub fn price(&self, request: &RequestUsage) -> UsageRow {
        let bill = bill::make(self, request.into());
        let calculated_usd_micros = bill.as_ref().map(bill::Bill::total_micros);
        let (cost_usd_micros, basis) = match (request.reported_usd_micros, &bill) {
            (Some(reported), _) => (Some(reported), Basis::Reported),
            (None, Some(bill)) if bill.guessed => (calculated_usd_micros, Basis::Estimated),
            (None, Some(_)) => (calculated_usd_micros, Basis::Calculated),
            (None, None) => (None, Basis::Unpriced),
        };
        UsageRow {
            request: request.clone(),
            cost_usd_micros,
            basis,
            calculated_usd_micros,
            price_model: bill.map(|bill| bill.model),
            price_date: self.date.clone(),
            sources: orrery_types::Sources::one(request.source),
        }
    }

    /// The arithmetic behind a row's calculated cost: what was counted, at which price. The lines add up to it. Empty when
    /// the table has no price; one line when the row was priced with another table.
    pub fn explain(&self, row: &UsageRow) -> Vec<CostLine> {
        let Some(cost) = row.calculated_usd_micros else { return Vec::new() };
        match bill::make(self, (&row.request).into()) {
            Some(bill) if bill.total_micros() == cost => bill.lines(cost),
            _ => vec![whole(&row.price_date, row.request.tokens.total(), cost)],
        }
    }

    /// The same for requests that are priced alike. Whether the price is a guess goes with it.
    pub fn explain_group(&self, group: &UsageGroup) -> (Vec<CostLine>, bool) {
        let used = bill::Used {
            model: group.model.as_deref(),
            tokens: group.totals.tokens,
            web_searches: group.web_searches,
            prompt: group.above.saturating_add(u64::from(group.above > 0)),
            fast: group.fast,
            geo: group.geo.as_deref(),
            tier: group.tier.as_deref(),
        };
        let cost = group.calculated_usd_micros;
        // Each request was rounded by itself: half a micro-dollar apart at most.
        let is_near = |bill: &bill::Bill| {
            bill.total_micros().abs_diff(cost) <= group.totals.requests.div_ceil(2).saturating_add(1)
        };
        match bill::make(self, used) {
            Some(bill) if is_near(&bill) => (bill.lines(cost), bill.guessed),
            _ => (vec![whole(&group.price_date, group.totals.tokens.total(), cost)], true),
        }
    }

    /// Prompt sizes at which some model's price changes, ascending.
    pub fn borders(&self) -> Vec<u64> {
        let mut borders: Vec<u64> = self
            .models
            .iter()
            .flat_map(|model| model.prices.iter().map(|price| price.above))
            .filter(|above| *above > 0)
            .collect();
        borders.sort_unstable();
        borders.dedup();
        borders
    }

    /// Largest prompt of a model in tokens, where the table knows it.
    pub fn context_window(&self, model: &str) -> Option<u64> {
        let found = name::find(&self.models, model)?;
        // `[1m]` marks the long-context variant of a model whose entry may still name the short one.
        if model.ends_with("[1m]") {
            found.model.window.map(|window| window.max(1_000_000))
        } else {
            found.model.window
        }
    }
}

/// A cost of which only the sum is known here.
fn whole(price_date: &str, count: u64, cost: i64) -> CostLine {
    CostLine {
        what: format!("Priced with the table of {price_date}"),
        count,
        usd_per_million: if count == 0 { 0.0 } else { cost as f64 / count as f64 },
        cost_usd_micros: cost,
    }
}

#[cfg(test)]
mod tests;
