//! A panel beside the page with details of what is selected: over the page below 1,200 px, a sheet on a phone.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::host;
use crate::state::use_app;

/// Shown while `open` is true; made anew each time. Esc asks to `close` it (unless it is pinned), and the focus goes back
/// to what had it before.
#[component]
pub fn Drawer(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] open: Signal<bool>,
    #[prop(into)] close: Callback<()>,
    /// It stays until it is closed by its button.
    #[prop(into, optional)]
    pinned: Signal<bool>,
    children: ChildrenFn,
) -> impl IntoView {
    let app = use_app();
    let panel = NodeRef::<html::Aside>::new();
    let opener = StoredValue::new_local(None::<web_sys::HtmlElement>);
    Effect::new(move |was_open: Option<bool>| {
        let is_open = open.get();
        match (was_open.unwrap_or(false), is_open) {
            (false, true) => {
                opener.set_value(document().active_element().and_then(|element| element.dyn_into().ok()));
                // On a phone the sheet covers the page, so the focus must be in it.
                if host::is_narrow() {
                    request_animation_frame(move || focus(panel));
                }
            }
            (true, false) => {
                let at = document().active_element().filter(|at| at.tag_name() != "BODY");
                let lost = at.is_none() || panel.get_untracked().is_some_and(|panel| panel.contains(at.as_deref()));
                if lost {
                    give_back(opener.get_value());
                }
            }
            _ => {}
        }
        is_open
    });
    let id = app.add_keys(std::rc::Rc::new(move |event: &KeyboardEvent| {
        let closes = event.key() == "Escape" && open.get_untracked() && !pinned.get_untracked();
        if closes {
            close.run(());
        }
        closes
    }));
    on_cleanup(move || app.remove_keys(id));
    let children = StoredValue::new(children);
    view! {
        <Show when=move || open.get()>
            <aside class="drawer" aria-label=move || label.get() tabindex="-1" node_ref=panel on:keydown=move |event| host::keep_focus_inside(panel.get_untracked().as_ref(), &event)>
                {children.with_value(|children| children())}
            </aside>
        </Show>
    }
}

fn focus(panel: NodeRef<html::Aside>) {
    if let Some(panel) = panel.get_untracked() {
        let _ = panel.focus();
    }
}

/// The focus goes to what had it before, or to the page where that is gone.
fn give_back(opener: Option<web_sys::HtmlElement>) {
    let opener = opener.filter(|opener| opener.is_connected());
    let page = || document().get_element_by_id("main").and_then(|main| main.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(target) = opener.or_else(page) {
        let _ = target.focus();
    }
}
