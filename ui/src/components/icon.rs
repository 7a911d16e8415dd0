//! Icons of the sprite.

use leptos::prelude::*;
use orrery_types::ToolClass;

/// A 16 px icon by its name in the sprite; decoration, the words stand beside it.
#[component]
pub fn Icon(
    #[prop(into)] name: Signal<&'static str>,
    /// 12 px with a heavier stroke.
    #[prop(optional)]
    small: bool,
    #[prop(optional, into)] class: &'static str,
) -> impl IntoView {
    let class = format!("icon {} {class}", if small { "icon--12" } else { "" });
    view! { <svg class=class aria-hidden="true"><use href=move || format!("#{}", name.get())/></svg> }
}

/// The icon of a kind of tool.
pub fn tool_icon(class: ToolClass) -> &'static str {
    match class {
        ToolClass::Shell => "i-terminal",
        ToolClass::Edit => "i-edit",
        ToolClass::Read => "i-file",
        ToolClass::Search => "i-search",
        ToolClass::Web => "i-web",
        ToolClass::Agent => "i-agent",
        ToolClass::Ask => "i-question",
        ToolClass::Other => "i-more",
    }
}
