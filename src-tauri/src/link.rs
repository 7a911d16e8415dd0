//! Addresses that open Orrery from elsewhere: `orrery://session/ID`.

use url::Url;

pub const SCHEME: &str = "orrery://";

/// The session an address names. Empty for any other address: the window comes up and that is all.
pub fn session(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "orrery" && url.host_str() == Some("session"))?;
    let id = url.path_segments()?.next().filter(|id| !id.is_empty())?;
    // Behind a `?` so that the one decoder of this crate reads it; a plus sign stays one.
    let query = format!("id={}", id.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, id)| id.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sessions_are_named() {
        for (address, named) in [
            ("orrery://session/a1b2-c3", Some("a1b2-c3")),
            ("orrery://session/a%20b%2F..+c?x=1#y", Some("a b/..+c")),
            ("orrery://session/", None),
            ("orrery://session", None),
            ("orrery://settings/a", None),
            ("https://session/a", None),
            ("orrery:", None),
            ("", None),
        ] {
            assert_eq!(session(address).as_deref(), named, "{address}");
        }
    }
}
