//! The fields and flags by name: what the parser knows, the printer writes and the completion shows.

use orrery_types::{Field, Flag};

/// One field as a person writes it.
#[derive(Debug, Clone, Copy)]
pub struct Fact {
    pub field: Field,
    /// First its printed name, then others that mean the same.
    pub names: &'static [&'static str],
    pub about: &'static str,
    /// All values there are. Empty when they depend on what is stored.
    pub values: &'static [&'static str],
}

const fn fact(
    field: Field,
    names: &'static [&'static str],
    about: &'static str,
    values: &'static [&'static str],
) -> Fact {
    Fact { field, names, about, values }
}

/// Every field.
pub const FACTS: &[Fact] = &[
    fact(Field::Agent, &["agent", "agent_type"], "The agent: claude-code, codex, ...", &[]),
    fact(Field::Session, &["session", "session_id"], "The session's id, or its beginning", &[]),
    fact(Field::Project, &["project", "source_app", "repo"], "The project's name", &[]),
    fact(Field::Model, &["model"], "Part of the model's name", &[]),
    fact(Field::Tool, &["tool"], "The tool's name: Bash, Edit, mcp__*", &[]),
    fact(
        Field::Class,
        &["class"],
        "What the tool does",
        &["shell", "edit", "read", "search", "web", "agent", "ask", "other"],
    ),
    fact(Field::Name, &["event", "name", "event_type"], "The event's own name: PreToolUse, ...", &[]),
    fact(
        Field::Kind,
        &["kind", "type"],
        "What happened",
        &[
            "session_start",
            "session_end",
            "prompt",
            "message",
            "thinking",
            "tool_start",
            "tool_end",
            "permission",
            "permission_denied",
            "question",
            "notification",
            "subagent_start",
            "subagent_stop",
            "stop",
            "failure",
            "interrupt",
            "rewind",
            "compact",
            "other",
        ],
    ),
    fact(Field::File, &["file", "path"], "Part of a path that a call works on", &[]),
    fact(Field::Branch, &["branch"], "The git branch", &[]),
    fact(Field::Cwd, &["cwd", "dir"], "Part of the working directory", &[]),
    fact(Field::Title, &["title"], "Part of the session's title", &[]),
    fact(
        Field::Status,
        &["status"],
        "Where the session stands",
        &["running", "needs_you", "stuck", "idle", "ended", "failed", "stopped"],
    ),
    fact(Field::Source, &["source"], "Where the report came from", &["hook", "transcript", "sender", "otel", "orrery"]),
    fact(Field::Error, &["error"], "Part of what went wrong", &[]),
    fact(Field::Turn, &["turn"], "The turn's id, or its beginning", &[]),
    fact(Field::Subagent, &["subagent"], "The subagent's kind or id", &[]),
    fact(Field::Cost, &["cost"], "Cost of the session in dollars: cost>0.5", &[]),
    fact(Field::Duration, &["duration"], "Length of a call: duration>30s", &[]),
    fact(Field::Tokens, &["tokens"], "Tokens of the session: tokens>100k", &[]),
    fact(Field::Turns, &["turns", "prompts"], "Prompts of the session", &[]),
    fact(Field::Tools, &["tools", "calls"], "Calls of the session", &[]),
    fact(Field::Errors, &["errors"], "Failures of the session", &[]),
    fact(Field::Lines, &["lines"], "Lines added and removed", &[]),
    fact(Field::Exit, &["exit", "exit_code"], "Exit code of a command", &[]),
];

/// Names of [`Flag`] after `is:`, the printed one first.
pub(super) const FLAGS: &[(Flag, &[&str])] = &[
    (Flag::Error, &["error"]),
    (Flag::Active, &["active", "live"]),
    (Flag::Running, &["running"]),
    (Flag::Needs, &["needs", "needs_you", "waiting"]),
    (Flag::Stuck, &["stuck"]),
    (Flag::Idle, &["idle"]),
    (Flag::Ended, &["ended", "done"]),
    (Flag::Failed, &["failed"]),
    (Flag::Stopped, &["stopped"]),
    (Flag::Subagent, &["subagent"]),
    (Flag::Demo, &["demo"]),
];

/// Names that are no [`Field`] but take a value as well, with a word on each.
pub(super) const WORDS: &[(&str, &str)] = &[
    ("is", "A state: is:error, is:needs, is:running"),
    ("has", "The field has a value: has:cost, has:error"),
    ("ok", "Whether a call ended well: ok:false"),
    ("since", "Not older than: since:2h, since:2026-11-20"),
    ("after", "From a day or time on: after:2026-11-20"),
    ("before", "Before a day or time: before:2026-11-20"),
    ("until", "The same as before"),
    ("on", "On one day: on:today, on:2026-11-20"),
    ("at", "When it happened: at>2026-11-20T14:00"),
];

/// The name that the printer writes.
pub fn field_name(field: Field) -> &'static str {
    FACTS.iter().find(|fact| fact.field == field).map_or("", |fact| fact.names[0])
}

pub(super) fn field_of(name: &str) -> Option<Field> {
    FACTS.iter().find(|fact| fact.names.contains(&name)).map(|fact| fact.field)
}

pub(super) fn flag_of(name: &str) -> Option<Flag> {
    FLAGS.iter().find(|(_, names)| names.contains(&name)).map(|(flag, _)| *flag)
}

pub(super) fn flag_name(flag: Flag) -> &'static str {
    FLAGS.iter().find(|(known, _)| *known == flag).map_or("", |(_, names)| names[0])
}

/// Every name that may stand before a colon.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FACTS.iter().flat_map(|fact| fact.names.iter().copied()).chain(WORDS.iter().map(|(word, _)| *word))
}

/// The known name that differs least from a mistyped one.
pub(super) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (distance(typed, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Edits of one letter that make one word the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, letter) in left.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
