//! Sums per day, session and model, from whoever counted them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use orrery_tests::{Home, program, tool, work_tree};
use serde_json::Value;

use crate::trees::text;

/// The sums under one key. Cost in micro-dollars.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pub input: u64,
    pub output: u64,
    pub cache_write: u64,
    pub cache_read: u64,
    pub reasoning: u64,
    pub total: u64,
    pub requests: u64,
    pub unpriced: u64,
    pub cost_usd_micros: i64,
}

impl Sums {
    fn read(row: &Value) -> Sums {
        let of = |name: &str| row[name].as_u64().unwrap_or(0);
        let dollars = row["cost_usd"].as_f64().map(|usd| (usd * 1e6).round() as i64);
        Sums {
            input: of("input_tokens"),
            output: of("output_tokens"),
            cache_write: of("cache_creation_tokens"),
            cache_read: of("cache_read_tokens"),
            reasoning: of("reasoning_tokens"),
            total: of("total_tokens"),
            requests: of("requests"),
            unpriced: of("unpriced_requests"),
            cost_usd_micros: row["cost_usd_micros"].as_i64().or(dollars).unwrap_or(0),
        }
    }

    /// Input, output, cache writes, cache reads.
    pub fn kinds(&self) -> [u64; 4] {
        [self.input, self.output, self.cache_write, self.cache_read]
    }
}

pub type Table = BTreeMap<String, Sums>;

#[derive(Debug, PartialEq)]
pub struct Tables {
    pub days: Table,
    pub sessions: Table,
    pub models: Table,
    pub totals: Sums,
}

impl Tables {
    /// What `orrery cost` prints for `arguments` in a time zone.
    pub fn printed(home: &Home, zone: &str, arguments: &[String]) -> Tables {
        let table = |by: &str, key: &str| printed(home, zone, by, key, arguments);
        let (days, totals) = table("daily", "date");
        let (sessions, of_sessions) = table("session", "session_id");
        let (models, of_models) = table("model", "model");
        assert_eq!((&of_sessions, &of_models), (&totals, &totals));
        Tables { days, sessions, models, totals }
    }

    /// What the second count finds.
    pub fn counted(zone: &str, arguments: &[String]) -> Tables {
        let here = work_tree();
        let mut command = Command::new(tool("python3"));
        command
            .arg(here.join("tests/independent/count.py"))
            .arg("--prices")
            .arg(here.join("src-tauri/crates/views/src/pricing/table.tsv"))
            .args(arguments)
            .env("TZ", zone);
        let counted = json(&mut command);
        let table = |name: &str| {
            let rows = counted[name].as_object().unwrap();
            rows.iter().map(|(key, row)| (key.clone(), Sums::read(row))).collect::<Table>()
        };
        Tables {
            days: table("days"),
            sessions: table("sessions"),
            models: table("models"),
            totals: Sums::read(&counted["totals"]),
        }
    }
}

/// One table of `orrery cost` and its last line.
pub fn printed(home: &Home, zone: &str, by: &str, key: &str, arguments: &[String]) -> (Table, Sums) {
    let mut command = Command::new(program("orrery"));
    home.own(&mut command);
    let printed = json(command.args(["cost", by, "--json"]).args(arguments).env("TZ", zone));
    let rows = printed["rows"].as_array().unwrap();
    let table = rows.iter().map(|row| (row[key].as_str().unwrap().to_owned(), Sums::read(row))).collect();
    (table, Sums::read(&printed["totals"]))
}

/// Imports into the home's store and gives the report.
pub fn import(home: &Home, zone: &str, arguments: &[String]) -> Value {
    let mut command = Command::new(program("orrery"));
    home.own(&mut command);
    json(command.args(["import", "--json"]).args(arguments).args(store(home)).env("TZ", zone))
}

/// Arguments that name the home's store.
pub fn store(home: &Home) -> Vec<String> {
    vec!["--data-dir".into(), text(&home.data_dir())]
}

/// Runs a command that has to succeed and to print JSON.
pub fn json(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command:?}: {error}: {told}"))
}

/// Fails with every key under which the two differ.
pub fn assert_same(what: &str, one: &Tables, other: &Tables) {
    let mut differences = Vec::new();
    let pairs = [(&one.days, &other.days), (&one.sessions, &other.sessions), (&one.models, &other.models)];
    for (left, right) in pairs {
        let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
        for key in keys.into_iter().filter(|key| left.get(*key) != right.get(*key)) {
            differences.push(format!("{key}:\n  {:?}\n  {:?}", left.get(key), right.get(key)));
        }
    }
    assert!(differences.is_empty(), "{what} differ\n{}", differences.join("\n"));
    assert_eq!(one.totals, other.totals, "{what}");
}
