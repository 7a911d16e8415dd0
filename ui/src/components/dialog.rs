//! A dialog over the page: the native one, which holds the focus inside and gives it back when it closes.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::Icon;

/// A dialog with a title and a close button, shown while `open` is true. Its content is made anew each time it opens.
///
/// Esc and a click beside it close it; keys pressed inside never reach the page behind it.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// Unique in the page.
    id: &'static str,
    /// Buttons below the content; they stay in sight while it scrolls.
    #[prop(optional, into)]
    foot: Option<ViewFn>,
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    follow(dialog, open.into());
    let close = move || open.set(false);
    let (title_id, named_by) = (format!("{id}-title"), format!("{id}-title"));
    let children = StoredValue::new(children);
    let foot = StoredValue::new(foot);
    view! {
        <dialog
            class="sheet dialog"
            id=id
            node_ref=dialog
            aria-labelledby=named_by
            on:close=move |_| close()
            on:keydown=|event| event.stop_propagation()
            on:click=move |event| {
                if is_backdrop(&event) {
                    close();
                }
            }
        >
            <div class="dialog__head">
                <h2 id=title_id>{move || title.get()}</h2>
                <button type="button" class="iconbtn push" aria-label="Close" on:click=move |_| close()><Icon name="i-x"/></button>
            </div>
            <Show when=move || open.get()>
                <div class="dialog__body">{children.with_value(|children| children())}</div>
                {foot.with_value(|foot| foot.as_ref().map(|foot| view! { <div class="dialog__foot">{foot.run()}</div> }))}
            </Show>
        </dialog>
    }
}

/// Opens and closes the native dialog as `open` says.
pub fn follow(dialog: NodeRef<html::Dialog>, open: Signal<bool>) {
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => {
                let _ = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
}

/// Whether a click hit the dialog's backdrop and nothing in it.
pub fn is_backdrop(event: &web_sys::MouseEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    element.is_some_and(|element| {
        let around = element.get_bounding_client_rect();
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        element.tag_name() == "DIALOG"
            && (x < around.left() || x > around.right() || y < around.top() || y > around.bottom())
    })
}
