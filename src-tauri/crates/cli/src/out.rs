//! Where the command prints: data to stdout, words to stderr.
#![allow(clippy::print_stderr, reason = "the command speaks to a person here")]

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// One line of data on stdout.
///
/// # Errors
/// Stdout is closed or full.
pub fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Data on stdout as it is.
///
/// # Errors
/// Stdout is closed or full.
pub fn bytes(data: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(data)?;
    stdout.flush()
}

/// A value as indented JSON on stdout.
///
/// # Errors
/// Stdout is closed or full, or the value has no JSON form.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string_pretty(value)?)?)
}

/// Words for the person.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Replaces the line on the terminal; nothing when stderr is none.
pub fn progress(text: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[2K{text}");
        let _ = io::stderr().flush();
    }
}

/// Clears the progress line.
pub fn progress_end() {
    progress("");
}

/// Whether words on stderr may be colored.
pub fn colors() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Asks a yes-or-no question on the terminal. No without one.
pub fn confirm(question: &str) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    let _ = write!(io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let _ = io::stdin().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes")
}

/// A table with right-aligned columns after the first `left` ones.
pub fn table(head: &[&str], rows: &[Vec<String>], left: usize) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let render = |cells: &mut dyn Iterator<Item = &str>| {
        let parts: Vec<String> = cells
            .zip(&widths)
            .enumerate()
            .map(
                |(column, (cell, width))| {
                    if column < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        parts.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![render(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| render(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// Text from an agent as it may stand on a terminal: one line, no control characters.
pub fn plain(text: &str, max_chars: usize) -> String {
    let mut shown: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') { ' ' } else { c })
        .take(max_chars)
        .collect();
    if text.chars().nth(max_chars).is_some() {
        shown.push_str("...");
    }
    shown
}

/// Whether `error` says that the reader of stdout went away.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let rows = vec![vec!["2026-11-22".into(), "7".into()], vec!["total".into(), "1234".into()]];
        assert_eq!(table(&["date", "tokens"], &rows, 1), "date        tokens\n2026-11-22       7\ntotal         1234");
    }

    #[test]
    fn agent_text_cannot_drive_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\nc\u{202e}d", 99), "a [2Jb c d");
        assert_eq!(plain("abcdef", 3), "abc...");
    }
}
