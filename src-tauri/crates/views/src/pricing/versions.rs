//! Price tables of several dates: new rows take the newest, old rows keep theirs.

use std::sync::Arc;

use orrery_types::PriceVersion;

use super::{PriceTable, table};

/// A table as it is kept beside the rows it priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPrices {
    pub version: PriceVersion,
    /// In the form of the table that comes with the program.
    pub text: String,
}

/// All tables that rows may have been priced with. Never empty: the built-in one is always there.
#[derive(Debug, Clone)]
pub struct Prices {
    /// Oldest first.
    tables: Vec<(PriceVersion, Arc<PriceTable>)>,
}

impl Default for Prices {
    fn default() -> Prices {
        Prices::new(Vec::new())
    }
}

impl Prices {
    pub fn new(stored: Vec<StoredPrices>) -> Prices {
        let builtin = PriceTable::builtin();
        let own = PriceVersion { version: builtin.date().to_owned(), origin: BUILT_IN.to_owned(), added_ms: 0 };
        let mut tables = vec![(own, Arc::new(builtin.clone()))];
        for StoredPrices { version, text } in stored {
            if version.version != builtin.date() {
                let table = PriceTable { date: version.version.clone(), ..table::parse(&text) };
                tables.push((version, Arc::new(table)));
            }
        }
        tables.sort_by(|(one, _), (other, _)| order(&one.version).cmp(&order(&other.version)));
        Prices { tables }
    }

    /// The table new rows are priced with.
    pub fn in_force(&self) -> &Arc<PriceTable> {
        let (_, table) = self.tables.last().expect("the built-in table is always there");
        table
    }

    /// The table of a row's date. `None` when this program does not have it.
    pub fn at(&self, version: &str) -> Option<&Arc<PriceTable>> {
        self.tables.iter().find(|(known, _)| known.version == version).map(|(_, table)| table)
    }

    /// Name and origin of a table; only the name when it is not here.
    pub fn version(&self, version: &str) -> PriceVersion {
        let known = self.tables.iter().find(|(known, _)| known.version == version);
        known.map_or_else(
            || PriceVersion { version: version.to_owned(), ..PriceVersion::default() },
            |(version, _)| version.clone(),
        )
    }

    /// Newest first: the first is in force.
    pub fn versions(&self) -> Vec<PriceVersion> {
        self.tables.iter().rev().map(|(version, _)| version.clone()).collect()
    }

    /// The name of a table put in force on `day`, `YYYY-MM-DD`: behind all that are here.
    pub fn next_version(&self, day: &str) -> String {
        let newest = self.tables.last().map_or("", |(version, _)| version.version.as_str());
        if order(newest) < order(day) {
            return day.to_owned();
        }
        let (date, number) = order(newest);
        format!("{date}.{}", number + 1)
    }

    /// Prompt sizes at which some price of some table changes, ascending.
    pub fn borders(&self) -> Vec<u64> {
        let mut borders: Vec<u64> = self.tables.iter().flat_map(|(_, table)| table.borders()).collect();
        borders.sort_unstable();
        borders.dedup();
        borders
    }
}

/// Where the table of the program itself comes from.
pub const BUILT_IN: &str = "built in";

/// `2026-11-25.2` as its day and 2; 1 for the first of a day.
fn order(version: &str) -> (&str, u32) {
    match version.split_once('.') {
        Some((day, number)) => (day, number.parse().unwrap_or(1)),
        None => (version, 1),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn stored(version: &str) -> StoredPrices {
        let version = PriceVersion { version: version.into(), origin: "prices.json".into(), added_ms: 7 };
        let text = "date\t2020-01-01\nmodel\tm\tv\t-\t-\t-\t-\t-\nprice\tstandard\t0\t1\t2\t-\t-\t-\n";
        StoredPrices { version, text: text.into() }
    }

    #[test]
    fn the_newest_is_in_force_and_the_others_stay() {
        let prices = Prices::new(vec![stored("2027-01-02.10"), stored("2027-01-02.9"), stored("2020-01-01")]);
        assert_eq!(prices.in_force().date(), "2027-01-02.10");
        assert_eq!(prices.at("2020-01-01").unwrap().models().len(), 1);
        assert_eq!(prices.at(PriceTable::builtin().date()).unwrap().models().len(), 137);
        assert!(prices.at("2019-01-01").is_none());
        assert_eq!(prices.version("2020-01-01").origin, "prices.json");
        assert_eq!(prices.versions().len(), 4);
    }

    #[test]
    fn a_new_table_comes_behind_all_others() {
        let prices = Prices::new(vec![stored("2027-01-02")]);
        assert_eq!(prices.next_version("2027-01-03"), "2027-01-03");
        assert_eq!(prices.next_version("2027-01-02"), "2027-01-02.2");
        // A clock that was set back does not put a new table behind an old one.
        assert_eq!(prices.next_version("2026-12-31"), "2027-01-02.2");
        assert_eq!(Prices::new(vec![stored("2027-01-02.9")]).next_version("2027-01-02"), "2027-01-02.10");
    }
}
