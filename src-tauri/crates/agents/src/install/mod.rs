//! What installing or removing our hooks would change in an agent's settings. Texts in, a plan out; the caller writes.
//!
//! Everything that is not ours stays byte for byte, and removing gives back the very text that installing found.

mod diff;
mod edit;
mod ours;
mod whole;

use orrery_types::{AgentId, FileChange, HookState, InstallPlan};

use crate::{claude_code, codex, cursor, gemini_cli};
use edit::Document;
pub(crate) use ours::Hook;

/// Why nothing will be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    /// The settings are no JSON, not even with comments.
    #[error("{path} cannot be read: {message} (line {line}, column {column}). Nothing was changed")]
    Unreadable { path: String, message: String, line: usize, column: usize },
    /// JSON of another shape than the agent's settings have.
    #[error("{path} has an unexpected shape: {message} (line {line}, column {column}). Nothing was changed")]
    Shape { path: String, message: String, line: usize, column: usize },
}

/// The change that puts our entry under every event the agent's version knows. No changes when all is in place.
///
/// `current` is the settings file's text, `None` when there is no file. `path_label` is shown and returned as the path.
/// `hook_program` is the absolute path of `orrery-hook`. Without a version only events that every version takes are used.
pub fn plan_install(
    agent: AgentId,
    current: Option<&str>,
    path_label: &str,
    hook_program: &str,
    agent_version: Option<&str>,
) -> Result<InstallPlan, InstallError> {
    if let Some((text, _)) = whole::file(agent, hook_program) {
        whole::check(agent, current, path_label)?;
        return Ok(plan(agent, path_label, current, Some(text), notes(agent)));
    }
    let hooks = wanted(agent, hook_program, agent_version);
    let text = current.unwrap_or_default();
    let mut notes = notes(agent);
    let after = if text.trim_start_matches('\u{feff}').trim().is_empty() {
        ours::new_file(current, template_head(agent), &hooks)
    } else {
        let mut document = Document::open(text).map_err(|error| error.at(path_label))?;
        if document.switch_is_on("disableAllHooks") {
            notes.push("These settings switch all hooks off: take out `disableAllHooks` for them to run".to_owned());
        }
        ours::install(&mut document, &hooks, hook_program).map_err(|error| error.at(path_label))?;
        document.into_text()
    };
    Ok(plan(agent, path_label, current, Some(after), notes))
}

/// The change that takes our entries out again, also those of another place's `orrery-hook`. A file that installing made
/// is removed.
pub fn plan_uninstall(
    agent: AgentId,
    current: Option<&str>,
    path_label: &str,
    hook_program: &str,
) -> Result<InstallPlan, InstallError> {
    let Some(text) = current.filter(|text| !text.trim_start_matches('\u{feff}').trim().is_empty()) else {
        return Ok(plan(agent, path_label, current, current.map(str::to_owned), Vec::new()));
    };
    if whole::file(agent, hook_program).is_some() {
        whole::check(agent, current, path_label)?;
        return Ok(plan(agent, path_label, current, None, Vec::new()));
    }
    let mut document = Document::open(text).map_err(|error| error.at(path_label))?;
    ours::uninstall(&mut document, hook_program).map_err(|error| error.at(path_label))?;
    let after = ours::without_new_file(document.into_text(), template_head(agent), text);
    Ok(plan(agent, path_label, current, after, Vec::new()))
}

