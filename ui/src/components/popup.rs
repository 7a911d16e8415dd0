//! What a button and the list it opens share: arrows, Esc, and closing when the focus leaves.

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A button with a list of `.menu__item`s below it. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct Popup {
    pub open: RwSignal<bool>,
    /// Around button and list.
    pub root: NodeRef<html::Div>,
    pub button: NodeRef<html::Button>,
}

/// A closed popup. Its first item, or the chosen one, gets the focus once it is there.
pub fn use_popup() -> Popup {
    let popup = Popup { open: RwSignal::new(false), root: NodeRef::new(), button: NodeRef::new() };
    Effect::new(move |_| {
        if popup.open.get() {
            request_animation_frame(move || popup.focus_item(0));
        }
    });
    popup
}

impl Popup {
    pub fn toggle(&self) {
        self.open.update(|open| *open = !*open);
    }

    /// Closes and gives the focus back to the button.
    pub fn close(&self) {
        self.open.set(false);
        if let Some(button) = self.button.get_untracked() {
            let _ = button.focus();
        }
    }

    /// Arrows open the list and move in it, Home and End go to its ends, Esc closes it.
    pub fn on_key(&self, event: &KeyboardEvent, open: impl FnOnce()) {
        let is_open = self.open.get_untracked();
        match event.key().as_str() {
            "ArrowDown" if is_open => self.focus_item(1),
            "ArrowUp" if is_open => self.focus_item(-1),
            "ArrowDown" | "ArrowUp" => open(),
            "Home" if is_open => self.focus_at(|_, _| 0),
            "End" if is_open => self.focus_at(|_, count| count - 1),
            "Escape" if is_open => {
                event.stop_propagation();
                self.close();
                return;
            }
            _ => return,
        }
        event.prevent_default();
    }

    pub fn on_leave(&self, event: &web_sys::FocusEvent) {
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if !self.root.get_untracked().is_some_and(|root| root.contains(to.as_ref())) {
            self.open.set(false);
        }
    }

    /// Moves the focus by `step` among the items; from outside it goes to the chosen one, else the first.
    pub fn focus_item(&self, step: i32) {
        self.focus_at(|at, count| at.map_or(0, |at| (at as i32 + step).rem_euclid(count as i32) as usize));
    }

    fn focus_at(&self, to: impl FnOnce(Option<usize>, usize) -> usize) {
        let Some(root) = self.root.get_untracked() else { return };
        let Ok(found) = root.query_selector_all(".menu__item:not([disabled])") else { return };
        let items: Vec<web_sys::HtmlElement> =
            (0..found.length()).filter_map(|at| found.get(at)?.dyn_into().ok()).collect();
        if items.is_empty() {
            return;
        }
        let focused = document().active_element();
        let at = items.iter().position(|item| focused.as_ref().is_some_and(|focused| item.is_same_node(Some(focused))));
        let chosen = || items.iter().position(|item| item.get_attribute("aria-checked").as_deref() == Some("true"));
        let next = if at.is_none() { chosen() } else { None };
        let _ = items[next.unwrap_or_else(|| to(at, items.len()))].focus();
    }
}
