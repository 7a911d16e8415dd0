//! What the shell around the page can do: a browser tab, or the native window.

mod browser;
mod outgoing;
mod save;
mod tauri;

pub use browser::{
    copy_text, is_narrow, is_typing, keep_focus_inside, local_ms, now_ms, on_next_paint, precise_ms, prefers_light,
    set_server_clock, store, stored, unix_ms, utc_offset_minutes,
};
pub use outgoing::{Dropped, drag_out, offer_download, save_as};
pub use save::{read_file, save_blob, save_text};
pub use tauri::is_native;

/// Where the server is, and what proves that we may talk to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoint {
    /// `http://127.0.0.1:PORT` without a slash at its end. Empty in a browser: same origin.
    pub base_url: String,
    /// Sent as bearer and as WebSocket subprotocol. Empty in a browser, where the cookie speaks.
    pub token: Option<String>,
}

impl Endpoint {
    /// The whole address of a path.
    pub fn url(&self, path: &str) -> String {
        let base = if self.base_url.is_empty() { browser::origin() } else { self.base_url.clone() };
        format!("{base}{path}")
    }

    /// The WebSocket address of a path.
    pub fn socket_url(&self, path: &str) -> String {
        self.url(path).replacen("http", "ws", 1)
    }
}

/// Finds the server: the native shell tells its address, a browser uses its own origin.
///
/// Fails with a sentence when the native shell does not answer.
pub async fn boot() -> Result<Endpoint, String> {
    if is_native() { tauri::boot().await } else { Ok(Endpoint::default()) }
}
