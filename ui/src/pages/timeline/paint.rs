//! Slices to pixels: each column of a lane is written once, whatever lies in it, so that a million spans cost what one does.

use orrery_types::{Slice, SliceKind};

use super::model::View;

/// Colors of one theme, ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette {
    pub surface: [u8; 3],
    pub selected: [u8; 3],
    pub hairline: [u8; 3],
    /// By [`SliceKind::code`].
    pub kinds: [[u8; 3]; 9],
    pub wait_soft: [u8; 3],
    pub failed: [u8; 3],
}

/// A lane as it lies in the picture, in the screen's pixels.
#[derive(Debug, Clone, Copy)]
pub struct LaneBox<'a> {
    pub top: usize,
    pub height: usize,
    pub slices: &'a [Slice],
    pub is_selected: bool,
    /// A line above it: the first lane of a session.
    pub is_first: bool,
    /// The hue of all calls when colors tell agents apart.
    pub hue: Option<[u8; 3]>,
    /// Until when open slices reach, ms.
    pub now_ms: i64,
}

/// A picture in the making: rows of red, green, blue, alpha.
pub struct Pixels {
    pub width: usize,
    pub height: usize,
    pub bytes: Vec<u8>,
}

impl Pixels {
    pub fn new(width: usize, height: usize) -> Pixels {
        Pixels { width, height, bytes: vec![255; width * height * 4] }
    }

    /// The same size again, or another one; what was painted is painted over.
    pub fn resize(&mut self, width: usize, height: usize) {
        if (self.width, self.height) != (width, height) {
            *self = Pixels::new(width, height);
        }
    }

    pub fn fill(&mut self, color: [u8; 3]) {
        self.rect(0, 0, self.width, self.height, color);
    }

    /// From (`x0`, `y0`) to before (`x1`, `y1`), cut at the edges.
    pub fn rect(&mut self, x0: usize, y0: usize, x1: usize, y1: usize, color: [u8; 3]) {
        let (x1, y1) = (x1.min(self.width), y1.min(self.height));
        if x0 >= x1 {
            return;
        }
        for y in y0..y1 {
            let row = &mut self.bytes[(y * self.width + x0) * 4..(y * self.width + x1) * 4];
            for pixel in row.chunks_exact_mut(4) {
                pixel[..3].copy_from_slice(&color);
            }
        }
    }

    /// Slanted lines on what is there.
    fn hatch(&mut self, x0: usize, y0: usize, x1: usize, y1: usize, step: usize, color: [u8; 3]) {
        let (x1, y1) = (x1.min(self.width), y1.min(self.height));
        for y in y0..y1 {
            for x in x0..x1 {
                if (x + y) % step < step / 3 + 1 {
                    let at = (y * self.width + x) * 4;
                    self.bytes[at..at + 3].copy_from_slice(&color);
                }
            }
        }
    }
}

/// `share` of `over` on `under`.
pub fn mix(under: [u8; 3], over: [u8; 3], share: f64) -> [u8; 3] {
    [0, 1, 2].map(|n| (f64::from(under[n]) * (1.0 - share) + f64::from(over[n]) * share).round() as u8)
}

/// Paints one lane. `dpr`: the screen's pixels in one of CSS.
pub fn lane(pixels: &mut Pixels, view: View, dpr: f64, lane: LaneBox<'_>, palette: &Palette) {
    let width = pixels.width;
    let ground = if lane.is_selected { palette.selected } else { palette.surface };
    if lane.is_selected {
        pixels.rect(0, lane.top, width, lane.top + lane.height, ground);
    }
    if lane.is_first {
        pixels.rect(0, lane.top, width, lane.top + (dpr.round() as usize).max(1), palette.hairline);
    }
    let unit = |css: f64| (css * dpr).round().max(1.0) as usize;
    let (top, bottom) = (lane.top + unit(4.0), lane.top + lane.height - unit(4.0));
    let space = unit(1.0).min(lane.height);
    // What lies under everything first: calls that start subagents.
    for slice in lane.slices.iter().filter(|slice| slice.kind == SliceKind::Agent) {
        if let Some((x0, x1)) = columns(slice, view, width, lane.now_ms, space) {
            let color = lane.hue.unwrap_or(palette.kinds[usize::from(SliceKind::Agent.code())]);
            pixels.rect(x0, top, x1, bottom, mix(ground, color, 0.22));
            pixels.rect(x0, top, x1, top + unit(2.0), color);
            foot(pixels, slice, x0, x1, bottom, unit(3.0), palette);
        }
    }
    for slice in lane.slices.iter().filter(|slice| slice.kind != SliceKind::Agent) {
        let Some((x0, x1)) = columns(slice, view, width, lane.now_ms, space) else { continue };
        let full = bottom.saturating_sub(top);
        let rows = usize::from(slice.rows.max(1));
        let y0 = top + full * usize::from(slice.row.min(slice.rows.saturating_sub(1))) / rows;
        let y1 =
            top + full * (usize::from(slice.row.min(slice.rows.saturating_sub(1))) + 1) / rows - usize::from(rows > 1);
        let color = palette.kinds[usize::from(slice.kind.code())];
        match slice.kind {
            SliceKind::Model => {
                let middle = (y0 + y1) / 2;
                let half = unit(5.0) / 2;
                let soft = mix(ground, lane.hue.unwrap_or(color), 0.55);
                pixels.rect(x0, middle.saturating_sub(half), x1, middle + unit(5.0) - half, soft);
            }
            SliceKind::Wait => {
                pixels.rect(x0, y0, x1, y1, palette.wait_soft);
                pixels.hatch(x0, y0, x1, y1, unit(6.0), mix(palette.wait_soft, color, 0.6));
                if x1 - x0 > unit(3.0) {
                    let line = unit(1.0);
                    pixels.rect(x0, y0, x1, y0 + line, color);
                    pixels.rect(x0, y1 - line, x1, y1, color);
                    pixels.rect(x0, y0, x0 + line, y1, color);
                    pixels.rect(x1 - line, y0, x1, y1, color);
                }
            }
            _ => pixels.rect(x0, y0, x1, y1, lane.hue.unwrap_or(color)),
        }
        foot(pixels, slice, x0, x1, bottom, unit(3.0), palette);
    }
}

