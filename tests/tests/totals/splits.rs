//! However the bytes of a tree arrive, the totals are those of reading it at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use orrery_server::jobs::import;
use orrery_server::offline::{self, Store, TotalsQuery};
use orrery_types::{AgentId, CostRow, GroupBy, UsageGroup, UsageRow};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::trees;

/// Everything the ledger tells of a tree.
#[derive(Debug, PartialEq)]
pub struct Told {
    days: Vec<CostRow>,
    sessions: BTreeMap<String, CostRow>,
    models: BTreeMap<String, CostRow>,
    requests: BTreeMap<String, UsageRow>,
    /// What is priced alike, with the reports that were left out.
    groups: Vec<UsageGroup>,
}

/// A file of the tree, growing.
struct Growing {
    name: PathBuf,
    bytes: Vec<u8>,
}

#[test]
fn any_order_and_any_split_gives_the_same_totals() {
    let source = trees::own();
    let top = source.claude.parent().unwrap();
    let files: Vec<Growing> = trees::transcripts(top)
        .into_iter()
        .map(|path| Growing { name: path.strip_prefix(top).unwrap().to_owned(), bytes: std::fs::read(&path).unwrap() })
        .collect();
    let at_once = {
        let dir = tempfile::tempdir().unwrap();
        files.iter().for_each(|file| grow(dir.path(), &file.name, &file.bytes));
        import_once(dir.path());
        told(dir.path())
    };
    assert!(at_once.requests.len() > 50);

    // Which part of a file (in bytes, as a fraction) is there before each import; the last import finds all of it.
    let parts =
        prop::collection::vec(prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0..1.0f64], 4), files.len());
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&parts, |parts| {
        let dir = tempfile::tempdir().unwrap();
        let mut written = vec![0; files.len()];
        for step in 0..=4 {
            for ((file, parts), written) in files.iter().zip(&parts).zip(&mut written) {
                let end = parts.get(step).map_or(file.bytes.len(), |part| (file.bytes.len() as f64 * part) as usize);
                if end > *written {
                    grow(dir.path(), &file.name, &file.bytes[*written..end]);
                    *written = end;
                }
            }
            import_once(dir.path());
        }
        prop_assert_eq!(&told(dir.path()), &at_once);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// A line that is whole but for its end is taken at once; the end that comes later is no line of its own.
#[test]
fn a_line_read_before_its_end_keeps_its_number() {
    let source = trees::own();
    let top = source.claude.parent().unwrap();
    let name = trees::transcripts(top)
        .into_iter()
        .find(|path| path.to_string_lossy().contains("019f0000-0000-7000-8000-000000000003"))
        .unwrap();
    let bytes = std::fs::read(&name).unwrap();
    let name = name.strip_prefix(top).unwrap();
    let (at_once, in_parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    grow(at_once.path(), name, &bytes);
    import_once(at_once.path());
    for part in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (line, end) = part.split_at(part.len() - 1);
        for piece in [line, end] {
            grow(in_parts.path(), name, piece);
            import_once(in_parts.path());
        }
    }
    assert_eq!(told(in_parts.path()), told(at_once.path()));
}

/// Appends bytes to a file of the tree; nothing is made where there are none.
fn grow(dir: &Path, name: &Path, bytes: &[u8]) {
    use std::io::Write;
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// Opens the store, imports what is new and closes the store: a program's whole run.
fn import_once(dir: &Path) {
    let roots = [(AgentId::ClaudeCode, dir.join("claude")), (AgentId::Codex, dir.join("codex"))];
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = offline::write_store(&dir.join("data")).unwrap();
        import::run(store.clone(), &roots, |_| (), Arc::new(AtomicBool::new(false))).await.unwrap();
        store.close().await.unwrap();
    });
}

fn told(dir: &Path) -> Told {
    told_of(&dir.join("data"))
}

/// What the store in a data directory tells.
pub fn told_of(data: &Path) -> Told {
    let store: Arc<dyn Store> = offline::read_store(data).unwrap().unwrap();
    let query = TotalsQuery::default();
    let rows = |group| store.costs(group, &query, 0).unwrap();
    let by_key = |group| rows(group).into_iter().map(|row| (row.key.clone(), row)).collect();
    let requests = store.usage(&query, u32::MAX).unwrap().into_iter().map(|mut row| {
        // Each of two equal reports may be the one that is pointed at.
        row.request.place = None;
        (row.request.key.clone(), row)
    });
    Told {
        days: rows(GroupBy::Daily),
        sessions: by_key(GroupBy::Session),
        models: by_key(GroupBy::Model),
        requests: requests.collect(),
        groups: store.usage_groups(&query, &[100_000, 200_000, 272_000]).unwrap(),
    }
}
