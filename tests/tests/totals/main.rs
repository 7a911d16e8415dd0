//! Totals anyone can check: the program's tables from files and from a store, a second count in another language,
//! counts made beforehand, and ccusage's figures for the same trees.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what it could not compare")]

mod ccusage;
mod differences;
mod expected;
mod kills;
mod splits;
mod tables;
mod trees;

use orrery_tests::Home;
use tables::{Sums, Tables};

/// One without summer time, one with it.
const ZONES: [&str; 2] = ["UTC", "America/New_York"];

#[test]
fn files_store_and_second_count_agree_per_day_session_and_model() {
    for tree in trees::all() {
        for zone in ZONES {
            let home = Home::new();
            let files = Tables::printed(&home, zone, &tree.arguments());
            let first = tables::import(&home, zone, &tree.arguments());
            assert!(first["files_parsed"].as_u64().unwrap() > 0, "{first}");
            let store = Tables::printed(&home, zone, &tables::store(&home));
            let counted = Tables::counted(zone, &tree.arguments());
            tables::assert_same(&format!("{} in {zone}: second count and files", tree.name), &counted, &files);
            tables::assert_same(&format!("{} in {zone}: files and store", tree.name), &files, &store);

            let again = tables::import(&home, zone, &tree.arguments());
            assert_eq!((&again["files_parsed"], &again["rows_written"]), (&0.into(), &0.into()), "{again}");
            eprintln!("{} in {zone}: {} files agree: {:?}", tree.name, first["files"], counted.totals);
        }
    }
}

/// Figures worked out by hand, so that three counts cannot be wrong alike.
#[test]
fn own_tree_has_the_totals_its_lines_were_written_for() {
    let tables = Tables::printed(&Home::new(), "UTC", &trees::own().arguments());
    let check = |session: &str, requests: u64, tokens: [u64; 4], cost_usd_micros: i64| {
        let found = tables.sessions.get(session).unwrap_or_else(|| panic!("no session {session}"));
        let [input, output, cache_write, cache_read] = tokens;
        let sums = Sums { requests, input, output, cache_write, cache_read, cost_usd_micros, ..Sums::default() };
        let shown = Sums { reasoning: 0, total: 0, unpriced: 0, ..found.clone() };
        assert_eq!(shown, sums, "{session}");
    };
    // Lines of one response: the last count of each.
    check("10000000-0000-4000-8000-000000000001", 3, [25, 369, 1000, 63_000], 47_100);
    // Three responses of the main thread and three of the subagent at its own price; four lines are replays.
    check("30000000-0000-4000-8000-000000000003", 6, [993, 510, 4000, 26_000], 25_195);
    // A resumed session owns what it added, the first session what it copied.
    check("40000000-0000-4000-8000-000000000004", 3, [93, 630, 2000, 4500], 30_965);
    check("50000000-0000-4000-8000-000000000005", 1, [33, 230, 0, 3000], 7415);
    // 100,000 tokens of prompt are below the border, one more is above it.
    check("90000000-0000-4000-8000-000000000009", 3, [20_002, 2007, 60_000, 220_001], 65_169);
    // Writes kept an hour in a long prompt, a split that says more than its sum, a price that only a copy names.
    check("bbbbbbbb-0000-4000-8000-00000000000b", 4, [901, 60, 5005, 200_000], 180_361);
    // Two lines without an id and one response that its message names, in each of two files of one name.
    check("old-a", 3, [121, 152, 0, 0], 4405);
    check("old-b", 3, [121, 152, 0, 0], 4405);
    // A thread, the fork that replays it, and a fork whose parent is gone: each what it added itself.
    check("019f0000-0000-7000-8000-000000000005", 4, [2500, 260, 0, 6500], 23_550);
    check("019f0000-0000-7000-8000-000000000006", 1, [500, 90, 0, 3500], 6950);
    check("019f0000-0000-7000-8000-000000000007", 1, [600, 100, 0, 3600], 7800);
    check("019f0000-0000-7000-8000-000000000008", 1, [1000, 60, 0, 4000], 8800);
    // 600 + 500 tokens and 40 of output at the standard price: the fast tier was the parent's.
    check("019f0000-0000-7000-8000-00000000000b", 1, [600, 40, 0, 500], 8_500);
    assert_eq!(tables.models["acme/mystery-9"].unpriced, 1);
    assert!(!tables.models.contains_key("<synthetic>"));
}