/// The red foot of what failed.
fn foot(pixels: &mut Pixels, slice: &Slice, x0: usize, x1: usize, bottom: usize, height: usize, palette: &Palette) {
    if slice.failed {
        pixels.rect(x0, bottom - height / 2, x1, bottom + height - height / 2, palette.failed);
    }
}

/// First column of a slice and the one behind its last, in the screen's pixels. Wide ones leave `space` to the next.
pub fn columns(slice: &Slice, view: View, width: usize, now_ms: i64, space: usize) -> Option<(usize, usize)> {
    let end = if slice.open { slice.to_ms.max(now_ms) } else { slice.to_ms };
    let scale = width as f64 / view.width();
    let x0 = (slice.from_ms as f64 - view.from_ms) * scale;
    let x1 = (end as f64 - view.from_ms) * scale;
    if x1 < 0.0 || x0 >= width as f64 {
        return None;
    }
    let from = x0.max(0.0) as usize;
    let to = (x1.max(0.0) as usize).max(from + 1).min(width);
    let to = if to - from > 3 * space { to - space } else { to };
    Some((from, to))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PALETTE: Palette = Palette {
        surface: [0; 3],
        selected: [1; 3],
        hairline: [2; 3],
        kinds: [[10; 3], [20; 3], [30; 3], [40; 3], [50; 3], [60; 3], [70; 3], [80; 3], [90; 3]],
        wait_soft: [95; 3],
        failed: [200, 0, 0],
    };

    fn slice(kind: SliceKind, from_ms: i64, to_ms: i64) -> Slice {
        Slice { kind, from_ms, to_ms, rows: 1, count: 1, ..Slice::default() }
    }

    fn painted(slices: &[Slice]) -> Pixels {
        let mut pixels = Pixels::new(100, 24);
        pixels.fill(PALETTE.surface);
        let lane_box =
            LaneBox { top: 0, height: 24, slices, is_selected: false, is_first: false, hue: None, now_ms: 1_000 };
        lane(&mut pixels, View::of(0, 1_000), 1.0, lane_box, &PALETTE);
        pixels
    }

    fn at(pixels: &Pixels, x: usize, y: usize) -> [u8; 3] {
        pixels.bytes[(y * pixels.width + x) * 4..][..3].try_into().unwrap()
    }

    #[test]
    fn a_call_is_a_block_and_the_model_a_thin_line() {
        let pixels = painted(&[slice(SliceKind::Model, 0, 500), slice(SliceKind::Shell, 500, 1_000)]);
        assert_eq!((at(&pixels, 20, 12), at(&pixels, 20, 6)), (mix([0; 3], [10; 3], 0.55), [0; 3]));
        assert_eq!((at(&pixels, 60, 5), at(&pixels, 60, 19), at(&pixels, 60, 21)), ([20; 3], [20; 3], [0; 3]));
    }

    #[test]
    fn what_is_shorter_than_a_pixel_is_seen_and_failures_have_a_foot() {
        let failed = Slice { failed: true, ..slice(SliceKind::Edit, 301, 302) };
        let pixels = painted(&[failed]);
        assert_eq!((at(&pixels, 30, 10), at(&pixels, 30, 20), at(&pixels, 31, 10)), ([30; 3], [200, 0, 0], [0; 3]));
    }

    #[test]
    fn open_slices_reach_to_now_and_nothing_leaves_the_picture() {
        let open = Slice { open: true, ..slice(SliceKind::Wait, -500, 100) };
        let pixels = painted(&[open, slice(SliceKind::Shell, 5_000, 9_000), slice(SliceKind::Shell, -9_000, -5_000)]);
        assert_ne!(at(&pixels, 90, 12), [0; 3]);
    }
}
