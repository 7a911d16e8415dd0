//! Pictures in events: listed, and served one by one from the payload they came in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use orrery_agents::images::{Image, images_of};
use serde_json::{Value, json};

use crate::app::App;
use crate::http::problem::Failure;

/// `[{index, media_type, bytes}]`, empty for an event without pictures.
pub async fn list(State(app): State<Arc<App>>, Path(seq): Path<i64>) -> Result<Json<Value>, Failure> {
    let images = of_event(&app, seq).await?;
    let images = images.iter().enumerate();
    let images = images
        .map(|(index, image)| json!({"index": index, "media_type": image.media_type, "bytes": image.bytes.len()}));
    Ok(Json(images.collect()))
}

/// One picture. Its type is what its bytes are; a browser may make nothing else of it.
pub async fn get(State(app): State<Arc<App>>, Path((seq, index)): Path<(i64, usize)>) -> Result<Response, Failure> {
    let image = of_event(&app, seq).await?.into_iter().nth(index);
    let image = image.ok_or_else(|| Failure::not_found("This picture"))?;
    let mut response = image.bytes.into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, image.media_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CACHE_CONTROL, "private, max-age=86400, immutable"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

async fn of_event(app: &App, seq: i64) -> Result<Vec<Image>, Failure> {
    let images = app.read(move |store| {
        let mut images: Vec<Image> = Vec::new();
        // Hook and transcript may both hold the picture.
        for image in store.raw(seq)?.iter().flat_map(|raw| images_of(&raw.bytes)) {
            if !images.contains(&image) {
                images.push(image);
            }
        }
        Ok(images)
    });
    Ok(images.await?)
}
