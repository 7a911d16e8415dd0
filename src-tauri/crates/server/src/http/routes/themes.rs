//! `/api/themes...`: custom themes of the family's dashboards, one JSON file in the configuration directory.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::clock;
use crate::http::request::{Document, Params};
use crate::settings::write_whole;

const MOST: usize = 500;

type Fields = Map<String, Value>;
type Themes = Vec<Fields>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListParams {
    query: String,
    limit: Option<usize>,
    offset: usize,
}

pub async fn list(State(app): State<Arc<App>>, Params(params): Params<ListParams>) -> Response {
    let wanted = params.query.to_lowercase();
    let shown = |theme: &&Fields| {
        ["name", "displayName", "description"].iter().any(|key| text(theme, key).to_lowercase().contains(&wanted))
    };
    match load(&app) {
        Ok(themes) => {
            let page: Vec<&Fields> =
                themes.iter().filter(shown).skip(params.offset).take(params.limit.unwrap_or(MOST)).collect();
            done(StatusCode::OK, json!(page))
        }
        Err(error) => broken(&error),
    }
}

pub async fn create(State(app): State<Arc<App>>, Document(theme): Document<Fields>) -> Response {
    add(&app, theme, None).await
}

/// Takes what `export` gave: `{theme: {...}}`, or a theme alone.
pub async fn import(State(app): State<Arc<App>>, Document(document): Document<Fields>) -> Response {
    let theme = match document.get("theme") {
        Some(Value::Object(theme)) => theme.clone(),
        _ => document,
    };
    add(&app, theme, None).await
}

pub async fn read(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    find(&app, &id, |theme| json!(theme))
}

pub async fn export(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let now_ms = app.clock.now_ms();
    find(&app, &id, |theme| json!({"version": "1.0.0", "theme": theme, "exportedAt": clock::rfc3339(now_ms)}))
}

pub async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Document(theme): Document<Fields>,
) -> Response {
    add(&app, theme, Some(id)).await
}

pub async fn remove(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let _turn = app.themes.lock().await;
    let mut themes = match load(&app) {
        Ok(themes) => themes,
        Err(error) => return broken(&error),
    };
    let before = themes.len();
    themes.retain(|theme| text(theme, "id") != id);
    if themes.len() == before {
        return missing();
    }
    match save(&app, &themes) {
        Ok(()) => done(StatusCode::OK, json!({"id": id})),
        Err(error) => broken(&error),
    }
}

pub async fn stats(State(app): State<Arc<App>>) -> Response {
    match load(&app) {
        Ok(themes) => {
            let public = themes.iter().filter(|theme| theme.get("isPublic") == Some(&json!(true))).count();
            let all = themes.len();
            done(StatusCode::OK, json!({"totalThemes": all, "publicThemes": public, "privateThemes": all - public}))
        }
        Err(error) => broken(&error),
    }
}

/// Adds a theme, or replaces the one with this id.
async fn add(app: &App, mut theme: Fields, id: Option<String>) -> Response {
    let _turn = app.themes.lock().await;
    let mut themes = match load(app) {
        Ok(themes) => themes,
        Err(error) => return broken(&error),
    };
    let place = id.as_ref().and_then(|id| themes.iter().position(|theme| text(theme, "id") == id));
    if id.is_some() && place.is_none() {
        return missing();
    }
    let mut errors = complaints(&theme);
    let name = text(&theme, "name").to_owned();
    if themes.iter().enumerate().any(|(at, other)| Some(at) != place && text(other, "name") == name) {
        errors.push(complaint("name", "Another theme has this name", "DUPLICATE"));
    }
    if place.is_none() && themes.len() >= MOST {
        errors.push(complaint("theme", "There are too many themes", "LIMIT"));
    }
    if !errors.is_empty() {
        let body = json!({"success": false, "error": "Validation failed", "validationErrors": errors});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let now = clock::rfc3339(app.clock.now_ms());
    let created = place.and_then(|at| themes[at].get("createdAt").cloned());
    theme.insert("id".to_owned(), json!(id.unwrap_or_else(clock::new_id)));
    theme.insert("createdAt".to_owned(), created.unwrap_or_else(|| json!(now)));
    theme.insert("updatedAt".to_owned(), json!(now));
    match place {
        Some(at) => themes[at] = theme.clone(),
        None => themes.push(theme.clone()),
    }
    let status = if place.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    match save(app, &themes) {
        Ok(()) => done(status, json!(theme)),
        Err(error) => broken(&error),
    }
}

fn complaints(theme: &Fields) -> Vec<Value> {
    let mut errors = Vec::new();
    let name = text(theme, "name");
    if name.is_empty() {
        errors.push(complaint("name", "Theme name is required", "REQUIRED"));
    } else if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)) {
        errors.push(complaint("name", "Use lowercase letters, digits, hyphens and underscores", "INVALID_FORMAT"));
    }
    if text(theme, "displayName").is_empty() {
        errors.push(complaint("displayName", "Display name is required", "REQUIRED"));
    }
    match theme.get("colors") {
        Some(Value::Object(colors)) if !colors.is_empty() => {
            let bad = colors.iter().filter(|(_, color)| !color.as_str().is_some_and(is_color));
            errors.extend(bad.map(|(key, _)| complaint(&format!("colors.{key}"), "This is no color", "INVALID_COLOR")));
        }
        _ => errors.push(complaint("colors", "Theme colors are required", "REQUIRED")),
    }
    errors
}

/// A color or a shadow made of colors: no text that could leave its declaration or load anything.
fn is_color(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"#(),.%/ -".contains(&byte);
    (1..=200).contains(&text.len()) && text.bytes().all(plain) && !text.to_ascii_lowercase().contains("url(")
}

fn complaint(field: &str, message: &str, code: &str) -> Value {
    json!({"field": field, "message": message, "code": code})
}

fn find(app: &App, id: &str, show: impl FnOnce(&Fields) -> Value) -> Response {
    match load(app) {
        Ok(themes) => match themes.iter().find(|theme| text(theme, "id") == id) {
            Some(theme) => done(StatusCode::OK, show(theme)),
            None => missing(),
        },
        Err(error) => broken(&error),
    }
}

fn text<'a>(theme: &'a Fields, key: &str) -> &'a str {
    theme.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn done(status: StatusCode, data: Value) -> Response {
    (status, Json(json!({"success": true, "data": data}))).into_response()
}

fn missing() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"success": false, "error": "Theme not found"}))).into_response()
}

fn broken(error: &io::Error) -> Response {
    tracing::error!(%error, "the themes' file cannot be used");
    let body = json!({"success": false, "error": format!("themes.json cannot be used: {error}")});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

fn file(app: &App) -> PathBuf {
    app.config_dir.join("themes.json")
}

fn load(app: &App) -> io::Result<Themes> {
    match fs::read(file(app)) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn save(app: &App, themes: &Themes) -> io::Result<()> {
    write_whole(&file(app), &serde_json::to_vec_pretty(themes)?)
}
