//! Sessions that leave the window as files: dragged into a file manager, or saved where the person says.
//!
//! The server makes each file and names it; here it lands in a private folder of the data directory first, so that a
//! drag hands over real paths. Whoever takes the drop copies the file after the drag has ended, so the folder is swept an
//! hour later, and when Orrery starts or ends.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use orrery_server::clock;

use crate::elsewhere::Elsewhere;

/// Most sessions of one drag or one save.
pub const MOST: usize = 100;
const KEPT: Duration = Duration::from_secs(60 * 60);
/// A drag that follows within this time takes the files of the one before.
const FRESH: Duration = Duration::from_secs(20);

/// The private folder, `outgoing` in the data directory.
#[derive(Debug, Clone)]
pub struct Outgoing {
    folder: PathBuf,
}

impl Outgoing {
    /// Makes the folder for this user alone, and empties it of what earlier runs left.
    pub fn open(data_dir: &Path) -> io::Result<Outgoing> {
        let outgoing = Outgoing { folder: data_dir.join("outgoing") };
        private_folder(&outgoing.folder)?;
        outgoing.sweep(Duration::ZERO);
        Ok(outgoing)
    }

    /// One file for each session. Files of the same wish a moment ago are given again: a person who let go too early
    /// drags once more.
    pub async fn files(&self, server: &Elsewhere, sessions: &[String], format: &str) -> anyhow::Result<Vec<PathBuf>> {
        let wanted = checked(sessions, format)?;
        self.sweep(KEPT);
        let folder = self.folder.join(key(&wanted, format));
        if let Some(files) = finished(&folder, wanted.len()) {
            return Ok(files);
        }
        let fresh = tempfile::Builder::new().prefix(".making-").tempdir_in(&self.folder)?;
        for session in &wanted {
            fetch_into(server, session, format, fresh.path()).await?;
        }
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::rename(fresh.keep(), &folder)?;
        finished(&folder, wanted.len()).context("the exported files are gone again")
    }

    /// Removes what is older than `age`.
    pub fn sweep(&self, age: Duration) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let is_old = entry.metadata().and_then(|data| data.modified()).is_ok_and(|made| older(made, age));
            if is_old && let Err(error) = fs::remove_dir_all(entry.path()) {
                tracing::debug!(%error, "an old export stays");
            }
        }
    }
}

/// Writes each session's file into `folder`, where the person chose it to be. Answers with their paths.
pub async fn save_into(
    server: &Elsewhere,
    sessions: &[String],
    format: &str,
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for session in checked(sessions, format)? {
        files.push(fetch_into(server, &session, format, folder).await?);
    }
    Ok(files)
}

/// Writes one session's file to exactly `path`: whole, or not at all.
pub async fn save_as(server: &Elsewhere, session: &str, format: &str, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().context("this is no place for a file")?;
    let fresh = tempfile::Builder::new().prefix(".orrery-").tempdir_in(folder);
    let fresh = fresh.with_context(|| format!("{} cannot be written to", folder.display()))?;
    let made = fetch_into(server, session, format, fresh.path()).await?;
    fs::rename(made, path).with_context(|| format!("{} could not be written", path.display()))
}

/// The name the server gives this export, for a "Save as" dialog.
pub async fn name_of(server: &Elsewhere, session: &str, format: &str) -> String {
    server
        .export_name(&export_path(session, format))
        .await
        .map_or_else(|_| fallback(format), |name| plain(&name, format))
}

async fn fetch_into(server: &Elsewhere, session: &str, format: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let made = folder.join(format!(".{}.part", clock::new_id()));
    let got = server.download(&export_path(session, format), &made).await;
    let name = match got {
        Ok(name) => plain(&name.unwrap_or_default(), format),
        Err(error) => {
            let _ = fs::remove_file(&made);
            return Err(error).context("the session could not be exported");
        }
    };
    let path = free_name(folder, &name);
    fs::rename(&made, &path).with_context(|| format!("{} could not be written", path.display()))?;
    Ok(path)
}

