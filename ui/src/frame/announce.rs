//! Tells screen readers that somebody needs the person: politely, at most once in ten seconds.

use leptos::prelude::*;
use orrery_views::session::needs_person_at;

use crate::state::use_app;

const PAUSE_MS: i64 = 10_000;

#[component]
pub fn Announcer() -> impl IntoView {
    let app = use_app();
    let waiting = Memo::new(move |_| {
        let now = app.now.get();
        app.feed(|feed| {
            let mut names: Vec<String> =
                feed.sessions().filter(|row| needs_person_at(row, now)).map(|row| row.project.clone()).collect();
            names.sort_unstable();
            names
        })
    });
    let said = RwSignal::new(String::new());
    let last_ms = StoredValue::new(0_i64);
    let last = StoredValue::new(Vec::<String>::new());
    Effect::new(move |_| {
        let names = waiting.get();
        let now = app.now.get();
        if names == last.get_value() || now - last_ms.get_value() < PAUSE_MS {
            return;
        }
        if names.len() > last.with_value(Vec::len) {
            said.set(if names.len() == 1 {
                format!("{} needs you", names[0])
            } else {
                format!("{} sessions need you", names.len())
            });
            last_ms.set_value(now);
        }
        last.set_value(names);
    });
    view! { <div class="sr" aria-live="polite">{said}</div> }
}
