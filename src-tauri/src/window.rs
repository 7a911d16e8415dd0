//! The one window.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use url::Url;

use crate::shell::Shell;
use crate::{assets, ipc, notify};

pub const LABEL: &str = "main";
const SIZE: (f64, f64) = (1280.0, 820.0);
const MIN_SIZE: (f64, f64) = (360.0, 480.0);

/// Makes the window on the live page, or on a session; `visible` unless it is to wait in the tray.
pub fn open(app: &AppHandle, session_id: Option<&str>, visible: bool) -> tauri::Result<WebviewWindow> {
    let page = session_id.map_or_else(|| "app/live".to_owned(), session_page);
    let (for_links, for_windows) = (app.clone(), app.clone());
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(page.into()))
        .title("Orrery")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(MIN_SIZE.0, MIN_SIZE.1)
        .center()
        .visible(visible)
        .on_navigation(move |url| stays(&for_links, url))
        .on_new_window(move |url, _| {
            leave(&for_windows, &url);
            NewWindowResponse::Deny
        })
        .build()
}

/// Shows the window, in front of the others.
pub fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window does not come up");
    }
}

/// Hides the window in the tray, and says so the first time.
pub fn hide(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    match window.hide() {
        Ok(()) => notify::say_hidden_once(app),
        Err(error) => tracing::warn!(%error, "the window does not hide"),
    }
}

/// Loads another of our pages: `path` without a slash in front.
pub fn go(app: &AppHandle, path: &str) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let target = window
        .url()
        .map_err(|error| error.to_string())
        .and_then(|url| url.join(&format!("/{path}")).map_err(|error| error.to_string()));
    let gone = target.and_then(|url| window.navigate(url).map_err(|error| error.to_string()));
    if let Err(error) = gone {
        tracing::warn!(error, path, "the page does not load");
    }
}

/// The page of a session, relative to the pages' root.
pub fn session_page(session_id: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(session_id.as_bytes()).collect();
    format!("app/session/{}", id.replace('+', "%20"))
}

/// Decides about a link of the page: our own pages load, everything else opens outside or not at all.
fn stays(app: &AppHandle, url: &Url) -> bool {
    if !is_ours(url) {
        leave(app, url);
        return false;
    }
    let failed = app.try_state::<Shell>().is_some_and(|shell| shell.has_failed());
    match url.path() {
        assets::RETRY if failed => app.restart(),
        assets::QUIT if failed => app.exit(1),
        _ => return true,
    }
    false
}

fn leave(app: &AppHandle, url: &Url) {
    if let Err(words) = ipc::open_outside(app, url) {
        tracing::warn!(%url, words, "link not followed");
    }
}

/// `tauri://localhost`, which Windows and Android spell `http://tauri.localhost`.
fn is_ours(url: &Url) -> bool {
    matches!((url.scheme(), url.host_str()), ("tauri", Some("localhost")) | ("http", Some("tauri.localhost")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_load_in_the_window() {
        for (url, ours) in [
            ("tauri://localhost/app/live", true),
            ("http://tauri.localhost/app/live", true),
            ("http://127.0.0.1:4000/app/live", false),
            ("https://tauri.localhost.example.org/", false),
            ("tauri://example.org/", false),
            ("about:blank", false),
            ("data:text/html,x", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_ours(&Url::parse(url).expect(url)), ours, "{url}");
        }
    }

    #[test]
    fn a_session_id_is_one_path_segment() {
        assert_eq!(session_page("a1b2-c3"), "app/session/a1b2-c3");
        assert_eq!(session_page("../x y/ü?#"), "app/session/..%2Fx%20y%2F%C3%BC%3F%23");
    }
}
