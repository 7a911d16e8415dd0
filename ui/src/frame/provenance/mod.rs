//! How a cost is known: a bill beside the page, opened by any figure of cost. What is billed stands in the address as
//! `bill=...`, one request of it as `request=KEY`.

mod address;
mod bill;
mod link;
mod request;
mod requests;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;

use crate::api::ApiError;
use crate::components::Icon;
use crate::host;
use crate::routes::use_query;
use crate::state::use_app;

pub use address::Billed;
pub use link::BillLink;

/// What the server said of what was asked; the last answer stays while a newer one is read.
#[derive(Debug, Clone, PartialEq)]
enum Told<T> {
    Reading,
    Known(T),
    Failed(ApiError),
}

#[component]
pub fn Provenance() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let billed = Memo::new(move |_| query.get("bill").and_then(|text| Billed::read(&text)));
    let request = Memo::new(move |_| query.get("request"));
    let is_open = Memo::new(move |_| billed.with(Option::is_some) || request.with(Option::is_some));

    let panel = NodeRef::<html::Aside>::new();
    let opener = StoredValue::new_local(None::<web_sys::HtmlElement>);
    Effect::new(move |was_open: Option<bool>| {
        let open = is_open.get();
        if open && was_open != Some(true) {
            opener.set_value(document().active_element().and_then(|element| element.dyn_into().ok()));
            request_animation_frame(move || {
                if let Some(panel) = panel.get_untracked() {
                    let _ = panel.focus();
                }
            });
        }
        open
    });
    let close = move || {
        query.set_all(&[("bill", None), ("request", None)]);
        if let Some(opener) = opener.get_value() {
            let _ = opener.focus();
        }
    };
    // An event that is opened takes the place beside the page.
    let event = Memo::new(move |_| query.get("event"));
    Effect::new(move |before: Option<Option<String>>| {
        let event = event.get();
        if before.is_some_and(|before| before != event) && event.is_some() && is_open.get_untracked() {
            query.replace_all(&[("bill", None), ("request", None)]);
        }
        event
    });
    let back = move || query.set("request", None);
    let id = app.add_keys(std::rc::Rc::new(move |event: &KeyboardEvent| {
        if event.key() != "Escape" || !is_open.get_untracked() {
            return false;
        }
        if request.with_untracked(Option::is_some) && billed.with_untracked(Option::is_some) {
            back()
        } else {
            close()
        }
        true
    }));
    on_cleanup(move || app.remove_keys(id));

    let title = move || {
        if request.with(Option::is_some) {
            return "One request".to_owned();
        }
        billed.with(|billed| billed.as_ref().map(Billed::title).unwrap_or_default())
    };
    let has_back = Memo::new(move |_| request.with(Option::is_some) && billed.with(Option::is_some));
    view! {
        <Show when=move || is_open.get()>
            <aside class="drawer drawer--bill" aria-label="How we know" tabindex="-1" node_ref=panel on:keydown=move |event| host::keep_focus_inside(panel.get_untracked().as_ref(), &event)>
                <div class="drawer__head drawer__head--bill">
                    <div class="row">
                        <Show when=move || has_back.get()>
                            <button type="button" class="iconbtn" aria-label="Back to the bill" title="Back to the bill (Esc)" on:click=move |_| back()><Icon name="i-left"/></button>
                        </Show>
                        <h2 class="drawer__title clip grow">{title}</h2>
                        <button type="button" class="iconbtn" aria-label="Close" title="Close (Esc)" on:click=move |_| close()><Icon name="i-x"/></button>
                    </div>
                </div>
                <div class="drawer__body" tabindex="0">
                    {move || match (request.get(), billed.get()) {
                        (Some(key), _) => view! { <request::Request key/> }.into_any(),
                        (None, Some(billed)) => view! { <bill::BillView billed/> }.into_any(),
                        (None, None) => ().into_any(),
                    }}
                </div>
            </aside>
        </Show>
    }
}

/// Reads now and whenever `stamp` changes; what was known stays until the answer is here.
fn told<T, S, F>(stamp: Memo<S>, read: impl Fn() -> F + 'static) -> RwSignal<Told<T>>
where
    T: Clone + Send + Sync + 'static,
    S: PartialEq + Send + Sync + 'static,
    F: Future<Output = Result<T, ApiError>> + 'static,
{
    let told = RwSignal::new(Told::Reading);
    Effect::new(move |_| {
        stamp.track();
        let answer = read();
        spawn_local(async move {
            let told_now = match answer.await {
                Ok(known) => Told::Known(known),
                Err(error) => Told::Failed(error),
            };
            let is_known = told.try_with_untracked(|told| matches!(told, Told::Known(_)));
            // A failed repeat is no reason to take away what is on screen; the page may be gone as well.
            if is_known.is_some_and(|is_known| !is_known || matches!(told_now, Told::Known(_))) {
                told.try_set(told_now);
            }
        });
    });
    told
}

/// Shown until an answer is here, and when none came.
fn waiting<T>(told: &Told<T>) -> AnyView {
    match told {
        Told::Failed(error) => view! {
            <div class="empty" role="alert">
                <Icon name="i-offline"/>
                <h2>{error.title.clone()}</h2>
                <p>{error.hint.clone()}</p>
            </div>
        }
        .into_any(),
        _ => {
            let row = || view! { <div class="ghost__row"><i></i><i></i><i></i></div> };
            view! { <div class="ghost" role="status" aria-label="Reading the bill">{(0..6).map(|_| row()).collect_view()}</div> }
                .into_any()
        }
    }
}
