//! What an event says in words: the text that words, quotes and regexes look at.

use orrery_types::{Body, Event, SessionRow, ToolClass};
use serde_json::Value;

/// An event's text: see [`body_text`].
pub fn event_text(event: &Event) -> String {
    body_text(&event.body)
}

/// The text of what happened, part by part on lines of its own: what was said, tool, target, error, output, then the
/// strings of the input. Empty for events without words.
pub fn body_text(body: &Body) -> String {
    let mut text = String::new();
    let mut add = |part: &str| {
        if !part.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(part);
        }
    };
    match body {
        Body::SessionStart { reason, .. } | Body::SessionEnd { reason } => add(reason),
        Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => add(text),
        Body::ToolStart { tool, target, input, .. } | Body::Permission { tool, target, input, .. } => {
            add(tool);
            add(target);
            strings(input, target, &mut add);
        }
        Body::ToolEnd { tool, target, error, output, input, .. } => {
            add(tool);
            add(target);
            add(error.as_deref().unwrap_or_default());
            add(output);
            strings(input, target, &mut add);
        }
        Body::PermissionDenied { tool, target, reason, .. } => {
            add(tool);
            add(target);
            add(reason);
        }
        Body::Question { question, answer } => {
            add(&question.text);
            question.choices.iter().for_each(|choice| add(choice));
            if let Some(answer) = answer {
                strings(&answer.value, "", &mut add);
            }
        }
        Body::Notification { message, .. } | Body::SubagentStop { message } | Body::Stop { message } => add(message),
        Body::Failure { error, details } => {
            add(error);
            add(details);
        }
        Body::Rewind { text: prompt, .. } => add(prompt),
        Body::Other { summary } => add(summary),
        Body::SubagentStart | Body::Interrupt | Body::Compact { .. } => {}
    }
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    text
}

/// The strings inside a value, but for one that was said already.
fn strings(value: &Value, said: &str, add: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if text != said => add(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, said, add)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, said, add)),
        _ => {}
    }
}

/// What words find a session by.
pub(super) fn session_text(row: &SessionRow) -> String {
    let parts = [&row.title, &row.project, row.branch.as_ref().unwrap_or(&row.id), &row.id];
    parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// Paths that an event's call works on.
pub(super) fn files(event: &Event) -> Vec<&str> {
    let (class, target, input) = match &event.body {
        Body::ToolStart { class, target, input, .. }
        | Body::ToolEnd { class, target, input, .. }
        | Body::Permission { class, target, input, .. } => (class, target, input),
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    if matches!(class, ToolClass::Edit | ToolClass::Read) && !target.is_empty() {
        found.push(target.as_str());
    }
    for key in ["file_path", "filePath", "path", "notebook_path", "file"] {
        if let Some(path) = input.get(key).and_then(Value::as_str).filter(|path| !found.contains(path)) {
            found.push(path);
        }
    }
    found
}

/// Whether `name` is what `wanted` asks for: the same but for case, where `*` stands for any letters. `wanted` is folded.
pub fn name_matches(wanted: &str, name: &str) -> bool {
    let name = super::fold(name);
    let Some((first, rest)) = wanted.split_once('*') else { return wanted == name };
    let Some(mut tail) = name.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return tail.ends_with(part);
        }
        match tail.find(part) {
            Some(place) => tail = &tail[place + part.len()..],
            None => return false,
        }
    }
    true
}
