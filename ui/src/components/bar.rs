//! A thin bar: a part of a whole.

use leptos::prelude::*;

/// Fills `share` (0 to 1, larger is full) of its track. Near the end it turns amber, past it red.
#[component]
pub fn Bar(
    #[prop(into)] share: Signal<f64>,
    /// Share from which it is amber; larger than 1 for never.
    #[prop(optional, default = 0.8)]
    near: f64,
    /// What it measures, for those who do not see it. Empty: decoration, the figure stands beside it.
    #[prop(optional, into)]
    label: Signal<String>,
    /// A mark on the track (0 to 1): the pace.
    #[prop(optional, into)]
    mark: Signal<Option<f64>>,
) -> impl IntoView {
    let class = move || match share.get() {
        share if share > 1.0 => "bar bar--over",
        share if share >= near => "bar bar--near",
        _ => "bar bar--text",
    };
    let percent = move || format!("{:.1}%", (share.get().clamp(0.0, 1.0)) * 100.0);
    let hidden = move || label.with(String::is_empty).then_some("true");
    let role = move || (!label.with(String::is_empty)).then_some("img");
    let said = move || Some(label.get()).filter(|label| !label.is_empty());
    view! {
        <span class=class role=role aria-label=said aria-hidden=hidden>
            <i style:width=percent></i>
            {move || mark.get().map(|at| view! { <u style:left=format!("{:.1}%", at.clamp(0.0, 1.0) * 100.0)></u> })}
        </span>
    }
}
