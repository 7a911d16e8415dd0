//! An entry in the desktop's menu for a build that no package installed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

const ENTRY: &str = include_str!("../dist/dev.orrery.desktop.desktop");
const ENTRY_NAME: &str = "applications/dev.orrery.desktop.desktop";
const ICONS: [(&str, &[u8]); 4] = [
    ("icons/hicolor/32x32/apps/dev.orrery.desktop.png", include_bytes!("../../icons/32x32.png")),
    ("icons/hicolor/128x128/apps/dev.orrery.desktop.png", include_bytes!("../../icons/128x128.png")),
    ("icons/hicolor/512x512/apps/dev.orrery.desktop.png", include_bytes!("../../icons/icon.png")),
    ("icons/hicolor/scalable/apps/dev.orrery.desktop.svg", include_bytes!("../../icons/icon.svg")),
];

/// Writes the desktop file for this very program, and its icons. Answers with the desktop file's path.
pub fn install() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("this program's own path is not known")?;
    install_in(&data_home()?, &program)
}

/// Takes away what [`install`] wrote. Nothing there is no error.
pub fn remove() -> anyhow::Result<()> {
    remove_from(&data_home()?)
}

fn install_in(data_home: &Path, program: &Path) -> anyhow::Result<PathBuf> {
    for (name, bytes) in ICONS {
        write(&data_home.join(name), bytes)?;
    }
    let entry = data_home.join(ENTRY_NAME);
    let exec = format!("Exec={}", quote(&program.to_string_lossy()));
    write(&entry, ENTRY.replace("Exec=orrery-desktop", &exec).as_bytes())?;
    Ok(entry)
}

fn remove_from(data_home: &Path) -> anyhow::Result<()> {
    for name in ICONS.map(|(name, _)| name).into_iter().chain([ENTRY_NAME]) {
        let path = data_home.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} stays", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `XDG_DATA_HOME`, else `~/.local/share`.
fn data_home() -> anyhow::Result<PathBuf> {
    anyhow::ensure!(
        cfg!(all(unix, not(target_os = "macos"))),
        "menu entries of this kind exist on Linux alone; here the installer makes them"
    );
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .context("HOME is not set")
}

/// Writes whole or not at all: a menu that reads meanwhile sees the old file or the new one.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let what = || format!("could not write {}", path.display());
    let folder = path.parent().with_context(what)?;
    fs::create_dir_all(folder).with_context(what)?;
    let fresh = folder.join(format!(".orrery-{}.new", std::process::id()));
    let written = fs::File::create(&fresh)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written.with_context(what)
}

/// An argument of an `Exec` line: quoted, then escaped once more as a string of the desktop file
/// (<https://specifications.freedesktop.org/desktop-entry-spec/latest/exec-variables.html>).
fn quote(argument: &str) -> String {
    let mut quoted = String::from("\"");
    for c in argument.chars() {
        match c {
            '"' | '`' | '$' => quoted.extend(['\\', '\\', c]),
            '\\' => quoted.push_str("\\\\\\\\"),
            '%' => quoted.push_str("%%"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_entry_starts_this_program_and_goes_without_a_trace() {
        let home = tempfile::tempdir().unwrap();
        let entry = install_in(home.path(), Path::new("/opt/my tools/100%/orrery-desktop")).unwrap();
        let text = fs::read_to_string(&entry).unwrap();
        assert!(text.contains("\nExec=\"/opt/my tools/100%%/orrery-desktop\" %u\n"), "{text}");
        assert!(text.contains("\nIcon=dev.orrery.desktop\n"), "{text}");

        install_in(home.path(), Path::new("/usr/bin/orrery-desktop")).unwrap();
        assert!(fs::read_to_string(&entry).unwrap().contains("Exec=\"/usr/bin/orrery-desktop\" %u"));

        remove_from(home.path()).unwrap();
        remove_from(home.path()).unwrap();
        assert_eq!(files_under(home.path()), 0);
    }

    #[test]
    fn signs_that_a_menu_would_read_are_escaped() {
        assert_eq!(quote(r#"/a"b$c`d\e"#), r#""/a\\"b\\$c\\`d\\\\e""#);
    }

    fn files_under(folder: &Path) -> usize {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| if path.is_dir() { files_under(&path) } else { 1 })
            .sum()
    }
}
