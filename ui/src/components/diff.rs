//! Unified diffs: numbers on both sides, a sign, color, and the changed words lifted.

use leptos::prelude::*;
use orrery_types::{DiffLine, DiffOp};
use similar::{ChangeTag, TextDiff};

use super::code::colored;

/// Unchanged lines kept around a change.
const CONTEXT: usize = 3;
/// Rows shown before the rest is folded.
const FOLD_ROWS: usize = 40;

/// A unified diff of `lines`. `lang` colors it (see [`super::code::lang_of_path`]).
#[component]
pub fn Diff(#[prop(into)] lines: Vec<DiffLine>, #[prop(into, optional)] lang: String) -> impl IntoView {
    let emphasis = emphasis(&lines);
    let hidden = if lines.len() > FOLD_ROWS + 8 { lines.len() - FOLD_ROWS } else { 0 };
    let open = RwSignal::new(hidden == 0);
    let numbered = lines.iter().any(|line| line.old.is_some() || line.new.is_some());
    let rows = move || {
        let end = if open.get() { lines.len() } else { FOLD_ROWS };
        lines[..end].iter().zip(&emphasis).map(|(line, words)| row(line, *words, &lang)).collect_view()
    };
    let button = (hidden > 0).then(|| {
        let label = move || if open.get() { "Show less".to_owned() } else { format!("Show {hidden} more lines") };
        view! {
            <button class="more more--diff" type="button" aria-expanded=move || open.get().to_string() on:click=move |event| {
                event.stop_propagation();
                open.update(|open| *open = !*open);
            }>{label}</button>
        }
    });
    view! {
        <div class="diff diff--box" class:diff--plain=!numbered role="figure" aria-label="Changed lines" tabindex="0">
            <div class="diff__rows">{rows}</div>
            {button}
        </div>
    }
}

fn row(line: &DiffLine, words: Option<(usize, usize)>, lang: &str) -> AnyView {
    let (class, sign, word) = match line.op {
        DiffOp::Same => ("diff__row", " ", ""),
        DiffOp::Added => ("diff__row add", "+", "added"),
        DiffOp::Removed => ("diff__row del", "\u{2212}", "removed"),
        DiffOp::Gap => {
            let text = if line.text.is_empty() { "...".to_owned() } else { format!("@@ {}", line.text) };
            return view! { <div class="diff__row hunk">{text}</div> }.into_any();
        }
    };
    let number = |side: Option<u32>| side.map(|number| number.to_string()).unwrap_or_default();
    let text = match words {
        Some((from, to)) => {
            let (head, rest) = line.text.split_at(from);
            let (middle, tail) = rest.split_at(to - from);
            let marked = view! { <mark>{middle.to_owned()}</mark> }.into_any();
            let mut pieces = colored(lang, head);
            pieces.push(marked);
            pieces.extend(colored(lang, tail));
            pieces
        }
        None => colored(lang, &line.text),
    };
    view! {
        <div class=class>
            <i>{number(line.old)}</i><i>{number(line.new)}</i>
            <b>{(!word.is_empty()).then(|| view! { <span class="sr">{word}</span> })}<span aria-hidden="true">{sign}</span></b>
            <span>{text}</span>
        </div>
    }
    .into_any()
}

/// The difference of two texts as lines, numbered from 1, unchanged stretches cut to three lines around a change.
pub fn diff_lines(old: &str, new: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(old, new);
    let number = |index: Option<usize>| index.and_then(|index| u32::try_from(index + 1).ok());
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            lines.push(DiffLine { op: DiffOp::Gap, old: None, new: None, text: String::new() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let op = match change.tag() {
                ChangeTag::Equal => DiffOp::Same,
                ChangeTag::Insert => DiffOp::Added,
                ChangeTag::Delete => DiffOp::Removed,
            };
            let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
            lines.push(DiffLine { op, old: number(change.old_index()), new: number(change.new_index()), text });
        }
    }
    lines
}

/// Lines added and removed.
pub fn count(lines: &[DiffLine]) -> (usize, usize) {
    let of = |op| lines.iter().filter(|line| line.op == op).count();
    (of(DiffOp::Added), of(DiffOp::Removed))
}

/// Byte range of the changed words of each line: the n-th removed line of a block against the n-th added one. `None`
/// where the lines have too little in common for that to help.
fn emphasis(lines: &[DiffLine]) -> Vec<Option<(usize, usize)>> {
    let mut found = vec![None; lines.len()];
    let mut at = 0;
    while at < lines.len() {
        let removed = lines[at..].iter().take_while(|line| line.op == DiffOp::Removed).count();
        let added = lines[at + removed..].iter().take_while(|line| line.op == DiffOp::Added).count();
        for pair in 0..removed.min(added) {
            let (old, new) = (at + pair, at + removed + pair);
            if let Some((old_words, new_words)) = changed_words(&lines[old].text, &lines[new].text) {
                found[old] = Some(old_words);
                found[new] = Some(new_words);
            }
        }
        at += (removed + added).max(1);
    }
    found
}

type Span = (usize, usize);

/// What lies between the common start and the common end of two lines, widened to whole words.
fn changed_words(old: &str, new: &str) -> Option<(Span, Span)> {
    let start: usize = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let start = word_start(old, start);
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end: usize =
        old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let end = word_end(old_rest, end);
    let (old_to, new_to) = (old.len() - end, new.len() - end);
    let common = old[..start].trim().len() + old[old_to..].trim().len();
    let enough = common * 3 >= old.trim().len().max(new.trim().len());
    (enough && old != new).then_some(((start, old_to), (start, new_to)))
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The start of the word that `at` cuts, or `at`.
fn word_start(text: &str, at: usize) -> usize {
    let cut: usize = text[..at].chars().rev().take_while(|c| is_word(*c)).map(char::len_utf8).sum();
    at - cut
}

/// Length of the end of `text` without the word that it would cut.
fn word_end(text: &str, length: usize) -> usize {
    let cut: usize = text[text.len() - length..].chars().take_while(|c| is_word(*c)).map(char::len_utf8).sum();
    length - cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_become_numbered_lines() {
        let old: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 2\n", "line two\n").replace("line 18\n", "");
        let lines = diff_lines(&old, &new);
        assert_eq!(count(&lines), (1, 2));
        assert_eq!(lines.iter().filter(|line| line.op == DiffOp::Gap).count(), 1);
        let removed: Vec<_> =
            lines.iter().filter(|line| line.op == DiffOp::Removed).map(|line| (line.old, line.new)).collect();
        assert_eq!(removed, [(Some(2), None), (Some(18), None)]);
        assert!(diff_lines("same\n", "same\n").is_empty());
    }

    #[test]
    fn changed_words_are_found() {
        let (old, new) = ("self.file = File::create(&p)?;", "self.file = File::create_new(&p)?;");
        let (a, b) = changed_words(old, new).unwrap_or_default();
        assert_eq!((&old[a.0..a.1], &new[b.0..b.1]), ("create", "create_new"));
        assert_eq!(changed_words("fs::rename(a)", "// nothing alike"), None);
        assert!(changed_words("é x", "é y").is_some());
    }
}
