//! Every component in each of its states, with made-up values that never change. Hidden: no link leads here; the visual
//! tests photograph it, and who writes a page looks here first.

mod controls;
mod figures;
mod overlays;
mod text;

use leptos::prelude::*;

#[component]
pub fn GalleryPage() -> impl IntoView {
    view! {
        <div class="page gallery" tabindex="0" role="region" aria-label="Components">
            <h1 class="gallery__title">"Components"</h1>
            <controls::Controls/>
            <figures::Figures/>
            <text::Texts/>
            <overlays::Overlays/>
        </div>
    }
}

/// One component with its states in a row.
#[component]
fn Exhibit(
    /// Unique in the page; names the picture.
    id: &'static str,
    name: &'static str,
    /// States below one another.
    #[prop(optional)]
    tall: bool,
    children: Children,
) -> impl IntoView {
    let (title, named_by) = (format!("{id}-name"), format!("{id}-name"));
    view! {
        <section class="exhibit" id=id aria-labelledby=named_by>
            <h2 id=title>{name}</h2>
            <div class=if tall { "exhibit__tall" } else { "exhibit__row" }>{children()}</div>
        </section>
    }
}
