//! `cargo xtask icons`: every size of the application and tray icons from `icons/icon.svg` and `icons/tray.svg`.
//!
//! The results are committed, so that a build needs no renderer.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::paths;

/// Names as the Tauri configuration and the Linux icon theme want them, in pixels.
const APP: [(&str, u32); 9] = [
    ("16x16.png", 16),
    ("24x24.png", 24),
    ("32x32.png", 32),
    ("48x48.png", 48),
    ("64x64.png", 64),
    ("128x128.png", 128),
    ("128x128@2x.png", 256),
    ("256x256.png", 256),
    ("512x512.png", 512),
];

const ICO_SIZES: [u32; 6] = [16, 24, 32, 48, 64, 256];

/// Types of PNG entries in an Apple icon file: <https://en.wikipedia.org/wiki/Apple_Icon_Image_format>.
const ICNS_ENTRIES: [(&[u8; 4], u32); 8] = [
    (b"icp4", 16),
    (b"icp5", 32),
    (b"ic07", 128),
    (b"ic08", 256),
    (b"ic09", 512),
    (b"ic11", 32),
    (b"ic13", 256),
    (b"ic14", 512),
];

/// A gray that shows on dark panels and on light ones.
const TRAY_GLYPH: &str = "#8b96a1";

/// What the tray's picture says: file stem, and what stands where the body (`#body` of `tray.svg`) stands when all is calm.
const TRAY: [(&str, &str); 5] = [
    ("tray", r#"<circle cx="12.3" cy="3.7" r="2.1" fill="currentColor"/>"#),
    ("tray-attention", r##"<circle cx="12.3" cy="3.7" r="2.6" fill="#e6b04a"/>"##),
    ("tray-over", r##"<circle cx="12.3" cy="3.7" r="2.6" fill="#ef6a6a"/>"##),
    ("tray-paused", r#"<path d="M11.2 1.6v4.2M13.6 1.6v4.2" stroke="currentColor" stroke-width="1.5"/>"#),
    (
        "tray-offline",
        r#"<path d="M10.6 2l3.4 3.4M14 2l-3.4 3.4" stroke="currentColor" stroke-width="1.4" stroke-linecap="round"/>"#,
    ),
];

pub fn render() -> anyhow::Result<()> {
    let icons = paths::root().join("icons");
    let app = fs::read_to_string(icons.join("icon.svg"))?;
    for (name, size) in APP {
        fs::write(icons.join(name), png(&app, size)?)?;
    }
    fs::write(icons.join("icon.png"), png(&app, 512)?)?;
    fs::write(icons.join("icon.ico"), ico(&app)?)?;
    fs::write(icons.join("icon.icns"), icns(&app)?)?;
    render_tray(&icons)?;
    println!("icons rendered");
    Ok(())
}

fn render_tray(icons: &Path) -> anyhow::Result<()> {
    let source = fs::read_to_string(icons.join("tray.svg"))?;
    let (before, rest) =
        source.split_once("<circle id=\"body\"").context("icons/tray.svg has no circle with id=\"body\"")?;
    let (_, after) = rest.split_once("/>").context("the body in icons/tray.svg is not closed")?;
    for (stem, body) in TRAY {
        let svg = format!("{before}{body}{after}").replace("currentColor", TRAY_GLYPH);
        fs::write(icons.join(format!("{stem}.png")), png(&svg, 64)?)?;
    }
    Ok(())
}

/// `size` pixels square, RGBA with eight bits (what Tauri's icon reader takes).
fn png(svg: &str, size: u32) -> anyhow::Result<Vec<u8>> {
    let scratch = paths::target().join("icons");
    fs::create_dir_all(&scratch)?;
    let (input, rendered) = (scratch.join("in.svg"), scratch.join("out.png"));
    fs::write(&input, svg)?;
    let size = size.to_string();
    paths::run(
        Command::new("rsvg-convert").args(["--width", &size, "--height", &size, "--output"]).arg(&rendered).arg(&input),
    )
    .context("rsvg-convert renders the icons (Debian: librsvg2-bin)")?;
    Ok(fs::read(&rendered)?)
}

/// An icon file of Windows with PNG entries.
fn ico(svg: &str) -> anyhow::Result<Vec<u8>> {
    let images = ICO_SIZES.iter().map(|&size| Ok((size, png(svg, size)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let mut file = vec![0, 0, 1, 0];
    file.extend((images.len() as u16).to_le_bytes());
    let mut offset = 6 + 16 * images.len();
    for (size, image) in &images {
        // 0 stands for 256.
        let side = u8::try_from(*size).unwrap_or(0);
        file.extend([side, side, 0, 0, 1, 0, 32, 0]);
        file.extend((image.len() as u32).to_le_bytes());
        file.extend((offset as u32).to_le_bytes());
        offset += image.len();
    }
    for (_, image) in images {
        file.extend(image);
    }
    Ok(file)
}

/// An icon file of macOS: a header and PNG entries, lengths big-endian and with their own header counted.
fn icns(svg: &str) -> anyhow::Result<Vec<u8>> {
    let mut entries = Vec::new();
    for (kind, size) in ICNS_ENTRIES {
        let image = png(svg, size)?;
        entries.extend(kind);
        entries.extend((image.len() as u32 + 8).to_be_bytes());
        entries.extend(image);
    }
    let mut file = b"icns".to_vec();
    file.extend((entries.len() as u32 + 8).to_be_bytes());
    file.extend(entries);
    Ok(file)
}
