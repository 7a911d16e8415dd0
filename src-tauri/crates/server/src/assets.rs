//! The built interface, embedded once for the server and for the desktop window.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../../ui/dist"]
struct Dist;

/// What is shown while the interface was never built.
const UNBUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Orrery</title>\
<meta name=\"viewport\" content=\"width=device-width\">\
<h1>The interface is not built yet</h1>\
<p>The server works. Build its pages with <code>cargo xtask ui</code>, then start it again.</p></html>";

/// One file of the interface.
#[derive(Debug, Clone)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub mime: String,
    /// `br` or `gzip` when `bytes` are packed. Empty for plain bytes.
    pub encoding: Option<&'static str>,
    /// The name carries a hash of the content: it never changes.
    pub immutable: bool,
}

/// The file at `path` (`index.html`, `orrery-1a2b.wasm`; a leading slash is fine), unpacked as Tauri wants it.
///
/// `index.html` is always there: without a built interface it says how to build one.
pub fn get(path: &str) -> Option<Asset> {
    let path = path.trim_start_matches('/');
    let bytes = Dist::get(path).map(|file| file.data);
    let bytes = bytes.or_else(|| (path == "index.html").then_some(Cow::Borrowed(UNBUILT.as_bytes())))?;
    Some(asset(path, bytes, None))
}

/// The file at `path`, packed the best way that `accept_encoding` allows.
pub fn get_packed(path: &str, accept_encoding: &str) -> Option<Asset> {
    let path = path.trim_start_matches('/');
    let accepted = |name: &str| {
        accept_encoding.split(',').any(|part| {
            let mut words = part.split(';').map(str::trim);
            words.next() == Some(name) && words.next() != Some("q=0")
        })
    };
    let ways = [("br", ".br"), ("gzip", ".gz")];
    let packed = ways.into_iter().filter(|(name, _)| accepted(name)).find_map(|(name, ending)| {
        let file = Dist::get(&format!("{path}{ending}"))?;
        Some(asset(path, file.data, Some(name)))
    });
    packed.or_else(|| get(path))
}

/// Names of all files, for `Context::set_assets`.
pub fn names() -> impl Iterator<Item = Cow<'static, str>> {
    Dist::iter()
}

fn asset(path: &str, bytes: Cow<'static, [u8]>, encoding: Option<&'static str>) -> Asset {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let text = mime.type_() == mime_guess::mime::TEXT;
    let mime = if text { format!("{mime}; charset=utf-8") } else { mime.to_string() };
    Asset { bytes, mime, encoding, immutable: is_hashed(path) }
}

/// `name-0123456789abcdef.ext`: eight hex digits or more before the ending.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    let hash = stem.rsplit(['-', '_']).next().unwrap_or_default();
    stem.len() > hash.len() && hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_forever() {
        assert!(is_hashed("orrery-0123abcd.wasm"));
        assert!(is_hashed("snippets/x_0123abcd4567.js"));
        for plain in ["index.html", "0123abcd.js", "app-beta.js", "icon-512.png"] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }

    #[test]
    fn there_is_always_a_page() {
        assert!(get("/index.html").is_some_and(|page| page.mime == "text/html; charset=utf-8"));
        assert!(get("no-such-file.js").is_none());
    }
}
