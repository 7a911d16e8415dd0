//! Ways in that a person gave and can take back: signed-in browsers and shared sessions.

use serde::{Deserialize, Serialize};

/// What a grant opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// A browser that opened a one-time link.
    Browser,
    /// A page at `/shared/{link}` that shows one session.
    Share,
}

impl GrantKind {
    /// The word that serde writes; stored on disk.
    pub const fn word(self) -> &'static str {
        match self {
            GrantKind::Browser => "browser",
            GrantKind::Share => "share",
        }
    }
}

/// One way in. Its secret is known to its holder alone; the store keeps a hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Names it for taking it back.
    pub id: String,
    pub kind: GrantKind,
    /// The browser in words, or the shared session's title.
    pub label: String,
    /// The shared session's id. Empty for browsers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session: String,
    pub created_ms: i64,
    pub expires_ms: i64,
    /// When it was last used, ms, to the hour. Empty while it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ms: Option<i64>,
    /// Masking was left out of what it shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmasked: bool,
    /// It is the browser that asks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub current: bool,
}

/// `POST /api/v1/shares`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShareRequest {
    pub session: String,
    /// Days until it ends, 1 to 365. 0 stands for 7.
    pub days: u32,
    /// Show secrets that were stored unmasked.
    pub unmasked: bool,
}

/// Its answer: the only time the link is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    pub url: String,
    pub grant: Grant,
}
