//! `config.toml`: read with tolerance, read again when it changes, written with the person's comments kept.

mod edit;
pub mod transfer;
pub mod watch;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use orrery_alerts::check::{Wrong, wrongs};
use orrery_types::{Guard, Settings};
use serde_json::Value;
use tokio::sync::watch::{Receiver, Sender};
use toml_edit::DocumentMut;

use crate::redact::builtin;

/// Something wrong with the file as a whole: the settings of before stay in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Complaint {
    /// Counted from 1. Empty when the file could not be read at all.
    pub line: Option<usize>,
    pub words: String,
}

/// The settings in force, and the file they come from.
#[derive(Debug)]
pub struct SettingsFile {
    path: PathBuf,
    now: Sender<Settings>,
    complaint: Sender<Option<Complaint>>,
    /// The text that `now` was read from; writers take turns over it, so that two patches never overwrite each other.
    text: Mutex<String>,
}

impl SettingsFile {
    /// Reads `config.toml` of `dir`. A missing file means defaults; what cannot be read is answered in words beside them,
    /// and values that can be read stay in force.
    pub fn open(dir: &Path) -> (SettingsFile, Option<String>) {
        let path = dir.join("config.toml");
        let (settings, complaint, text) = match fs::read_to_string(&path) {
            Ok(text) => match read(&text) {
                Ok(settings) => (settings, None, text),
                Err(complaint) => (what_can_be_read(&text), Some(complaint), text),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Settings::default(), None, String::new()),
            Err(error) => (Settings::default(), Some(unreadable(&error)), String::new()),
        };
        let words = complaint.as_ref().map(Complaint::to_string);
        let file = SettingsFile {
            path,
            now: Sender::new(settings),
            complaint: Sender::new(complaint),
            text: Mutex::new(text),
        };
        (file, words)
    }

    pub fn get(&self) -> Settings {
        self.now.borrow().clone()
    }

    /// Whether and how agents are stopped at a hard limit, and the zone to say until when: asked on every tool call.
    pub fn get_guard(&self) -> (Guard, String) {
        let now = self.now.borrow();
        (now.guard, if now.guard == Guard::Off { String::new() } else { now.zone.clone() })
    }

    pub fn watch(&self) -> Receiver<Settings> {
        self.now.subscribe()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why the file as it is now is not in force. Empty when it is.
    pub fn complaint(&self) -> Option<Complaint> {
        self.complaint.borrow().clone()
    }

    /// Values that are in force and make no sense; each counts as its default.
    pub fn wrongs(&self) -> Vec<Wrong> {
        wrongs(&self.now.borrow(), filter_wrong)
    }

    /// Reads the file again. True when something changed: the settings, or what is wrong with the file. A file that
    /// cannot be read leaves the last good settings in force.
    pub fn reload(&self) -> bool {
        let mut known = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return self.complain(Some(unreadable(&error))),
        };
        if text == *known {
            return false;
        }
        let read = read(&text);
        *known = text;
        match read {
            Ok(settings) => {
                let better = self.complain(None);
                let changed = *self.now.borrow() != settings;
                if changed {
                    self.now.send_replace(settings);
                }
                changed || better
            }
            Err(complaint) => self.complain(Some(complaint)),
        }
    }

    fn complain(&self, complaint: Option<Complaint>) -> bool {
        let changed = *self.complaint.borrow() != complaint;
        if changed {
            if let Some(complaint) = &complaint {
                tracing::warn!(%complaint, "the settings cannot be read; those of before stay in force");
            }
            self.complaint.send_replace(complaint);
        }
        changed
    }

    /// Changes what a JSON merge patch names, in the file first and then in force; `null` brings a default back.
    ///
    /// # Errors
    /// The patch holds a value that makes no sense (`InvalidInput`), the file is no TOML (`InvalidData`: it is left as
    /// it is), or the disk refused.
    pub fn patch(&self, patch: &impl serde::Serialize) -> io::Result<Settings> {
        let patch = serde_json::to_value(patch).map_err(|error| refuse(error.to_string()))?;
        let Value::Object(patch) = patch else { return Err(refuse("settings are an object".to_owned())) };
        if let Some(unknown) = patch.keys().find(|key| !is_known(key)) {
            return Err(refuse(format!("there is no setting '{unknown}'")));
        }
        let mut known = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut document: DocumentMut = text.parse().map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is no valid TOML: {error}", self.path.display()))
        })?;
        let before = read(&text).unwrap_or_else(|_| what_can_be_read(&text));
        edit::merge(document.as_table_mut(), &patch);
        let text = document.to_string();
        let settings =
            toml_edit::de::from_str::<Settings>(&text).map_err(|error| refuse(error.message().trim().to_owned()))?;
        refuse_wrong(&before, &settings)?;
        write_whole(&self.path, text.as_bytes())?;
        *known = text;
        self.complain(None);
        self.now.send_replace(settings.clone());
        Ok(settings)
    }

    /// What another text in the file's place would put in force. Fails like [`SettingsFile::replace`].
    pub fn consider(&self, text: &str) -> io::Result<Settings> {
        let settings = read(text).map_err(|complaint| refuse(complaint.to_string()))?;
        refuse_wrong(&Settings::default(), &settings)?;
        Ok(settings)
    }

    /// Puts another text in the file's place, keeping the old one beside it as `config.toml.before`.
    ///
    /// # Errors
    /// The text is no TOML or holds values that make no sense (`InvalidInput`), or the disk refused.
    pub fn replace(&self, text: &str) -> io::Result<Settings> {
        let settings = self.consider(text)?;
        let mut known = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::read(&self.path) {
            Ok(old) => write_whole(&self.path.with_extension("toml.before"), &old)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        write_whole(&self.path, text.as_bytes())?;
        *known = text.to_owned();
        self.complain(None);
        self.now.send_replace(settings.clone());
        Ok(settings)
    }
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(out, "config.toml, line {line}: {}", self.words),
            None => write!(out, "config.toml: {}", self.words),
        }
    }
}

