//! The scrubber: how much happened when, what went wrong, and the cursor.

use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use orrery_types::Mark;
use orrery_views::format;
use orrery_views::replay::{MarkerKind, Replay};
use web_sys::CanvasRenderingContext2d;

use super::bar::stopwatch;
use super::player::Player;
use crate::components::canvas::{self, Size, token};
use crate::host::utc_offset_minutes;

/// Width of a bar with the space beside it.
const BAR: f64 = 4.0;
/// Heights of the parts, from above: turn numbers and density, markers, times.
const DENSITY: f64 = 52.0;
const MARKERS: f64 = 60.0;
const TIMES: f64 = 68.0;
/// Markers closer than this become one.
const MARKER_WIDTH: f64 = 8.0;

#[component]
pub fn Scrubber(player: Player) -> impl IntoView {
    let drawing = NodeRef::<Canvas>::new();
    let track = NodeRef::<Div>::new();
    let size = canvas::follow_size(drawing);
    let theme = canvas::follow_theme();
    let (hover, set_hover) = signal(None::<f64>);
    Effect::new(move |_| {
        player.revision.track();
        theme.track();
        let (Some(canvas), size) = (drawing.get(), size.get()) else { return };
        if let Some(context) = canvas::begin(&canvas, size) {
            player.with(|replay| draw(&context, size, replay));
        }
    });

    let share = move || {
        let at = player.at.get();
        player.follow(|replay| replay.point(at).map_or(0.0, |point| replay.axis().share_of(point.at_ms)))
    };
    let share_of_event = move |event: &web_sys::PointerEvent| {
        let track = track.get_untracked()?;
        let rect = track.get_bounding_client_rect();
        (rect.width() > 0.0).then(|| ((f64::from(event.client_x()) - rect.left()) / rect.width()).clamp(0.0, 1.0))
    };
    let seek = move |event: &web_sys::PointerEvent| {
        if let Some(share) = share_of_event(event) {
            player.go_to_ms(player.with(|replay| replay.axis().moment_of_share(share)));
        }
    };
    let held = StoredValue::new(false);
    let value_text = move || {
        let at = player.at.get();
        player.follow(|replay| replay.point(at).map(|point| say(replay, point.at_ms, at)).unwrap_or_default())
    };
    let tip = move || {
        let share = hover.get()?;
        let (words, left) = player.with(|replay| {
            let at_ms = replay.axis().moment_of_share(share);
            (say(replay, at_ms, replay.position_at(at_ms)), share)
        });
        let left = format!("left:clamp(90px, {:.2}%, calc(100% - 90px))", left * 100.0);
        Some(view! { <div class="scrub__tip small" style=left aria-hidden="true">{words}</div> })
    };
    view! {
        <div
            class="scrub"
            node_ref=track
            role="slider"
            tabindex="0"
            aria-label="Moment of the session"
            aria-valuemin="1"
            aria-valuemax=move || player.follow(Replay::len).to_string()
            aria-valuenow=move || (player.at.get() + 1).to_string()
            aria-valuetext=value_text
            on:pointerdown=move |event| {
                if event.button() == 0 {
                    held.set_value(true);
                    if let Some(element) = track.get_untracked() {
                        let _ = element.set_pointer_capture(event.pointer_id());
                    }
                    seek(&event);
                }
            }
            on:pointermove=move |event| {
                set_hover.set(share_of_event(&event));
                if held.get_value() {
                    seek(&event);
                }
            }
            on:pointerup=move |_| held.set_value(false)
            on:pointercancel=move |_| held.set_value(false)
            on:pointerleave=move |_| set_hover.set(None)
        >
            <canvas node_ref=drawing aria-hidden="true"></canvas>
            <div class="scrub__ahead" style=move || format!("left:{:.3}%", share() * 100.0)></div>
            <div class="scrub__cursor" style=move || format!("left:{:.3}%", share() * 100.0)></div>
            {tip}
        </div>
    }
}

/// `14:25:20, turn 13: Bash cargo nextest run`.
fn say(replay: &Replay, at_ms: i64, at: usize) -> String {
    let clock = format::clock(at_ms, utc_offset_minutes(at_ms));
    let turn = match replay.turn_at(at) {
        0 => String::new(),
        turn => format!(", turn {turn}"),
    };
    let what = replay.point(at).map(|point| {
        let words = format!("{} {}", replay.word(point.tool), replay.word(point.target));
        let words = words.trim();
        let name = mark_word(point.mark);
        if words.is_empty() { name.to_owned() } else { format!("{name} {words}") }
    });
    format!("{clock}{turn}: {}", what.unwrap_or_default())
}

fn mark_word(mark: Mark) -> &'static str {
    match mark {
        Mark::SessionStart => "session starts",
        Mark::SessionEnd => "session ends",
        Mark::Prompt => "you:",
        Mark::Message => "answer",
        Mark::Thinking => "thinks",
        Mark::ToolStart => "begins",
        Mark::ToolEnd => "ends",
        Mark::Permission => "asks to use",
        Mark::PermissionDenied => "denied",
        Mark::Question => "asks",
        Mark::Notification => "says",
        Mark::SubagentStart => "subagent starts",
        Mark::SubagentStop => "subagent ends",
        Mark::Stop => "turn ends",
        Mark::Failure => "turn failed",
        Mark::Interrupt => "interrupted",
        Mark::Compact => "compacts",
        Mark::Other => "event",
    }
}

