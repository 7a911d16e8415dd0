//! The interface's pages: `/app/...` is one page with its own routes, files lie beside it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

use orrery_types::{Grant, GrantKind};

use super::guard::COOKIE;
use super::problem::Failure;
use super::serve::Peer;
use crate::app::App;
use crate::assets::{self, Asset};
use crate::grants;

/// What a page of ours may do. WebAssembly needs its own word; sockets go to the server that sent the page.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
img-src 'self' data:; font-src 'self'; connect-src 'self' ws:; object-src 'none'; base-uri 'none'; form-action 'none'; \
frame-ancestors 'none'";

/// `/` leads to the interface.
pub async fn root() -> Redirect {
    Redirect::to("/app/")
}

/// `GET /link/{code}`: uses up a one-time link and signs the browser in, with a secret of its own in a cookie.
pub async fn link(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    peer: Peer,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let now_ms = app.clock.now_ms();
    let Some(path) = app.links.redeem(&code, now_ms) else {
        let hint = "Ask for a new one: `orrery serve` prints it, and so does the window's menu";
        return Err(Failure::new(StatusCode::GONE, "link_used", "This link was used or is too old", hint));
    };
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let grant = Grant {
        id: String::new(),
        kind: GrantKind::Browser,
        label: grants::browser_words(user_agent),
        session: String::new(),
        created_ms: now_ms,
        expires_ms: now_ms + grants::BROWSER_MS,
        used_ms: None,
        unmasked: false,
        current: false,
    };
    let (secret, _) = app.grants.give(app.store.as_ref(), grant).await?;
    let life = grants::BROWSER_MS / 1000;
    let secure = if peer.encrypted { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}{}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life}{secure}", app.port);
    let mut response = Redirect::to(&path).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Whatever no route took: a file of the interface, one of its pages, or a 404.
pub async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let reads = method == Method::GET || method == Method::HEAD;
    let path = uri.path();
    let inside = path.strip_prefix("/app").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let name = inside.unwrap_or(path).trim_start_matches('/');
    let accept = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let file = if reads && !name.is_empty() { assets::get_packed(name, accept) } else { None };
    match (file, inside) {
        (Some(file), _) => answer(file),
        // A route of the interface; a file with an ending that is not there is a mistake, not a page.
        (None, Some(_)) if reads && !is_file(name) => match assets::get_packed("index.html", accept) {
            Some(page) => answer(page),
            None => Failure::not_found("The page").into_response(),
        },
        _ => Failure::new(
            StatusCode::NOT_FOUND,
            "no_such_path",
            format!("{method} {path} does not exist"),
            "See /openapi.json",
        )
        .into_response(),
    }
}

fn is_file(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    [".js", ".wasm", ".css", ".map", ".svg", ".png", ".ico", ".json", ".html", ".woff2"]
        .iter()
        .any(|end| last.ends_with(end))
}

fn answer(asset: Asset) -> Response {
    let mut response = asset.bytes.into_owned().into_response();
    let headers = response.headers_mut();
    if let Ok(mime) = HeaderValue::from_str(&asset.mime) {
        headers.insert(header::CONTENT_TYPE, mime);
    }
    if let Some(encoding) = asset.encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    let keep = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
