//! `ui/dist`: hashed names, one style sheet, fonts, static files, compressed twins.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::Profile;
use super::wasm::{Bound, WASM_NAME};
use crate::paths;

/// The server and the window serve these files below this path.
const BASE: &str = "/app/";

/// npm package, file in it, name in dist, licence's name in dist.
const FONTS: [(&str, &str, &str); 2] = [
    ("@fontsource-variable/inter", "inter-latin-wght-normal.woff2", "inter"),
    ("@fontsource-variable/jetbrains-mono", "jetbrains-mono-latin-wght-normal.woff2", "jetbrains-mono"),
];

/// Draws the charts; a classic script that a page fetches with its first chart. npm package, file in it.
const PLOT: (&str, &str) = ("uplot", "dist/uPlot.iife.min.js");

/// One written file with the sizes a browser may receive.
pub struct Written {
    pub name: String,
    pub size: usize,
    pub gzip: Option<usize>,
    pub brotli: Option<usize>,
}

/// Writes everything beside the old `ui/dist`, then swaps the two, so that a server never sees half of it.
pub fn write(bound: Bound, profile: Profile) -> anyhow::Result<Vec<Written>> {
    let files = collect(bound)?;
    let ui = paths::root().join("ui");
    let (dist, fresh, old) = (ui.join("dist"), ui.join("dist.new"), ui.join("dist.old"));
    for leftover in [&fresh, &old] {
        let _ = fs::remove_dir_all(leftover);
    }
    let mut written = Vec::new();
    for (name, bytes) in &files {
        written.push(write_one(&fresh, name, bytes, profile)?);
    }
    if dist.exists() {
        fs::rename(&dist, &old).context("the old ui/dist cannot be moved away")?;
    }
    fs::rename(&fresh, &dist).context("the new ui/dist cannot be put in place")?;
    let _ = fs::remove_dir_all(&old);
    Ok(written)
}

/// All files of `dist` by name.
fn collect(bound: Bound) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let ui = paths::root().join("ui");
    let mut files = bound.modules;

    let wasm = hashed("orrery-ui", "wasm", &bound.wasm);
    // Only a fallback: the page names the file itself.
    let js_text = bound.js.replace(WASM_NAME, &wasm).into_bytes();
    let js = hashed("orrery-ui", "js", &js_text);
    let css_text = style_sheet(&ui.join("styles"))?;
    let css = hashed("orrery-ui", "css", &css_text);

    let plot = plot()?;
    let plot_name = plot.as_ref().map(|(name, _)| format!("{BASE}{name}")).unwrap_or_default();
    let names = [
        ("{{css}}", format!("{BASE}{css}")),
        ("{{js}}", format!("{BASE}{js}")),
        ("{{wasm}}", format!("{BASE}{wasm}")),
        ("{{uplot}}", plot_name),
    ];
    let fill = |text: String| names.iter().fold(text, |text, (mark, name)| text.replace(mark, name));
    for (name, bytes) in static_files(&ui.join("static"))? {
        let is_text = [".js", ".webmanifest", ".json", ".html"].iter().any(|ending| name.ends_with(ending));
        let bytes = match String::from_utf8(bytes) {
            Ok(text) if is_text => fill(text).into_bytes(),
            Ok(text) => text.into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        files.insert(name, bytes);
    }
    let page = fs::read_to_string(ui.join("index.html")).context("ui/index.html cannot be read")?;
    files.insert("index.html".into(), fill(page).into_bytes());
    files.extend([(wasm, bound.wasm), (js, js_text), (css, css_text)]);
    for size in ["256x256", "512x512"] {
        let icon = paths::root().join("icons").join(format!("{size}.png"));
        let name = format!("icon-{}.png", size.split('x').next().unwrap_or(size));
        files.insert(name, fs::read(&icon).with_context(|| format!("{} cannot be read", icon.display()))?);
    }
    files.extend(fonts()?);
    if let Some((name, script)) = plot {
        let licence = fs::read(paths::node_modules().join(PLOT.0).join("LICENSE")).context("uplot has no LICENSE")?;
        files.extend([(name, script), ("uplot-LICENSE.txt".to_owned(), licence)]);
    }
    Ok(files)
}

