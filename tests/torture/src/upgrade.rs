//! Databases of other versions: older ones come up whole, also when the upgrade is killed; newer ones are refused.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use orrery_bench::figure::Figure;
use refinery::{Runner, Target};
use rusqlite::{Connection, params};

use crate::chance::Chance;
use crate::victim::{self, Victim};
use crate::{Plan, none, proof, told};

/// The oldest schema that was ever given to people.
const OLD: i32 = 6;
const EVENTS: usize = 3_000;

pub fn run(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    let scratch = tempfile::tempdir()?;
    let old = scratch.path().join("old.db");
    make_old(&old)?;
    let fresh = |name: &str| -> anyhow::Result<_> {
        let data = scratch.path().join(name);
        fs::create_dir(&data)?;
        fs::copy(&old, data.join("orrery.db"))?;
        Ok(data)
    };

    // Left in peace.
    let data = fresh("peace")?;
    let began = Instant::now();
    let victim = Victim::start(plan, &data)?;
    let start = began.elapsed();
    let whole = proof::stored(&mut victim.wire()?)?.len();
    victim.terminate()?;
    let newest = version(&data)?;

    // Killed somewhere on the way, then started again.
    let points = plan.of(12, 50);
    let (mut between, mut incomplete) = (0, 0);
    let mut chance = Chance::new(13);
    for point in 0..points {
        let data = fresh(&format!("killed-{point}"))?;
        let (mut command, _) = victim::command(plan, &data)?;
        let mut child = command.spawn()?;
        std::thread::sleep(Duration::from_micros(chance.below(start.as_micros() as usize + 1) as u64));
        child.kill()?;
        child.wait()?;
        let found = version(&data)?;
        between += usize::from(found < OLD || found > newest || !is_sound(&data)?);
        let victim = Victim::start(plan, &data)?;
        incomplete += usize::from(proof::stored(&mut victim.wire()?)?.len() != EVENTS);
        victim.terminate()?;
        fs::remove_dir_all(&data)?;
    }

    // From a version that does not exist yet.
    let data = fresh("newer")?;
    Connection::open(data.join("orrery.db"))?.execute(
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (9999, 'later', '', '0')",
        [],
    )?;
    let before = fs::read(data.join("orrery.db"))?;
    let (command, words) = victim::command(plan, &data)?;
    let refused = Victim::spawn(command, words.clone()).is_err();
    let said = fs::read_to_string(words)?;
    let is_clear = said.contains("newer") && !said.contains("panicked");
    let untouched = fs::read(data.join("orrery.db"))? == before;
    Ok(vec![
        told("upgrade: schema from", f64::from(OLD), ""),
        told("upgrade: schema to", f64::from(newest), ""),
        none("upgrade: events missing after an upgrade in peace", EVENTS - whole.min(EVENTS)),
        told("upgrade: kills", points as f64, ""),
        none("upgrade: killed and between old and new", between),
        none("upgrade: killed, started again, and not whole", incomplete),
        none("newer database: not refused in words, or changed", usize::from(!(refused && is_clear && untouched))),
    ])
}

/// A database as the old version left it, filled by its own schema.
fn make_old(path: &Path) -> anyhow::Result<()> {
    let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src-tauri/crates/store/src/sqlite/migrations");
    let steps = refinery::load_sql_migrations(&steps).context("the migrations lie in the store")?;
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    Runner::new(&steps).set_target(Target::Version(OLD)).run(&mut db)?;
    db.pragma_update(None, "application_id", 0x4f72_7279)?;
    let filling = db.transaction()?;
    filling.execute_batch(
        "INSERT INTO label (key, kind, text) VALUES (1, 'agent', 'claude-code'), (2, 'name', 'UserPromptSubmit');
         INSERT INTO session (key, id, agent, started_ms, last_ms) VALUES (1, 'old', 'claude-code', 1, 2);",
    )?;
    for number in 0..EVENTS as i64 {
        let body = format!("{{\"kind\":\"prompt\",\"text\":\"old {number} {}\"}}", "o".repeat(300));
        filling
            .prepare_cached(
                "INSERT INTO event (id, session, agent, name, kind, at_ms, received_ms, sources, demo, body)
                 VALUES (?1, 1, 1, 2, 'prompt', ?2, ?2, 1, 0, ?3)",
            )?
            .execute(params![number.to_be_bytes().repeat(2), 1_795_000_000_000_i64 + number, body.as_bytes()])?;
    }
    filling.execute("UPDATE counter SET value = ?1 WHERE name = 'events'", [EVENTS as i64])?;
    filling.execute("UPDATE counter SET value = 1 WHERE name = 'sessions'", [])?;
    filling.execute("INSERT INTO session_row (session, row) VALUES (1, ?1)", [old_row().as_bytes()])?;
    filling.commit()?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// The least a session's row may hold.
fn old_row() -> String {
    format!(r#"{{"id":"old","agent":"claude-code","started_ms":1,"last_ms":2,"events":{EVENTS}}}"#)
}

fn version(data: &Path) -> anyhow::Result<i32> {
    let db = Connection::open(data.join("orrery.db"))?;
    Ok(db.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))?)
}

/// Whether SQLite finds nothing wrong, and every step is applied wholly: a version in the history has its tables.
fn is_sound(data: &Path) -> anyhow::Result<bool> {
    let db = Connection::open(data.join("orrery.db"))?;
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let gaps: i64 =
        db.query_row("SELECT count(*) FROM event WHERE session NOT IN (SELECT key FROM session)", [], |row| {
            row.get(0)
        })?;
    Ok(verdict == "ok" && gaps == 0)
}
