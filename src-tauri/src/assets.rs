//! The pages on `tauri://localhost`: the very ones the server embeds, and a page of our own for a start that failed.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use tauri::utils::assets::{AssetKey, AssetsIter, CspHash};
use tauri::{Assets, Runtime};

/// Address of the page about a failed start, relative to the pages' root.
pub const FAILED: &str = "failed.html";
/// Addresses of that page's buttons; the shell catches them before they load.
pub const RETRY: &str = "/failed/retry";
pub const QUIT: &str = "/failed/quit";

const FAILED_PAGE: &str = include_str!("failed/failed.html");
const FAILED_STYLE: &[u8] = include_bytes!("failed/failed.css");

/// Why the start failed, in words. Empty while it has not.
pub type Failure = Arc<OnceLock<String>>;

/// The asset set of the window.
pub struct Pages {
    failure: Failure,
}

impl Pages {
    pub fn new(failure: Failure) -> Self {
        Pages { failure }
    }

    fn failed_page(&self) -> String {
        let why = self.failure.get().map_or("Orrery could not start", String::as_str);
        FAILED_PAGE.replace("{{why}}", &escape(why))
    }
}

impl<R: Runtime> Assets<R> for Pages {
    /// Only exact paths: for any other Tauri asks again for `index.html`, and adds the content security policy to it only
    /// when it asked by that name.
    fn get(&self, key: &AssetKey) -> Option<Cow<'_, [u8]>> {
        match key.as_ref().trim_start_matches('/') {
            FAILED => Some(Cow::Owned(self.failed_page().into_bytes())),
            "failed.css" => Some(Cow::Borrowed(FAILED_STYLE)),
            // The server knows each file by its own name and under `/app/` alike.
            path => {
                let name = path.strip_prefix("app/").unwrap_or(path);
                orrery_server::assets::get(name).map(|asset| asset.bytes)
            }
        }
    }

    fn iter(&self) -> Box<AssetsIter<'_>> {
        Box::new(std::iter::empty())
    }

    /// The pages have no inline scripts or styles.
    fn csp_hashes(&self, _html_path: &AssetKey) -> Box<dyn Iterator<Item = CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failed_page_says_why_as_text() {
        let failure = Failure::default();
        let pages = Pages::new(failure.clone());
        failure.get_or_init(|| "port 4000: <b>taken</b>".to_owned());
        let page = pages.failed_page();
        assert!(page.contains("port 4000: &lt;b&gt;taken&lt;/b&gt;"));
        assert!(page.contains(&format!("href=\"{RETRY}\"")) && page.contains(&format!("href=\"{QUIT}\"")));
    }
}
