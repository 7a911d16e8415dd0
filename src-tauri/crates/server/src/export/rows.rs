//! JSON, JSON lines and CSV: a row an event.

use std::io::{self, Write};

use orrery_types::SessionRow;

use super::Job;
use crate::family;

/// One object with the session's row and its events; several sessions are a list of such objects.
pub fn json(job: &Job<'_>, rows: &[SessionRow], out: &mut dyn Write) -> io::Result<()> {
    let several = rows.len() != 1;
    if several {
        out.write_all(b"{\"sessions\":[")?;
    }
    for (at, row) in rows.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        write!(out, "{comma}{{\"session\":")?;
        out.write_all(&job.masked(serde_json::to_vec(row)?))?;
        out.write_all(b",\"events\":[")?;
        let mut first = true;
        objects(job, row, &mut |object| {
            if !std::mem::take(&mut first) {
                out.write_all(b",")?;
            }
            out.write_all(&object)
        })?;
        out.write_all(b"]}")?;
    }
    out.write_all(if several { b"]}\n" } else { b"\n" })
}

/// One event a line; several sessions follow each other.
pub fn json_lines(job: &Job<'_>, rows: &[SessionRow], out: &mut dyn Write) -> io::Result<()> {
    rows.iter().try_for_each(|row| {
        objects(job, row, &mut |object| {
            out.write_all(&object)?;
            out.write_all(b"\n")
        })
    })
}

/// One event a row, without anything a spreadsheet would run.
pub fn csv(job: &Job<'_>, rows: &[SessionRow], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(family::CSV_HEAD.as_bytes())?;
    for row in rows {
        job.pages(&row.id, &mut |events| {
            job.mask(events);
            events.iter().try_for_each(|event| out.write_all(family::csv_row(event).as_bytes()))?;
            Ok(true)
        })?;
    }
    Ok(())
}

/// Each event as the family's dashboards read it, payload included.
fn objects(job: &Job<'_>, row: &SessionRow, take: &mut dyn FnMut(Vec<u8>) -> io::Result<()>) -> io::Result<()> {
    job.pages(&row.id, &mut |events| {
        for value in family::events_json(job.store, events).map_err(io::Error::other)? {
            take(job.masked(serde_json::to_vec(&value)?))?;
        }
        Ok(true)
    })
    .map(|_| ())
}
