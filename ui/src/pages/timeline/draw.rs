//! What lies over the painted lanes: labels, crosses, the critical path, selection, the keyboard's place.

use orrery_types::{PathPoint, SliceKind};
use wasm_bindgen::Clamped;
use web_sys::{CanvasRenderingContext2d, ImageData};

use super::model::{Drawn, Row, View};
use super::paint::{self, LaneBox, Palette, Pixels};
use crate::components::canvas::{Size, font, rgb, token};

/// A slice shows its name from this width on.
const LABEL_PX: f64 = 30.0;
/// Names in one picture; with more of them the slices are too narrow to read anyway.
const MOST_LABELS: usize = 400;

/// Everything a drawing needs of the theme, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub palette: Palette,
    pub text: String,
    pub muted: String,
    pub surface: String,
    pub accent: String,
    pub danger: String,
    pub attention: String,
    pub hairline: String,
    pub on_dark: String,
    pub on_light: String,
    pub font: String,
    pub code: String,
    agents: [[u8; 3]; 5],
}

impl Theme {
    pub fn read() -> Theme {
        let color = |name: &str| rgb(&token(name));
        let kinds = [
            "--tool-model",
            "--tool-shell",
            "--tool-edit",
            "--tool-read",
            "--tool-search",
            "--tool-web",
            "--tool-agent",
            "--series-8",
            "--attention-mark",
        ];
        let (text, inverse) = (token("--text"), token("--text-inverse"));
        let text_is_light = light(rgb(&text)) > 0.5;
        Theme {
            palette: Palette {
                surface: color("--surface"),
                selected: color("--row-selected-bg"),
                hairline: color("--hairline"),
                kinds: kinds.map(color),
                wait_soft: color("--attention-soft"),
                failed: color("--danger-mark"),
            },
            on_dark: if text_is_light { text.clone() } else { inverse.clone() },
            on_light: if text_is_light { inverse } else { text.clone() },
            text,
            muted: token("--text-muted"),
            surface: token("--surface"),
            accent: token("--accent"),
            danger: token("--danger"),
            attention: token("--attention"),
            hairline: token("--hairline-strong"),
            font: font(11.0, "--font-text", 500),
            code: font(11.0, "--font-code", 400),
            agents: ["--agent-claude", "--agent-codex", "--agent-gemini", "--agent-opencode", "--agent-other"]
                .map(color),
        }
    }

    pub fn agent(&self, slug: &str) -> [u8; 3] {
        let at = ["claude-code", "codex", "gemini-cli", "opencode"].iter().position(|known| *known == slug);
        self.agents[at.unwrap_or(4)]
    }
}

/// Relative luminance, 0 to 1.
fn light(color: [u8; 3]) -> f64 {
    let linear = color.map(|part| {
        let share = f64::from(part) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// What one picture shows.
pub struct Scene<'a> {
    pub drawn: &'a Drawn,
    pub rows: &'a [Row],
    /// First row in sight, and how far it is above the edge, CSS pixels.
    pub first: usize,
    pub shift: f64,
    pub row_height: f64,
    pub view: View,
    pub now_ms: i64,
    pub chosen: Option<&'a str>,
    pub by_agent: bool,
    pub path: &'a [PathPoint],
    pub selection: Option<(i64, i64)>,
    pub cursor: Option<(usize, i64)>,
}

/// Draws the lanes in sight. Returns how many slices were drawn.
pub fn lanes(
    context: &CanvasRenderingContext2d,
    size: Size,
    pixels: &mut Pixels,
    theme: &Theme,
    scene: &Scene<'_>,
) -> usize {
    let (width, height) = ((size.width * size.dpr).round() as usize, (size.height * size.dpr).round() as usize);
    pixels.resize(width, height);
    pixels.fill(theme.palette.surface);
    for at_ms in ticks(scene.view, size.width).0 {
        let x = (scene.view.x(at_ms, width as f64)).round();
        if x >= 0.0 {
            pixels.rect(x as usize, 0, x as usize + size.dpr.round() as usize, height, theme.palette.hairline);
        }
    }
    let mut count = 0;
    let visible = rows_in_sight(scene, size.height);
    for at in visible.clone() {
        let row = scene.rows[at];
        let Some(session) = scene.drawn.timeline.sessions.get(row.session) else { continue };
        let slices = scene.drawn.slices(row);
        count += slices.len();
        let top = top_of(scene, at);
        if top < 0.0 {
            continue;
        }
        let lane = LaneBox {
            top: (top * size.dpr).round() as usize,
            height: (scene.row_height * size.dpr).round() as usize,
            slices,
            is_selected: row.lane == 0 && scene.chosen == Some(session.id.as_str()),
            is_first: row.lane == 0 && at > 0,
            hue: scene.by_agent.then(|| theme.agent(&session.agent)),
            now_ms: open_end(scene, session.last_ms, session.status),
        };
        paint::lane(pixels, scene.view, size.dpr, lane, &theme.palette);
    }
    let (w, h) = (width as u32, height as u32);
    if let Ok(image) = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&pixels.bytes), w, h) {
        let _ = context.put_image_data(&image, 0.0, 0.0);
    }
    let _ = context.set_transform(size.dpr, 0.0, 0.0, size.dpr, 0.0, 0.0);
    labels(context, size, theme, scene, visible);
    path(context, size, theme, scene);
    over(context, size, theme, scene);
    count
}

