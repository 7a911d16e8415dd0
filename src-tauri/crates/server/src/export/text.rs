//! Markdown: prompts and answers in full, calls in a line each.

use std::io::{self, Write};

use orrery_types::{Body, Event, SessionRow};

use super::Job;
use crate::{clock, family};

pub fn markdown(job: &Job<'_>, rows: &[SessionRow], out: &mut dyn Write) -> io::Result<()> {
    for row in rows {
        head(&job.row(row), out)?;
        job.pages(&row.id, &mut |events| {
            job.mask(events);
            events.iter().try_for_each(|event| line(event, out))?;
            Ok(true)
        })?;
    }
    Ok(())
}

fn head(row: &SessionRow, out: &mut dyn Write) -> io::Result<()> {
    let title = if row.title.is_empty() { &row.id } else { &row.title };
    let money = row.cost_usd_micros as f64 / 1e6;
    writeln!(out, "# {}\n", one_line(title))?;
    writeln!(
        out,
        "- Project: {}\n- Agent: {}\n- Session: {}",
        one_line(&row.project),
        one_line(&row.agent),
        one_line(&row.id)
    )?;
    let started = clock::rfc3339(row.started_ms);
    writeln!(out, "- Started: {started}\n- Tokens: {}\n- API value: ${money:.2}\n", row.tokens.total())
}

fn line(event: &Event, out: &mut dyn Write) -> io::Result<()> {
    let time = clock::rfc3339(event.at_ms);
    match &event.body {
        Body::Prompt { text } => writeln!(out, "## {time} Prompt\n\n{}", quoted(text)),
        Body::Message { text, .. } => writeln!(out, "{}", quoted(text)),
        body => writeln!(out, "- {time} {} {}", one_line(&event.name), one_line(&family::headline(body))),
    }
}

/// A quote whose text cannot start any markup of its own.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {}\n", escaped(line))).collect()
}

fn one_line(text: &str) -> String {
    escaped(text.lines().next().unwrap_or_default())
}

/// Without HTML, links, images, code or headings of its own.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '[' | ']' | '`' | '!' | '#' | '|' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() && letter != '\t' => {}
            letter => out.push(letter),
        }
    }
    out
}
