//! Events to the narrow rows of a track.

use orrery_types::track::{DONE, FAILED};
use orrery_types::{Body, Event, Mark, ToolClass, TrackRow};

/// Labels on a track are cut to so many characters.
const LABEL_CHARS: usize = 96;

/// What a track keeps of a stored event.
pub fn row_of(event: &Event) -> TrackRow {
    let mut row =
        TrackRow { seq: event.seq, at_ms: event.at_ms, subagent: event.subagent.clone(), ..TrackRow::default() };
    match &event.body {
        Body::SessionStart { .. } => row.mark = Mark::SessionStart,
        Body::SessionEnd { .. } => row.mark = Mark::SessionEnd,
        Body::Prompt { text } => {
            row.mark = Mark::Prompt;
            row.target = label(text);
        }
        Body::Message { .. } => row.mark = Mark::Message,
        Body::Thinking { .. } => row.mark = Mark::Thinking,
        Body::ToolStart { call_id, tool, class, target, .. } => {
            call(&mut row, Mark::ToolStart, call_id, tool, *class);
            row.target = label(target);
        }
        Body::ToolEnd { call_id, tool, class, target, ok, duration_ms, lines_added, lines_removed, input, .. } => {
            call(&mut row, Mark::ToolEnd, call_id, tool, *class);
            row.flags = if *ok { 0 } else { FAILED };
            row.took_ms = duration_ms.map(|ms| ms.max(0));
            row.added = lines_added.unwrap_or(0);
            row.removed = lines_removed.unwrap_or(0);
            // Sources that report only the end bring the input with it; of edits the file is needed at the end.
            if call_id.is_empty() || !input.is_null() || *class == ToolClass::Edit {
                row.target = label(target);
            }
        }
        Body::Permission { tool, class, target, .. } => {
            call(&mut row, Mark::Permission, "", tool, *class);
            row.target = label(target);
        }
        Body::PermissionDenied { call_id, tool, target, .. } => {
            call(&mut row, Mark::PermissionDenied, call_id, tool, ToolClass::Other);
            row.target = label(target);
        }
        Body::Question { question, answer } => {
            row.mark = Mark::Question;
            row.class = ToolClass::Ask;
            row.flags = if answer.is_some() { DONE } else { 0 };
            row.target = label(&question.text);
        }
        Body::Notification { message, .. } => {
            row.mark = Mark::Notification;
            row.target = label(message);
        }
        Body::Rewind { text, .. } => row.target = label(text),
        Body::SubagentStart => row.mark = Mark::SubagentStart,
        Body::SubagentStop { .. } => row.mark = Mark::SubagentStop,
        Body::Stop { .. } => row.mark = Mark::Stop,
        Body::Failure { error, .. } => {
            row.mark = Mark::Failure;
            row.flags = FAILED;
            row.target = label(error);
        }
        Body::Interrupt => row.mark = Mark::Interrupt,
        Body::Compact { done, .. } => {
            row.mark = Mark::Compact;
            row.flags = if *done { DONE } else { 0 };
        }
        Body::Other { .. } => row.mark = Mark::Other,
    }
    row
}

fn call(row: &mut TrackRow, mark: Mark, call_id: &str, tool: &str, class: ToolClass) {
    row.mark = mark;
    row.call = call_hash(call_id);
    row.class = class;
    row.tool = label(tool);
}

/// FNV-1a of a call's id; 0 stands for none. Two calls of one session that share a hash would have to be open at once
/// to be mistaken for each other.
fn call_hash(call_id: &str) -> u32 {
    if call_id.is_empty() {
        return 0;
    }
    let hash = call_id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.max(1)
}

/// The first line that says something, cut to a label. Of a path the end says more than the beginning.
fn label(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    // Twice the bytes of what is kept are enough to look at, however long the line is.
    let line = &line[..line.floor_char_boundary(LABEL_CHARS * 8)];
    let chars = line.chars().count();
    if chars <= LABEL_CHARS {
        return line.to_owned();
    }
    if line.contains('/') && !line.contains(' ') {
        let end: String = line.chars().skip(chars - (LABEL_CHARS - 3)).collect();
        return format!("...{end}");
    }
    let start: String = line.chars().take(LABEL_CHARS - 3).collect();
    format!("{start}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_short_line() {
        assert_eq!(label("\n  cargo test\nmore"), "cargo test");
        let path = format!("/home/{}/deep/file.rs", "x".repeat(300));
        assert!(label(&path).ends_with("/deep/file.rs") && label(&path).chars().count() == LABEL_CHARS);
        let words = "wort \u{1f980} ".repeat(100);
        assert_eq!(label(&words).chars().count(), LABEL_CHARS);
        assert_eq!(label(&"\u{1f980}".repeat(5_000_000)).chars().count(), LABEL_CHARS);
    }

    #[test]
    fn calls_without_an_id_have_no_hash() {
        assert_eq!(call_hash(""), 0);
        assert_ne!(call_hash("toolu_a"), call_hash("toolu_b"));
    }
}