/// Open slices end at now while their session is at work.
fn open_end(scene: &Scene<'_>, last_ms: i64, status: orrery_types::Status) -> i64 {
    use orrery_types::Status::{NeedsYou, Running, Stuck};
    if matches!(status, Running | NeedsYou | Stuck) { scene.now_ms } else { last_ms }
}

fn rows_in_sight(scene: &Scene<'_>, height: f64) -> std::ops::Range<usize> {
    let fits = (height / scene.row_height).ceil() as usize + 2;
    scene.first.min(scene.rows.len())..(scene.first + fits).min(scene.rows.len())
}

fn top_of(scene: &Scene<'_>, at: usize) -> f64 {
    (at as f64 - scene.first as f64) * scene.row_height - scene.shift
}

fn labels(
    context: &CanvasRenderingContext2d,
    size: Size,
    theme: &Theme,
    scene: &Scene<'_>,
    visible: std::ops::Range<usize>,
) {
    context.set_font(&theme.font);
    context.set_text_baseline("middle");
    let mut left = MOST_LABELS;
    for at in visible {
        let row = scene.rows[at];
        let Some(session) = scene.drawn.timeline.sessions.get(row.session) else { continue };
        let top = top_of(scene, at);
        let now_ms = open_end(scene, session.last_ms, session.status);
        for slice in scene.drawn.slices(row) {
            let end = if slice.open { slice.to_ms.max(now_ms) } else { slice.to_ms };
            let (x0, x1) = (scene.view.x(slice.from_ms, size.width), scene.view.x(end, size.width));
            if x1 < 0.0 || x0 > size.width {
                continue;
            }
            let wide = x1.min(size.width) - x0.max(0.0);
            if slice.failed {
                cross(context, theme, x1.max(x0 + 4.0) - 1.0, top);
            }
            if left == 0 || wide < LABEL_PX || slice.rows > 1 || matches!(slice.kind, SliceKind::Model) {
                continue;
            }
            let words = match slice.kind {
                SliceKind::Wait if wide > 84.0 => "Waits for you".to_owned(),
                SliceKind::Wait => continue,
                _ => short(scene.drawn.word(slice)),
            };
            let Some(words) = fit(context, &words, wide - 8.0) else { continue };
            left -= 1;
            let x = x0.max(0.0) + 4.0;
            let middle = top + scene.row_height / 2.0 + 0.5;
            match slice.kind {
                SliceKind::Wait => {
                    let long = context.measure_text(&words).map_or(0.0, |metrics| metrics.width());
                    context.set_fill_style_str(&theme.surface);
                    context.fill_rect(x + 2.0, middle - 7.0, long + 8.0, 13.0);
                    context.set_fill_style_str(&theme.attention);
                    let _ = context.fill_text(&words, x + 6.0, middle);
                    continue;
                }
                SliceKind::Agent => context.set_fill_style_str(&theme.text),
                kind => {
                    let hue = if scene.by_agent {
                        theme.agent(&session.agent)
                    } else {
                        theme.palette.kinds[usize::from(kind.code())]
                    };
                    context.set_fill_style_str(if light(hue) > 0.18 { &theme.on_light } else { &theme.on_dark });
                }
            }
            let _ = context.fill_text(&words, x, middle);
        }
    }
}

/// `cargo nextest run -p spool` of `Bash cargo nextest run -p spool`: what a slice says in its little room.
fn short(name: &str) -> String {
    let (tool, target) = name.split_once(' ').unwrap_or((name, ""));
    match tool {
        "Bash" | "shell" | "exec_command" | "local_shell" if !target.is_empty() => target.to_owned(),
        _ if target.is_empty() || name.contains(" in parallel") => name.to_owned(),
        _ => format!("{tool} {}", target.rsplit('/').next().unwrap_or(target)),
    }
}

/// As many of the words as there is room for.
fn fit(context: &CanvasRenderingContext2d, words: &str, room: f64) -> Option<String> {
    let width = |text: &str| context.measure_text(text).map_or(f64::MAX, |metrics| metrics.width());
    if width(words) <= room {
        return Some(words.to_owned());
    }
    let mut rest = words;
    while let Some((front, _)) = rest.rsplit_once([' ', ',']) {
        if width(front) <= room {
            return Some(front.trim_end_matches(',').to_owned()).filter(|text| !text.is_empty());
        }
        rest = front;
    }
    None
}

