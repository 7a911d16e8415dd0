//! The views of a session.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use orrery_views::format;
use wasm_bindgen::JsCast;

use super::load::Session;
use crate::routes::use_query;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    #[default]
    Story,
    Timeline,
    Replay,
    Costs,
    Files,
    Raw,
}

impl Tab {
    const ALL: [Tab; 6] = [Tab::Story, Tab::Timeline, Tab::Replay, Tab::Costs, Tab::Files, Tab::Raw];

    pub const fn slug(self) -> &'static str {
        match self {
            Tab::Story => "story",
            Tab::Timeline => "timeline",
            Tab::Replay => "replay",
            Tab::Costs => "costs",
            Tab::Files => "files",
            Tab::Raw => "raw",
        }
    }
    pub fn from_slug(slug: Option<&str>) -> Tab {
        Tab::ALL.into_iter().find(|tab| Some(tab.slug()) == slug).unwrap_or_default()
    }
    const fn label(self) -> &'static str {
        match self {
            Tab::Story => "Story",
            Tab::Timeline => "Timeline",
            Tab::Replay => "Replay",
            Tab::Costs => "Costs",
            Tab::Files => "Files",
            Tab::Raw => "Raw",
        }
    }
    pub fn id(self) -> String {
        format!("tab-{}", self.slug())
    }
}

/// The tabs; arrows, Home and End move among them.
#[component]
pub fn Tabs(session: Session, tab: Memo<Tab>) -> impl IntoView {
    let query = use_query();
    let choose = move |tab: Tab| {
        // A moment and a step belong to the view they were chosen in.
        query.set_all(&[("tab", (tab != Tab::Story).then_some(tab.slug()))]);
    };
    let on_key = move |event: KeyboardEvent| {
        let at = Tab::ALL.iter().position(|known| *known == tab.get_untracked()).unwrap_or(0);
        let last = Tab::ALL.len() - 1;
        let to = match event.key().as_str() {
            "ArrowRight" => (at + 1) % (last + 1),
            "ArrowLeft" => (at + last) % (last + 1),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        choose(Tab::ALL[to]);
        let next = document().get_element_by_id(&Tab::ALL[to].id());
        if let Some(next) = next.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = next.focus();
        }
    };
    let count = move |of: Tab| match of {
        Tab::Raw => session.row.get().map(|row| format::count(row.events)),
        _ => None,
    };
    let one = move |of: Tab| {
        view! {
            <button
                type="button"
                role="tab"
                id=of.id()
                aria-controls="session-view"
                aria-selected=move || (tab.get() == of).to_string()
                tabindex=move || if tab.get() == of { "0" } else { "-1" }
                on:click=move |_| choose(of)
            >
                {of.label()}
                {move || count(of).map(|count| view! { <span class="num">{count}</span> })}
            </button>
        }
    };
    view! {
        <div class="tabs__list" role="tablist" aria-label="Views of the session" on:keydown=on_key>{Tab::ALL.map(one).collect_view()}</div>
    }
}
