//! Agents that read a folder of hook files or plugins: one file there is ours alone, written and removed whole.

use orrery_types::{AgentId, HookState};

use super::InstallError;
use crate::{copilot_cli, opencode};

/// The text of our file, and how many kinds of events it tells of. `None` for agents with one settings file for all.
pub fn file(agent: AgentId, hook_program: &str) -> Option<(String, u32)> {
    match agent {
        AgentId::CopilotCli => Some((copilot_cli::file(hook_program), 12)),
        AgentId::Opencode => Some((opencode::file(hook_program), 15)),
        _ => None,
    }
}

/// Whether the text at our file's place is one of ours, of whatever version.
fn is_ours(agent: AgentId, text: &str) -> bool {
    match agent {
        AgentId::Opencode => text.starts_with("// Orrery:"),
        _ => text.contains(&format!("--agent {}", agent.slug())),
    }
}

/// What stands in our file's place: nothing, or ours.
///
/// # Errors
/// Somebody else's file has our name.
pub fn check(agent: AgentId, current: Option<&str>, path: &str) -> Result<(), InstallError> {
    match current {
        Some(text) if !text.trim().is_empty() && !is_ours(agent, text) => Err(InstallError::Shape {
            path: path.to_owned(),
            message: "the file is not Orrery's; move it away first".to_owned(),
            line: 1,
            column: 1,
        }),
        _ => Ok(()),
    }
}

pub fn state(agent: AgentId, current: &str, (wanted, events): (String, u32)) -> HookState {
    if current == wanted {
        HookState::Installed { events }
    } else if is_ours(agent, current) {
        HookState::Partial { installed: 0, wanted: events }
    } else {
        HookState::Unreadable { error: "the file is not Orrery's; move it away first".to_owned() }
    }
}
