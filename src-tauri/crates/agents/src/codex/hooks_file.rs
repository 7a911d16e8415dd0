//! Our hooks in Codex's `hooks.json`. Only `description` and `hooks` may stand at its top level.

use crate::claude_code::settings::shell_word;
use crate::install::{Hook, version_of};

/// First entry of a hooks file that we make, and its value as JSON.
pub const HEAD: (&str, &str) = ("description", "\"Orrery watches this agent\"");

/// Events and the first version that takes them.
const EVENTS: [(&str, (u32, u32, u32)); 12] = [
    ("SessionStart", (0, 0, 0)),
    ("UserPromptSubmit", (0, 0, 0)),
    ("PreToolUse", (0, 0, 0)),
    ("PermissionRequest", (0, 0, 0)),
    ("PostToolUse", (0, 0, 0)),
    ("PreCompact", (0, 0, 0)),
    ("PostCompact", (0, 0, 0)),
    ("Stop", (0, 0, 0)),
    ("SubagentStart", (0, 133, 0)),
    ("SubagentStop", (0, 133, 0)),
    ("SessionEnd", (0, 145, 0)),
    ("Interrupt", (0, 150, 0)),
];

/// Hooks are trusted by the person since this version: without a version none newer is assumed.
const OLDEST_KNOWN: (u32, u32, u32) = (0, 131, 0);

pub fn hooks(hook_program: &str, version: Option<&str>) -> Vec<Hook> {
    let known = version.and_then(version_of).unwrap_or(OLDEST_KNOWN);
    let events = EVENTS.iter().filter(|(_, since)| *since <= known);
    events.map(|(event, _)| Hook::nested(event, handler(event, hook_program))).collect()
}

/// The approval in `/hooks` hangs on this text: any change of it asks the person again.
fn handler(event: &str, hook_program: &str) -> String {
    let timeout = if matches!(event, "SessionEnd" | "Interrupt") { 3 } else { 10 };
    let command = serde_json::Value::String(format!("{} --agent codex", shell_word(hook_program)));
    format!("{{ \"type\": \"command\", \"command\": {command}, \"timeout\": {timeout} }}")
}