/// Whether our entries are in the settings, with this program and as this version would write them.
pub fn hook_state(agent: AgentId, current: Option<&str>, hook_program: &str) -> HookState {
    let Some(text) = current.filter(|text| !text.trim_start_matches('\u{feff}').trim().is_empty()) else {
        return HookState::Absent;
    };
    if let Some(file) = whole::file(agent, hook_program) {
        return whole::state(agent, text, file);
    }
    let document = match Document::open(text) {
        Ok(document) => document,
        Err(error) => return HookState::Unreadable { error: error.at(&agent_file(agent)).to_string() },
    };
    let found = match ours::found(&document, hook_program) {
        Ok(found) => found,
        Err(error) => return HookState::Unreadable { error: error.at(&agent_file(agent)).to_string() },
    };
    if found.is_empty() {
        return HookState::Absent;
    }
    let wanted = wanted(agent, hook_program, None);
    let starts = |command: &str| ours::program_of(command) == ours::program_of(&ours::quoted(hook_program));
    let right: Vec<_> = found.iter().filter(|(_, command)| starts(command)).collect();
    let missing = wanted.iter().filter(|hook| !right.iter().any(|(event, _)| event == hook.event)).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    if missing == 0 && right.len() == found.len() {
        HookState::Installed { events: count(right.len()) }
    } else {
        HookState::Partial { installed: count(right.len()), wanted: count(wanted.len().max(right.len() + missing)) }
    }
}

fn wanted(agent: AgentId, hook_program: &str, version: Option<&str>) -> Vec<Hook> {
    match agent {
        AgentId::ClaudeCode => claude_code::settings::hooks(hook_program, version),
        AgentId::Codex => codex::hooks_file::hooks(hook_program, version),
        AgentId::GeminiCli => gemini_cli::hooks(hook_program),
        AgentId::Cursor => cursor::hooks(hook_program),
        AgentId::Opencode | AgentId::CopilotCli => Vec::new(),
    }
}

/// The first entry of a file that we make, by which we know it again.
fn template_head(agent: AgentId) -> (&'static str, &'static str) {
    match agent {
        AgentId::ClaudeCode => claude_code::settings::HEAD,
        AgentId::Codex => codex::hooks_file::HEAD,
        AgentId::GeminiCli => gemini_cli::HEAD,
        AgentId::Cursor => cursor::HEAD,
        // Their files are written whole.
        AgentId::Opencode | AgentId::CopilotCli => ("", "null"),
    }
}

fn agent_file(agent: AgentId) -> String {
    match agent {
        AgentId::ClaudeCode | AgentId::GeminiCli => "settings.json".to_owned(),
        AgentId::Codex | AgentId::Cursor => "hooks.json".to_owned(),
        AgentId::Opencode => "orrery.js".to_owned(),
        AgentId::CopilotCli => "orrery.json".to_owned(),
    }
}

fn notes(agent: AgentId) -> Vec<String> {
    match agent {
        AgentId::ClaudeCode => vec!["Running sessions pick the hooks up by themselves".to_owned()],
        AgentId::Codex => vec!["Approve the hooks once: start Codex and open /hooks".to_owned()],
        AgentId::GeminiCli | AgentId::Opencode | AgentId::CopilotCli => {
            vec![format!("{} reads its hooks when it starts: restart running sessions", agent.label())]
        }
        AgentId::Cursor => vec!["Cursor reads the hooks when they change; restart it if none arrive".to_owned()],
    }
}

fn plan(agent: AgentId, path: &str, before: Option<&str>, after: Option<String>, notes: Vec<String>) -> InstallPlan {
    if before == after.as_deref() {
        let notes = std::iter::once("Nothing to change".to_owned()).chain(notes).collect();
        return InstallPlan { agent, changes: Vec::new(), notes };
    }
    let diff = diff::lines(before.unwrap_or_default(), after.as_deref().unwrap_or_default());
    let change = FileChange { path: path.to_owned(), before: before.map(str::to_owned), after, diff };
    InstallPlan { agent, changes: vec![change], notes }
}

/// A version as three numbers. `2.1.139 (Claude Code)` and `codex-cli 0.169.0` are read too.
pub(crate) fn version_of(text: &str) -> Option<(u32, u32, u32)> {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()) && word.contains('.'))?;
    let mut parts = word.split(['.', '-', '+']).map(str::parse::<u32>);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next().and_then(Result::ok).unwrap_or(0)))
}

#[cfg(test)]
mod tests;
