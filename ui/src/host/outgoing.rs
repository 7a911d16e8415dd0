//! Sessions that leave the page as files: by a drag, or by "Save as...".

use orrery_types::ExportFormat;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::tauri;

/// What the native window may do with sessions.
#[derive(Serialize)]
struct Wish<'a> {
    sessions: &'a [String],
    format: &'static str,
}

/// How a drag out of the native window ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    Taken,
    Nowhere,
}

/// Lets the person carry the sessions' files. The mouse button is down when this is called. Answers after the drop.
pub async fn drag_out(sessions: &[String], format: ExportFormat) -> Result<Dropped, String> {
    tauri::ask("drag_out", &Wish { sessions, format: format.slug() }).await
}

/// Asks where to, and writes the files there. Answers with their paths: none when the person thought better of it.
pub async fn save_as(sessions: &[String], format: ExportFormat) -> Result<Vec<String>, String> {
    tauri::ask("save_as", &Wish { sessions, format: format.slug() }).await
}

/// Puts a session's export into a drag of the browser: Chromium downloads it where it is dropped, other browsers hand on
/// the link.
pub fn offer_download(transfer: &web_sys::DataTransfer, name: &str, url: &str, format: ExportFormat) {
    let mime = format.mime().split(';').next().unwrap_or_default();
    for (kind, text) in [("DownloadURL", format!("{mime}:{name}:{url}").as_str()), ("text/uri-list", url)] {
        let _: Result<(), JsValue> = transfer.set_data(kind, text);
    }
    transfer.set_effect_allowed("copy");
}
