//! Counts made beforehand and kept beside other people's transcripts: `EXPECTED.json`.

use std::collections::BTreeMap;
use std::path::Path;

use orrery_tests::Home;
use serde_json::Value;

use crate::tables::{self, Sums, Table};
use crate::trees::{self, text};

/// Files of which the counts say less than the program counts, and why.
const MORE_THAN_EXPECTED: [(&str, &str); 2] = [
    (
        "ccusage/project-alpha/session-alpha/chat.jsonl",
        "lines of 2025 without a type of their own are responses all the same",
    ),
    ("agent-sessions/small.jsonl", "its last running total was blanked; the responses before it count"),
];

fn expected(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("EXPECTED.json")).unwrap()).unwrap()
}

fn models(agent: &str, path: &Path) -> (Table, Sums) {
    tables::printed(&Home::new(), "UTC", "model", "model", &[agent.to_owned(), text(path)])
}

/// Responses, then input, output, cache writes and cache reads. A blanked response without a token is left out: several
/// of them share one blanked id, and which model it names is chance.
fn responses(by_model: &Value) -> BTreeMap<String, (u64, [u64; 4])> {
    let names = ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    let of = |row: &Value| (row["responses"].as_u64().unwrap(), names.map(|name| row[name].as_u64().unwrap()));
    let rows = by_model.as_object().unwrap().iter().map(|(model, row)| (model.clone(), of(row)));
    rows.filter(|(_, (_, kinds))| *kinds != [0; 4]).collect()
}

fn found(table: &Table) -> BTreeMap<String, (u64, [u64; 4])> {
    let rows = table.iter().map(|(model, sums)| (model.clone(), (sums.requests, sums.kinds())));
    rows.filter(|(_, (_, kinds))| *kinds != [0; 4]).collect()
}

fn is_more(name: &str) -> bool {
    MORE_THAN_EXPECTED.iter().any(|(file, _)| *file == name)
}

#[test]
fn every_claude_file_has_the_expected_responses() {
    let Some(tree) = trees::shared() else { return };
    let expected = expected(&tree.claude);
    let mut compared = 0;
    for (name, counts) in expected["files"].as_object().unwrap() {
        let (table, _) = models("--claude", &tree.claude.join(name));
        if is_more(name) && counts["by_model"].as_object().unwrap().is_empty() {
            assert!(!table.is_empty(), "{name}");
        } else {
            assert_eq!(found(&table), responses(&counts["by_model"]), "{name}");
        }
        compared += 1;
    }
    let (mut all, _) = models("--claude", &tree.claude);
    let (typeless, _) = models("--claude", &tree.claude.join(MORE_THAN_EXPECTED[0].0));
    for (model, sums) in typeless {
        let rest = all.get_mut(&model).unwrap();
        rest.requests -= sums.requests;
        rest.input -= sums.input;
        rest.output -= sums.output;
        rest.cache_write -= sums.cache_write;
        rest.cache_read -= sums.cache_read;
    }
    all.retain(|_, sums| sums.requests > 0);
    assert_eq!(found(&all), responses(&expected["all_files_together"]));
    eprintln!("{compared} files have the expected responses");
}

#[test]
fn every_codex_file_ends_at_its_expected_total() {
    let Some(tree) = trees::shared() else { return };
    let expected = expected(&tree.codex);
    let mut compared = 0;
    for (name, counts) in expected["files"].as_object().unwrap() {
        let (_, totals) = models("--codex", &tree.codex.join(name));
        let last = &counts["final_total_token_usage"];
        let of = |key: &str| last[key].as_u64().unwrap_or(0);
        // Alone, a fork's file is all there is of its parent's thread: its total is its sum.
        let prompt = totals.input + totals.cache_write + totals.cache_read;
        let sums = [prompt, totals.cache_read, totals.cache_write, totals.output, totals.reasoning];
        let names = [
            "input_tokens",
            "cached_input_tokens",
            "cache_write_input_tokens",
            "output_tokens",
            "reasoning_output_tokens",
        ];
        if last.is_null() {
            // Without a running total at most the events of `codex exec` tell of usage, as one sum.
            assert!(totals.requests <= 1, "{name}");
        } else if is_more(name) {
            assert_eq!((of("total_tokens"), totals.requests), (0, 1), "{name}");
        } else {
            assert_eq!(sums, names.map(of), "{name}");
        }
        compared += 1;
    }
    eprintln!("{compared} rollouts end at the expected total");
}