fn checked(sessions: &[String], format: &str) -> anyhow::Result<Vec<String>> {
    let is_word = !format.is_empty() && format.len() <= 8 && format.bytes().all(|byte| byte.is_ascii_lowercase());
    anyhow::ensure!(is_word, "there is no export format `{format}`");
    let mut seen = BTreeSet::new();
    let wanted: Vec<String> = sessions.iter().filter(|id| !id.is_empty() && seen.insert(*id)).cloned().collect();
    anyhow::ensure!(!wanted.is_empty(), "no session is selected");
    anyhow::ensure!(wanted.len() <= MOST, "at most {MOST} sessions leave at once; {} are selected", wanted.len());
    Ok(wanted)
}

fn export_path(session: &str, format: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(session.as_bytes()).collect();
    format!("/sessions/{}/export?format={format}", id.replace('+', "%20"))
}

/// The folder of one wish: the same sessions in the same format.
fn key(sessions: &[String], format: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (sessions, format).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn finished(folder: &Path, count: usize) -> Option<Vec<PathBuf>> {
    let made = fs::metadata(folder).ok()?.modified().ok()?;
    let mut files: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    (files.len() == count && !older(made, FRESH)).then_some(files)
}

fn older(made: SystemTime, age: Duration) -> bool {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(clock::now_ms()).unwrap_or(0));
    now.duration_since(made).is_ok_and(|passed| passed >= age)
}

/// A name that is one plain file name everywhere, whatever the server answered.
fn plain(name: &str, format: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() || name.len() > 200 { fallback(format) } else { name.to_owned() }
}

fn fallback(format: &str) -> String {
    format!("session.{format}")
}

/// `name`, or `name-2`, `name-3` where files of that name are already.
fn free_name(folder: &Path, name: &str) -> PathBuf {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let numbered = (2..).map(|number| folder.join(format!("{stem}-{number}.{ending}")));
    std::iter::once(folder.join(name)).chain(numbered).find(|path| !path.exists()).expect("numbers do not end")
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for (given, expected) in [
            ("shop-2026-11-25-fix.html", "shop-2026-11-25-fix.html"),
            ("../../etc/passwd", "etcpasswd"),
            ("..", "session.html"),
            ("a/b\\c\0d.html", "abcd.html"),
            ("\u{1f600}.html", "html"),
            ("", "session.html"),
            (&"x".repeat(300), "session.html"),
        ] {
            assert_eq!(plain(given, "html"), expected, "{given:?}");
        }
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(free_name(folder.path(), "a.md"), folder.path().join("a.md"));
        fs::write(folder.path().join("a.md"), "").unwrap();
        fs::write(folder.path().join("a-2.md"), "").unwrap();
        assert_eq!(free_name(folder.path(), "a.md"), folder.path().join("a-3.md"));
    }

    #[test]
    fn wishes_are_checked() {
        let ids = |count: usize| (0..count).map(|id| id.to_string()).collect::<Vec<_>>();
        assert_eq!(checked(&["a".into(), "a".into(), "b".into()], "html").unwrap(), ["a", "b"]);
        assert!(checked(&[], "html").is_err());
        assert!(checked(&ids(1), "../x").is_err());
        assert!(checked(&ids(MOST + 1), "html").unwrap_err().to_string().contains("101 are selected"));
        assert_eq!(export_path("../a b", "md"), "/sessions/..%2Fa%20b/export?format=md");
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_private_and_starts_empty() {
        use std::os::unix::fs::PermissionsExt as _;
        let data = tempfile::tempdir().unwrap();
        fs::create_dir_all(data.path().join("outgoing/left")).unwrap();
        let outgoing = Outgoing::open(data.path()).unwrap();
        assert_eq!(fs::read_dir(&outgoing.folder).unwrap().count(), 0);
        fs::remove_dir(&outgoing.folder).unwrap();
        Outgoing::open(data.path()).unwrap();
        assert_eq!(fs::metadata(&outgoing.folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
