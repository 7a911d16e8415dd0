//! What an edit changed, read from the tool's input.

use orrery_types::{DiffLine, DiffOp};
use serde_json::Value;

/// One file's change by one tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: String,
    pub edit: Edit,
}

/// A change as its source gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Two texts; line numbers are unknown, so they count from 1. An empty `old` is a new file.
    Texts { old: String, new: String },
    /// Lines as the agent's own patch says.
    Lines(Vec<DiffLine>),
}

/// The changes a tool call asks for: Claude Code's Edit, MultiEdit, Write and NotebookEdit, patches of Codex
/// (`*** Begin Patch`), and `structuredPatch` where a source passes it on. Empty for everything else.
pub fn changes_of(input: &Value) -> Vec<Change> {
    if let Some(patch) = patch_text(input) {
        return apply_patch(patch);
    }
    let path = ["file_path", "filePath", "notebook_path", "path"]
        .iter()
        .find_map(|key| input.get(*key)?.as_str())
        .unwrap_or_default()
        .to_owned();
    if let Some(hunks) = input.get("structuredPatch").and_then(Value::as_array).filter(|hunks| !hunks.is_empty()) {
        return vec![Change { path, edit: Edit::Lines(structured(hunks)) }];
    }
    if let Some(edits) = input.get("edits").and_then(Value::as_array) {
        return edits.iter().filter_map(|edit| texts(&path, edit)).collect();
    }
    texts(&path, input).into_iter().collect()
}

fn texts(path: &str, input: &Value) -> Option<Change> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| input.get(*key)?.as_str()).map(str::to_owned);
    let new = text(&["new_string", "newString", "new_source", "content"])?;
    let old = text(&["old_string", "oldString", "old_source"]).unwrap_or_default();
    (old != new).then(|| Change { path: path.to_owned(), edit: Edit::Texts { old, new } })
}

fn patch_text(input: &Value) -> Option<&str> {
    const HEAD: &str = "*** Begin Patch";
    let holds = |value: &&str| value.contains(HEAD);
    if let Some(text) = input.as_str().filter(holds) {
        return Some(text);
    }
    ["input", "patch", "command", "cmd"].iter().find_map(|key| match input.get(*key)? {
        Value::String(text) => Some(text.as_str()).filter(holds),
        Value::Array(list) => list.iter().filter_map(Value::as_str).find(holds),
        _ => None,
    })
}

/// Hunks as Claude Code reports them: `{oldStart, newStart, lines: [" same", "-old", "+new"]}`.
fn structured(hunks: &[Value]) -> Vec<DiffLine> {
    let mut lines = Vec::new();
    for (at, hunk) in hunks.iter().enumerate() {
        let start = |key: &str| hunk.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
        if at > 0 {
            lines.push(DiffLine { op: DiffOp::Gap, old: None, new: None, text: String::new() });
        }
        let (mut old, mut new) = (start("oldStart"), start("newStart"));
        let texts = hunk.get("lines").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for text in texts.iter().filter_map(Value::as_str) {
            lines.extend(signed_line(text, Some((&mut old, &mut new))));
        }
    }
    lines
}

/// Codex's patch format. It carries no line numbers.
fn apply_patch(patch: &str) -> Vec<Change> {
    let mut changes: Vec<(String, Vec<DiffLine>)> = Vec::new();
    for line in patch.lines().skip_while(|line| !line.contains("*** Begin Patch")).skip(1) {
        if line.starts_with("*** End Patch") {
            break;
        }
        let file = ["*** Update File: ", "*** Add File: ", "*** Delete File: "]
            .iter()
            .find_map(|head| line.strip_prefix(head));
        if let Some(path) = file {
            changes.push((path.trim().to_owned(), Vec::new()));
            continue;
        }
        let Some((_, lines)) = changes.last_mut() else { continue };
        if let Some(place) = line.strip_prefix("@@") {
            lines.push(DiffLine { op: DiffOp::Gap, old: None, new: None, text: place.trim().to_owned() });
        } else if !line.starts_with("***") {
            lines.extend(signed_line(line, None));
        }
    }
    changes.into_iter().map(|(path, lines)| Change { path, edit: Edit::Lines(lines) }).collect()
}

/// A line of a patch with its sign in front. `\ No newline at end of file` is none.
fn signed_line(text: &str, numbers: Option<(&mut u32, &mut u32)>) -> Option<DiffLine> {
    let op = match text.chars().next() {
        Some('+') => DiffOp::Added,
        Some('-') => DiffOp::Removed,
        Some('\\') => return None,
        _ => DiffOp::Same,
    };
    let (mut old_line, mut new_line) = (None, None);
    if let Some((old, new)) = numbers {
        if op != DiffOp::Added {
            old_line = Some(*old);
            *old = old.saturating_add(1);
        }
        if op != DiffOp::Removed {
            new_line = Some(*new);
            *new = new.saturating_add(1);
        }
    }
    // The sign is one ASCII byte; a context line may lack its blank.
    let text = text.strip_prefix(['+', '-', ' ']).unwrap_or(text);
    Some(DiffLine { op, old: old_line, new: new_line, text: text.to_owned() })
}
