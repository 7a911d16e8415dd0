//! All of the time in one line: how many agents were at work, what failed, and the part in view.

use leptos::html::Canvas;
use leptos::prelude::*;
use orrery_views::format;
use web_sys::PointerEvent;

use super::draw::Theme;
use super::model::{Chart, View};
use crate::components::canvas;
use crate::host;

/// Grace for taking hold of an edge of the view.
const EDGE_PX: f64 = 7.0;

#[derive(Debug, Clone, Copy)]
enum Held {
    /// The view moves with the pointer, which is so far from its start.
    Middle(f64),
    Left,
    Right,
}

#[component]
pub fn Minimap(chart: Chart) -> impl IntoView {
    let drawing = NodeRef::<Canvas>::new();
    let size = canvas::follow_size(drawing);
    let changed = canvas::follow_theme();
    Effect::new(move |_| {
        changed.track();
        let (view, all, busy) = (chart.view.get(), chart.all.get(), chart.busy.get());
        let size = size.get();
        let Some(element) = drawing.get() else { return };
        let Some(context) = canvas::begin(&element, size) else { return };
        let Some(all) = all else { return };
        let theme = Theme::read();
        if let Some(busy) = busy {
            let most = f64::from(busy.lanes.iter().copied().max().unwrap_or(1).max(1));
            let read = View::of(busy.from_ms, busy.to_ms);
            let count = busy.lanes.len().max(1) as f64;
            let x = |at: usize| all.x((read.from_ms + read.width() * at as f64 / count) as i64, size.width);
            let wide = (x(1) - x(0) - 1.0).max(1.0);
            context.set_fill_style_str(&canvas::token("--mark"));
            for (at, lanes) in busy.lanes.iter().enumerate().filter(|(_, lanes)| **lanes > 0) {
                let height = (f64::from(*lanes) / most * (size.height - 22.0)).max(2.0).round();
                context.fill_rect(x(at), size.height - 9.0 - height, wide, height);
            }
            context.set_fill_style_str(&canvas::token("--danger-mark"));
            for (at, _) in busy.failed.iter().enumerate().filter(|(_, failed)| **failed > 0) {
                context.fill_rect(x(at), size.height - 6.0, wide.max(2.0), 5.0);
            }
        }
        context.set_font(&theme.code);
        context.set_fill_style_str(&canvas::token("--text-faint"));
        let days = all.width() > 2.0 * 86_400_000.0;
        for at_ms in super::draw::ticks(all, size.width / 1.6).0 {
            let offset = host::utc_offset_minutes(at_ms);
            let words = if days { format::day_short(at_ms, offset) } else { format::clock_minutes(at_ms, offset) };
            let place = all.x(at_ms, size.width) + 3.0;
            if place > 0.0 && place < size.width - 36.0 {
                let _ = context.fill_text(&words, place, 10.0);
            }
        }
        let (a, b) = edges(view, all, size.width);
        context.set_fill_style_str(&theme.accent);
        context.set_global_alpha(0.16);
        context.fill_rect(a, 0.0, b - a, size.height);
        context.set_global_alpha(1.0);
        for x in [a, b] {
            context.fill_rect(x.round() - 0.5, 0.0, 1.0, size.height);
            context.fill_rect(x.round() - 2.5, size.height / 2.0 - 7.0, 5.0, 14.0);
        }
    });
    let held = StoredValue::new(None::<Held>);
    let place = move |event: &PointerEvent| {
        drawing
            .get_untracked()
            .map_or(0.0, |element| f64::from(event.client_x()) - element.get_bounding_client_rect().left())
    };
    let on_down = move |event: PointerEvent| {
        let (Some(all), view, width) =
            (chart.all.get_untracked(), chart.view.get_untracked(), size.get_untracked().width)
        else {
            return;
        };
        if let Some(element) = drawing.get_untracked() {
            let _ = element.set_pointer_capture(event.pointer_id());
        }
        let x = place(&event);
        let (a, b) = edges(view, all, width);
        let grip = match x {
            x if (x - a).abs() < EDGE_PX && b - a > 3.0 * EDGE_PX => Held::Left,
            x if (x - b).abs() < EDGE_PX && b - a > 3.0 * EDGE_PX => Held::Right,
            x if (a..=b).contains(&x) => Held::Middle(x - a),
            x => {
                // A place outside becomes the middle of the view.
                chart.set_view(view.pan(all.at(x, width) - (view.from_ms + view.to_ms) / 2.0));
                Held::Middle((b - a) / 2.0)
            }
        };
        held.set_value(Some(grip));
    };
    let on_move = move |event: PointerEvent| {
        let (Some(grip), Some(all)) = (held.get_value(), chart.all.get_untracked()) else { return };
        let view = chart.view.get_untracked();
        let at = all.at(place(&event), size.get_untracked().width);
        chart.set_view(match grip {
            Held::Left => View { from_ms: at.min(view.to_ms - 1_000.0), ..view },
            Held::Right => View { to_ms: at.max(view.from_ms + 1_000.0), ..view },
            Held::Middle(off) => view.pan(at - off / size.get_untracked().width * all.width() - view.from_ms),
        });
    };
    let most = move || chart.busy.get().map(|busy| busy.lanes.iter().copied().max().unwrap_or(0));
    view! {
        <div class="tl__mini">
            <div class="tl__side muted">
                <span class="clip">"Agents busy at once"</span>
                <span class="push num faint">{move || most().map(|most| format!("max {most}"))}</span>
            </div>
            <canvas
                node_ref=drawing
                aria-hidden="true"
                on:pointerdown=on_down
                on:pointermove=on_move
                on:pointerup=move |_| held.set_value(None)
                on:pointercancel=move |_| held.set_value(None)
                on:dblclick=move |_| chart.fit()
            ></canvas>
        </div>
    }
}

/// Edges of the view on the map, a few pixels apart at least.
fn edges(view: View, all: View, width: f64) -> (f64, f64) {
    let (a, b) = (all.x(view.from_ms as i64, width), all.x(view.to_ms as i64, width));
    let (a, b) = (a.clamp(0.0, width), b.clamp(0.0, width));
    if b - a < 4.0 { ((a + b) / 2.0 - 2.0, (a + b) / 2.0 + 2.0) } else { (a, b) }
}
