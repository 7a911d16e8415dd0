//! The one context all components share.

use std::rc::Rc;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use orrery_types::{Appearance, Settings, SettingsPatch};

use super::appearance::last_appearance;
use super::{Connection, Feed, Notices};
use crate::api::{Api, ApiError};
use crate::host;

/// Takes a key press; true when it was used.
type KeyHandler = Rc<dyn Fn(&KeyboardEvent) -> bool>;
type Navigate = Rc<dyn Fn(&str, bool)>;

/// Signals and the feed. Copy: pass it by value into closures.
#[derive(Clone, Copy)]
pub struct AppState {
    api: StoredValue<Api>,
    feed: StoredValue<Feed>,
    /// Grows once per batch of frames; reading the feed through [`AppState::feed`] follows it.
    pub revision: RwSignal<u64>,
    /// Where the server is has been told.
    pub located: RwSignal<bool>,
    pub connection: RwSignal<Connection>,
    /// Grows when the person wants to connect now.
    pub retry: RwSignal<u32>,
    pub settings: RwSignal<Settings>,
    /// Settings were read from the server at least once.
    pub settings_known: RwSignal<bool>,
    pub notices: Notices,
    /// The server's clock, ms, once a second.
    pub now: RwSignal<i64>,
    pub palette_open: RwSignal<bool>,
    pub keys_open: RwSignal<bool>,
    /// The dialog that asks for a time from and to.
    pub range_open: RwSignal<bool>,
    pub rail_open: RwSignal<bool>,
    /// The drawer stays open while the person goes to other pages.
    pub drawer_pinned: RwSignal<bool>,
    /// The stream of Live stands still.
    pub paused: RwSignal<bool>,
    /// Keys of the page on screen, for the `?` overlay: key and what it does.
    pub page_keys: RwSignal<Vec<(&'static str, &'static str)>>,
    /// Sessions selected in a list: dragging one of them out takes them all.
    pub selected: RwSignal<Vec<String>>,
    handlers: StoredValue<Vec<(u32, KeyHandler)>, LocalStorage>,
    navigate: StoredValue<Option<Navigate>, LocalStorage>,
}

/// Makes the context. The API is set once the shell has told where the server is.
pub fn provide_app() -> AppState {
    let app = AppState {
        api: StoredValue::new(Api::default()),
        feed: StoredValue::new(Feed::default()),
        revision: RwSignal::new(0),
        located: RwSignal::new(false),
        connection: RwSignal::new(Connection::Connecting),
        retry: RwSignal::new(0),
        settings: RwSignal::new(Settings { appearance: last_appearance(), ..Settings::default() }),
        settings_known: RwSignal::new(false),
        notices: Notices::new(),
        now: RwSignal::new(host::now_ms()),
        palette_open: RwSignal::new(false),
        keys_open: RwSignal::new(false),
        range_open: RwSignal::new(false),
        rail_open: RwSignal::new(host::stored("orrery.rail").as_deref() == Some("open")),
        drawer_pinned: RwSignal::new(false),
        paused: RwSignal::new(false),
        page_keys: RwSignal::new(Vec::new()),
        selected: RwSignal::new(Vec::new()),
        handlers: StoredValue::new_local(Vec::new()),
        navigate: StoredValue::new_local(None),
    };
    provide_context(app);
    app
}

/// The context of this component.
pub fn use_app() -> AppState {
    expect_context::<AppState>()
}

/// Gives this page keys: what the `?` overlay says, and what a press does. They end with the page.
pub fn use_keys(words: &[(&'static str, &'static str)], handle: impl Fn(&KeyboardEvent) -> bool + 'static) {
    let app = use_app();
    app.page_keys.set(words.to_vec());
    let id = app.add_keys(Rc::new(handle));
    on_cleanup(move || app.remove_keys(id));
}

impl AppState {
    pub fn api(&self) -> Api {
        self.api.get_value()
    }
    pub fn set_api(&self, api: Api) {
        self.api.set_value(api);
    }

    /// Reads the feed and follows it: the caller runs again after the next batch.
    pub fn feed<T>(&self, read: impl FnOnce(&Feed) -> T) -> T {
        self.revision.track();
        self.feed.with_value(read)
    }
    /// Reads the feed once.
    pub fn feed_untracked<T>(&self, read: impl FnOnce(&Feed) -> T) -> T {
        self.feed.with_value(read)
    }
    /// Changes the feed and tells the pages, once.
    pub fn change_feed<T>(&self, change: impl FnOnce(&mut Feed) -> T) -> T {
        let outcome = self.feed.try_update_value(change).expect("the feed lives as long as the page");
        self.revision.update(|revision| *revision += 1);
        outcome
    }

    pub fn set_navigate(&self, navigate: impl Fn(&str, bool) + 'static) {
        self.navigate.set_value(Some(Rc::new(navigate)));
    }
    /// Shows another address of the app, as a step that Back undoes.
    pub fn go(&self, path: &str) {
        self.visit(path, false);
    }
    /// The same without a step of its own: for cursors that move often.
    pub fn replace(&self, path: &str) {
        self.visit(path, true);
    }
    fn visit(&self, path: &str, replace: bool) {
        // In a task of its own: the router must not be moved while it still builds a page.
        if let Some(navigate) = self.navigate.get_value() {
            let path = if self.drawer_pinned.get_untracked() { with_drawer(path) } else { path.to_owned() };
            set_timeout(move || navigate(&path, replace), std::time::Duration::ZERO);
        }
    }

    pub fn add_keys(&self, handler: KeyHandler) -> u32 {
        let mut id = 0;
        self.handlers.update_value(|handlers| {
            id = handlers.iter().map(|(id, _)| *id).max().unwrap_or(0) + 1;
            handlers.push((id, handler));
        });
        id
    }
    pub fn remove_keys(&self, id: u32) {
        self.handlers.try_update_value(|handlers| handlers.retain(|(known, _)| *known != id));
    }
    /// Offers a key press to the newest handler first.
    pub fn press(&self, event: &KeyboardEvent) -> bool {
        let handlers = self.handlers.get_value();
        handlers.iter().rev().any(|(_, handler)| handler(event))
    }

    /// Sends changed settings; what the server then says is in force.
    pub async fn patch_settings(&self, patch: SettingsPatch) -> Result<(), ApiError> {
        let settings = self.api().patch_settings(&patch).await?;
        self.settings.set(settings);
        self.settings_known.set(true);
        Ok(())
    }

    /// Shows another appearance at once, keeps it here and on the server.
    pub fn set_appearance(&self, appearance: Appearance) {
        self.settings.update(|settings| settings.appearance = appearance.clone());
        let app = *self;
        leptos::task::spawn_local(async move {
            let patch = SettingsPatch { appearance: Some(appearance), ..SettingsPatch::default() };
            if let Err(error) = app.patch_settings(patch).await {
                app.notices.fail(format!("The appearance is kept in this browser only: {error}"));
            }
        });
    }
}

/// A pinned drawer comes along to another page: its field joins the address.
fn with_drawer(path: &str) -> String {
    let location = window().location();
    let here = location.pathname().unwrap_or_default();
    let query = location.search().unwrap_or_default();
    let event = query.trim_start_matches('?').split('&').find(|field| field.starts_with("event="));
    let is_other_page = path.split(['?', '#']).next() != Some(here.as_str());
    match event.filter(|_| is_other_page && !path.contains("event=")) {
        Some(event) => format!("{path}{}{event}", if path.contains('?') { '&' } else { '?' }),
        None => path.to_owned(),
    }
}
