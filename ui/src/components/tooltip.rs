//! A few words about what is under the pointer or has the focus.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// How long the pointer rests before the words appear.
const REST: Duration = Duration::from_millis(300);

/// Words for its children: shown while the pointer rests on them or the focus is in them, gone with Esc. Screen readers
/// get them as the description of the first thing inside that takes the focus; where nothing does, the whole takes it.
#[component]
pub fn Tooltip(#[prop(into)] text: Signal<String>, children: Children) -> impl IntoView {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("tip-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let root = NodeRef::<html::Span>::new();
    let place = RwSignal::new(None::<(f64, f64)>);
    let wanted = RwSignal::new(false);
    let show = move || {
        if let Some(root) = root.get_untracked().filter(|_| wanted.get_untracked()) {
            let around = root.get_bounding_client_rect();
            let width = window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or(1280.0);
            let middle = (around.left() + around.width() / 2.0)
                .clamp(140.0_f64.min(width / 2.0), (width - 140.0).max(width / 2.0));
            place.set(Some((middle, if around.top() > 64.0 { around.top() } else { -around.bottom() })));
        }
    };
    let hide = move || {
        wanted.set(false);
        place.set(None);
    };
    let described = id.clone();
    Effect::new(move |_| {
        let Some(root) = root.get() else { return };
        let inside = root.query_selector("a[href], button, input, select, textarea, [tabindex]").ok().flatten();
        let target = inside.unwrap_or_else(|| {
            let _ = root.set_attribute("tabindex", "0");
            root.unchecked_into()
        });
        let _ = target.set_attribute("aria-describedby", &described);
    });
    let class = move || match place.get() {
        Some((_, top)) if top < 0.0 => "tip tip--below",
        _ => "tip",
    };
    view! {
        <span
            class="tip-host"
            node_ref=root
            on:pointerenter=move |_| {
                wanted.set(true);
                set_timeout(show, REST);
            }
            on:pointerleave=move |_| hide()
            on:focusin=move |_| {
                wanted.set(true);
                show();
            }
            on:focusout=move |_| hide()
            on:keydown=move |event| {
                if event.key() == "Escape" && place.get_untracked().is_some() {
                    event.stop_propagation();
                    hide();
                }
            }
        >
            {children()}
            <span
                class=class
                role="tooltip"
                id=id
                hidden=move || place.get().is_none()
                style:left=move || place.get().map(|(left, _)| format!("{left:.0}px"))
                style:top=move || place.get().map(|(_, top)| format!("{:.0}px", top.abs()))
            >
                {move || text.get()}
            </span>
        </span>
    }
}