/// Hashed name and bytes of the chart library. Empty where npm did not bring it: charts are tables then.
fn plot() -> anyhow::Result<Option<(String, Vec<u8>)>> {
    let file = paths::node_modules().join(PLOT.0).join(PLOT.1);
    if !file.exists() {
        println!("no uPlot (npm install in scripts/node brings it): the charts show their values as tables");
        return Ok(None);
    }
    let script = fs::read(&file)?;
    Ok(Some((hashed("uplot", "js", &script), script)))
}

fn hashed(stem: &str, ending: &str, bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{stem}-{short}.{ending}")
}

/// The files that `order.txt` names, one per line, in that order. Blank lines and lines with # are skipped.
fn style_sheet(styles: &Path) -> anyhow::Result<Vec<u8>> {
    let order = fs::read_to_string(styles.join("order.txt")).context("ui/styles/order.txt cannot be read")?;
    let mut sheet = Vec::new();
    for name in order.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let part = fs::read(styles.join(name)).with_context(|| format!("ui/styles/{name} cannot be read"))?;
        sheet.extend(part);
        sheet.push(b'\n');
    }
    Ok(sheet)
}

fn static_files(dir: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    if !dir.is_dir() {
        return Ok(files);
    }
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(dir).expect("walked from dir").to_string_lossy().replace('\\', "/");
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

fn fonts() -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for (package, file, short) in FONTS {
        let dir = paths::node_modules().join(package);
        let Ok(font) = fs::read(dir.join("files").join(file)) else {
            println!("no font {file} (npm install in scripts/node brings it): the page uses the system's");
            continue;
        };
        files.insert(format!("fonts/{file}"), font);
        let licence = fs::read(dir.join("LICENSE")).with_context(|| format!("{package} has no LICENSE"))?;
        files.insert(format!("fonts/{short}-LICENSE.txt"), licence);
    }
    Ok(files)
}

fn write_one(dist: &Path, name: &str, bytes: &[u8], profile: Profile) -> anyhow::Result<Written> {
    let path = dist.join(name);
    fs::create_dir_all(path.parent().expect("a file below dist has a parent"))?;
    fs::write(&path, bytes)?;
    let mut written = Written { name: name.to_owned(), size: bytes.len(), gzip: None, brotli: None };
    let is_packed = [".woff2", ".png", ".ico", ".jpg", ".webp"].iter().any(|ending| name.ends_with(ending));
    if is_packed || bytes.len() < 512 {
        return Ok(written);
    }
    let quality = if profile == Profile::Release { 9 } else { 4 };
    let (gzip, brotli) = (gzip(bytes, quality)?, brotli(bytes, quality)?);
    written.gzip = Some(gzip.len());
    written.brotli = Some(brotli.len());
    fs::write(dist.join(format!("{name}.gz")), gzip)?;
    fs::write(dist.join(format!("{name}.br")), brotli)?;
    Ok(written)
}

fn gzip(bytes: &[u8], quality: u32) -> anyhow::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(quality));
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// `quality` 9 stands for brotli's best, 11.
fn brotli(bytes: &[u8], quality: u32) -> anyhow::Result<Vec<u8>> {
    let quality = if quality == 9 { 11 } else { quality as i32 };
    let params = brotli::enc::BrotliEncoderParams { quality, lgwin: 22, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &params)?;
    Ok(packed)
}

/// Prints what a first visit costs.
pub fn report(files: &[Written]) {
    println!("{:<44} {:>9} {:>9} {:>9}", "file", "bytes", "gzip", "brotli");
    let or_dash = |size: Option<usize>| size.map_or("-".to_owned(), |size| size.to_string());
    let mut first_visit = 0;
    for file in files {
        println!("{:<44} {:>9} {:>9} {:>9}", file.name, file.size, or_dash(file.gzip), or_dash(file.brotli));
        if [".js", ".wasm", ".css"].iter().any(|ending| file.name.ends_with(ending)) {
            first_visit += file.brotli.unwrap_or(file.size);
        }
    }
    println!("js + wasm + css, brotli: {first_visit} bytes");
}
