//! Addresses of the pages, and the query string as the place where filters and selections live.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

use crate::state::{AppState, Filter, use_app};

pub const LIVE: &str = "/app/live";
pub const SESSIONS: &str = "/app/sessions";
pub const SETTINGS: &str = "/app/settings";
pub const WELCOME: &str = "/app/welcome";

/// The page of one session.
pub fn session(id: &str) -> String {
    format!("/app/session/{}", encode(id))
}

/// A page of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Live,
    Sessions,
    Settings,
}

impl Room {
    pub const ALL: [Room; 3] = [Room::Live, Room::Sessions, Room::Settings];

    pub const fn path(self) -> &'static str {
        match self {
            Room::Live => LIVE,
            Room::Sessions => SESSIONS,
            Room::Settings => SETTINGS,
        }
    }
    pub const fn label(self) -> &'static str {
        match self {
            Room::Live => "Live",
            Room::Sessions => "Sessions",
            Room::Settings => "Settings",
        }
    }
    pub const fn icon(self) -> &'static str {
        match self {
            Room::Live => "i-live",
            Room::Sessions => "i-sessions",
            Room::Settings => "i-settings",
        }
    }
    /// The room an address belongs to. Empty for Welcome and unknown addresses.
    pub fn of(path: &str) -> Option<Room> {
        let first = path.strip_prefix("/app/").unwrap_or_default().split('/').next().unwrap_or_default();
        match first {
            "live" => Some(Room::Live),
            "sessions" | "session" => Some(Room::Sessions),
            "settings" | "welcome" => Some(Room::Settings),
            _ => None,
        }
    }
}

/// The query string of the page on screen, one field at a time.
#[derive(Clone, Copy)]
pub struct Query {
    map: Memo<leptos_router::params::ParamsMap>,
    path: Memo<String>,
    app: AppState,
}

/// The query of this page. Only inside the router.
pub fn use_query() -> Query {
    Query { map: use_query_map(), path: use_location().pathname, app: use_app() }
}

impl Query {
    /// A field, followed. Empty when it is absent or blank.
    pub fn get(&self, key: &str) -> Option<String> {
        self.map.with(|map| map.get(key)).filter(|value| !value.trim().is_empty())
    }
    pub fn get_untracked(&self, key: &str) -> Option<String> {
        self.map.with_untracked(|map| map.get(key)).filter(|value| !value.trim().is_empty())
    }
    /// The path of the page, followed.
    pub fn path(&self) -> String {
        self.path.get()
    }
    /// Sets or removes a field, as a step that Back undoes.
    pub fn set(&self, key: &str, value: Option<&str>) {
        self.app.go(&self.with(&[(key, value)]));
    }
    /// Sets or removes a field without a step: for cursors and words being typed.
    pub fn replace(&self, key: &str, value: Option<&str>) {
        self.app.replace(&self.with(&[(key, value)]));
    }
    /// Sets or removes several fields without a step.
    pub fn replace_all(&self, changes: &[(&str, Option<&str>)]) {
        self.app.replace(&self.with(changes));
    }
    /// Sets or removes several fields as one step.
    pub fn set_all(&self, changes: &[(&str, Option<&str>)]) {
        self.app.go(&self.with(changes));
    }
    /// This page's address with changed fields.
    pub fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let old: Vec<(String, String)> = self
            .map
            .with_untracked(|map| map.clone().into_iter().map(|(key, value)| (key.to_string(), value)).collect());
        change_query(&self.path.get_untracked(), old, changes)
    }
}

/// The filter of this page, from its query.
pub fn use_filter() -> Memo<Filter> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|map| Filter::read(|key| map.get(key))))
}

/// `path?query` with fields changed; the others stay in their order.
fn change_query(path: &str, old: Vec<(String, String)>, changes: &[(&str, Option<&str>)]) -> String {
    let kept = old.into_iter().filter(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
    let new = changes.iter().filter_map(|(key, value)| {
        value.filter(|value| !value.is_empty()).map(|value| ((*key).to_owned(), value.to_owned()))
    });
    let pairs: Vec<String> =
        kept.chain(new).map(|(key, value)| format!("{}={}", encode(&key), encode(&value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Percent-encodes a path segment or a query value.
pub fn encode(text: &str) -> String {
    crate::api::percent_encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changing_one_field_keeps_the_others() {
        let old = vec![("project".to_owned(), "a b".to_owned()), ("event".to_owned(), "7".to_owned())];
        assert_eq!(change_query(LIVE, old.clone(), &[("event", Some("8"))]), "/app/live?project=a%20b&event=8");
        assert_eq!(change_query(LIVE, old, &[("event", None), ("project", Some(""))]), "/app/live");
    }

    #[test]
    fn each_address_has_its_room() {
        assert_eq!(Room::of("/app/session/a%2Fb"), Some(Room::Sessions));
        assert_eq!((Room::of("/app/"), Room::of("/sessions")), (None, None));
        assert_eq!(session("a/b?"), "/app/session/a%2Fb%3F");
    }
}
