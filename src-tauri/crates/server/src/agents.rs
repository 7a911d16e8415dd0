//! The agents of this home: what is found, which hooks are in, and writing an install plan to disk.

pub mod verify;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use orrery_agents::install::{self, Delivery, Handler, InstallError};
use orrery_agents::paths::{self, Env};
use orrery_types::{AgentId, AgentStatus, FileChange, FoundAgent, HookState, InstallPlan};

use crate::app::App;
use crate::clock;
use crate::jobs::files::{self, Names};

/// A program that has not said its version by then is asked again later.
const VERSION_DEADLINE: Duration = Duration::from_secs(2);
/// Counting transcripts walks folders: once in so long is enough.
const FRESH_MS: i64 = 30_000;

/// Versions by program file, and the last answer about all agents.
#[derive(Debug, Default)]
pub struct Versions {
    /// With the file's modification time: an update is asked anew.
    said: Mutex<HashMap<PathBuf, Said>>,
    known: tokio::sync::Mutex<Option<(i64, Vec<FoundAgent>)>>,
}

/// When the program was last modified, and the version it said then.
type Said = (Option<std::time::SystemTime>, Option<String>);

/// The agents as they were found in the last half minute.
pub async fn known(app: &Arc<App>) -> Vec<FoundAgent> {
    let now_ms = app.clock.now_ms();
    let mut known = app.versions.known.lock().await;
    if let Some((at_ms, found)) = &*known
        && (0..FRESH_MS).contains(&(now_ms - at_ms))
    {
        return found.clone();
    }
    let found = find_all(app).await;
    *known = Some((now_ms, found.clone()));
    found
}

/// The agents as they are now.
pub async fn look(app: &Arc<App>) -> Vec<FoundAgent> {
    *app.versions.known.lock().await = None;
    known(app).await
}

async fn find_all(app: &Arc<App>) -> Vec<FoundAgent> {
    let hooks = app.read(|store| store.last_hooks()).await.unwrap_or_default();
    let mut found = Vec::new();
    for agent in AgentId::ALL {
        let version = version(app, agent).await;
        let (home, program) = (app.home.clone(), hook_program(app));
        let last_hook_ms = hooks.iter().find(|(slug, _)| slug == agent.slug()).map(|(_, at_ms)| *at_ms);
        let base_url = app.stable_url();
        let work = move || describe(agent, &home, &program, version, last_hook_ms, base_url.as_deref());
        if let Ok(agent) = tokio::task::spawn_blocking(work).await {
            found.push(agent);
        }
    }
    found
}

fn describe(
    agent: AgentId,
    home: &Env,
    program: &str,
    version: Option<String>,
    last_hook_ms: Option<i64>,
    base_url: Option<&str>,
) -> FoundAgent {
    let settings = paths::settings_file(agent, home);
    let text = read_settings(&settings);
    let hooks = match &text {
        Ok(text) => install::hook_state(agent, text.as_deref(), program, version.as_deref(), base_url),
        Err(error) => HookState::Unreadable { error: error.to_string() },
    };
    let label = settings.display().to_string();
    let entries = text.ok().and_then(|text| install::configured(agent, text.as_deref(), &label, program).ok());
    let over_http = entries.unwrap_or_default().iter().any(|(_, handler)| matches!(handler, Handler::Http { .. }));
    let dirs = paths::history_dirs(agent, home);
    let roots: Vec<_> = dirs.iter().map(|dir| (agent, dir.clone())).collect();
    let history = files::scan(&roots, Names::Strict);
    let status = match () {
        () if version.is_some() || program_file(agent, home).is_some() || settings.exists() => AgentStatus::Found,
        () if !history.is_empty() => AgentStatus::HistoryOnly,
        () => AgentStatus::Absent,
    };
    FoundAgent {
        agent,
        label: agent.label().to_owned(),
        status,
        version,
        settings_path: label,
        hooks,
        over_http,
        history_paths: dirs.iter().filter(|dir| dir.is_dir()).map(|dir| dir.display().to_string()).collect(),
        history_files: history.len() as u64,
        history_since_ms: history.iter().map(|file| file.modified_ms).min(),
        last_hook_ms,
        notes: Vec::new(),
    }
}

