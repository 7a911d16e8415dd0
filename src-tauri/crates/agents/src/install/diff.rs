//! Two texts as the lines of a unified diff.

use orrery_types::{DiffLine, DiffOp};
use similar::{ChangeTag, TextDiff};

const CONTEXT_LINES: usize = 3;

/// The changed lines with three lines around them, hunks separated by a `Gap`.
pub fn lines(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let number = |index: Option<usize>| index.map(|index| u32::try_from(index + 1).unwrap_or(u32::MAX));
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT_LINES) {
        if !lines.is_empty() {
            lines.push(DiffLine { op: DiffOp::Gap, old: None, new: None, text: String::new() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            lines.push(DiffLine {
                op: match change.tag() {
                    ChangeTag::Equal => DiffOp::Same,
                    ChangeTag::Insert => DiffOp::Added,
                    ChangeTag::Delete => DiffOp::Removed,
                },
                old: number(change.old_index()),
                new: number(change.new_index()),
                text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
            });
        }
    }
    lines
}
