//! Who waits for the person: one row each, the first open.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use orrery_types::{NeedsKind, SessionRow};

use super::need::NeedRow;
use crate::state::use_app;

/// Rows shown before "show all".
const SHOWN: usize = 5;

/// What is more pressing comes first.
pub fn rank(kind: NeedsKind) -> u8 {
    match kind {
        NeedsKind::Permission => 0,
        NeedsKind::Question => 1,
        NeedsKind::Stuck => 2,
        NeedsKind::Error => 3,
        NeedsKind::Idle => 4,
    }
}

/// A wish is one row: the same session asking again is a new one.
fn key(row: &SessionRow) -> (String, i64) {
    (row.id.clone(), row.needs.as_ref().map_or(0, |needs| needs.seq))
}

#[component]
pub fn Needs(rows: Memo<Vec<Arc<SessionRow>>>) -> impl IntoView {
    let all = RwSignal::new(false);
    // The row the person opened; without one the first permission or question is open.
    let chosen = RwSignal::new(None::<(String, i64)>);
    let open = Memo::new(move |_| {
        rows.with(|rows| {
            let keys: Vec<_> = rows.iter().map(|row| key(row)).collect();
            let asks = |row: &&Arc<SessionRow>| {
                row.needs.as_ref().is_some_and(|needs| {
                    matches!(needs.kind, NeedsKind::Permission) || needs.answerable.as_deref() == Some("question")
                })
            };
            chosen.get().filter(|chosen| keys.contains(chosen)).or_else(|| rows.iter().find(asks).map(|row| key(row)))
        })
    });
    let shown = move || {
        rows.with(|rows| rows.iter().take(if all.get() { usize::MAX } else { SHOWN }).cloned().collect::<Vec<_>>())
    };
    let hidden = move || if all.get() { 0 } else { rows.with(Vec::len).saturating_sub(SHOWN) };
    let has_hidden = move || hidden() > 0;
    answer_by_keys(open);
    view! {
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <section class="needs" aria-label="Needs you">
                <For each=shown key=|row| key(row) let:row>
                    {
                        let own = key(&row);
                        let is_open = { let own = own.clone(); Memo::new(move |_| open.get().as_ref() == Some(&own)) };
                        view! { <NeedRow row is_open on_open=move || chosen.set(Some(own.clone()))/> }
                    }
                </For>
                <Show when=has_hidden>
                    <button type="button" class="needs__more" on:click=move |_| all.set(true)>{move || format!("Show {} more", hidden())}</button>
                </Show>
            </section>
        </Show>
    }
}

/// `A` and `D` press the open row's Allow and Deny.
fn answer_by_keys(open: Memo<Option<(String, i64)>>) {
    let app = use_app();
    let id = app.add_keys(std::rc::Rc::new(move |event: &KeyboardEvent| {
        let button = match event.key().as_str() {
            "a" | "A" => "need-allow",
            "d" | "D" => "need-deny",
            _ => return false,
        };
        if open.get_untracked().is_none() {
            return false;
        }
        use wasm_bindgen::JsCast;
        let Some(button) =
            document().get_element_by_id(button).and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok())
        else {
            return false;
        };
        button.click();
        true
    }));
    on_cleanup(move || app.remove_keys(id));
}
