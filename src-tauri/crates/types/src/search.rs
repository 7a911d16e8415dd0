//! `GET /api/v1/search` and saved queries.

use serde::{Deserialize, Serialize};

use crate::Event;

/// What to search for. Newest first; pass `next` of a page back as `before`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    /// The query's text, in the language of `orrery_views::filter`. Empty: everything.
    pub q: String,
    /// Only events with a smaller number.
    pub before: Option<i64>,
    pub limit: Option<u32>,
    /// Count what the hits are as well: see [`SearchPage::facets`].
    pub facets: bool,
    /// The person's zone, for days in the query.
    pub utc_offset_minutes: i32,
}

/// One page of hits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchPage {
    pub hits: Vec<Hit>,
    /// Where the next page begins. Empty when everything was looked at.
    pub next: Option<i64>,
    /// Whether the search stopped at its deadline: fewer hits than asked for, and `next` goes on from there.
    pub stopped: bool,
    /// Events whose text or fields were looked at.
    pub visited: u64,
    /// Hits by what they are. Empty unless asked for.
    pub facets: Option<Facets>,
    /// The query as it was understood.
    pub query: String,
}

/// One event that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    pub event: Event,
    /// The session's title and project, so that a hit can be read alone.
    pub title: String,
    pub project: String,
    pub snippet: Snippet,
}

/// A piece of text with what was found in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    pub text: String,
    /// Byte ranges of `text`, in order, apart from each other.
    pub ranges: Vec<(usize, usize)>,
}

/// How many hits are what, over the newest ones: each list most first, at most twenty entries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facets {
    /// Hits counted.
    pub counted: u64,
    /// Whether these are all hits there are.
    pub complete: bool,
    pub agents: Vec<Facet>,
    pub projects: Vec<Facet>,
    pub tools: Vec<Facet>,
    pub kinds: Vec<Facet>,
    /// `value` is the session's id, `label` its title.
    pub sessions: Vec<Facet>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facet {
    pub value: String,
    /// What to show instead of the value, where that is better.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    pub count: u64,
}

/// A saved query. `GET /api/v1/presets` lists them, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preset {
    /// Given by the store.
    pub id: i64,
    pub name: String,
    /// The query's text; a link to it is the search page with this query.
    pub query: String,
    pub created_ms: i64,
}
