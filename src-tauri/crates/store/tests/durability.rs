//! Acks, faults, and several at once.
#![allow(clippy::unwrap_used)]

mod make;

use std::sync::Arc;

use make::{NOON, batch, item, noise, of_events, prompt, put, store, usage};
use orrery_store::{Item, Options, SqliteStore, Store, StoreError};
use orrery_types::EventQuery;
use tempfile::TempDir;

fn reads(store: &SqliteStore) -> usize {
    store.events(&EventQuery { limit: Some(10_000), ..EventQuery::default() }).unwrap().items.len()
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let (dir, store) = store();
    put(&store, batch(vec![item(vec![prompt(1, "s", "a")], b"raw")])).await;
    let row = store.session("s").unwrap();
    drop(store);
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(reads(&store), 1);
    assert_eq!(store.session("s").unwrap(), row);
    assert_eq!(put(&store, of_events(vec![prompt(1, "s", "a"), prompt(2, "s", "b")])).await.seqs, [[1, 2]]);
    store.close().await.unwrap();
    assert!(matches!(store.append(of_events(vec![prompt(3, "s", "c")])).await, Err(StoreError::Failed(_))));
    assert!(matches!(store.newest_seq(), Err(StoreError::Failed(_))));
    let wal = dir.path().join("orrery.db-wal");
    assert!(!wal.exists() || wal.metadata().unwrap().len() == 0);
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.health(NOON).unwrap().unindexed, 0, "closing waits for the index");
    assert_eq!(store.session("s").unwrap().unwrap().row.events, 2);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, store) = store();
    put(&store, of_events(vec![prompt(1, "s", "a")])).await;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn one_directory_has_one_writer_and_any_readers() {
    let (dir, store) = store();
    put(&store, of_events(vec![prompt(1, "s", "a")])).await;
    assert!(matches!(SqliteStore::open(dir.path()), Err(StoreError::Locked)));
    let reader = SqliteStore::open_read_only(dir.path()).unwrap();
    assert_eq!(reads(&reader), 1);
    assert!(matches!(reader.append(of_events(vec![])).await, Err(StoreError::Failed(_))));
    put(&store, of_events(vec![prompt(2, "s", "b")])).await;
    assert_eq!(reads(&reader), 2);
}

#[test]
fn sixteen_senders_at_once_are_all_stored_once() {
    let (_dir, store) = store();
    let store = Arc::new(store);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    std::thread::scope(|scope| {
        for sender in 0..16_u64 {
            let (store, runtime) = (Arc::clone(&store), runtime.handle().clone());
            scope.spawn(move || {
                for n in 0..50 {
                    // Every event is sent by two of the senders.
                    let number = (sender / 2) * 1_000 + n + 1;
                    let sent = of_events(vec![prompt(number, &format!("s{}", n % 5), "x")]);
                    let done = runtime.block_on(store.append(sent)).unwrap();
                    assert_eq!(store.event(done.seqs[0][0]).unwrap().unwrap().id, make::id(number), "read your write");
                }
            });
        }
    });
    assert_eq!(reads(&store), 400);
    let health = store.health(NOON).unwrap();
    assert_eq!((health.events, health.sessions, health.newest_seq), (400, 5, 400));
    let counted: u64 = (0..5).map(|n| store.session(&format!("s{n}")).unwrap().unwrap().row.events).sum();
    assert_eq!(counted, 400);
}

#[test]
fn closing_amid_appends_loses_nothing_that_was_acknowledged() {
    let (dir, store) = store();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let acknowledged = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..4_u64)
            .map(|sender| {
                let (store, handle) = (&store, runtime.handle().clone());
                // Sends until the store is closed.
                scope.spawn(move || {
                    (0..)
                        .map(|n| sender * 1_000_000 + n)
                        .take_while(|n| handle.block_on(store.append(of_events(vec![prompt(*n, "s", "x")]))).is_ok())
                        .count()
                })
            })
            .collect();
        while store.newest_seq().unwrap() < 50 {
            std::thread::yield_now();
        }
        runtime.block_on(store.close()).unwrap();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum::<usize>()
    });
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.health(NOON).unwrap().events, acknowledged as u64);
    assert_eq!(store.session("s").unwrap().unwrap().row.events, acknowledged as u64);
}

