//! The same trees counted by ccusage: tokens per day and model are the same, or the difference is a named one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use orrery_tests::{Home, work_tree};
use serde_json::Value;

use crate::differences::{Difference, OWN, SHARED};
use crate::tables;
use crate::trees::{self, Tree, text, transcripts};

/// Tokens by kind of a day and a model.
type Days = BTreeMap<(String, String), [u64; 4]>;

#[test]
fn ccusage_counts_the_same_or_the_difference_is_known() {
    check(&trees::own(), OWN);
    if let Some(tree) = trees::shared() {
        check(&tree, SHARED);
    }
}

fn check(tree: &Tree, known: &[Difference]) {
    let home = Home::new();
    let claude = laid_out(&tree.claude, &home.path().join("claude/projects"));
    let codex = laid_out(&tree.codex, &home.path().join("codex/sessions"));
    let theirs: Days = counted(&home, "claude").into_iter().chain(counted(&home, "codex")).collect();
    let arguments = ["--claude".into(), text(&claude), "--codex".into(), text(&codex)];
    tables::import(&home, "UTC", &arguments);
    let ours = stored(&home);

    let keys: BTreeSet<&(String, String)> = theirs.keys().chain(ours.keys()).collect();
    let (same, different): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| theirs.get(*key) == ours.get(*key));
    let found: Vec<String> = different
        .into_iter()
        .map(|key| line(&key.0, &key.1, theirs.get(key).copied(), ours.get(key).copied()))
        .collect();
    let named: Vec<String> =
        known.iter().map(|known| line(known.day, known.model, known.ccusage, known.orrery)).collect();
    assert_eq!(found, named, "{}: differences found, and those that are known", tree.name);
    for known in known {
        eprintln!("{} {}: {}", known.day, known.model, known.because);
    }
    let tokens: u64 = same.iter().map(|key| ours[*key].iter().sum::<u64>()).sum();
    eprintln!(
        "{}: {} days and models agree on {tokens} tokens, {} differ on purpose",
        tree.name,
        same.len(),
        known.len()
    );
}

fn line(day: &str, model: &str, ccusage: Option<[u64; 4]>, orrery: Option<[u64; 4]>) -> String {
    format!("{day} {model}: ccusage {ccusage:?}, orrery {orrery:?}")
}

/// Copies a tree to where ccusage looks for it. It knows a line with usage by its bytes, so that JSON with spaces after
/// the colons, which no agent writes, is written closely here.
fn laid_out(from: &Path, to: &Path) -> PathBuf {
    for file in transcripts(from) {
        let copy = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let mut lines = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match serde_json::from_slice::<Value>(line) {
                Ok(value) => {
                    serde_json::to_writer(&mut lines, &value).unwrap();
                    lines.push(b'\n');
                }
                Err(_) => lines.extend_from_slice(line),
            }
        }
        std::fs::write(&copy, lines).unwrap();
        // What has no time of its own is dated by its file.
        let file = std::fs::File::options().append(true).open(copy).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(20_800 * 24)).unwrap();
    }
    to.to_path_buf()
}

/// ccusage's daily report of one agent.
fn counted(home: &Home, agent: &str) -> Days {
    let program = work_tree().join("scripts/node/node_modules/.bin/ccusage");
    assert!(program.exists(), "ccusage is not installed: npm ci in scripts/node installs it");
    let mut command = Command::new(program);
    home.own(&mut command);
    command
        .args([agent, "daily", "--json", "--offline", "--timezone", "UTC"])
        .env("TZ", "UTC")
        .env("CLAUDE_CONFIG_DIR", home.path().join("claude"))
        .env("CODEX_HOME", home.path().join("codex"));
    if agent == "claude" {
        command.arg("--breakdown");
    }
    let report = tables::json(&mut command);
    let kinds = ["inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens"];
    let of = |row: &Value| kinds.map(|kind| row[kind].as_u64().unwrap());
    let mut days = Days::new();
    for row in report["daily"].as_array().unwrap() {
        let day = row["date"].as_str().unwrap();
        if let Some(models) = row["models"].as_object() {
            days.extend(models.iter().map(|(model, sums)| ((day.to_owned(), model.clone()), of(sums))));
        } else {
            let models = row["modelBreakdowns"].as_array().unwrap();
            let name = |model: &Value| model["modelName"].as_str().unwrap().to_owned();
            days.extend(models.iter().map(|model| ((day.to_owned(), name(model)), of(model))));
        }
    }
    days
}

/// The store's sums; ccusage leaves out what used no tokens.
fn stored(home: &Home) -> Days {
    let store = tables::store(home);
    let (days, _) = tables::printed(home, "UTC", "daily", "date", &store);
    let mut sums = Days::new();
    for day in days.keys() {
        let one_day = ["--since".into(), day.clone(), "--until".into(), day.clone()];
        let (models, _) = tables::printed(home, "UTC", "model", "model", &[&store[..], &one_day].concat());
        let used = models.into_iter().filter(|(_, sums)| sums.total > 0);
        sums.extend(used.map(|(model, sums)| ((day.clone(), model), sums.kinds())));
    }
    sums
}