/// Writes a file so that a reader sees the old or the new one, never half of it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temp = dir.join(format!(".{name}.{}.new", std::process::id()));
    let written = fs::File::create(&temp).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temp, path)).inspect_err(|_| {
        let _ = fs::remove_file(&temp);
    })
}

/// Settings of a whole text.
fn read(text: &str) -> Result<Settings, Complaint> {
    toml_edit::de::from_str::<Settings>(text).map_err(|error| {
        let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        let words = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        Complaint { line, words }
    })
}

/// Every value by itself: one that cannot be read costs the others nothing.
fn what_can_be_read(text: &str) -> Settings {
    let Ok(mut document) = text.parse::<DocumentMut>() else { return Settings::default() };
    let keys: Vec<String> = document.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        let mut alone = DocumentMut::new();
        if let Some(item) = document.get(&key) {
            alone.insert(&key, item.clone());
        }
        if toml_edit::de::from_str::<Settings>(&alone.to_string()).is_err() {
            document.remove(&key);
        }
    }
    toml_edit::de::from_str(&document.to_string()).unwrap_or_default()
}

fn unreadable(error: &io::Error) -> Complaint {
    Complaint { line: None, words: format!("it cannot be read: {error}") }
}

fn is_known(key: &str) -> bool {
    let known = serde_json::to_value(Settings::default()).unwrap_or_default();
    known.get(key).is_some()
}

fn refuse(words: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, words)
}

/// Refuses values that make no sense, as far as they are new: an old mistake must not block other changes.
fn refuse_wrong(before: &Settings, settings: &Settings) -> io::Result<()> {
    if settings.long_task_minutes > 24 * 60 {
        return Err(refuse("a long task is at most 1,440 minutes".to_owned()));
    }
    if ![0, 90, 100, 110, 125, 150].contains(&settings.appearance.text_size) {
        return Err(refuse("the text size is one of 90, 100, 110, 125 and 150 percent".to_owned()));
    }
    let unknown = |id: &&String| !before.redact_off.contains(id) && builtin().list.iter().all(|rule| rule.id != **id);
    if let Some(unknown) = settings.redact_off.iter().find(unknown) {
        return Err(refuse(format!("there is no masking rule {unknown}; GET /api/v1/redaction lists them")));
    }
    let known = wrongs(before, filter_wrong);
    match wrongs(settings, filter_wrong).into_iter().find(|wrong| !known.contains(wrong)) {
        Some(Wrong { key, words }) => Err(refuse(format!("{key}: {words}"))),
        None => Ok(()),
    }
}

