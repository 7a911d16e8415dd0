//! Nothing here yet, or nothing to be had: why, and what to do.

use leptos::prelude::*;

/// A title, a sentence, and buttons as children.
#[component]
pub fn Empty(
    #[prop(into)] title: Signal<String>,
    #[prop(into, optional)] say: Signal<String>,
    /// In the middle of the page, for a page that has nothing else.
    #[prop(optional)]
    center: bool,
    /// Something went wrong: screen readers are told at once.
    #[prop(optional)]
    failed: bool,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let class = if center { "empty empty--center" } else { "empty" };
    view! {
        <div class=class role=failed.then_some("alert")>
            <h2>{move || title.get()}</h2>
            {move || Some(say.get()).filter(|say| !say.is_empty()).map(|say| view! { <p>{say}</p> })}
            {children.map(|children| view! { <div class="row">{children()}</div> })}
        </div>
    }
}
