//! A figure of a page head: its name above, the value large, a remark small.

use leptos::prelude::*;

/// One figure; stands in a `<dl class="figures">`.
#[component]
pub fn Stat(
    #[prop(into)] name: Signal<String>,
    /// Empty where children show it.
    #[prop(into, optional)]
    value: Signal<String>,
    /// What puts the figure in proportion: "of $60". May be empty.
    #[prop(into, optional)]
    small: Signal<String>,
    /// The exact value, on hover.
    #[prop(into, optional)]
    exact: Signal<String>,
    /// `attention` or `danger`. Empty for neutral.
    #[prop(into, optional)]
    tone: Signal<&'static str>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let glyph = move || match tone.get() {
        "attention" => Some("#g-wait"),
        "danger" => Some("#g-fail"),
        _ => None,
    };
    view! {
        <div class="big" title=move || exact.get()>
            <dt>
                {move || glyph().map(|glyph| view! { <svg class=format!("glyph {}", tone.get()) aria-hidden="true"><use href=glyph/></svg> })}
                {move || name.get()}
            </dt>
            <dd>{move || value.get()}{children.map(|children| children())}<small class=move || tone.get()>{move || small.get()}</small></dd>
        </div>
    }
}
