//! The root: shell, server, router, pages.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

use crate::api::{self, Api};
use crate::frame::Frame;
use crate::host;
use crate::pages::{
    analytics::AnalyticsPage, costs::CostsPage, gallery::GalleryPage, live::LivePage, search::SearchPage,
    session::SessionPage, sessions::SessionsPage, settings::SettingsPage, timeline::TimelinePage, welcome::WelcomePage,
};
use crate::routes;
use crate::state::{AppState, Connection, provide_app, use_app};

#[component]
pub fn App() -> impl IntoView {
    let app = provide_app();
    start(app);
    set_interval(move || app.now.set(host::now_ms()), std::time::Duration::from_secs(1));
    view! {
        <Router>
            <Frame>
                // A page asks the server as it is built: first it must be known where that is.
                <Show when=move || app.located.get()>
                <Routes fallback=Unknown>
                    <Route path=path!("/app") view=ToLive/>
                    <Route path=path!("/app/live") view=LivePage/>
                    <Route path=path!("/app/sessions") view=SessionsPage/>
                    <Route path=path!("/app/session/:id") view=SessionPage/>
                    <Route path=path!("/app/costs") view=CostsPage/>
                    <Route path=path!("/app/analytics") view=AnalyticsPage/>
                    <Route path=path!("/app/search") view=SearchPage/>
                    <Route path=path!("/app/timeline") view=TimelinePage/>
                    <Route path=path!("/app/settings") view=SettingsPage/>
                    <Route path=path!("/app/welcome") view=WelcomePage/>
                    <Route path=path!("/app/gallery") view=GalleryPage/>
                </Routes>
                </Show>
            </Frame>
        </Router>
    }
}

/// The bare address, which a one-time link may open: Live is the first room.
#[component]
fn ToLive() -> impl IntoView {
    use_app().replace(routes::LIVE);
}

/// An address without a page, from an old bookmark or a typing error.
#[component]
fn Unknown() -> impl IntoView {
    view! {
        <div class="empty">
            <h1>"There is no such page"</h1>
            <p>"The address may be from another version of Orrery"</p>
            <div class="row"><a href=routes::LIVE>"Open Live"</a></div>
        </div>
    }
}

/// Finds the server, reads the settings, follows the stream.
fn start(app: AppState) {
    spawn_local(async move {
        match host::boot().await {
            Ok(endpoint) => {
                app.set_api(Api::new(endpoint));
                app.located.set(true);
            }
            Err(reason) => {
                app.connection.set(Connection::Offline { since_ms: host::unix_ms(), reason });
                return;
            }
        }
        api::follow(app);
    });
    // Settings are read at each new connection: another client may have changed them meanwhile.
    let is_connected =
        Memo::new(move |_| matches!(app.connection.get(), Connection::Live | Connection::CatchingUp { .. }));
    Effect::new(move |_| {
        if is_connected.get() {
            spawn_local(async move {
                if let Ok(settings) = app.api().settings().await {
                    app.settings.set(settings);
                    app.settings_known.set(true);
                }
            });
        }
    });
}
