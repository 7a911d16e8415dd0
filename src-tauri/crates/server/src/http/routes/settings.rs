//! `/api/v1/settings`: read, and change what is named.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use orrery_types::{Settings, SettingsPatch};

use crate::app::App;
use crate::http::problem::Failure;
use crate::http::request::Document;

pub async fn get(State(app): State<Arc<App>>) -> Json<Settings> {
    Json(app.settings.get())
}

pub async fn patch(
    State(app): State<Arc<App>>,
    Document(patch): Document<SettingsPatch>,
) -> Result<Json<Settings>, Failure> {
    let worker = app.clone();
    let done = tokio::task::spawn_blocking(move || worker.settings.patch(&patch)).await.map_err(Failure::internal)?;
    app.ingest.redact(&app.settings.get());
    app.changed.notify_one();
    done.map(Json).map_err(|error| refusal(&error))
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
