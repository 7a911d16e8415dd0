//! Putting another price table in force: what it would change, then the change. Rows that are stored keep their prices.

use orrery_types::PriceVersion;
use orrery_views::pricing::{self, PriceChanges, Prices, PricesError, StoredPrices};
use serde_json::{Value, json};

/// LiteLLM's table has 2 MB.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Why a table was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the price table is larger than 16 MB")]
    TooLarge,
    #[error("the price table is no text")]
    NoText,
    #[error("the price table was not taken: {0}")]
    Prices(#[from] PricesError),
}

/// A table made ready, with what it changes.
#[derive(Debug, Clone)]
pub struct Plan {
    pub stored: StoredPrices,
    pub changes: PriceChanges,
    /// Entries that price no tokens.
    pub left_out: usize,
}

/// Reads a table and compares it with the one in force. `day` is the person's today, `YYYY-MM-DD`.
///
/// # Errors
/// Nothing of it may be used.
pub fn plan(known: &Prices, bytes: &[u8], day: &str, origin: &str, now_ms: i64) -> Result<Plan, Refused> {
    if bytes.len() > MOST_BYTES {
        return Err(Refused::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Refused::NoText)?;
    let read = pricing::read(text)?;
    let version = known.next_version(day);
    let (table, changes) = known.in_force().with(&read.table, &version);
    let version = PriceVersion { version, origin: orrery_types::clip(origin, 500).to_string(), added_ms: now_ms };
    Ok(Plan { stored: StoredPrices { version, text: table.to_text() }, changes, left_out: read.left_out })
}

impl Plan {
    /// Nothing would change.
    pub fn is_empty(&self) -> bool {
        self.changes.added.is_empty() && self.changes.changed.is_empty()
    }

    /// The plan as the API and `orrery prices update --json` tell it.
    pub fn told(&self, applied: bool) -> Value {
        let PriceChanges { added, changed, same, kept } = &self.changes;
        let changed: Vec<Value> =
            changed.iter().map(|(before, after)| json!({"before": before, "after": after})).collect();
        json!({"applied": applied, "version": self.stored.version, "added": added, "changed": changed, "same": same,
            "kept": kept, "left_out": self.left_out})
    }
}

/// The table in force, and all that are kept, newest first.
pub fn shown(prices: &Prices) -> Value {
    let table = prices.in_force();
    json!({"date": table.date(), "unit": "USD per million tokens", "versions": prices.versions(), "models": table.models()})
}