/// Why a rule's filter cannot be read. Empty when it can.
fn filter_wrong(filter: &str) -> Option<String> {
    let error = orrery_views::filter::parse(filter).err()?;
    let hint = if error.hint.is_empty() { String::new() } else { format!("; {}", error.hint) };
    Some(format!("{} at character {}{hint}", error.message, error.start + 1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use orrery_types::SettingsPatch;
    use serde_json::json;

    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, SettingsFile, Option<String>) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.toml"), text).unwrap();
        let (file, complaint) = SettingsFile::open(dir.path());
        (dir, file, complaint)
    }

    fn text(dir: &tempfile::TempDir) -> String {
        fs::read_to_string(dir.path().join("config.toml")).unwrap()
    }

    #[test]
    fn tables_and_lists_keep_comments_and_null_brings_the_default_back() {
        let (dir, file, _) = file(
            "# mine\n[rules.loop]\ntimes = 7 # patient\n\n[[budgets]]\nid = \"shop\"\n# a lot\nlimit_usd = 10.0\n\n[quiet]\non = true\n",
        );
        let patch = json!({
            "rules": {"loop": {"times": 4}, "silent": {"on": false}},
            "budgets": [
                {"id": "shop", "limit_usd": 12.5, "period": "weekly", "of": ""},
                {"id": "all", "limit_usd": 90, "soft_percent": 50},
            ],
            "quiet": {"on": null, "from": "23:00"},
        });
        let settings = file.patch(&patch).unwrap();
        assert_eq!(settings.rules["loop"].times, Some(4));
        assert_eq!((settings.budgets[0].limit_usd, settings.budgets[1].limit_usd), (12.5, 90.0));
        assert!(!settings.quiet.on);
        let expected = "# mine\n[rules.loop]\ntimes = 4 # patient\n\n[rules.silent]\non = false\n\n[[budgets]]\nid = \"shop\"\n\
                        # a lot\nlimit_usd = 12.5\nperiod = \"weekly\"\n\n[[budgets]]\nid = \"all\"\nlimit_usd = 90\n\
                        soft_percent = 50\n\n[quiet]\nfrom = \"23:00\"\n";
        assert_eq!(text(&dir), expected);
        file.patch(&json!({"rules": null, "budgets": []})).unwrap();
        assert_eq!(text(&dir), "\n[quiet]\nfrom = \"23:00\"\n");
    }

    #[test]
    fn values_that_make_no_sense_change_nothing_and_say_why() {
        let (dir, file, _) = file("zone = \"Mars\"\n");
        let refused = |patch: Value| {
            let error = file.patch(&patch).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            error.to_string()
        };
        assert!(refused(json!({"budget_daily_usd": 0})).starts_with("budget_daily_usd: a budget is above 0"));
        assert!(refused(json!({"budgets": [{"id": "a", "limit_usd": -4.0}]})).contains("budgets.0.limit_usd"));
        assert!(refused(json!({"digests": {"daily": {"at": "noon"}}})).contains("five fields"));
        assert!(refused(json!({"quiet": {"from": "26:00"}})).contains("quiet.from"));
        assert!(refused(json!({"colour": "red"})).contains("there is no setting 'colour'"));
        assert!(refused(json!({"watch": "yes"})).contains("invalid type"));
        assert_eq!(text(&dir), "zone = \"Mars\"\n");
        // The zone was wrong before: that blocks nothing else, and is told.
        file.patch(&json!({"watch": false})).unwrap();
        assert_eq!(file.wrongs()[0].key, "zone");
    }

    #[test]
    fn a_file_that_breaks_leaves_the_last_good_settings_and_names_the_line() {
        let (dir, file, _) = file("watch = false\n");
        assert!(!file.reload());
        let path = dir.path().join("config.toml");
        fs::write(&path, "watch = true\n\nlong_task_minutes = \"ten\"\n").unwrap();
        assert!(file.reload());
        assert!(!file.get().watch, "the last good ones");
        let complaint = file.complaint().unwrap();
        assert_eq!(complaint.line, Some(3), "{complaint}");
        assert!(!file.reload(), "told once");
        fs::write(&path, "watch = true\nlong_task_minutes = 10\n").unwrap();
        assert!(file.reload());
        assert_eq!((file.get().long_task_minutes, file.complaint()), (10, None));
    }

    #[test]
    fn at_the_start_one_bad_value_costs_the_others_nothing() {
        let (_dir, file, complaint) = file("watch = false\nlong_task_minutes = \"ten\"\n[quiet]\non = true\n");
        assert!(complaint.unwrap().contains("line 2"));
        assert!(!file.get().watch && file.get().quiet.on);
        assert_eq!(file.get().long_task_minutes, 5);
    }

    #[test]
    fn a_patch_keeps_comments_and_unknown_keys() {
        let dir = tempfile::tempdir().unwrap();
        let text = "# mine\nbudget_daily_usd = 10.0 # lunch\nfuture = \"kept\"\n\n[appearance]\n# at night\ntheme = \"dark\"\n";
        fs::write(dir.path().join("config.toml"), text).unwrap();
        let (file, complaint) = SettingsFile::open(dir.path());
        assert_eq!((complaint, file.get().budget_daily_usd), (None, Some(10.0)));
        let patch =
            SettingsPatch { budget_daily_usd: Some(Some(40.0)), welcomed: Some(true), ..SettingsPatch::default() };
        assert_eq!(file.patch(&patch).unwrap().budget_daily_usd, Some(40.0));
        let now = fs::read_to_string(dir.path().join("config.toml")).unwrap();
        let expected = "# mine\nbudget_daily_usd = 40.0 # lunch\nfuture = \"kept\"\nwelcomed = true\n\n[appearance]\n# at night\ntheme = \"dark\"\n";
        assert_eq!(now, expected);
    }

    #[test]
    fn a_broken_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config.toml"), "budget = = 1").unwrap();
        let (file, complaint) = SettingsFile::open(dir.path());
        assert!(complaint.is_some());
        let patch = SettingsPatch { watch: Some(false), ..SettingsPatch::default() };
        assert_eq!(file.patch(&patch).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read_to_string(dir.path().join("config.toml")).unwrap(), "budget = = 1");
    }
}
