//! What a page may ask of the shell. The capability `main` lists exactly these, for our own pages in our own window.

use serde::Serialize;
use tauri::{AppHandle, Manager};
use tauri_plugin_opener::OpenerExt as _;
use url::Url;

use crate::drag_out::{self, Dropped};
use crate::save;
use crate::shell::Shell;
use crate::update::{self, Update};

/// Where the server is and what proves that the page may talk to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Boot {
    /// `http://127.0.0.1:PORT`
    pub base_url: String,
    /// Empty when the server asks for none.
    pub token: String,
}

/// Answers when the server is ready; fails with the words of its start.
#[tauri::command]
pub async fn boot(app: AppHandle) -> Result<Boot, String> {
    let host = app.state::<Shell>().host().await?;
    Ok(host.boot())
}

/// Opens a web or mail address outside.
#[tauri::command]
pub fn open_external(app: AppHandle, url: String) -> Result<(), String> {
    let url = Url::parse(&url).map_err(|error| format!("this is no address: {error}"))?;
    open_outside(&app, &url)
}

/// Lets the person carry sessions out of the window as files of this format. Answers when the drag is over.
#[tauri::command]
pub async fn drag_out(app: AppHandle, sessions: Vec<String>, format: String) -> Result<Dropped, String> {
    drag_out::start(&app, &sessions, &format).await
}

/// Asks where to, and writes the sessions there. Answers with what was written, nothing when the person thought better of it.
#[tauri::command]
pub async fn save_as(app: AppHandle, sessions: Vec<String>, format: String) -> Result<Vec<String>, String> {
    save::start(&app, &sessions, &format).await.map_err(|error| format!("{error:#}"))
}

/// Brings the newest release in, where this program updates itself.
#[tauri::command]
pub async fn update(app: AppHandle) -> Result<Update, String> {
    update::run(&app).await
}

#[tauri::command]
pub fn quit(app: AppHandle) {
    app.exit(0);
}

/// Opens an address in the person's own program for it. Only http, https and mailto: anything else could start one.
pub fn open_outside(app: &AppHandle, url: &Url) -> Result<(), String> {
    if !may_open(url) {
        return Err(format!("addresses that start with `{}:` are not opened", url.scheme()));
    }
    app.opener().open_url(url.as_str(), None::<&str>).map_err(|error| format!("no program opened the address: {error}"))
}

fn may_open(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "mailto")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_and_mail_leave_the_window() {
        for (url, opens) in [
            ("https://example.org/a?b#c", true),
            ("http://127.0.0.1:4000/app/live", true),
            ("mailto:a@example.org", true),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("vscode://file/x", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(may_open(&Url::parse(url).expect(url)), opens, "{url}");
        }
    }
}
