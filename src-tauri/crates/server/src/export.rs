//! Sessions as files: streamed a page of events at a time, masked again on the way out.

pub mod html;

mod rows;
mod text;
mod zip;

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use orrery_store::{Store, StoreError};
use orrery_types::{Event, EventQuery, ExportFormat, ExportPreview, MaskedKind, SessionRow};
use orrery_views::export_name;
use tokio::sync::mpsc;

use crate::app::App;
use crate::http::problem::Failure;
use crate::redact::{Counts, Redactor, builtin};

/// Events read at a time.
const PAGE: u32 = 500;
/// Bytes handed to the connection at a time, and how many such pieces may wait for a slow client.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 4;
/// Sessions in one file.
pub const MOST_SESSIONS: usize = 1_000;
/// A preview looks at so many events; beyond it says that it stopped.
const PREVIEW_EVENTS: u64 = 50_000;

/// What is wanted as a file.
#[derive(Debug, Clone)]
pub struct Wish {
    pub format: ExportFormat,
    pub sessions: Vec<String>,
    /// First and last event by number, and by time in ms. Empty: no border.
    pub from_seq: Option<i64>,
    pub to_seq: Option<i64>,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
    /// Mask secrets by every rule, whatever the settings say of storing them.
    pub redact: bool,
}

impl Default for Wish {
    fn default() -> Wish {
        Wish {
            format: ExportFormat::default(),
            sessions: Vec::new(),
            from_seq: None,
            to_seq: None,
            from_ms: None,
            to_ms: None,
            redact: true,
        }
    }
}

/// The file as an answer that is made while it is sent.
///
/// # Errors
/// A session is not there, too many are asked for, or too many exports run: nothing was sent then.
pub async fn response(app: &Arc<App>, wish: Wish) -> Result<Response, Failure> {
    let rows = load(app, &wish.sessions).await?;
    let shown = rows.first().map(|row| masked_row(wish.redact.then(Redactor::default).as_ref(), row));
    let seat = app.exports.clone().try_acquire_owned().map_err(|_| {
        let hint = "Wait until one of them is done";
        Failure::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "too_many_exports", "Too many exports run", hint)
    })?;
    let zipped = rows.len() > 1 && zip::is_for(wish.format);
    let (mime, name) = match (rows.as_slice(), &shown) {
        ([_], Some(row)) => (wish.format.mime(), export_name(row, wish.format.slug())),
        (rows, _) if zipped => ("application/zip", format!("orrery-{}-sessions.zip", rows.len())),
        (rows, _) => (wish.format.mime(), format!("orrery-{}-sessions.{}", rows.len(), wish.format.slug())),
    };
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    let store = app.store.clone();
    let made_ms = app.clock.now_ms();
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces { sender, open: Vec::with_capacity(PIECE) };
        let job = Job { store: store.as_ref(), wish: &wish, redactor: wish.redact.then(Redactor::default), made_ms };
        let done = if zipped { zip::write(&job, &rows, &mut out) } else { job.write(&rows, &mut out) };
        if let Err(error) = done.and_then(|()| out.flush()) {
            // The connection breaks off, so that nobody takes half a file for a whole one.
            tracing::warn!(%error, "an export ended early");
            let _ = out.sender.blocking_send(Err(error));
        }
        drop(seat);
    });
    let body = stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|piece| (piece, receiver)) });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// What an export would hold and mask, counted over its first events.
///
/// # Errors
/// As for [`response`].
pub async fn preview(app: &Arc<App>, wish: Wish) -> Result<ExportPreview, Failure> {
    let rows = load(app, &wish.sessions).await?;
    let preview = app
        .read(move |store| {
            let redactor = Redactor::default();
            let (mut counts, mut events, mut complete) = (Counts::new(), 0u64, true);
            for row in &rows {
                let job = Job { store, wish: &wish, redactor: None, made_ms: 0 };
                let whole = job.pages(&row.id, &mut |page| {
                    events += page.len() as u64;
                    for event in page.iter_mut() {
                        redactor.event(event, &mut counts);
                    }
                    Ok(events < PREVIEW_EVENTS)
                });
                complete &= whole.map_err(|error| StoreError::Failed(error.to_string()))?;
            }
            let name = |id: &str| {
                builtin().list.iter().find(|rule| rule.id == id).map_or(id.to_owned(), |rule| rule.name.clone())
            };
            let mut masked: Vec<MaskedKind> = counts
                .iter()
                .map(|(id, count)| MaskedKind { rule: id.clone(), name: name(id), count: *count })
                .collect();
            masked.sort_by_key(|masked| std::cmp::Reverse(masked.count));
            Ok(ExportPreview { sessions: rows.len() as u64, events, complete, masked })
        })
        .await?;
    Ok(preview)
}

