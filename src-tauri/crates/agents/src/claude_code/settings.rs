//! Our hooks in Claude Code's `settings.json`.

use crate::install::{Delivery, Hook, version_of};

/// First entry of a settings file that we make, and its value as JSON.
pub const HEAD: (&str, &str) = ("$schema", "\"https://json.schemastore.org/claude-code-settings.json\"");

/// Events we want, and the first version that takes them. (0, 0, 0): all that have hooks.
///
/// Never `WorktreeCreate`: its hook must make the worktree. Not `MessageDisplay` and `FileChanged`: noise.
const EVENTS: [(&str, (u32, u32, u32)); 30] = [
    ("SessionStart", (1, 0, 62)),
    ("SessionEnd", (1, 0, 85)),
    ("UserPromptSubmit", (1, 0, 54)),
    ("PreToolUse", (0, 0, 0)),
    ("PostToolUse", (0, 0, 0)),
    ("Notification", (0, 0, 0)),
    ("SubagentStop", (0, 0, 0)),
    ("Stop", (0, 0, 0)),
    ("PreCompact", (0, 0, 0)),
    ("PermissionRequest", (2, 0, 45)),
    ("SubagentStart", (2, 0, 43)),
    ("PostToolUseFailure", (2, 1, 0)),
    ("Setup", (2, 1, 10)),
    ("TaskCompleted", (2, 1, 33)),
    ("TeammateIdle", (2, 1, 33)),
    ("ConfigChange", (2, 1, 49)),
    ("WorktreeRemove", (2, 1, 50)),
    ("InstructionsLoaded", (2, 1, 69)),
    ("PostCompact", (2, 1, 76)),
    ("Elicitation", (2, 1, 76)),
    ("ElicitationResult", (2, 1, 76)),
    ("StopFailure", (2, 1, 78)),
    ("CwdChanged", (2, 1, 83)),
    ("TaskCreated", (2, 1, 84)),
    ("PermissionDenied", (2, 1, 89)),
    ("UserPromptExpansion", (2, 1, 139)),
    ("PostToolBatch", (2, 1, 139)),
    ("DirectoryAdded", (2, 1, 219)),
    ("PreModelSwitch", (2, 1, 251)),
    ("PostModelSwitch", (2, 1, 251)),
];

/// Taken without knowing the version: events that every Claude Code of the last year has.
const OLDEST_KNOWN: (u32, u32, u32) = (2, 0, 45);

/// From here on a handler can have `args` and is started without a shell.
const ARGS_SINCE: (u32, u32, u32) = (2, 1, 139);

/// From here on a handler can be `type: "http"`.
const HTTP_SINCE: (u32, u32, u32) = (2, 1, 63);

/// These take no http handlers: one there never fires.
const NEVER_HTTP: [&str; 2] = ["SessionStart", "Setup"];

pub fn hooks(hook_program: &str, version: Option<&str>, delivery: Delivery) -> Vec<Hook> {
    let version = version.and_then(version_of);
    let known = version.unwrap_or(OLDEST_KNOWN);
    let events = EVENTS.iter().filter(|(_, since)| *since <= known);
    events
        .map(|(event, _)| match delivery {
            Delivery::Http { base_url } if known >= HTTP_SINCE && !NEVER_HTTP.contains(event) => {
                Hook::nested(event, http_handler(event, base_url))
            }
            _ => Hook::nested(event, handler(event, hook_program, known >= ARGS_SINCE)),
        })
        .collect()
}

fn http_handler(event: &str, base_url: &str) -> String {
    let url = serde_json::Value::String(format!("{base_url}/hooks/claude-code"));
    format!("{{ \"type\": \"http\", \"url\": {url}, \"timeout\": {} }}", timeout(event))
}

/// Seconds. All SessionEnd hooks together have 1.5 of them.
fn timeout(event: &str) -> u32 {
    if event == "SessionEnd" { 1 } else { 5 }
}

fn handler(event: &str, hook_program: &str, with_args: bool) -> String {
    let command = if with_args { hook_program.to_owned() } else { shell_word(hook_program) };
    let command = serde_json::Value::String(command);
    let args = if with_args { " \"args\": []," } else { "" };
    format!("{{ \"type\": \"command\", \"command\": {command},{args} \"timeout\": {} }}", timeout(event))
}

/// `path` as one word of a shell. Windows paths in double quotes, which Git Bash and PowerShell both take.
pub fn shell_word(path: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+,:@%".contains(letter);
    if path.chars().all(plain) {
        path.to_owned()
    } else if path.contains('\\') && !path.starts_with('/') {
        format!("\"{path}\"")
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
