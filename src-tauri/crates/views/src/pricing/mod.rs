//! Prices: usage to micro-dollars, and the bill that explains them.

mod bill;
mod name;
mod table;

use std::sync::OnceLock;

use orrery_types::{Basis, CostLine, RequestUsage, UsageRow};

use table::Model;

/// Prices of models at one date.
#[derive(Debug, Clone)]
pub struct PriceTable {
    /// `YYYY-MM-DD`.
    date: String,
    /// Sorted by name.
    models: Vec<Model>,
}

/// A model's price as a person asks for it, dollars per million tokens at the standard tier and below any long-prompt border.
#[derive(Debug, Clone, PartialEq)]
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
        let (cost_usd_micros, basis, price_model) = match (request.reported_usd_micros, bill::make(self, request)) {
            (Some(reported), _) => (Some(reported), Basis::Reported, None),
            (None, Some(bill)) => {
                let basis = if bill.guessed { Basis::Estimated } else { Basis::Calculated };
                (Some(bill.total_micros()), basis, Some(bill.model))
            }
            (None, None) => (None, Basis::Unpriced, None),
        };
        UsageRow {
            request: request.clone(),
            cost_usd_micros,
            basis,
            price_model,
            price_date: self.date.clone(),
            sources: orrery_types::Sources::one(request.source),
        }
    }

    /// The bill behind a row: what was counted, at which price. The lines add up to the row's cost. Empty when unpriced;
    /// one line when the agent reported the cost, and when the row was priced with another table.
    pub fn explain(&self, row: &UsageRow) -> Vec<CostLine> {
        let Some(cost) = row.cost_usd_micros else { return Vec::new() };
        let whole = |what: &str| {
            let count = row.request.tokens.total();
            let usd_per_million = if count == 0 { 0.0 } else { cost as f64 / count as f64 };
            vec![CostLine { what: what.to_owned(), count, usd_per_million, cost_usd_micros: cost }]
        };
        if row.basis == Basis::Reported {
            return whole("Reported by the agent");
        }
        match bill::make(self, &row.request) {
            Some(bill) if bill.total_micros() == cost => bill.lines(),
            _ => whole(&format!("Priced with the table of {}", row.price_date)),
        }
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

#[cfg(test)]
mod tests;
