//! Several sessions as pages or texts: one archive with a file for each.

use std::collections::HashSet;
use std::io::{self, Write};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use orrery_types::{ExportFormat, SessionRow};
use orrery_views::export_name;

use super::Job;

/// Whether several sessions cannot stand in one file of this format.
pub fn is_for(format: ExportFormat) -> bool {
    matches!(format, ExportFormat::Html | ExportFormat::Md)
}

/// Writes the archive as it goes: nothing of it is kept in memory.
pub fn write(job: &Job<'_>, rows: &[SessionRow], out: &mut dyn Write) -> io::Result<()> {
    let mut archive = ZipWriter::new_stream(out);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(true);
    let mut taken = HashSet::new();
    for row in rows {
        archive.start_file(free_name(&job.row(row), job.wish.format.slug(), &mut taken), options)?;
        job.write(std::slice::from_ref(row), &mut archive)?;
    }
    archive.finish()?;
    Ok(())
}

/// The session's file name, with a number where another has it, as file systems without upper case compare.
fn free_name(row: &SessionRow, ending: &str, taken: &mut HashSet<String>) -> String {
    let name = export_name(row, ending);
    let stem = name.strip_suffix(&format!(".{ending}")).unwrap_or(&name).to_owned();
    let mut free = name.clone();
    let mut number = 2;
    while !taken.insert(free.to_ascii_lowercase()) {
        free = format!("{stem}-{number}.{ending}");
        number += 1;
    }
    free
}
