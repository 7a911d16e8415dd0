//! What every browser window offers: clock, storage, clipboard, frames.

use std::sync::atomic::{AtomicI64, Ordering};

use leptos::prelude::{document, request_animation_frame, set_timeout, window};
use wasm_bindgen::JsCast;

/// Server clock minus this machine's clock, ms, as the newest frame told.
static CLOCK_AHEAD_MS: AtomicI64 = AtomicI64::new(0);

/// This machine's clock, ms since 1970 UTC.
pub fn unix_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// A clock for frames, ms with fractions; its zero means nothing.
pub fn precise_ms() -> f64 {
    window().performance().map_or_else(js_sys::Date::now, |performance| performance.now())
}

/// The server's clock as far as we know it, ms since 1970 UTC. Ages are counted against it.
pub fn now_ms() -> i64 {
    unix_ms() + CLOCK_AHEAD_MS.load(Ordering::Relaxed)
}

/// Learns the server's clock from a frame that was just received.
pub fn set_server_clock(server_ms: i64) {
    CLOCK_AHEAD_MS.store(server_ms - unix_ms(), Ordering::Relaxed);
}

/// Minutes that local time is ahead of UTC at that moment.
pub fn utc_offset_minutes(at_ms: i64) -> i32 {
    -js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at_ms as f64)).get_timezone_offset() as i32
}

/// The moment that `2026-11-25T14:32` names on the person's clock, ms. Empty where it names none.
pub fn local_ms(text: &str) -> Option<i64> {
    let at = js_sys::Date::parse(text);
    at.is_finite().then_some(at as i64)
}

/// Scheme, host and port of this page.
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// A value kept in this browser. Empty when there is none or storage is closed to us.
pub fn stored(key: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
}

/// Keeps a value in this browser; without storage it is kept for this visit only.
pub fn store(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(key, value);
    }
}

/// Puts text on the clipboard. Without a secure context browsers refuse; the caller shows what could not be copied.
pub async fn copy_text(text: String) -> Result<(), String> {
    let promise = window().navigator().clipboard().write_text(&text);
    wasm_bindgen_futures::JsFuture::from(promise)
        .await
        .map(|_| ())
        .map_err(|_| "The clipboard is closed to this page".to_owned())
}

/// Runs once before the next paint; in a hidden page, which paints never, after a second.
pub fn on_next_paint(run: impl FnOnce() + 'static) {
    if document().hidden() {
        set_timeout(run, std::time::Duration::from_secs(1));
    } else {
        request_animation_frame(run);
    }
}

/// Whether the system asks for light pages.
pub fn prefers_light() -> bool {
    media_matches("(prefers-color-scheme: light)")
}

/// Whether the phone layout is shown.
pub fn is_narrow() -> bool {
    media_matches("(max-width: 719px)")
}

fn media_matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|media| media.matches())
}

/// Whether the keyboard belongs to a text field right now.
pub fn is_typing() -> bool {
    let Some(element) = document().active_element() else { return false };
    let is_field = matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
    let kind = element.get_attribute("type").unwrap_or_default();
    let editable = element.dyn_ref::<web_sys::HtmlElement>().is_some_and(|html| html.is_content_editable());
    (is_field && !matches!(kind.as_str(), "checkbox" | "radio" | "button" | "range")) || editable
}

/// On a phone Tab goes round inside a sheet, because the page behind it cannot be seen.
pub fn keep_focus_inside(sheet: Option<&web_sys::HtmlElement>, event: &web_sys::KeyboardEvent) {
    let Some(sheet) = sheet.filter(|_| event.key() == "Tab" && is_narrow()) else { return };
    let Ok(found) = sheet.query_selector_all("a[href], button:not([disabled]), [tabindex='0']") else { return };
    let items: Vec<web_sys::HtmlElement> =
        (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect();
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return };
    let at = document().active_element();
    let is_at = |item: &web_sys::HtmlElement| at.as_ref().is_some_and(|at| item.is_same_node(Some(at)));
    let wrap = if event.shift_key() && (is_at(first) || is_at(sheet)) {
        last
    } else if !event.shift_key() && is_at(last) {
        first
    } else {
        return;
    };
    event.prevent_default();
    let _ = wrap.focus();
}