fn program_file(agent: AgentId, home: &Env) -> Option<PathBuf> {
    paths::program_candidates(agent, home).into_iter().find(|file| file.is_file())
}

async fn version(app: &App, agent: AgentId) -> Option<String> {
    let file = program_file(agent, &app.home)?;
    let modified = fs::metadata(&file).and_then(|meta| meta.modified()).ok();
    let said = app.versions.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&file).cloned();
    if let Some((at, version)) = said
        && at == modified
    {
        return version;
    }
    let mut command = tokio::process::Command::new(&file);
    command.arg("--version").stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(VERSION_DEADLINE, command.output()).await.ok()?.ok()?;
    let version = first_version(&String::from_utf8_lossy(&output.stdout));
    app.versions
        .said
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .insert(file, (modified, version.clone()));
    version
}

/// `2.1.240` of `2.1.240 (Claude Code)` or `codex-cli 0.169.0`.
fn first_version(text: &str) -> Option<String> {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.'))?;
    Some(word.chars().take(40).collect())
}

/// The program that hooks call: the one given, else `orrery-hook` beside this one, else by its name.
pub fn hook_program(app: &App) -> String {
    let beside = || {
        let name = if cfg!(windows) { "orrery-hook.exe" } else { "orrery-hook" };
        let path = std::env::current_exe().ok()?.parent()?.join(name);
        path.is_file().then_some(path)
    };
    let program = app.hook_program.clone().or_else(beside);
    program.map_or_else(|| "orrery-hook".to_owned(), |program| program.display().to_string())
}

/// What a person wants done with an agent's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    Install,
    /// With hooks that the agent posts to this address itself.
    InstallHttp(String),
    Remove,
}

/// What a wish would change now.
///
/// # Errors
/// The settings cannot be read as what they should be.
pub async fn plan(app: &Arc<App>, agent: AgentId, wish: &Wish) -> Result<InstallPlan, PlanError> {
    let version = version(app, agent).await;
    let settings = paths::settings_file(agent, &app.home);
    let label = settings.display().to_string();
    let text = read_settings(&settings)?;
    let program = hook_program(app);
    let delivery = match wish {
        Wish::InstallHttp(base_url) => Delivery::Http { base_url },
        Wish::Install | Wish::Remove => Delivery::Program,
    };
    let plan = if *wish == Wish::Remove {
        install::plan_uninstall(agent, text.as_deref(), &label, &program)?
    } else {
        install::plan_install(agent, text.as_deref(), &label, &program, version.as_deref(), delivery)?
    };
    Ok(plan)
}

/// Writes a plan's changes, each file at once or not at all, with a copy of the old one beside it. Returns the copies.
///
/// # Errors
/// `Changed` when a file is not as the plan saw it: then nothing was written to it.
pub fn apply(plan: &InstallPlan, now_ms: i64) -> Result<Vec<String>, PlanError> {
    let mut backups = Vec::new();
    for change in &plan.changes {
        backups.extend(write_change(change, now_ms)?);
    }
    Ok(backups)
}

/// Why a plan could not be made or carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Settings(#[from] InstallError),
    #[error("{path} changed since the plan was made. Nothing was written")]
    Changed { path: String },
    #[error("{path} is read-only. Nothing was written")]
    ReadOnly { path: String },
    #[error("{path}: {source}. Nothing was written")]
    Disk { path: String, source: io::Error },
}

