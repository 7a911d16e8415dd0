//! `GET /sessions/{id}/export`: one session as a file.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use orrery_types::{Body, Event, SessionRow};
use serde::Deserialize;
use serde_json::json;

use super::events::oldest;
use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Params;
use crate::{clock, family};

/// A session with more events is cut here, and the file says so.
const MOST: u32 = 100_000;

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Json,
    Jsonl,
    Csv,
    Md,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ExportParams {
    format: Format,
}

pub async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Params(params): Params<ExportParams>,
) -> Result<Response, Failure> {
    let format = params.format;
    let file = app
        .read(move |store| {
            let Some(detail) = store.session(&id)? else { return Ok(None) };
            let events = oldest(store, &id, 0, MOST)?;
            Ok(Some(match format {
                Format::Json => {
                    let events = family::events_json(store, &events)?;
                    json!({"session": detail.row, "events": events}).to_string()
                }
                Format::Jsonl => {
                    family::events_json(store, &events)?.iter().map(|event| format!("{event}\n")).collect()
                }
                Format::Csv => {
                    events.iter().fold(family::CSV_HEAD.to_owned(), |file, event| file + &family::csv_row(event))
                }
                Format::Md => markdown(&detail.row, &events),
            }))
        })
        .await?;
    let file = file.ok_or_else(|| Failure::not_found("This session"))?;
    let (mime, ending) = match format {
        Format::Json => ("application/json", "json"),
        Format::Jsonl => ("application/x-ndjson", "jsonl"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Md => ("text/markdown; charset=utf-8", "md"),
    };
    let name = format!("attachment; filename=\"session.{ending}\"");
    let mut response = file.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn markdown(row: &SessionRow, events: &[Event]) -> String {
    let mut file = format!("# {}\n\n", if row.title.is_empty() { &row.id } else { &row.title });
    let money = row.cost_usd_micros as f64 / 1e6;
    let _ = writeln!(file, "- Project: {}\n- Agent: {}\n- Session: {}", row.project, row.agent, row.id);
    let _ = writeln!(
        file,
        "- Started: {}\n- Tokens: {}\n- API value: ${money:.2}\n",
        clock::rfc3339(row.started_ms),
        row.tokens.total()
    );
    for event in events {
        let time = clock::rfc3339(event.at_ms);
        let _ = match &event.body {
            Body::Prompt { text } => writeln!(file, "## {time} Prompt\n\n{}", quoted(text)),
            Body::Message { text, .. } => writeln!(file, "{}", quoted(text)),
            body => writeln!(file, "- {time} `{}` {}", event.name, one_line(&family::headline(body))),
        };
    }
    file
}

/// A quote whose text cannot start any markup of its own.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {}\n", escaped(line))).collect()
}

fn one_line(text: &str) -> String {
    escaped(text.lines().next().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("](", "]\\(").replace('`', "\\`")
}