async fn load(app: &Arc<App>, ids: &[String]) -> Result<Vec<SessionRow>, Failure> {
    if ids.is_empty() || ids.len() > MOST_SESSIONS {
        return Err(Failure::bad("bad_sessions", "Name one to 1,000 sessions", "Send ?sessions=ID,ID"));
    }
    let mut seen = HashSet::new();
    let ids: Vec<String> = ids.iter().filter(|id| seen.insert((*id).clone())).cloned().collect();
    let rows = app
        .read(move |store| {
            ids.iter().map(|id| Ok(store.session(id)?.map(|detail| detail.row))).collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    rows.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| Failure::not_found("This session"))
}

/// One export at work.
struct Job<'a> {
    store: &'a dyn Store,
    wish: &'a Wish,
    redactor: Option<Redactor>,
    made_ms: i64,
}

impl Job<'_> {
    fn write(&self, rows: &[SessionRow], out: &mut dyn Write) -> io::Result<()> {
        match self.wish.format {
            ExportFormat::Json => rows::json(self, rows, out),
            ExportFormat::Jsonl => rows::json_lines(self, rows, out),
            ExportFormat::Csv => rows::csv(self, rows, out),
            ExportFormat::Md => text::markdown(self, rows, out),
            ExportFormat::Html => rows.iter().try_for_each(|row| html::write(self, row, out)),
        }
    }

    /// Calls `take` with the wished events of a session, oldest first, until it answers false. True when all were taken.
    fn pages(&self, session: &str, take: &mut dyn FnMut(&mut Vec<Event>) -> io::Result<bool>) -> io::Result<bool> {
        let last = self.wish.to_seq.unwrap_or(i64::MAX);
        let mut after = self.wish.from_seq.map_or(0, |seq| seq.saturating_sub(1));
        loop {
            let query = EventQuery {
                session: Some(session.to_owned()),
                from_ms: self.wish.from_ms,
                to_ms: self.wish.to_ms,
                after: Some(after),
                limit: Some(PAGE),
                ..EventQuery::default()
            };
            let mut page = self.store.events(&query).map_err(io::Error::other)?.items;
            let Some(newest) = page.last() else { return Ok(true) };
            after = newest.seq;
            page.retain(|event| event.seq <= last);
            if !page.is_empty() && !take(&mut page)? {
                return Ok(false);
            }
            if after >= last {
                return Ok(true);
            }
        }
    }

    /// Bytes of JSON or text, masked where wished.
    fn masked(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if let Some(redactor) = &self.redactor {
            redactor.bytes(&mut bytes, &mut Counts::new());
        }
        bytes
    }

    /// A session's row with its texts masked where wished.
    fn row(&self, row: &SessionRow) -> SessionRow {
        masked_row(self.redactor.as_ref(), row)
    }

    fn mask(&self, events: &mut [Event]) {
        if let Some(redactor) = &self.redactor {
            events.iter_mut().for_each(|event| redactor.event(event, &mut Counts::new()));
        }
    }
}

fn masked_row(redactor: Option<&Redactor>, row: &SessionRow) -> SessionRow {
    let mut row = row.clone();
    if let Some(redactor) = redactor {
        redactor.all(&mut row, &mut Counts::new());
    }
    row
}

/// A writer whose bytes go to a connection, a piece at a time. Waits while the client is slow.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    open: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open.extend_from_slice(bytes);
        if self.open.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.open, Vec::with_capacity(PIECE)));
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
