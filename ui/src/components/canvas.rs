//! What drawings share: a canvas in the screen's own pixels, and the theme's colors.

use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::state::use_app;

/// Width and height in CSS pixels, and how many of the screen's pixels one of them is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Size {
    pub width: f64,
    pub height: f64,
    pub dpr: f64,
}

/// The size of a canvas, followed. Zero until it is drawn for the first time.
pub fn follow_size(canvas: NodeRef<Canvas>) -> ReadSignal<Size> {
    let (size, set_size) = signal(Size::default());
    Effect::new(move |_| {
        let Some(element) = canvas.get() else { return };
        let read = {
            let element = element.clone();
            move || {
                let rect = element.get_bounding_client_rect();
                let dpr = window().device_pixel_ratio().clamp(1.0, 3.0);
                let now = Size { width: rect.width(), height: rect.height(), dpr };
                if size.try_get_untracked().is_some_and(|before| before != now) {
                    set_size.set(now);
                }
            }
        };
        read();
        let on_resize = Closure::<dyn FnMut(js_sys::Array)>::new(move |_| request_animation_frame(read.clone()));
        let Ok(observer) = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()) else { return };
        observer.observe(&element);
        let kept = StoredValue::new_local((observer, on_resize));
        on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
    });
    size
}

/// Prepares the canvas for a drawing in CSS pixels and clears it.
pub fn begin(canvas: &HtmlCanvasElement, size: Size) -> Option<CanvasRenderingContext2d> {
    let context = context(canvas, size)?;
    let _ = context.set_transform(size.dpr, 0.0, 0.0, size.dpr, 0.0, 0.0);
    context.clear_rect(0.0, 0.0, size.width, size.height);
    Some(context)
}

/// The context of a canvas that has the size in the screen's pixels. What was drawn stays when the size did.
pub fn context(canvas: &HtmlCanvasElement, size: Size) -> Option<CanvasRenderingContext2d> {
    let (width, height) = ((size.width * size.dpr).round() as u32, (size.height * size.dpr).round() as u32);
    if width == 0 || height == 0 {
        return None;
    }
    if canvas.width() != width {
        canvas.set_width(width);
    }
    if canvas.height() != height {
        canvas.set_height(height);
    }
    canvas.get_context("2d").ok().flatten()?.dyn_into().ok()
}

/// Grows when the colors may have changed: another theme, another text size.
pub fn follow_theme() -> Memo<(orrery_types::Appearance, u32)> {
    let app = use_app();
    let (turns, set_turns) = signal(0_u32);
    // The system's own change of heart.
    if let Ok(Some(media)) = window().match_media("(prefers-color-scheme: light)") {
        let on_change = Closure::<dyn FnMut(web_sys::Event)>::new(move |_| {
            request_animation_frame(move || {
                set_turns.try_update(|turns| *turns += 1);
            });
        });
        let _ = media.add_event_listener_with_callback("change", on_change.as_ref().unchecked_ref());
        let kept = StoredValue::new_local((media, on_change));
        on_cleanup(move || {
            kept.with_value(|(media, on_change)| {
                let _ = media.remove_event_listener_with_callback("change", on_change.as_ref().unchecked_ref());
            });
        });
    }
    Memo::new(move |_| (app.settings.with(|settings| settings.appearance.clone()), turns.get()))
}

/// The value of a token in the theme that is shown, such as `--surface`.
pub fn token(name: &str) -> String {
    let style = document().document_element().and_then(|root| window().get_computed_style(&root).ok().flatten());
    style.and_then(|style| style.get_property_value(name).ok()).map(|value| value.trim().to_owned()).unwrap_or_default()
}

/// `--font-code` at a size of the type scale, for drawings.
pub fn font(size_px: f64, family: &str, weight: u16) -> String {
    let scale: f64 = token("--text-scale").parse().unwrap_or(1.0);
    format!("{weight} {}px {}", size_px * scale, token(family))
}

/// Red, green and blue of a color as CSS writes it. Black for what is no color.
pub fn rgb(color: &str) -> [u8; 3] {
    let hex = |text: &str| u8::from_str_radix(text, 16).unwrap_or(0);
    if let Some(digits) = color.strip_prefix('#').filter(|digits| digits.is_ascii()) {
        return match digits.len() {
            3 | 4 => [0, 1, 2].map(|n| hex(&digits[n..=n]) * 17),
            6 | 8 => [0, 2, 4].map(|n| hex(&digits[n..n + 2])),
            _ => [0; 3],
        };
    }
    let inside = color.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
    let mut parts = inside.split([',', ' ', '/']).filter(|part| !part.is_empty());
    [0, 1, 2].map(|_| parts.next().and_then(|part| part.parse::<f64>().ok()).unwrap_or(0.0).clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_read_as_css_writes_them() {
        let written = |start: &str, rest: &str| rgb(&format!("{start}{rest}"));
        assert_eq!(written("#", "5b97bf"), [0x5b, 0x97, 0xbf]);
        assert_eq!(written("#", "fff"), [255; 3]);
        assert_eq!(written("rgb", "(10 12 15 / .5)"), [10, 12, 15]);
        assert_eq!((written("rgba", "(1, 2, 3, 1)"), rgb("tomato"), rgb("")), ([1, 2, 3], [0; 3], [0; 3]));
    }
}
