//! Tabs: one of a few views of the same thing. Arrows move among them, Home and End go to the ends.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// One tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    /// What `value` is while this tab is shown; stands in addresses.
    pub key: String,
    pub label: String,
    /// Shown behind the label: how much is in it.
    pub count: Option<u64>,
}

impl Tab {
    pub fn new(key: &str, label: &str) -> Tab {
        Tab { key: key.to_owned(), label: label.to_owned(), count: None }
    }
}

/// A line of tabs over a [`TabPanel`] with the same `id`, which is unique in the page.
#[component]
pub fn Tabs(
    id: &'static str,
    #[prop(into)] label: String,
    #[prop(into)] tabs: Signal<Vec<Tab>>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] choose: Callback<String>,
) -> impl IntoView {
    let on_key = move |event: KeyboardEvent| {
        let keys: Vec<String> = tabs.with_untracked(|tabs| tabs.iter().map(|tab| tab.key.clone()).collect());
        let at = value.with_untracked(|value| keys.iter().position(|key| key == value)).unwrap_or(0);
        let Some(next) = step(&event.key(), at, keys.len()) else { return };
        event.prevent_default();
        event.stop_propagation();
        choose.run(keys[next].clone());
        let wanted = tab_id(id, &keys[next]);
        request_animation_frame(move || focus(&wanted));
    };
    let tab = move |tab: Tab| {
        let key = StoredValue::new(tab.key.clone());
        let is_chosen = Memo::new(move |_| value.with(|value| key.with_value(|key| key == value)));
        view! {
            <button
                type="button"
                role="tab"
                id=tab_id(id, &tab.key)
                aria-selected=move || is_chosen.get().to_string()
                aria-controls=panel_id(id)
                tabindex=move || if is_chosen.get() { "0" } else { "-1" }
                on:click=move |_| choose.run(key.get_value())
            >
                {tab.label}
                {tab.count.map(|count| view! { <span class="num">{orrery_views::format::count(count)}</span> })}
            </button>
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label=label on:keydown=on_key>
            {move || tabs.get().into_iter().map(tab).collect_view()}
        </div>
    }
}

/// What the chosen tab shows. `class` lays it out.
#[component]
pub fn TabPanel(
    id: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView {
    view! {
        <div class=class role="tabpanel" id=panel_id(id) aria-labelledby=move || value.with(|value| tab_id(id, value)) tabindex="0">
            {children()}
        </div>
    }
}

/// Where a key leads from tab `at` of `count`. Empty for other keys.
fn step(key: &str, at: usize, count: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    match key {
        "ArrowRight" => Some(if at >= last { 0 } else { at + 1 }),
        "ArrowLeft" => Some(if at == 0 { last } else { at - 1 }),
        "Home" => Some(0),
        "End" => Some(last),
        _ => None,
    }
}

fn tab_id(id: &str, key: &str) -> String {
    format!("{id}-tab-{key}")
}

fn panel_id(id: &str) -> String {
    format!("{id}-panel")
}

fn focus(id: &str) {
    if let Some(tab) = document().get_element_by_id(id).and_then(|tab| tab.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = tab.focus();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_round() {
        assert_eq!(step("ArrowRight", 2, 3), Some(0));
        assert_eq!(step("ArrowLeft", 0, 3), Some(2));
        assert_eq!((step("End", 0, 3), step("Home", 2, 3), step("x", 0, 3)), (Some(2), Some(0), None));
        assert_eq!(step("ArrowRight", 0, 0), None);
    }
}
