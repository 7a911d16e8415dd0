//! One self-contained page with its own replay: no request leaves it, and nothing in it runs but its own script.

use std::io::{self, Write};
use std::sync::LazyLock;

use orrery_store::TotalsQuery;
use orrery_types::{Body, Event, SessionRow};
use orrery_views::format;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Job;
use crate::clock;

const STYLE: &str = include_str!("html/replay.css");
const SCRIPT: &str = include_str!("html/replay.js");
const PAGE: &str = include_str!("html/replay.html");
/// Letters of one text in the page; the JSON export has all of it.
const LETTERS: usize = 20_000;
const USAGE_ROWS: u32 = 1_000;

/// What the page allows itself: its own script and style, known by their hashes, and nothing else.
pub fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
            base64(&Sha256::digest(SCRIPT.as_bytes())),
            base64(&Sha256::digest(STYLE.as_bytes()))
        )
    });
    &POLICY
}

/// Writes the page of one session.
pub(super) fn write(job: &Job<'_>, row: &SessionRow, out: &mut dyn Write) -> io::Result<()> {
    let row = job.row(row);
    let title = if row.title.is_empty() { &row.id } else { &row.title };
    write!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")?;
    writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">", policy())?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(
        out,
        "<meta name=\"robots\" content=\"noindex, nofollow\">\n<meta name=\"referrer\" content=\"no-referrer\">"
    )?;
    write!(out, "<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{PAGE}", escaped(title))?;
    let head = json!({"title": title, "facts": facts(&row, job), "session": row.id, "agent": row.agent,
        "started_ms": row.started_ms, "made_ms": job.made_ms, "masked": job.redactor.is_some()});
    part(out, "id=\"head\"", &head)?;
    job.pages(&row.id, &mut |events| {
        job.mask(events);
        let list: Vec<Value> = events.iter().map(compact).collect();
        part(out, "data-part=\"events\"", &Value::Array(list))?;
        Ok(true)
    })?;
    usage(job, &row, out)?;
    write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

/// `[at_ms, cost in micro-dollars, tokens]` of each request.
fn usage(job: &Job<'_>, row: &SessionRow, out: &mut dyn Write) -> io::Result<()> {
    let query = TotalsQuery {
        session: Some(row.id.clone()),
        from_ms: job.wish.from_ms,
        to_ms: job.wish.to_ms,
        ..TotalsQuery::default()
    };
    let mut after = None;
    loop {
        let page = job.store.usage_page(&query, after.as_deref(), USAGE_ROWS).map_err(io::Error::other)?;
        let requests = page.items.iter().map(|usage| {
            let request = &usage.request;
            json!([request.at_ms, usage.cost_usd_micros.unwrap_or_default(), request.tokens.total()])
        });
        part(out, "data-part=\"usage\"", &Value::Array(requests.collect()))?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// A block of data. Browsers read it as text: it is no script, and no `<` in it ends it.
fn part(out: &mut dyn Write, name: &str, value: &Value) -> io::Result<()> {
    let text = serde_json::to_string(value)?.replace('<', "\\u003c");
    writeln!(out, "<script type=\"application/json\" {name}>{text}</script>")
}

fn facts(row: &SessionRow, job: &Job<'_>) -> Vec<String> {
    let mut facts = vec![row.agent.clone()];
    facts.extend(
        [Some(&row.project), row.branch.as_ref(), row.model.as_ref()]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .cloned(),
    );
    facts.push(clock::rfc3339(row.started_ms).replace('T', " ").chars().take(16).collect::<String>() + " UTC");
    facts.push(format!("{} tokens", format::tokens(row.tokens.total())));
    facts.push(format::money(row.cost_usd_micros));
    facts.push(if job.redactor.is_some() { "secrets masked" } else { "secrets not masked" }.to_owned());
    facts
}

/// An event in short words: see `replay.js`, which reads them.
fn compact(event: &Event) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value.as_str().is_some_and(str::is_empty);
        if !empty {
            fields.insert(name.to_owned(), value);
        }
    };
    put("s", json!(event.seq));
    put("t", json!(event.at_ms));
    put("k", json!(event.body.kind()));
    put("n", json!(event.name));
    if let Some(subagent) = &event.subagent {
        put("a", json!(if subagent.kind.is_empty() { &subagent.id } else { &subagent.kind }));
    }
    match &event.body {
        Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => put("b", short(text)),
        Body::ToolStart { tool, target, input, class, .. } | Body::Permission { tool, target, input, class } => {
            put("h", json!(tool));
            put("g", json!(target));
            put("c", json!(class));
            put("i", pretty(input));
        }
        Body::ToolEnd { tool, target, ok, error, duration_ms, output, lines_added, lines_removed, class, .. } => {
            put("h", json!(tool));
            put("g", json!(target));
            put("c", json!(class));
            put("o", json!(ok));
            put("e", json!(error));
            put("d", json!(duration_ms));
            put("b", short(output));
            if lines_added.is_some() || lines_removed.is_some() {
                put("l", json!(format!("+{} -{}", lines_added.unwrap_or_default(), lines_removed.unwrap_or_default())));
            }
        }
        Body::PermissionDenied { tool, target, reason, .. } => {
            put("h", json!(tool));
            put("g", json!(target));
            put("e", json!(reason));
        }
        Body::Question { question, answer } => {
            put("b", short(&question.text));
            put("i", answer.as_ref().map_or(Value::Null, |answer| pretty(&answer.value)));
        }
        Body::Failure { error, details } => {
            put("e", json!(error));
            put("b", short(details));
        }
        Body::Other { summary } => {
            put("h", json!(event.name));
            put("b", short(summary));
        }
        Body::Notification { message, .. } | Body::SubagentStop { message } | Body::Stop { message } => {
            put("b", short(message));
        }
        Body::SessionStart { reason, .. } | Body::SessionEnd { reason } => put("b", json!(reason)),
        Body::Compact { trigger, .. } => put("b", json!(trigger)),
        Body::SubagentStart | Body::Interrupt | Body::Rewind { .. } => {}
    }
    Value::Object(fields)
}

fn short(text: &str) -> Value {
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => json!(format!("{}\n... {} more bytes", &text[..end], text.len() - end)),
        None => json!(text),
    }
}

fn pretty(input: &Value) -> Value {
    match input {
        Value::Null => Value::Null,
        Value::Object(map) if map.is_empty() => Value::Null,
        other => short(&serde_json::to_string_pretty(other).unwrap_or_default()),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
