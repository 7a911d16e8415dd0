//! Copies of the database, putting one back, and whether all of it can be read. Works on the files, beside a server.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::table::packs::Packs;
use super::{FILE, LOCK_FILE, lock, migrate, private_file, unwritable};
use crate::StoreError;

/// Faults told of one kind; one is enough to know.
const MOST_FAULTS: usize = 20;

/// What a look over the whole database found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub events: u64,
    pub sessions: u64,
    pub size_bytes: u64,
    /// In words. Empty when all is well.
    pub faults: Vec<String>,
}

/// Writes everything committed so far into `file`, which must not exist, while others read and write. Answers its size.
///
/// # Errors
/// The database cannot be read, or the file not written; then it is not there.
pub fn backup(dir: &Path, file: &Path) -> Result<u64, StoreError> {
    if file.exists() {
        return Err(StoreError::Unwritable(format!("{} is there already", file.display())));
    }
    let conn = migrate::open_reader(&dir.join(FILE))?;
    conn.pragma_update(None, "query_only", false)?;
    let partial = beside(file, ".partial");
    // An earlier try that was cut off.
    let _ = fs::remove_file(&partial);
    private_file(&partial).map_err(|error| unwritable(&partial, &error))?;
    let name = partial.to_str().ok_or_else(|| StoreError::Unwritable("the path is no text".to_owned()))?;
    let copied = conn.execute("VACUUM INTO ?1", [name]).map_err(StoreError::from).and_then(|_| {
        fs::File::open(&partial)?.sync_all()?;
        fs::rename(&partial, file)?;
        Ok(fs::metadata(file)?.len())
    });
    if copied.is_err() {
        let _ = fs::remove_file(&partial);
    }
    copied
}

/// Puts a backup in place of the database. Answers where the old one is kept.
///
/// # Errors
/// `Locked` while a server runs, `TooNew` for a newer schema, `Damaged` or `Failed` for a file that is no good backup;
/// then nothing was changed.
pub fn restore(dir: &Path, file: &Path) -> Result<Option<PathBuf>, StoreError> {
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let _lock = lock(&dir.join(LOCK_FILE))?;
    let faults = faults_of(file)?;
    if let Some(fault) = faults.first() {
        return Err(StoreError::Damaged(format!("{}: {fault}", file.display())));
    }
    let path = dir.join(FILE);
    let coming = beside(&path, ".restoring");
    let copied = fs::copy(file, &coming).and_then(|_| {
        #[cfg(unix)]
        fs::set_permissions(&coming, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        fs::File::open(&coming)?.sync_all()
    });
    if let Err(error) = copied {
        let _ = fs::remove_file(&coming);
        return Err(unwritable(&coming, &error));
    }
    let kept = path.exists().then(|| set_aside(&path, "replaced")).transpose()?;
    fs::rename(&coming, &path)?;
    Ok(kept)
}

/// Reads all of it.
///
/// # Errors
/// It cannot even be opened.
pub fn check(dir: &Path) -> Result<Verdict, StoreError> {
    let path = dir.join(FILE);
    let conn = migrate::open_reader(&path)?;
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map(super::table::unsigned);
    let mut faults = faults_in(&conn)?;
    let (events, sessions) = match (count("SELECT count(*) FROM event"), count("SELECT count(*) FROM session")) {
        (Ok(events), Ok(sessions)) => (events, sessions),
        _ => (0, 0),
    };
    if faults.is_empty() {
        for (name, found) in [("events", events), ("sessions", sessions)] {
            let kept = count(&format!("SELECT value FROM counter WHERE name = '{name}'"))?;
            if kept != found {
                faults.push(format!("{found} {name} are stored and {kept} were counted"));
            }
        }
    }
    let size_bytes = fs::metadata(&path)?.len();
    Ok(Verdict { events, sessions, size_bytes, faults })
}

fn faults_of(file: &Path) -> Result<Vec<String>, StoreError> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    migrate::refuse_foreign(&conn, file)?;
    migrate::refuse_newer(&conn)?;
    if !conn.table_exists(None, "event")? {
        return Err(StoreError::Failed(format!("{} holds no events of Orrery", file.display())));
    }
    let mut found = structure(&conn)?;
    if found.is_empty() && conn.table_exists(None, "pack")? {
        found = packs(&conn)?;
    }
    Ok(found)
}

fn faults_in(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = structure(conn)?;
    if found.is_empty() {
        found = packs(conn)?;
    }
    Ok(found)
}

/// What SQLite itself finds wrong.
fn structure(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare(&format!("PRAGMA integrity_check({MOST_FAULTS})"))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    loop {
        match rows.next() {
            Ok(Some(row)) => found.push(row.get::<_, String>(0)?),
            Ok(None) => break,
            Err(error) => {
                found.push(error.to_string());
                break;
            }
        }
    }
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Packs that do not hold what their rows say.
fn packs(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let packs = Packs::new(conn);
    let mut keys = conn.prepare("SELECT key FROM pack ORDER BY key")?;
    let mut keys = keys.query([])?;
    while let Some(row) = keys.next()? {
        let key: i64 = row.get(0)?;
        let fault = match (packs.events(key), packs.raws(key)) {
            (Ok(events), Ok(_)) => {
                let mut seqs = conn.prepare_cached("SELECT seq FROM event WHERE pack = ?1 AND seq BETWEEN (SELECT first FROM pack WHERE key = ?1) AND (SELECT last FROM pack WHERE key = ?1)")?;
                let seqs: Vec<i64> = seqs.query_map([key], |row| row.get(0))?.collect::<Result<_, _>>()?;
                seqs.into_iter().find(|seq| events.get(*seq).is_none()).map(|seq| format!("event {seq} is not in pack {key}"))
            }
            (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
        };
        found.extend(fault);
        if found.len() >= MOST_FAULTS {
            break;
        }
    }
    let orphans: i64 = conn.query_row(
        "SELECT count(*) FROM event WHERE pack IS NOT NULL AND pack NOT IN (SELECT key FROM pack)",
        [],
        |row| row.get(0),
    )?;
    if orphans > 0 {
        found.push(format!("{orphans} events lie in packs that are not there"));
    }
    Ok(found)
}

/// Renames the database and what belongs to it. Answers its new name.
pub(super) fn set_aside(path: &Path, why: &str) -> Result<PathBuf, StoreError> {
    let kept = (1..10_000)
        .map(|number| beside(path, &format!(".{why}-{number}")))
        .find(|kept| !kept.exists())
        .ok_or_else(|| StoreError::Unwritable("too many old databases lie beside this one".to_owned()))?;
    for ending in ["", "-wal", "-shm"] {
        let from = beside(path, ending);
        if from.exists() {
            fs::rename(&from, beside(&kept, ending)).map_err(|error| unwritable(&from, &error))?;
        }
    }
    Ok(kept)
}

pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
