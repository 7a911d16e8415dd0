//! A button that opens a list of things to do.

use leptos::prelude::*;

use super::Icon;
use super::popup::use_popup;

/// One thing to do.
#[derive(Clone)]
pub struct MenuItem {
    pub label: String,
    /// Empty for none.
    pub icon: &'static str,
    /// How it is reached by keys. May be empty.
    pub keys: &'static str,
    pub disabled: bool,
    /// It destroys something.
    pub danger: bool,
    pub run: Callback<()>,
}

impl MenuItem {
    /// An item that can be chosen, without keys.
    pub fn new(label: impl Into<String>, icon: &'static str, run: impl Fn() + Send + Sync + 'static) -> MenuItem {
        let run = Callback::new(move |()| run());
        MenuItem { label: label.into(), icon, keys: "", disabled: false, danger: false, run }
    }
}

/// A menu button. The focus goes into the list when it opens and back to the button when it closes.
#[component]
pub fn Menu(
    /// What the button says, or what it is called where it shows its icon alone.
    #[prop(into)]
    name: Signal<String>,
    #[prop(into)] items: Signal<Vec<MenuItem>>,
    #[prop(default = "i-more")] icon: &'static str,
    /// Only the icon is shown.
    #[prop(optional)]
    bare: bool,
    /// The list hangs from the button's right end.
    #[prop(optional)]
    right: bool,
) -> impl IntoView {
    let popup = use_popup();
    let list_class = if right { "popover menu menu--right" } else { "popover menu" };
    let item = move |item: MenuItem| {
        let keys = item.keys.split_whitespace().map(|key| view! { <kbd>{key}</kbd> }).collect_view();
        let class = if item.danger { "menu__item menu__item--danger" } else { "menu__item" };
        view! {
            <button type="button" class=class role="menuitem" tabindex="-1" disabled=item.disabled on:click=move |_| {
                popup.close();
                item.run.run(());
            }>
                {(!item.icon.is_empty()).then(|| view! { <Icon name=item.icon/> })}
                <span class="clip grow">{item.label.clone()}</span>
                {keys}
            </button>
        }
    };
    view! {
        <div
            class="pick"
            node_ref=popup.root
            on:keydown=move |event| popup.on_key(&event, || popup.toggle())
            on:focusout=move |event| popup.on_leave(&event)
        >
            <button
                type="button"
                class=if bare { "iconbtn" } else { "btn btn--small" }
                node_ref=popup.button
                aria-haspopup="menu"
                aria-expanded=move || popup.open.get().to_string()
                aria-label=move || bare.then(|| name.get())
                title=move || bare.then(|| name.get())
                on:click=move |_| popup.toggle()
            >
                <Icon name=icon/>
                {move || (!bare).then(|| name.get())}
                {(!bare).then(|| view! { <Icon name="i-down" small=true/> })}
            </button>
            <Show when=move || popup.open.get()>
                <div class=list_class role="menu" aria-label=move || name.get()>{move || items.get().into_iter().map(item).collect_view()}</div>
            </Show>
        </div>
    }
}
