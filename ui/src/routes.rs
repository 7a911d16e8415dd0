//! Addresses of the pages, and the query string as the place where filters and selections live.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

use crate::state::{AppState, Filter, Range, use_app};

pub const LIVE: &str = "/app/live";
pub const SESSIONS: &str = "/app/sessions";
pub const COSTS: &str = "/app/costs";
pub const ANALYTICS: &str = "/app/analytics";
pub const SEARCH: &str = "/app/search";
pub const TIMELINE: &str = "/app/timeline";
pub const SETTINGS: &str = "/app/settings";
pub const WELCOME: &str = "/app/welcome";

/// Fields of the address that pages share: going to another page keeps them.
pub const SHARED: [&str; 3] = ["project", "agent", "range"];

/// The page of one session.
pub fn session(id: &str) -> String {
    format!("/app/session/{}", encode(id))
}

/// A page of the rail. A new one needs its line in [`Room::ALL`] and in each `match` below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Live,
    Sessions,
    Costs,
    Analytics,
    Search,
    Timeline,
    Settings,
}

impl Room {
    /// In the order of the rail, which is the order of the number keys. The last stands at the rail's end.
    pub const ALL: &'static [Room] =
        &[Room::Live, Room::Sessions, Room::Search, Room::Timeline, Room::Costs, Room::Analytics, Room::Settings];

    pub const fn path(self) -> &'static str {
        match self {
            Room::Live => LIVE,
            Room::Sessions => SESSIONS,
            Room::Costs => COSTS,
            Room::Analytics => ANALYTICS,
            Room::Search => SEARCH,
            Room::Timeline => TIMELINE,
            Room::Settings => SETTINGS,
        }
    }
    pub const fn label(self) -> &'static str {
        match self {
            Room::Live => "Live",
            Room::Sessions => "Sessions",
            Room::Costs => "Costs",
            Room::Analytics => "Analytics",
            Room::Search => "Search",
            Room::Timeline => "Timeline",
            Room::Settings => "Settings",
        }
    }
    pub const fn icon(self) -> &'static str {
        match self {
            Room::Live => "i-live",
            Room::Sessions => "i-sessions",
            Room::Costs => "i-costs",
            Room::Analytics => "i-analytics",
            Room::Search => "i-search",
            Room::Timeline => "i-timeline",
            Room::Settings => "i-settings",
        }
    }
    /// Which filters of the top bar the page obeys.
    pub const fn filters(self) -> Filters {
        match self {
            Room::Live => Filters::Who,
            Room::Sessions | Room::Costs | Room::Analytics | Room::Timeline => Filters::All,
            Room::Search | Room::Settings => Filters::None,
        }
    }
    /// The span of time the page shows while none is chosen.
    pub const fn usual_range(self) -> Range {
        match self {
            Room::Costs | Room::Analytics => Range::Days30,
            Room::Timeline => Range::Today,
            Room::Live | Room::Sessions | Room::Search | Room::Settings => Range::All,
        }
    }
    /// The room an address belongs to. Empty for Welcome and unknown addresses.
    pub fn of(path: &str) -> Option<Room> {
        let first = path.strip_prefix("/app/").unwrap_or_default().split('/').next().unwrap_or_default();
        match first {
            "session" => Some(Room::Sessions),
            "welcome" => Some(Room::Settings),
            _ => Room::ALL.iter().copied().find(|room| room.path().strip_prefix("/app/") == Some(first)),
        }
    }
    /// `Alt 3`: its number key.
    pub fn keys(self) -> String {
        Room::ALL.iter().position(|known| *known == self).map_or(String::new(), |at| format!("Alt {}", at + 1))
    }
}

/// Filters of the top bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filters {
    None,
    /// Project and agent.
    Who,
    /// Project, agent and time.
    All,
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
    /// A path with the fields of this address that pages share.
    pub fn carry(&self, path: &str) -> String {
        let shared = self
            .map
            .with(|map| SHARED.iter().filter_map(|key| Some(((*key).to_owned(), map.get(key)?))).collect::<Vec<_>>());
        change_query(path, shared.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect(), &[])
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
    let path = use_location().pathname;
    Memo::new(move |_| {
        let mut filter = query.with(|map| Filter::read(|key| map.get(key)));
        if filter.range == Range::All && query.with(|map| map.get("range")).as_deref() != Some("all") {
            filter.range = Room::of(&path.get()).map_or(Range::All, Room::usual_range);
        }
        filter
    })
}

/// A path with the fields of the address on screen that pages share, outside the router's reach.
pub fn carried(path: &str) -> String {
    let kept = here().1.into_iter().filter(|(key, _)| SHARED.contains(&key.as_str())).collect();
    change_query(path, kept, &[])
}

/// The address on screen without some of its fields.
pub fn without(fields: &[&str]) -> String {
    let (path, query) = here();
    let changes: Vec<(&str, Option<&str>)> = fields.iter().map(|field| (*field, None)).collect();
    change_query(&path, query, &changes)
}

fn here() -> (String, Vec<(String, String)>) {
    let location = window().location();
    let search = location.search().unwrap_or_default();
    let fields = search.trim_start_matches('?').split('&').filter_map(|field| {
        let (key, value) = field.split_once('=')?;
        let decode = |text: &str| js_sys::decode_uri_component(&text.replace('+', " ")).ok().map(String::from);
        Some((decode(key)?, decode(value)?)).filter(|(_, value)| !value.trim().is_empty())
    });
    (location.pathname().unwrap_or_default(), fields.collect())
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
        for room in Room::ALL {
            assert_eq!(Room::of(room.path()), Some(*room));
        }
        assert_eq!(session("a/b?"), "/app/session/a%2Fb%3F");
    }
}
