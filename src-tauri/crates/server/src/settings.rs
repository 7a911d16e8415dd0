//! `config.toml`: read with tolerance, written with the person's comments kept.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use orrery_types::{Settings, SettingsPatch};
use tokio::sync::watch;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::redact::builtin;

/// The settings in force, and the file they come from.
#[derive(Debug)]
pub struct SettingsFile {
    path: PathBuf,
    now: watch::Sender<Settings>,
    /// Writers take turns, so that two patches never overwrite each other.
    write: Mutex<()>,
}

impl SettingsFile {
    /// Reads `config.toml` of `dir`. A missing file means defaults; what cannot be read is answered in words beside them.
    pub fn open(dir: &Path) -> (SettingsFile, Option<String>) {
        let path = dir.join("config.toml");
        let (settings, complaint) = match fs::read_to_string(&path) {
            Ok(text) => read(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Settings::default(), None),
            Err(error) => (Settings::default(), Some(format!("{}: {error}", path.display()))),
        };
        (SettingsFile { path, now: watch::Sender::new(settings), write: Mutex::default() }, complaint)
    }

    pub fn get(&self) -> Settings {
        self.now.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<Settings> {
        self.now.subscribe()
    }

    /// Changes what the patch names, in the file first and then in force.
    ///
    /// # Errors
    /// The patch holds a value that makes no sense (`InvalidInput`), the file is no TOML (`InvalidData`: it is left as
    /// it is), or the disk refused.
    pub fn patch(&self, patch: &SettingsPatch) -> io::Result<Settings> {
        check(patch)?;
        let _turn = self.write.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut document: DocumentMut = text.parse().map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} is no valid TOML: {error}", self.path.display()))
        })?;
        apply(&mut document, patch);
        let text = document.to_string();
        write_whole(&self.path, text.as_bytes())?;
        let settings = read(&text).0;
        self.now.send_replace(settings.clone());
        Ok(settings)
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

fn read(text: &str) -> (Settings, Option<String>) {
    match toml_edit::de::from_str::<Settings>(text) {
        Ok(settings) => (settings, None),
        Err(error) => (Settings::default(), Some(format!("config.toml: {error}"))),
    }
}

fn check(patch: &SettingsPatch) -> io::Result<()> {
    let no = |words: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, words.to_owned()));
    if let Some(rules) = &patch.redact_off
        && let Some(unknown) = rules.iter().find(|id| builtin().list.iter().all(|rule| rule.id != **id))
    {
        return no(&format!("there is no masking rule {unknown}; GET /api/v1/redaction lists them"));
    }
    if let Some(Some(budget)) = patch.budget_daily_usd
        && !(budget.is_finite() && (0.0..=1_000_000.0).contains(&budget))
    {
        return no("the daily budget must be between 0 and 1,000,000 dollars");
    }
    if patch.long_task_minutes.is_some_and(|minutes| minutes > 24 * 60) {
        return no("a long task is at most 1,440 minutes");
    }
    if let Some(appearance) = &patch.appearance
        && ![0, 90, 100, 110, 125, 150].contains(&appearance.text_size)
    {
        return no("the text size is one of 90, 100, 110, 125 and 150 percent");
    }
    Ok(())
}

fn apply(document: &mut DocumentMut, patch: &SettingsPatch) {
    match patch.budget_daily_usd {
        Some(Some(budget)) => set(document, "budget_daily_usd", value(budget)),
        Some(None) => drop(document.remove("budget_daily_usd")),
        None => {}
    }
    if let Some(minutes) = patch.long_task_minutes {
        set(document, "long_task_minutes", value(i64::from(minutes)));
    }
    let switches = [
        ("notifications", patch.notifications),
        ("ingest_needs_token", patch.ingest_needs_token),
        ("watch", patch.watch),
        ("redact", patch.redact),
        ("welcomed", patch.welcomed),
    ];
    for (key, switch) in switches {
        if let Some(on) = switch {
            set(document, key, value(on));
        }
    }
    if let Some(format) = &patch.export_format {
        set(document, "export_format", value(word(format)));
    }
    if let Some(keys) = &patch.global_shortcut {
        set(document, "global_shortcut", value(keys.trim()));
    }
    if let Some(rules) = &patch.redact_off {
        set(document, "redact_off", value(rules.iter().map(String::as_str).collect::<Array>()));
    }
    if let Some(appearance) = &patch.appearance {
        let table = document.entry("appearance").or_insert_with(|| Item::Table(Table::new()));
        if let Some(table) = table.as_table_like_mut() {
            for (key, text) in [("theme", word(&appearance.theme)), ("density", word(&appearance.density))] {
                set_in(table, key, value(text));
            }
            set_in(table, "text_size", value(i64::from(appearance.text_size)));
            match &appearance.custom {
                Some(id) => set_in(table, "custom", value(id.as_str())),
                None => drop(table.remove("custom")),
            }
        }
    }
}

fn set(document: &mut DocumentMut, key: &str, item: Item) {
    set_in(document.as_table_mut(), key, item);
}

/// Replaces the value alone, so that comments around it stay.
fn set_in(table: &mut dyn toml_edit::TableLike, key: &str, item: Item) {
    let Some(old) = table.get_mut(key) else {
        table.insert(key, item);
        return;
    };
    let decor = old.as_value().map(|old| old.decor().clone());
    *old = item;
    if let (Some(decor), Some(new)) = (decor, old.as_value_mut()) {
        *new.decor_mut() = decor;
    }
}

/// The word serde writes for a plain enum.
fn word(variant: &impl serde::Serialize) -> String {
    serde_json::to_value(variant).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
