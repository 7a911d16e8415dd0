//! What stands around every page: rail, top bar, status strip, palette, drawer, bill, notices.

mod announce;
mod connection;
mod drag;
mod drawer;
mod keys;
mod notices;
mod palette;
mod provenance;
mod rail;
mod range;
mod strip;
mod topbar;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
pub use provenance::{BillLink, Billed};

use crate::routes::{self, Room};
use crate::state::{appearance, use_app};

/// The frame with a page in it. Welcome stands alone.
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let app = use_app();
    let navigate = use_navigate();
    app.set_navigate(move |path, replace| {
        navigate(path, NavigateOptions { replace, scroll: false, ..NavigateOptions::default() });
    });
    appearance::follow_appearance(app);
    keys::listen(app);
    drag::listen(app);

    let path = use_location().pathname;
    let is_bare = Memo::new(move |_| path.get().trim_end_matches('/') == routes::WELCOME);
    let room = Memo::new(move |_| Room::of(&path.get()));
    follow_first_run(room);
    Effect::new(move |_| {
        let page = if is_bare.get() { "Welcome" } else { room.get().map_or("Orrery", Room::label) };
        document().set_title(&format!("{page} · Orrery"));
    });
    let class = move || match (is_bare.get(), app.rail_open.get()) {
        (true, _) => "app app--bare",
        (false, true) => "app app--open",
        (false, false) => "app",
    };
    view! {
        <div class=class>
            <a class="skip" href="#main">"Skip to the page"</a>
            <Show when=move || !is_bare.get()>
                <rail::Rail room/>
                <topbar::Topbar room/>
            </Show>
            <div class="main">
                <main class="shell" id="main" tabindex="-1">
                    <connection::Banner/>
                    {children()}
                </main>
                <drawer::EventDrawer/>
                <provenance::Provenance/>
            </div>
            <notices::NoticeBar/>
            <Show when=move || !is_bare.get()>
                <strip::Strip/>
            </Show>
        </div>
        <palette::Palette/>
        <keys::KeysOverlay/>
        <range::RangeDialog/>
        <announce::Announcer/>
    }
}

/// Sends a person to Welcome, once: when the server knows nothing yet, or agents are here and none has our hooks. Their
/// newest transcripts may have been read already. Who asked for another page gets that page.
fn follow_first_run(room: Memo<Option<Room>>) {
    let app = use_app();
    let decided = StoredValue::new(false);
    Effect::new(move |_| {
        let is_new = app.feed(|feed| {
            let overview = feed.overview()?;
            let is_unhooked = overview.strip.found_agents > 0 && overview.strip.hooked_agents == 0;
            Some(overview.events_total == 0 || is_unhooked)
        });
        let welcomed = app.settings.with(|settings| settings.welcomed);
        let (true, Some(is_new)) = (app.settings_known.get(), is_new) else { return };
        if decided.get_value() {
            return;
        }
        decided.set_value(true);
        if is_new && !welcomed && room.get_untracked() == Some(Room::Live) {
            app.replace(routes::WELCOME);
        }
    });
}
