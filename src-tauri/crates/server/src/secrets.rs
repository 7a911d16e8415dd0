//! `secrets.toml`: what sinks need and nobody is shown again. For its owner alone, apart from the settings.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

type Secrets = BTreeMap<String, BTreeMap<String, String>>;

/// Longest secret that is taken.
const MOST_BYTES: usize = 8 * 1024;

/// The secrets of all sinks, by sink and name.
pub struct SecretsFile {
    path: PathBuf,
    secrets: Mutex<Secrets>,
}

impl SecretsFile {
    /// Reads `secrets.toml` of the data directory. What cannot be read is answered in words; the file is left alone then.
    pub fn open(dir: &Path) -> (SecretsFile, Option<String>) {
        let path = dir.join("secrets.toml");
        let (secrets, complaint) = match fs::read_to_string(&path) {
            Ok(text) => match toml_edit::de::from_str::<Secrets>(&text) {
                Ok(secrets) => (secrets, None),
                // The library's message may quote the line, and the line is a secret.
                Err(_) => (Secrets::new(), Some("secrets.toml is no valid TOML of sinks and texts".to_owned())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Secrets::new(), None),
            Err(error) => (Secrets::new(), Some(format!("secrets.toml cannot be read: {error}"))),
        };
        (SecretsFile { path, secrets: Mutex::new(secrets) }, complaint)
    }

    /// The secrets of one sink.
    pub fn of(&self, sink: &str) -> BTreeMap<String, String> {
        self.lock().get(sink).cloned().unwrap_or_default()
    }

    /// Sets or, with an empty value, removes a secret; on disk first.
    pub fn set(&self, sink: &str, name: &str, value: &str) -> io::Result<()> {
        if value.len() > MOST_BYTES || value.chars().any(char::is_control) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a secret is one line of at most 8 kB"));
        }
        let mut known = self.lock();
        let mut next = known.clone();
        let of_sink = next.entry(sink.to_owned()).or_default();
        if value.is_empty() {
            of_sink.remove(name);
        } else {
            of_sink.insert(name.to_owned(), value.to_owned());
        }
        next.retain(|_, names| !names.is_empty());
        self.write(&next)?;
        *known = next;
        Ok(())
    }

    fn write(&self, secrets: &Secrets) -> io::Result<()> {
        let text = toml_edit::ser::to_string_pretty(secrets).map_err(io::Error::other)?;
        let temp = self.path.with_extension("toml.new");
        let _ = fs::remove_file(&temp);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temp)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temp, &self.path)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_over_a_restart_and_are_their_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (file, complaint) = SecretsFile::open(dir.path());
        assert_eq!(complaint, None);
        file.set("hook", "key", "s3cret \"x\"").unwrap();
        file.set("mail", "password", "p").unwrap();
        file.set("mail", "password", "").unwrap();
        assert!(file.set("hook", "key", "two\nlines").is_err());
        #[cfg(unix)]
        {
            let mode = fs::metadata(dir.path().join("secrets.toml")).unwrap();
            assert_eq!(std::os::unix::fs::MetadataExt::mode(&mode) & 0o777, 0o600);
        }
        let (again, _) = SecretsFile::open(dir.path());
        assert_eq!(again.of("hook")["key"], "s3cret \"x\"");
        assert!(again.of("mail").is_empty());
    }

    #[test]
    fn a_broken_file_is_told_without_its_contents() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secrets.toml"), "key = hunter2").unwrap();
        let words = SecretsFile::open(dir.path()).1.unwrap();
        assert!(!words.contains("hunter2"));
    }
}
