//! How the page stands with its server: a word in the top bar, a line over the page when it matters.

use leptos::prelude::*;
use orrery_views::format;

use crate::command::Command;
use crate::components::{Clock, Icon};
use crate::state::{Connection, use_app};

/// The word in the top bar; a button where connecting again is something to do.
#[component]
pub fn ConnectionState() -> impl IntoView {
    let app = use_app();
    // Tenths of a second, so that the figure is redrawn only when it changes.
    let behind = Memo::new(move |_| app.feed(|feed| (feed.behind_ms() + 50) / 100));
    let state = app.connection;
    move || {
        match state.get() {
        Connection::Connecting => view! { <span class="conn conn--wait"><i class="conn__dot"></i>"Connecting"</span> }.into_any(),
        Connection::Live => {
            let said = move || format!("{}.{} s behind", behind.get() / 10, behind.get() % 10);
            view! {
                <span class="conn">
                    <i class="conn__dot"></i>
                    <span class="conn__word">"Live"</span>
                    <span class="num faint small">{said}</span>
                </span>
            }
            .into_any()
        }
        Connection::CatchingUp { left } => view! {
            <span class="conn conn--wait">
                <i class="conn__dot"></i>
                <span class="conn__word">"Catching up"</span>
                <span class="num faint small">{format::count(left.unsigned_abs())}</span>
            </span>
        }
        .into_any(),
        Connection::Offline { .. } => view! {
            <button type="button" class="conn conn--off" title="Connect now" on:click=move |_| Command::Reconnect.run(app)>
                <i class="conn__dot"></i>
                "Offline"
            </button>
        }
        .into_any(),
        Connection::Unauthorized => view! { <span class="conn conn--off"><i class="conn__dot"></i>"Not signed in"</span> }.into_any(),
    }
    }
}

/// Says over the page that what it shows is old, and what to do.
#[component]
pub fn Banner() -> impl IntoView {
    let app = use_app();
    let retry = move |_| Command::Reconnect.run(app);
    move || {
        match app.connection.get() {
        Connection::Offline { since_ms, reason } => {
            view! {
                <div class="banner" role="status">
                    <span class="danger"><Icon name="i-offline"/></span>
                    <p class="grow">
                        <b>"Offline since "<Clock at_ms=since_ms/></b>
                        " "
                        <span class="muted">{reason}". What you see are the last known values"</span>
                    </p>
                    <button type="button" class="btn btn--small" on:click=retry>"Connect now"</button>
                </div>
            }
            .into_any()
        }
        Connection::Unauthorized => view! {
            <div class="banner" role="status">
                <span class="danger"><Icon name="i-permit"/></span>
                <p class="grow">
                    <b>"This browser is not signed in"</b>
                    " "
                    <span class="muted">
                        "Open the one-time link that " <code>"orrery serve"</code> " prints when it starts, or choose Open in browser in Orrery's tray menu"
                    </span>
                </p>
                <button type="button" class="btn btn--small" on:click=retry>"Try again"</button>
            </div>
        }
        .into_any(),
        _ => ().into_any(),
    }
    }
}
