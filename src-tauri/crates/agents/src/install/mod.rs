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
pub use ours::Handler;
pub(crate) use ours::{Hook, Mine};

/// How events get from the agent to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery<'a> {
    /// The agent starts `orrery-hook`, which keeps events while no server runs.
    #[default]
    Program,
    /// The agent posts to this server itself, as far as its version can: `http://127.0.0.1:PORT`. While no server runs,
    /// nothing is kept and the agent shows a notice.
    Http { base_url: &'a str },
}

/// Settings larger than this are somebody's mistake.
const MOST_BYTES: usize = 8 * 1024 * 1024;

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

/// The text of a settings file.
///
/// # Errors
/// It is not UTF-8, or far too large.
pub fn text_of(bytes: Vec<u8>, path: &str) -> Result<String, InstallError> {
    let refuse = |message: &str, line, column| InstallError::Unreadable {
        path: path.to_owned(),
        message: message.to_owned(),
        line,
        column,
    };
    if bytes.len() > MOST_BYTES {
        return Err(refuse("the file is larger than 8 MB", 1, 1));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        let last = good.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        refuse("the text is not UTF-8", line, String::from_utf8_lossy(last).chars().count() + 1)
    })
}

/// What our entries in the settings have the agent do, by event, in the order of the file. Empty for agents whose file is
/// written whole.
///
/// # Errors
/// The settings cannot be read.
pub fn configured(
    agent: AgentId,
    current: Option<&str>,
    path_label: &str,
    hook_program: &str,
) -> Result<Vec<(String, Handler)>, InstallError> {
    let Some(text) = current.filter(|text| !text.trim_start_matches('\u{feff}').trim().is_empty()) else {
        return Ok(Vec::new());
    };
    if whole::file(agent, hook_program).is_some() {
        return Ok(Vec::new());
    }
    let document = Document::open(text).map_err(|error| error.at(path_label))?;
    ours::found(&document, &mine(agent, hook_program)).map_err(|error| error.at(path_label))
}

/// Whether the agent loads a file of ours that is written whole.
pub fn has_own_file(agent: AgentId, hook_program: &str) -> bool {
    whole::file(agent, hook_program).is_some()
}

fn mine(agent: AgentId, hook_program: &str) -> Mine<'_> {
    Mine { program: hook_program, path: format!("/hooks/{}", agent.slug()) }
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
    delivery: Delivery,
) -> Result<InstallPlan, InstallError> {
    if let Some((text, _)) = whole::file(agent, hook_program) {
        whole::check(agent, current, path_label)?;
        return Ok(plan(agent, path_label, current, Some(text), notes(agent)));
    }
    let hooks = wanted(agent, hook_program, agent_version, delivery);
    let text = current.unwrap_or_default();
    let mut notes = notes(agent);
    notes.extend(delivery_note(&hooks, delivery));
    let after = if text.trim_start_matches('\u{feff}').trim().is_empty() {
        ours::new_file(current, template_head(agent), &hooks)
    } else {
        let mut document = Document::open(text).map_err(|error| error.at(path_label))?;
        if document.switch_is_on("disableAllHooks") {
            notes.push("These settings switch all hooks off: take out `disableAllHooks` for them to run".to_owned());
        }
        // Without a version, entries that a known one was given stay: approvals may hang on them.
        let keeps = |event: &str| agent_version.is_none() && all_events(agent).contains(&event);
        ours::install(&mut document, &hooks, &mine(agent, hook_program), keeps)
            .map_err(|error| error.at(path_label))?;
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
    ours::uninstall(&mut document, &mine(agent, hook_program)).map_err(|error| error.at(path_label))?;
    let after = ours::without_new_file(document.into_text(), template_head(agent), text);
    Ok(plan(agent, path_label, current, after, Vec::new()))
}

/// Whether our entries are in the settings, leading to this program or server, for every event that the version knows.
/// Without `base_url` every port of this machine counts as this server's.
pub fn hook_state(
    agent: AgentId,
    current: Option<&str>,
    hook_program: &str,
    agent_version: Option<&str>,
    base_url: Option<&str>,
) -> HookState {
    let Some(text) = current.filter(|text| !text.trim_start_matches('\u{feff}').trim().is_empty()) else {
        return HookState::Absent;
    };
    if let Some(file) = whole::file(agent, hook_program) {
        return whole::state(agent, text, file);
    }
    let found = match configured(agent, current, &agent_file(agent), hook_program) {
        Ok(found) => found,
        Err(error) => return HookState::Unreadable { error: error.to_string() },
    };
    if found.is_empty() {
        return HookState::Absent;
    }
    let wanted = wanted(agent, hook_program, agent_version, Delivery::Program);
    let mine = mine(agent, hook_program);
    let right: Vec<_> = found.iter().filter(|(_, handler)| handler.leads_here(&mine, base_url)).collect();
    let missing = wanted.iter().filter(|hook| !right.iter().any(|(event, _)| event == hook.event)).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    if missing == 0 && right.len() == found.len() {
        HookState::Installed { events: count(right.len()) }
    } else {
        HookState::Partial { installed: count(right.len()), wanted: count(wanted.len().max(right.len() + missing)) }
    }
}

fn wanted(agent: AgentId, hook_program: &str, version: Option<&str>, delivery: Delivery) -> Vec<Hook> {
    match agent {
        AgentId::ClaudeCode => claude_code::settings::hooks(hook_program, version, delivery),
        AgentId::Codex => codex::hooks_file::hooks(hook_program, version),
        AgentId::GeminiCli => gemini_cli::hooks(hook_program),
        AgentId::Cursor => cursor::hooks(hook_program),
        AgentId::Opencode | AgentId::CopilotCli => Vec::new(),
    }
}

/// Every event that some version gets an entry for.
fn all_events(agent: AgentId) -> Vec<&'static str> {
    const NEWEST: Option<&str> = Some("9999.0.0");
    wanted(agent, "orrery-hook", NEWEST, Delivery::Program).into_iter().map(|hook| hook.event).collect()
}

/// What a person should know who asked for http.
fn delivery_note(hooks: &[Hook], delivery: Delivery) -> Option<String> {
    let Delivery::Http { base_url } = delivery else { return None };
    let over_http = hooks.iter().filter(|hook| hook.handler.contains("\"http\"")).count();
    Some(if over_http == 0 {
        "This agent, or this version of it, posts no hooks itself: orrery-hook is started for each event".to_owned()
    } else {
        format!(
            "{over_http} of {} events are posted to {base_url} by the agent itself. While no server runs there, they are lost and the agent shows a notice each time",
            hooks.len()
        )
    })
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