fn draw(context: &CanvasRenderingContext2d, size: Size, replay: &Replay) {
    let width = size.width;
    let axis = replay.axis();
    let place = |at_ms: i64| (axis.share_of(at_ms) * width).clamp(0.0, width);
    let (hairline, mark, faint) = (token("--hairline-strong"), token("--mark"), token("--text-faint"));
    let small = canvas::font(11.0, "--font-code", 400);
    context.set_font(&small);
    context.set_text_baseline("alphabetic");

    // Stretches without events.
    let mut labels_end = 0.0;
    for gap in axis.gaps() {
        let (from, to) = (place(gap.from_ms), place(gap.to_ms));
        if to - from < 6.0 {
            continue;
        }
        context.save();
        context.begin_path();
        context.rect(from, 20.0, to - from, DENSITY - 20.0);
        context.clip();
        context.set_stroke_style_str(&hairline);
        context.set_line_width(1.0);
        context.begin_path();
        let mut x = from - 40.0;
        while x < to {
            context.move_to(x, DENSITY);
            context.line_to(x + 32.0, 20.0);
            x += 6.0;
        }
        context.stroke();
        context.restore();
        let words = format!("{}{}", format::elapsed_ms(gap.to_ms - gap.from_ms), if gap.ran { "" } else { " idle" });
        let long = text_width(context, &words);
        if to - from > long + 12.0 {
            context.set_fill_style_str(&token("--surface"));
            context.fill_rect((from + to - long) / 2.0 - 4.0, 28.0, long + 8.0, 16.0);
            context.set_fill_style_str(&faint);
            let _ = context.fill_text(&words, (from + to - long) / 2.0, 40.0);
        }
    }

    // Events in each bar.
    let cells = replay.density((width / BAR) as usize);
    let most = f64::from(cells.iter().copied().max().unwrap_or(1).max(4));
    context.set_fill_style_str(&mark);
    for (at, count) in cells.iter().enumerate().filter(|(_, count)| **count > 0) {
        // The root, so that a burst does not flatten everything else.
        let height = ((f64::from(*count) / most).sqrt() * 30.0).max(2.0).round();
        context.fill_rect(at as f64 * BAR, DENSITY - height, BAR - 1.0, height);
    }

    // Turns.
    for (number, at) in replay.turns().iter().enumerate() {
        let Some(point) = replay.point(*at) else { continue };
        let x = place(point.at_ms).round() + 0.5;
        context.set_stroke_style_str(&hairline);
        context.set_line_width(1.0);
        context.begin_path();
        context.move_to(x, 2.0);
        context.line_to(x, DENSITY);
        context.stroke();
        let label = (number + 1).to_string();
        if x > labels_end {
            context.set_fill_style_str(&faint);
            let _ = context.fill_text(&label, x + 3.5, 11.0);
            labels_end = x + text_width(context, &label) + 10.0;
        }
    }

    draw_markers(context, width, replay, place);
    draw_times(context, width, replay, &faint);
}

/// One sign for each stretch of a marker's width: the gravest of those in it.
fn draw_markers(context: &CanvasRenderingContext2d, width: f64, replay: &Replay, place: impl Fn(i64) -> f64) {
    let mut cells = vec![None::<MarkerKind>; (width / MARKER_WIDTH) as usize + 1];
    for marker in replay.markers() {
        let Some(point) = replay.point(marker.at) else { continue };
        let cell = (place(point.at_ms) / MARKER_WIDTH) as usize;
        if let Some(cell) = cells.get_mut(cell) {
            *cell = (*cell).max(Some(marker.kind));
        }
    }
    let colors = [token("--danger"), token("--attention-mark"), token("--tool-agent"), token("--text-muted")];
    for (at, kind) in cells.iter().enumerate() {
        let Some(kind) = kind else { continue };
        let (x, y) = ((at as f64 + 0.5) * MARKER_WIDTH, MARKERS);
        context.begin_path();
        match kind {
            MarkerKind::Error => {
                context.set_stroke_style_str(&colors[0]);
                context.set_line_width(1.75);
                for (from, to) in [((-3.0, -3.0), (3.0, 3.0)), ((3.0, -3.0), (-3.0, 3.0))] {
                    context.move_to(x + from.0, y + from.1);
                    context.line_to(x + to.0, y + to.1);
                }
                context.stroke();
            }
            MarkerKind::Wait => {
                context.set_fill_style_str(&colors[1]);
                context.move_to(x, y - 4.0);
                context.line_to(x + 4.0, y);
                context.line_to(x, y + 4.0);
                context.line_to(x - 4.0, y);
                context.fill();
            }
            MarkerKind::Subagent => {
                context.set_fill_style_str(&colors[2]);
                let _ = context.arc(x, y, 2.0, 0.0, std::f64::consts::TAU);
                context.fill();
            }
            MarkerKind::Compact => {
                context.set_fill_style_str(&colors[3]);
                context.rect(x - 3.0, y - 3.0, 1.5, 6.0);
                context.rect(x + 1.5, y - 3.0, 1.5, 6.0);
                context.fill();
            }
            MarkerKind::Prompt => {}
        }
    }
}

/// Elapsed time at even distances of the picture.
fn draw_times(context: &CanvasRenderingContext2d, width: f64, replay: &Replay, color: &str) {
    context.set_fill_style_str(color);
    let count = ((width / 140.0) as usize).clamp(1, 12);
    for n in 1..count {
        let share = n as f64 / count as f64;
        let words = stopwatch(replay.axis().moment_of_share(share) - replay.first_ms());
        let long = text_width(context, &words);
        let _ = context.fill_text(&words, share * width - long / 2.0, TIMES + 8.0);
    }
}

fn text_width(context: &CanvasRenderingContext2d, words: &str) -> f64 {
    context.measure_text(words).map_or(0.0, |metrics| metrics.width())
}
