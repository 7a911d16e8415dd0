//! Sizes of what is shipped.

use std::path::Path;

use orrery_bench::figure::Figure;
use orrery_bench::place::Place;

pub fn measure(place: &Place) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let pages: f64 = ["wasm", "js", "css"].iter().map(|kind| compressed(&place.dist(), kind)).sum::<u64>() as f64;
    if pages > 0.0 {
        figures.push(Figure::less("size: wasm + js + css, brotli", pages / 1e3, "kB", 1_200.0, 600.0));
    }
    if let Some(path) = place.built("release", "orrery-desktop") {
        figures.push(Figure::less("size: desktop binary", path.metadata()?.len() as f64 / 1e6, "MB", 25.0, 12.0));
    }
    if let Some(path) = place.built("release", "orrery") {
        figures.push(Figure::plain("size: orrery", path.metadata()?.len() as f64 / 1e6, "MB"));
    }
    Ok(figures)
}

/// Sum of the pre-compressed files of one kind in a folder, and in the folders below.
fn compressed(folder: &Path, kind: &str) -> u64 {
    let ending = format!(".{kind}.br");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => compressed(&entry.path(), kind),
            Ok(meta) if entry.file_name().to_string_lossy().ends_with(&ending) => meta.len(),
            _ => 0,
        })
        .sum()
}
