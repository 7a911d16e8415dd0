//! The rail: pages, and how many sessions wait for the person. A bottom bar on a phone.

use leptos::prelude::*;
use orrery_views::session::needs_person_at;

use crate::command::Command;
use crate::components::{Dialog, Icon};
use crate::routes::{Room, use_query};
use crate::state::use_app;

/// Pages in a phone's bottom bar; the others are behind its last button.
const ON_A_PHONE: usize = 4;

#[component]
pub fn Rail(room: Memo<Option<Room>>) -> impl IntoView {
    let app = use_app();
    let label = move || if app.rail_open.get() { "Close the rail" } else { "Open the rail" };
    view! {
        <nav class="rail" aria-label="Pages">
            <button
                type="button"
                class="rail__mark"
                aria-label=label
                title=label
                aria-expanded=move || app.rail_open.get().to_string()
                on:click=move |_| Command::ToggleRail.run(app)
            >
                <svg aria-hidden="true"><use href="#mark"/></svg>
                <span class="rail__label" aria-hidden="true">"Orrery"</span>
            </button>
            <ul>
                {Room::ALL.iter().enumerate().map(|(at, item)| {
                    let class = match (Some(item) == Room::ALL.last(), at >= ON_A_PHONE) {
                        (true, _) => "rail__last rail__rest",
                        (false, true) => "rail__rest",
                        (false, false) => "",
                    };
                    view! { <li class=class><Item room=*item current=room/></li> }
                }).collect_view()}
                <li class="rail__more"><More room/></li>
            </ul>
        </nav>
    }
}

/// What has no place in a phone's bottom bar.
#[component]
fn More(room: Memo<Option<Room>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let query = use_query();
    let is_here = move || room.get().is_some_and(|room| Room::ALL.iter().skip(ON_A_PHONE).any(|rest| *rest == room));
    let line = move |rest: &'static Room| {
        let current = move || (room.get() == Some(*rest)).then_some("page");
        view! {
            <li>
                <a class="menu__item" href=move || query.carry(rest.path()) aria-current=current on:click=move |_| open.set(false)>
                    <Icon name=rest.icon()/>{rest.label()}
                </a>
            </li>
        }
    };
    view! {
        <button type="button" class="rail__item" aria-haspopup="dialog" aria-current=move || is_here().then_some("true") on:click=move |_| open.set(true)>
            <Icon name="i-more"/>
            <span class="rail__label">"More"</span>
        </button>
        <Dialog open title="Pages" id="more-pages">
            <ul>{Room::ALL.iter().skip(ON_A_PHONE).map(line).collect_view()}</ul>
        </Dialog>
    }
}

#[component]
fn Item(room: Room, current: Memo<Option<Room>>) -> impl IntoView {
    let app = use_app();
    let waiting = Memo::new(move |_| {
        if room != Room::Live {
            return 0;
        }
        let now = app.now.get();
        app.feed(|feed| feed.sessions().filter(|row| needs_person_at(row, now)).count())
    });
    let said =
        move || if waiting.get() == 1 { ", 1 needs you".to_owned() } else { format!(", {} need you", waiting.get()) };
    let query = use_query();
    view! {
        <a
            class="rail__item"
            href=move || query.carry(room.path())
            title=format!("{} ({})", room.label(), room.keys())
            aria-current=move || (current.get() == Some(room)).then_some("page")
        >
            <Icon name=room.icon()/>
            <span class="rail__label">{room.label()}</span>
            {move || {
                (waiting.get() > 0)
                    .then(|| view! { <span class="rail__badge" aria-hidden="true">{waiting.get()}</span><span class="sr">{said()}</span> })
            }}
        </a>
    }
}
