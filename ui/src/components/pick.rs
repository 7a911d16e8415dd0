//! A choice of one: a button that says what is chosen, and the list behind it.

use leptos::prelude::*;

use super::Icon;
use super::popup::use_popup;

/// A menu button. `options` are value and label; the empty value stands for "all".
#[component]
pub fn Pick(
    /// What is chosen here: "Project".
    name: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
    #[prop(into)] choose: Callback<String>,
    #[prop(optional)] icon: &'static str,
    /// Called before the list opens, to fetch what belongs in it.
    #[prop(optional, into)]
    opening: Option<Callback<()>>,
) -> impl IntoView {
    let popup = use_popup();
    let shown = move || {
        let value = value.get();
        options.with(|options| {
            options.iter().find(|(known, _)| *known == value).map_or(value.clone(), |(_, label)| label.clone())
        })
    };
    let is_set = move || value.with(|value| !value.is_empty());
    let toggle = move || {
        if let (false, Some(opening)) = (popup.open.get_untracked(), opening) {
            opening.run(());
        }
        popup.toggle();
    };
    view! {
        <div
            class="pick"
            node_ref=popup.root
            on:keydown=move |event| popup.on_key(&event, toggle)
            on:focusout=move |event| popup.on_leave(&event)
        >
            <button
                type="button"
                class="pick__button"
                node_ref=popup.button
                aria-haspopup="menu"
                aria-expanded=move || popup.open.get().to_string()
                aria-label=move || format!("{name}: {}", shown())
                on:click=move |_| toggle()
            >
                {(!icon.is_empty()).then(|| view! { <Icon name=icon/> })}
                {move || if is_set() { view! { <b class="clip">{shown()}</b> }.into_any() } else { view! { <span>{shown()}</span> }.into_any() }}
                <Icon name="i-down" small=true/>
            </button>
            <Show when=move || popup.open.get()>
                <div class="popover menu" role="menu" aria-label=name>
                    {move || {
                        let chosen = value.get();
                        options
                            .get()
                            .into_iter()
                            .map(|(option, label)| {
                                let is_chosen = option == chosen;
                                view! {
                                    <button
                                        type="button"
                                        class="menu__item"
                                        role="menuitemradio"
                                        tabindex="-1"
                                        aria-checked=is_chosen.to_string()
                                        on:click=move |_| {
                                            popup.close();
                                            choose.run(option.clone());
                                        }
                                    >
                                        <span class="clip grow">{label}</span>
                                        {is_chosen.then(|| view! { <Icon name="i-check"/> })}
                                    </button>
                                }
                            })
                            .collect_view()
                    }}
                </div>
            </Show>
        </div>
    }
}
