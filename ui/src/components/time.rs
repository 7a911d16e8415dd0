//! Moments and spans, with the exact value on hover.

use leptos::prelude::*;
use orrery_views::format;

use crate::host::utc_offset_minutes;
use crate::state::use_app;

/// `14:32:06` local time.
#[component]
pub fn Clock(at_ms: i64) -> impl IntoView {
    let offset = utc_offset_minutes(at_ms);
    view! { <time class="num" title=format::moment(at_ms, offset)>{format::clock(at_ms, offset)}</time> }
}

/// `3 min ago`, kept current.
#[component]
pub fn Ago(#[prop(into)] at_ms: Signal<i64>) -> impl IntoView {
    let now = use_app().now;
    let said = Memo::new(move |_| format::ago_ms(now.get() - at_ms.get()));
    let exact = move || format::moment(at_ms.get(), utc_offset_minutes(at_ms.get()));
    view! { <time class="num" title=exact>{said}</time> }
}

/// The span since a moment, kept current: `1 m 20 s`.
#[component]
pub fn Elapsed(#[prop(into)] since_ms: Signal<i64>) -> impl IntoView {
    let now = use_app().now;
    let said = Memo::new(move |_| format::elapsed_ms(now.get() - since_ms.get()));
    let exact = move || format!("since {}", format::moment(since_ms.get(), utc_offset_minutes(since_ms.get())));
    view! { <span class="num" title=exact>{said}</span> }
}
