//! `/api/v1/settings`: read, and change what is named.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use orrery_types::Settings;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Document;
use crate::settings::transfer;

pub async fn get(State(app): State<Arc<App>>) -> Json<Settings> {
    Json(app.settings.get())
}

pub async fn patch(State(app): State<Arc<App>>, Document(patch): Document<Value>) -> Result<Json<Settings>, Failure> {
    let worker = app.clone();
    let done = tokio::task::spawn_blocking(move || worker.settings.patch(&patch)).await.map_err(Failure::internal)?;
    app.apply_settings();
    done.map(Json).map_err(|error| refusal(&error))
}

/// What of the settings makes no sense: the file as a whole, and single values by their keys.
pub async fn wrong(State(app): State<Arc<App>>) -> Json<Value> {
    let values: Vec<Value> =
        app.settings.wrongs().into_iter().map(|wrong| json!({"key": wrong.key, "words": wrong.words})).collect();
    let file = app.settings.complaint();
    Json(json!({"path": app.settings.path().display().to_string(), "file": file, "values": values}))
}

/// The file itself, with the person's comments. Secrets are not in it.
pub async fn export(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let worker = app.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(worker.settings.path()));
    let text = match read.await.map_err(Failure::internal)? {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => "# All settings have their defaults\n".to_owned(),
        Err(error) => return Err(refusal(&error)),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/toml; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orrery-settings.toml\""),
    ];
    Ok((headers, text).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Import {
    /// The text of a settings file.
    toml: String,
    /// Says what would change, and changes nothing.
    dry_run: bool,
}

/// Puts another settings file in force; the old one stays beside it.
pub async fn import(State(app): State<Arc<App>>, Document(import): Document<Import>) -> Result<Json<Value>, Failure> {
    let before = app.settings.get();
    let worker = app.clone();
    let work = move || {
        if import.dry_run { worker.settings.consider(&import.toml) } else { worker.settings.replace(&import.toml) }
    };
    let settings =
        tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?.map_err(|error| refusal(&error))?;
    app.apply_settings();
    Ok(Json(json!({"changes": transfer::changes(&before, &settings)})))
}

fn refusal(error: &io::Error) -> Failure {
    let words = error.to_string();
    match error.kind() {
        io::ErrorKind::InvalidInput => Failure::bad("bad_setting", words, "Nothing was changed"),
        io::ErrorKind::InvalidData => {
            Failure::conflict("bad_config_file", words, "Repair config.toml by hand; nothing was changed")
        }
        _ => {
            let hint = "Make the configuration directory writable";
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "settings_unwritable", words, hint)
        }
    }
}