fn cross(context: &CanvasRenderingContext2d, theme: &Theme, x: f64, top: f64) {
    for (color, width) in [(&theme.surface, 5.0), (&theme.danger, 1.75)] {
        context.set_stroke_style_str(color);
        context.set_line_width(width);
        context.begin_path();
        context.move_to(x - 5.0, top + 1.5);
        context.line_to(x, top + 6.5);
        context.move_to(x, top + 1.5);
        context.line_to(x - 5.0, top + 6.5);
        context.stroke();
    }
}

/// The critical path of the chosen session, along the feet of its lanes.
fn path(context: &CanvasRenderingContext2d, size: Size, theme: &Theme, scene: &Scene<'_>) {
    let Some(chosen) = scene.chosen.filter(|_| !scene.path.is_empty()) else { return };
    let place = |lane: u16| {
        let at = scene.rows.iter().position(|row| {
            row.lane == usize::from(lane)
                && scene.drawn.timeline.sessions.get(row.session).is_some_and(|session| session.id == chosen)
        });
        at.map(|at| top_of(scene, at) + scene.row_height - 2.0)
    };
    let mut tops = std::collections::HashMap::new();
    context.set_stroke_style_str(&theme.text);
    context.set_line_width(2.0);
    context.set_line_join("miter");
    context.begin_path();
    let mut before: Option<f64> = None;
    for point in scene.path {
        let Some(y) = *tops.entry(point.lane).or_insert_with(|| place(point.lane)) else { continue };
        let (x0, x1) = (scene.view.x(point.from_ms, size.width).round(), scene.view.x(point.to_ms, size.width).round());
        match before {
            Some(old) => {
                context.line_to(x0, old);
                context.line_to(x0, y);
            }
            None => context.move_to(x0, y),
        }
        context.line_to(x1, y);
        before = Some(y);
    }
    context.stroke();
}

/// Selection, now, and where the keyboard is.
fn over(context: &CanvasRenderingContext2d, size: Size, theme: &Theme, scene: &Scene<'_>) {
    if let Some((from, to)) = scene.selection {
        let (a, b) = (scene.view.x(from, size.width).round(), scene.view.x(to, size.width).round());
        context.set_fill_style_str(&theme.accent);
        context.set_global_alpha(0.1);
        context.fill_rect(a, 0.0, b - a, size.height);
        context.set_global_alpha(1.0);
        context.fill_rect(a, 0.0, 1.0, size.height);
        context.fill_rect(b, 0.0, 1.0, size.height);
    }
    let now = scene.view.x(scene.now_ms, size.width);
    if (0.0..size.width).contains(&now) {
        context.set_fill_style_str(&theme.muted);
        context.fill_rect(now.round(), 0.0, 1.0, size.height);
    }
    if let Some((at, seq)) = scene.cursor
        && let Some(row) = scene.rows.get(at)
        && let Some(slice) = scene.drawn.slices(*row).iter().find(|slice| slice.seq == seq)
    {
        let (x0, x1) = (scene.view.x(slice.from_ms, size.width), scene.view.x(slice.to_ms, size.width));
        context.set_stroke_style_str(&theme.accent);
        context.set_line_width(2.0);
        context.stroke_rect(x0 - 1.0, top_of(scene, at) + 2.0, (x1 - x0).max(3.0) + 2.0, scene.row_height - 4.0);
    }
}

/// Moments with a line, and whether their labels need seconds. At most one for 60 pixels.
pub fn ticks(view: View, px: f64) -> (Vec<i64>, bool) {
    const STEPS: [i64; 22] = [
        100,
        200,
        500,
        1_000,
        2_000,
        5_000,
        10_000,
        15_000,
        30_000,
        60_000,
        120_000,
        300_000,
        600_000,
        900_000,
        1_800_000,
        3_600_000,
        7_200_000,
        14_400_000,
        43_200_000,
        86_400_000,
        604_800_000,
        2_592_000_000,
    ];
    let least = view.width() / (px / 66.0).max(1.0);
    let step = STEPS.into_iter().find(|step| *step as f64 >= least).unwrap_or(31_536_000_000);
    // Lines lie at full hours and days of the person's clock.
    let offset = i64::from(crate::host::utc_offset_minutes(view.from_ms as i64)) * 60_000;
    let first = (view.from_ms as i64 + offset).div_euclid(step) * step - offset;
    let ticks = (0..2_000).map(|n| first + n * step).take_while(|at| (*at as f64) < view.to_ms).collect();
    (ticks, step < 60_000)
}
