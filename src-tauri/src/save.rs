//! "Save as...": sessions as files where the person says.

use std::path::PathBuf;

use anyhow::Context as _;
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt as _, FilePath};
use tokio::sync::oneshot;

use crate::outgoing;
use crate::shell::Shell;

/// One session: its name can be changed in the dialog. Several: a folder is chosen.
pub async fn start(app: &AppHandle, sessions: &[String], format: &str) -> anyhow::Result<Vec<String>> {
    let server = app.state::<Shell>().host().await.map_err(anyhow::Error::msg)?.server();
    let written = match sessions {
        [] => anyhow::bail!("no session is selected"),
        [session] => {
            let name = outgoing::name_of(&server, session, format).await;
            let Some(path) = ask_file(app, &name, format).await? else { return Ok(Vec::new()) };
            outgoing::save_as(&server, session, format, &path).await?;
            vec![path]
        }
        several => {
            let Some(folder) = ask_folder(app).await? else { return Ok(Vec::new()) };
            outgoing::save_into(&server, several, format, &folder).await?
        }
    };
    Ok(written.iter().map(|path| path.display().to_string()).collect())
}

async fn ask_file(app: &AppHandle, name: &str, format: &str) -> anyhow::Result<Option<PathBuf>> {
    let (told, chosen) = oneshot::channel();
    app.dialog().file().set_title("Save session").set_file_name(name).add_filter(format, &[format]).save_file(
        move |path| {
            let _ = told.send(path);
        },
    );
    path_of(chosen.await.context("the dialog closed without a word")?)
}

async fn ask_folder(app: &AppHandle) -> anyhow::Result<Option<PathBuf>> {
    let (told, chosen) = oneshot::channel();
    app.dialog().file().set_title("Save sessions into a folder").pick_folder(move |path| {
        let _ = told.send(path);
    });
    path_of(chosen.await.context("the dialog closed without a word")?)
}

fn path_of(chosen: Option<FilePath>) -> anyhow::Result<Option<PathBuf>> {
    chosen.map(|path| path.into_path().context("this place is no folder of this machine")).transpose()
}
