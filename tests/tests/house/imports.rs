//! ARCHITECTURE.md's table of crates against what the manifests say.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::{check, read, root};

/// One row of the table.
struct Row {
    may_import: BTreeSet<String>,
    /// Outside crates nobody else may depend on.
    exclusive: BTreeSet<String>,
    is_free: bool,
}

/// Rows by crate name without the `orrery-` in front.
fn table() -> BTreeMap<String, Row> {
    let text = read("ARCHITECTURE.md");
    let start = text.find("| crate | may import").expect("ARCHITECTURE.md has the import table");
    let rows = text[start..].lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 3, "a row has three cells: {line}");
        let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
        let name = words(cells[0]).into_iter().next().expect("the first cell names a crate");
        let row = Row { may_import: words(cells[1]), exclusive: words(cells[2]), is_free: cells[1] == "anything" };
        (name, row)
    })
    .collect()
}

/// Normal and build dependencies of each workspace package; tests may use anything.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            let wanted = package["dependencies"].as_array().unwrap().iter();
            let names =
                wanted.filter(|dependency| dependency["kind"] != "dev").map(|dependency| short(&dependency["name"]));
            (short(&package["name"]), names.collect())
        })
        .collect()
}

fn short(name: &Value) -> String {
    let name = name.as_str().unwrap();
    name.strip_prefix("orrery-").unwrap_or(name).to_owned()
}

#[test]
fn crates_import_what_the_table_allows() {
    let (table, dependencies) = (table(), dependencies());
    let mut findings = Vec::new();
    for name in table.keys().filter(|name| !dependencies.contains_key(*name)) {
        findings.push(format!("{name} stands in the table and does not exist"));
    }
    for (name, wanted) in &dependencies {
        let Some(row) = table.get(name) else {
            findings.push(format!("{name} is missing in the table"));
            continue;
        };
        let ours = wanted.iter().filter(|wanted| dependencies.contains_key(*wanted));
        for import in ours.filter(|import| !row.is_free && !row.may_import.contains(*import)) {
            findings.push(format!("{name} imports {import}"));
        }
    }
    check("ARCHITECTURE.md, what may import what", findings);
}

#[test]
fn outside_crates_stay_with_their_owner() {
    let (table, dependencies) = (table(), dependencies());
    let mut findings = Vec::new();
    for (owner, row) in &table {
        for outside in &row.exclusive {
            let users = dependencies.iter().filter(|(name, wanted)| {
                let is_free = table.get(*name).is_some_and(|row| row.is_free);
                *name != owner && !is_free && wanted.contains(outside)
            });
            findings.extend(users.map(|(name, _)| format!("{name} uses {outside}, which belongs to {owner}")));
            if !dependencies.get(owner).is_some_and(|wanted| wanted.contains(outside)) {
                findings.push(format!("{owner} owns {outside} and does not use it"));
            }
        }
    }
    check("ARCHITECTURE.md, outside crates of one owner", findings);
}