fn write_change(change: &FileChange, now_ms: i64) -> Result<Option<String>, PlanError> {
    let disk = |source| PlanError::Disk { path: change.path.clone(), source };
    // People keep their settings as links into a repository: the link stays, its target is written.
    let path = link_target(Path::new(&change.path));
    if read_settings(&path)? != change.before {
        return Err(PlanError::Changed { path: change.path.clone() });
    }
    if change.before == change.after {
        return Ok(None);
    }
    // A file that its owner locked is left alone, although one with another name could take its place.
    if fs::metadata(&path).is_ok_and(|meta| meta.permissions().readonly()) {
        return Err(PlanError::ReadOnly { path: path.display().to_string() });
    }
    let backup = change.before.as_ref().map(|before| back_up(&path, before, now_ms)).transpose().map_err(disk)?;
    match &change.after {
        Some(after) => replace(&path, after).map_err(disk)?,
        None => fs::remove_file(&path).map_err(disk)?,
    }
    Ok(backup.map(|path| path.display().to_string()))
}

/// Where a chain of links ends, whether anything is there or not.
fn link_target(path: &Path) -> PathBuf {
    const MOST_LINKS: usize = 16;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => break,
        }
    }
    path
}

/// `FILE.orrery-backup-20261122`, or with a number behind when that is taken.
fn back_up(path: &Path, text: &str, now_ms: i64) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let day = clock::day(now_ms).replace('-', "");
    for number in 0..1_000 {
        let ending = if number == 0 { String::new() } else { format!("-{number}") };
        let backup = path.with_file_name(format!("{name}.orrery-backup-{day}{ending}"));
        let mut options = fs::OpenOptions::new();
        match options.write(true).create_new(true).open(&backup) {
            Ok(mut file) => {
                file.set_permissions(fs::metadata(path)?.permissions())?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                return Ok(backup);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are too many backups of today"))
}

/// Writes beside the file and renames, with the old file's mode; a new file is its owner's alone.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let temp = path.with_file_name(format!(".{}.orrery-new", path.file_name().unwrap_or_default().to_string_lossy()));
    let _ = fs::remove_file(&temp);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temp).and_then(|mut file| {
        if let Ok(meta) = fs::metadata(path) {
            file.set_permissions(meta.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temp, path)).inspect_err(|_| {
        let _ = fs::remove_file(&temp);
    })
}

fn read_settings(path: &Path) -> Result<Option<String>, PlanError> {
    let label = path.display().to_string();
    match fs::read(path) {
        Ok(bytes) => Ok(Some(install::text_of(bytes, &label)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PlanError::Disk { path: label, source }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_both_agents() {
        assert_eq!(first_version("2.1.240 (Claude Code)\n").as_deref(), Some("2.1.240"));
        assert_eq!(first_version("codex-cli 0.169.0").as_deref(), Some("0.169.0"));
        assert_eq!(first_version("not found"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_change_keeps_mode_and_link_and_refuses_a_changed_file() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("dotfiles.json"), dir.path().join("settings.json"));
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&target, &link).unwrap();
        let change = FileChange {
            path: link.display().to_string(),
            before: Some("old".into()),
            after: Some("new".into()),
            diff: Vec::new(),
        };
        let backup = write_change(&change, 0).unwrap().unwrap();
        assert_eq!(
            (fs::read_to_string(&link).unwrap().as_str(), fs::read_to_string(backup).unwrap().as_str()),
            ("new", "old")
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(matches!(write_change(&change, 0), Err(PlanError::Changed { .. })));

        // A link whose target is not there yet, and a file that is locked.
        let (target, link) = (dir.path().join("new dotfiles/hooks.json"), dir.path().join("hooks.json"));
        symlink("new dotfiles/hooks.json", &link).unwrap();
        let label = || link.display().to_string();
        let change = FileChange { path: label(), before: None, after: Some("made".into()), diff: Vec::new() };
        assert_eq!(write_change(&change, 0).unwrap(), None);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "made");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o444)).unwrap();
        let change = FileChange { path: label(), before: Some("made".into()), after: None, diff: Vec::new() };
        assert!(matches!(write_change(&change, 0), Err(PlanError::ReadOnly { .. })));
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1, "no backup of what was not changed");
    }
}
