//! A choice of one: a button that says what is chosen, and the list behind it.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::Icon;

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
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let shown = move || {
        let value = value.get();
        options.with(|options| {
            options.iter().find(|(known, _)| *known == value).map_or(value.clone(), |(_, label)| label.clone())
        })
    };
    let is_set = move || value.with(|value| !value.is_empty());
    let toggle = move |_| {
        if let (false, Some(opening)) = (open.get_untracked(), opening) {
            opening.run(());
        }
        open.update(|open| *open = !*open);
    };
    // The first item gets the focus once it is there.
    Effect::new(move |_| {
        if open.get() {
            request_animation_frame(move || focus_item(root, 0));
        }
    });
    let close = move || {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            let _ = button.focus();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            "Escape" if open.get_untracked() => {
                event.stop_propagation();
                close();
                return;
            }
            _ => return,
        };
        event.prevent_default();
        if open.get_untracked() { focus_item(root, step) } else { toggle(()) }
    };
    let on_leave = move |event: web_sys::FocusEvent| {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = root.get_untracked().is_some_and(|root| root.contains(to.as_ref()));
        if !inside {
            open.set(false);
        }
    };
    view! {
        <div class="pick" node_ref=root on:keydown=on_key on:focusout=on_leave>
            <button
                type="button"
                class="pick__button"
                node_ref=button
                aria-haspopup="menu"
                aria-expanded=move || open.get().to_string()
                aria-label=move || format!("{name}: {}", shown())
                on:click=move |_| toggle(())
            >
                {(!icon.is_empty()).then(|| view! { <Icon name=icon/> })}
                {move || if is_set() { view! { <b class="clip">{shown()}</b> }.into_any() } else { view! { <span>{shown()}</span> }.into_any() }}
                <Icon name="i-down" small=true/>
            </button>
            <Show when=move || open.get()>
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
                                            close();
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

/// Moves the focus by `step` among the items; 0 goes to the chosen one, else the first.
fn focus_item(root: NodeRef<html::Div>, step: i32) {
    let Some(root) = root.get_untracked() else { return };
    let Ok(found) = root.query_selector_all(".menu__item") else { return };
    let items: Vec<web_sys::HtmlElement> =
        (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect();
    if items.is_empty() {
        return;
    }
    let focused = document().active_element();
    let at = items.iter().position(|item| focused.as_ref().is_some_and(|focused| item.is_same_node(Some(focused))));
    let next = match at {
        Some(at) => (at as i32 + step).rem_euclid(items.len() as i32) as usize,
        None => {
            items.iter().position(|item| item.get_attribute("aria-checked").as_deref() == Some("true")).unwrap_or(0)
        }
    };
    let _ = items[next].focus();
}
