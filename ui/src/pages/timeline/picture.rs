//! The lanes: names at the left, the canvas beside them, and what mouse, wheel and fingers do on it.

use std::collections::HashMap;

use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use orrery_types::Slice;
use orrery_views::format;
use web_sys::{PointerEvent, WheelEvent};

use super::draw::{self, Scene, Theme};
use super::lanes::Lanes;
use super::model::{Chart, Row, View};
use super::paint::Pixels;
use crate::components::canvas;
use crate::host;

/// Moves below this many pixels are a click.
const CLICK_PX: f64 = 4.0;

/// What a pointer does while it is held.
#[derive(Debug, Clone, Copy)]
enum Held {
    Pan { view: View, x: f64, y: f64, top: f64, moved: bool },
    Select { at: f64, moved: bool },
    Pinch { view: View, distance: f64, middle: f64 },
}

#[component]
pub fn Picture(chart: Chart) -> impl IntoView {
    let scroller = NodeRef::<Div>::new();
    let drawing = NodeRef::<Canvas>::new();
    let ruler = NodeRef::<Canvas>::new();
    let size = canvas::follow_size(drawing);
    let ruler_size = canvas::follow_size(ruler);
    let changed = canvas::follow_theme();
    let theme = Memo::new(move |_| {
        changed.track();
        Theme::read()
    });
    let row_height = Memo::new(move |_| {
        changed.track();
        let scale: f64 = canvas::token("--text-scale").parse().unwrap_or(1.0);
        let narrow = host::is_narrow();
        (if narrow { 32.0 } else { 24.0 } * scale).round()
    });
    let top = RwSignal::new(0.0_f64);
    let (hover, set_hover) = signal(None::<(f64, f64)>);
    Effect::new(move |_| {
        let (size, height) = (size.get(), row_height.get());
        chart.px.set(size.width);
        chart.sight.set(((top.get() / height) as usize, (size.height / height).ceil() as usize + 1));
    });

    let pixels = StoredValue::new_local(Pixels::new(0, 0));
    let asked = StoredValue::new(false);
    let paint = move || {
        asked.set_value(false);
        let (Some(element), size) = (drawing.get_untracked(), size.get_untracked()) else { return };
        let Some(context) = canvas::context(&element, size) else { return };
        let _ = context.reset_transform();
        let height = row_height.get_untracked();
        let from = top.get_untracked();
        let rows = chart.rows.get_untracked();
        let chosen = chart.chosen.get_untracked();
        let sums = chart.sums.get_untracked();
        let path = sums.as_ref().filter(|sums| chart.shows_path.get_untracked() && sums.path_of == chosen);
        let began = host::precise_ms();
        let slices = chart.with(|drawn| {
            let scene = Scene {
                drawn,
                rows: &rows,
                first: (from / height) as usize,
                shift: from % height,
                row_height: height,
                view: chart.view.get_untracked(),
                now_ms: chart.app.now.get_untracked(),
                chosen: chosen.as_deref(),
                by_agent: chart.by_agent.get_untracked(),
                path: path.map_or(&[], |sums| sums.path_line.as_slice()),
                selection: chart.selection.get_untracked(),
                cursor: chart.cursor.get_untracked(),
            };
            theme.with_untracked(|theme| {
                pixels.try_update_value(|pixels| draw::lanes(&context, size, pixels, theme, &scene)).unwrap_or(0)
            })
        });
        // Measured by the benchmark, and by whoever wonders.
        let took = host::precise_ms() - began;
        let _ = element.set_attribute("data-slices", &slices.to_string());
        let _ = element.set_attribute("data-paint-ms", &format!("{took:.2}"));
    };
    // One drawing a frame, however many reasons there are.
    let ask = move || {
        if !asked.get_value() {
            asked.set_value(true);
            request_animation_frame(paint);
        }
    };
    Effect::new(move |_| {
        chart.view.track();
        chart.revision.track();
        chart.rows.track();
        chart.selection.track();
        chart.cursor.track();
        chart.chosen.track();
        chart.sums.track();
        chart.shows_path.track();
        chart.by_agent.track();
        theme.track();
        size.track();
        row_height.track();
        top.track();
        chart.app.now.track();
        ask();
    });
    Effect::new(move |_| {
        let (view, size, theme) = (chart.view.get(), ruler_size.get(), theme.get());
        let selection = chart.selection.get();
        let Some(element) = ruler.get() else { return };
        let Some(context) = canvas::begin(&element, size) else { return };
        draw_ruler(&context, size, &theme, view, selection);
    });

    // Pointers
    let pointers = StoredValue::new(HashMap::<i32, (f64, f64)>::new());
    let held = StoredValue::new(None::<Held>);
    let place = move |x: i32, y: i32| {
        let rect = drawing.get_untracked().map(|element| element.get_bounding_client_rect());
        rect.map_or((0.0, 0.0), |rect| (f64::from(x) - rect.left(), f64::from(y) - rect.top()))
    };
    let pinch = move || {
        let points: Vec<(f64, f64)> = pointers.with_value(|pointers| pointers.values().copied().collect());
        let (a, b) = (points.first()?, points.get(1)?);
        Some((((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt().max(1.0), (a.0 + b.0) / 2.0))
    };
    let on_down = move |event: PointerEvent| {
        if event.button() != 0 {
            return;
        }
        let (x, y) = place(event.client_x(), event.client_y());
        if let Some(element) = drawing.get_untracked() {
            let _ = element.set_pointer_capture(event.pointer_id());
            let _ = element.focus();
        }
        pointers.update_value(|pointers| {
            pointers.insert(event.pointer_id(), (x, y));
        });
        let view = chart.view.get_untracked();
        held.set_value(Some(match pinch() {
            Some((distance, middle)) => Held::Pinch { view, distance, middle },
            None if event.shift_key() => Held::Select { at: view.at(x, chart.px.get_untracked()), moved: false },
            None => Held::Pan { view, x, y, top: top.get_untracked(), moved: false },
        }));
    };
    let on_move = move |event: PointerEvent| {
        let (x, y) = place(event.client_x(), event.client_y());
        let px = chart.px.get_untracked();
        pointers.update_value(|pointers| {
            if let Some(pointer) = pointers.get_mut(&event.pointer_id()) {
                *pointer = (x, y);
            }
        });
        match held.get_value() {
            None => set_hover.set(Some((x, y))),
            Some(Held::Pinch { view, distance, middle }) => {
                if let Some((now, center)) = pinch() {
                    let zoomed = view.zoom(distance / now, view.at(middle, px));
                    chart.set_view(zoomed.pan((middle - center) / px * zoomed.width()));
                }
            }
            Some(Held::Select { at, .. }) => {
                let to = chart.view.get_untracked().at(x.clamp(0.0, px), px);
                let (from, to) = (at.min(to) as i64, at.max(to) as i64);
                if to > from {
                    held.set_value(Some(Held::Select { at, moved: true }));
                    chart.selection.set(Some((from, to)));
                }
            }
            Some(Held::Pan { view, x: x0, y: y0, top: top0, moved }) => {
                if !moved && (x - x0).abs() < CLICK_PX && (y - y0).abs() < CLICK_PX {
                    return;
                }
                set_hover.set(None);
                held.set_value(Some(Held::Pan { view, x: x0, y: y0, top: top0, moved: true }));
                chart.set_view(view.pan((x0 - x) / px * view.width()));
                if let Some(scroller) = scroller.get_untracked() {
                    scroller.set_scroll_top((top0 + y0 - y) as i32);
                }
            }
        }
    };
    let on_up = move |event: PointerEvent| {
        pointers.update_value(|pointers| {
            pointers.remove(&event.pointer_id());
        });
        let was = held.get_value();
        held.set_value(None);
        match was {
            Some(Held::Pan { x, y, moved: false, .. }) => {
                click(chart, x, y, top.get_untracked(), row_height.get_untracked())
            }
            Some(Held::Select { moved: false, .. }) => chart.selection.set(None),
            _ => {}
        }
    };
    let on_wheel = move |event: WheelEvent| {
        let px = chart.px.get_untracked();
        let view = chart.view.get_untracked();
        let unit = if event.delta_mode() == 1 { 16.0 } else { 1.0 };
        if event.ctrl_key() || event.meta_key() {
            event.prevent_default();
            let (x, _) = place(event.client_x(), event.client_y());
            let factor = (event.delta_y() * unit * 0.0025).exp().clamp(0.5, 2.0);
            chart.set_view(view.zoom(factor, view.at(x, px)));
            return;
        }
        let sideways = if event.shift_key() { event.delta_y() + event.delta_x() } else { event.delta_x() };
        if sideways != 0.0 && (event.shift_key() || event.delta_x().abs() > event.delta_y().abs()) {
            event.prevent_default();
            chart.set_view(view.pan(sideways * unit / px * view.width()));
        }
    };
    let tip = move || {
        let (x, y) = hover.get()?;
        chart.revision.track();
        let (row, slice) = slice_at(chart, x, y, top.get_untracked(), row_height.get_untracked())?;
        let words = describe(chart, row, &slice);
        let left = format!("left:clamp(8px, {:.0}px, calc(100% - 320px)); top:{:.0}px", x + 12.0, y + 18.0);
        Some(view! { <div class="tl__tip small" style=left aria-hidden="true">{words}</div> })
    };
    let said = move || {
        let (at, seq) = chart.cursor.get()?;
        chart.revision.track();
        let row = chart.rows.with(|rows| rows.get(at).copied())?;
        let slice = chart.with(|drawn| drawn.slices(row).iter().find(|slice| slice.seq == seq).copied())?;
        Some(describe(chart, row, &slice))
    };
    // The row of the keyboard comes into sight.
    Effect::new(move |_| {
        let (Some((at, _)), Some(scroller)) = (chart.cursor.get(), scroller.get_untracked()) else { return };
        let height = row_height.get_untracked();
        let (start, view) = (at as f64 * height, size.get_untracked().height);
        let now = f64::from(scroller.scroll_top());
        if start < now {
            scroller.set_scroll_top(start as i32);
        } else if start + height > now + view {
            scroller.set_scroll_top((start + height - view).ceil() as i32);
        }
    });
    let space = move || format!("height:{}px", chart.rows.with(|rows| rows.len()) as f64 * row_height.get());
    view! {
        <div class="tl__ruler">
            <div class="tl__side muted small">{move || {
                chart.revision.track();
                chart.with(|drawn| {
                    let sessions = drawn.timeline.sessions.len() as u64;
                    let lanes: usize = drawn.timeline.sessions.iter().map(|session| session.lanes.len().saturating_sub(1)).sum();
                    let subagents = if lanes > 0 { format!(", {}", format::plural(lanes as u64, "subagent")) } else { String::new() };
                    format!("{}{subagents}", format::plural(sessions, "session"))
                })
            }}</div>
            <canvas node_ref=ruler aria-hidden="true"></canvas>
        </div>
        <div class="tl__scroll" node_ref=scroller on:scroll=move |_| {
            if let Some(element) = scroller.get_untracked() {
                top.set(f64::from(element.scroll_top()));
            }
        }>
            <div class="tl__space" style=space>
                <Lanes chart row_height/>
                <div class="tl__view">
                    <canvas
                        id="timeline"
                        node_ref=drawing
                        tabindex="0"
                        role="application"
                        aria-label="Timeline of sessions, subagents and tool calls. Arrows move between calls, W A S D zoom and pan, Enter opens"
                        aria-describedby="timeline-said"
                        on:pointerdown=on_down
                        on:pointermove=on_move
                        on:pointerup=on_up
                        on:pointercancel=on_up
                        on:pointerleave=move |_| set_hover.set(None)
                        on:wheel=on_wheel
                    ></canvas>
                    {tip}
                </div>
            </div>
        </div>
        <div id="timeline-said" class="visually-hidden" aria-live="polite">{said}</div>
    }
}

/// The slice under the pointer: the shortest of those that lie over each other, with two pixels of grace.
pub fn slice_at(chart: Chart, x: f64, y: f64, top: f64, row_height: f64) -> Option<(Row, Slice)> {
    let at = ((y + top) / row_height) as usize;
    let row = chart.rows.with_untracked(|rows| rows.get(at).copied())?;
    let view = chart.view.get_untracked();
    let px = chart.px.get_untracked();
    let (from, to) = (view.at(x - 2.0, px), view.at(x + 2.0, px));
    let now = chart.app.now.get_untracked();
    chart.with(|drawn| {
        let end = |slice: &Slice| if slice.open { slice.to_ms.max(now) } else { slice.to_ms };
        let under = drawn.slices(row).iter().filter(|slice| (slice.from_ms as f64) <= to && end(slice) as f64 >= from);
        under.min_by_key(|slice| end(slice) - slice.from_ms).map(|slice| (row, *slice))
    })
}

/// Opens the event of the slice, or chooses the session of an empty place.
fn click(chart: Chart, x: f64, y: f64, top: f64, row_height: f64) {
    match slice_at(chart, x, y, top, row_height) {
        Some((row, slice)) => {
            let at = chart.rows.with_untracked(|rows| rows.iter().position(|known| *known == row));
            chart.cursor.set(at.map(|at| (at, slice.seq)));
            chart.query.set("event", Some(&slice.seq.to_string()));
        }
        None => {
            let at = ((y + top) / row_height) as usize;
            let id = chart.rows.with_untracked(|rows| rows.get(at).copied()).and_then(|row| {
                chart.with(|drawn| drawn.timeline.sessions.get(row.session).map(|session| session.id.clone()))
            });
            if id.is_some() {
                chart.choose(id);
            }
        }
    }
}

/// `Bash cargo test, 6.1 s, failed, from 14:25:20. kiln, main`.
pub fn describe(chart: Chart, row: Row, slice: &Slice) -> String {
    chart.with(|drawn| {
        let name = match drawn.word(slice) {
            "" => slice.kind.label().to_owned(),
            word => word.to_owned(),
        };
        let name = if slice.count > 1 {
            format!("{}, {}", format::plural(u64::from(slice.count), "call"), slice.kind.label())
        } else {
            name
        };
        let took = format::duration_ms(slice.to_ms - slice.from_ms);
        let state = match (slice.failed, slice.open) {
            (true, _) => ", failed",
            (_, true) => ", not over",
            _ => "",
        };
        let clock = format::clock(slice.from_ms, host::utc_offset_minutes(slice.from_ms));
        let session = drawn.timeline.sessions.get(row.session);
        let place = session.map(|session| {
            let lane = session.lanes.get(row.lane).filter(|_| row.lane > 0);
            let lane = lane
                .map(|lane| if lane.kind.is_empty() { ", subagent".to_owned() } else { format!(", {}", lane.kind) });
            format!("{}{}", session.project, lane.unwrap_or_default())
        });
        format!("{name}, {took}{state}, from {clock}. {}", place.unwrap_or_default())
    })
}

fn draw_ruler(
    context: &web_sys::CanvasRenderingContext2d,
    size: canvas::Size,
    theme: &Theme,
    view: View,
    selection: Option<(i64, i64)>,
) {
    context.set_font(&theme.code);
    context.set_text_baseline("middle");
    let chosen = selection.map(|(from, to)| (view.x(from, size.width), view.x(to, size.width)));
    let (ticks, seconds) = draw::ticks(view, size.width);
    let days = view.width() > 2.0 * 86_400_000.0;
    for at_ms in ticks {
        let x = view.x(at_ms, size.width);
        context.set_fill_style_str(&theme.hairline);
        context.fill_rect(x.round(), size.height - 6.0, 1.0, 6.0);
        let offset = host::utc_offset_minutes(at_ms);
        let words = match (days, seconds) {
            (true, _) => format::day_short(at_ms, offset),
            (_, true) => format::clock(at_ms, offset),
            _ => format::clock_minutes(at_ms, offset),
        };
        let hidden = chosen.is_some_and(|(from, to)| x > from - 50.0 && x < to);
        if !hidden && x > -1.0 && x < size.width - 40.0 {
            context.set_fill_style_str(&theme.muted);
            let _ = context.fill_text(&words, x + 5.0, size.height / 2.0);
        }
    }
    if let (Some((a, b)), Some((from, to))) = (chosen, selection) {
        context.set_fill_style_str(&theme.accent);
        context.set_global_alpha(0.15);
        context.fill_rect(a, 0.0, b - a, size.height);
        context.set_global_alpha(1.0);
        context.fill_rect(a, 0.0, 1.0, size.height);
        context.fill_rect(b, 0.0, 1.0, size.height);
        context.set_text_align("center");
        let _ = context.fill_text(&format::duration_ms(to - from), (a + b) / 2.0, size.height / 2.0);
        context.set_text_align("left");
    }
}