#[tokio::test]
async fn a_failing_batch_hurts_no_other() {
    let dir = TempDir::new().unwrap();
    let options = Options { max_value_bytes: Some(100_000), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &options).unwrap();
    put(&store, of_events(vec![prompt(1, "old", "a")])).await;
    let before = store.session("old").unwrap();
    // Bytes that do not compress, after an event that has been written already.
    let noise = noise(1, 400_000);
    let bad = || {
        let mut items = vec![item(vec![prompt(2, "old", "b"), prompt(3, "new", "c")], b"fine")];
        items.push(item(vec![prompt(4, "old", "d")], &noise));
        items.push(Item { usage: vec![usage("r", "old", "opus", NOON, 1)], ..Item::default() });
        store.append(batch(items))
    };
    let good = |n| store.append(of_events(vec![prompt(n, "other", "e")]));
    let (first, failed, second, failed_too, third) = tokio::join!(good(10), bad(), good(11), bad(), good(12));
    assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
    assert!(failed_too.is_err());
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(store.session("old").unwrap().unwrap().row, before.unwrap().row);
    assert_eq!(store.session("new").unwrap(), None);
    assert_eq!(store.session("other").unwrap().unwrap().row.events, 3);
    let health = store.health(NOON).unwrap();
    assert_eq!((health.events, health.sessions), (4, 2));
    assert_eq!(put(&store, of_events(vec![prompt(3, "new", "c")])).await.new_sessions, 1);
}

#[tokio::test]
async fn a_full_disk_gives_no_false_ack_and_passes() {
    let dir = TempDir::new().unwrap();
    let small = Options { max_pages: Some(150), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &small).unwrap();
    let sent = |n: u64| batch(vec![item(vec![prompt(n, &format!("s{n}"), "x")], &noise(n, 20_000))]);
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    for n in 1..=60 {
        match store.append(sent(n)).await {
            Ok(_) => acknowledged.push(n),
            Err(StoreError::Unwritable(_)) => refused.push(n),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(!acknowledged.is_empty() && !refused.is_empty());
    assert_eq!(reads(&store), acknowledged.len(), "reads go on, and hold what was acknowledged");
    drop(store);

    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(reads(&store), acknowledged.len());
    for n in refused {
        put(&store, sent(n)).await;
    }
    assert_eq!(reads(&store), 60);
    assert_eq!(store.health(NOON).unwrap().sessions, 60);
}

#[tokio::test]
async fn the_writer_goes_on_when_there_is_room_again() {
    let dir = TempDir::new().unwrap();
    let small = Options { max_pages: Some(200), ..Options::default() };
    let store = SqliteStore::open_with(dir.path(), &small).unwrap();
    let refused = store.append(batch(vec![item(vec![prompt(1, "s", "x")], &noise(1, 3_000_000))])).await;
    assert!(matches!(refused, Err(StoreError::Unwritable(_))), "{refused:?}");
    assert_eq!(put(&store, of_events(vec![prompt(1, "s", "x")])).await.new_events, 1);
    assert_eq!(store.session("s").unwrap().unwrap().row.events, 1);
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let (dir, store) = store();
    store.close().await.unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("orrery.db")).unwrap();
    conn.execute(
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
         SELECT 999, name, applied_on, checksum FROM refinery_schema_history LIMIT 1",
        [],
    )
    .unwrap();
    drop(conn);
    assert!(matches!(SqliteStore::open(dir.path()), Err(StoreError::TooNew { found: 999, .. })));
    assert!(matches!(SqliteStore::open_read_only(dir.path()), Err(StoreError::TooNew { found: 999, .. })));
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("orrery.db");
    std::fs::write(&path, "my diary, and more than a hundred bytes of it, so that it could be a header: ".repeat(9))
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(SqliteStore::open(dir.path()), Err(StoreError::Failed(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_directory_that_takes_no_files_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut places = vec![file.join("data")];
    if cfg!(target_os = "linux") {
        // Read-only also for root, who passes over permission bits.
        places.push("/proc/self".into());
    }
    for place in places {
        match SqliteStore::open(&place) {
            Err(StoreError::Unwritable(reason)) => {
                assert!(reason.contains(&*place.to_string_lossy()), "{reason}");
            }
            other => panic!("{:?}", other.err()),
        }
    }
}
