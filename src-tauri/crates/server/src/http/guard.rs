//! Who may ask: the right Host, a known Origin or none, and the token.
//!
//! A page in the person's browser can send requests to loopback. It cannot choose its Origin, and after DNS rebinding it
//! cannot choose its Host: both are compared with exact lists before anything else is looked at, on every route.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use orrery_types::GrantKind;

use super::problem::Failure;
use super::serve::Peer;
use crate::app::App;
use crate::token;

/// Start of the name of the cookie a one-time link leaves; the port follows, since cookies know no ports.
pub const COOKIE: &str = "orrery_session_";
/// A WebSocket names the token as `orrery.TOKEN`.
pub const PROTOCOL: &str = "orrery.";

const SHELL_ORIGINS: [&str; 2] = ["tauri://localhost", "http://tauri.localhost"];

/// Lets a request pass or answers it with a refusal; adds what every answer carries.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let origin = match admit(&app, &request) {
        Ok(origin) => origin,
        Err(failure) => return finish(failure.into_response(), None),
    };
    if request.method() == Method::OPTIONS {
        return finish(preflight(request.headers()), origin);
    }
    finish(next.run(request).await, origin)
}

/// The foreign origin (the shell's) to name in the answer, or the refusal.
fn admit(app: &App, request: &Request) -> Result<Option<HeaderValue>, Failure> {
    let own = Own { port: app.port, names: &app.names };
    check_host(request.uri(), request.headers(), &own)?;
    let origin = check_origin(request.headers(), &own)?;
    let access = access(request.method(), request.uri().path());
    check_site(request.headers(), origin.is_some(), access)?;
    if request.method() != Method::OPTIONS {
        check_token(app, request, access)?;
    }
    Ok(origin)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Pages and their parts, `/health`, the proof: nothing of the person's data.
    Open,
    /// Senders and hooks: no token from programs on this machine, never from a page.
    Ingest,
    Token,
}

fn access(method: &Method, path: &str) -> Access {
    let page = path == "/app" || ["/app/", "/link/", "/shared/"].iter().any(|start| path.starts_with(start));
    let root = !path.starts_with("/api/") && path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let open = page || root || matches!(path, "/" | "/health" | "/api/v1/proof" | "/openapi.json");
    match *method {
        Method::POST if path == "/events" || path.starts_with("/hooks/") || is_otlp(path) => Access::Ingest,
        Method::GET | Method::HEAD if open && !family(path) => Access::Open,
        _ => Access::Token,
    }
}

/// Where exporters of OpenTelemetry send to.
fn is_otlp(path: &str) -> bool {
    matches!(path, "/v1/logs" | "/v1/metrics" | "/v1/traces")
}

/// Session ids may hold a dot: these paths are never files.
fn family(path: &str) -> bool {
    ["/events/", "/sessions/", "/hooks/", "/stream"].iter().any(|start| path.starts_with(start))
}

/// What this server is called.
struct Own<'a> {
    port: u16,
    /// Beside loopback.
    names: &'a [String],
}

impl Own<'_> {
    /// `usual` is the port that goes without saying.
    fn is(&self, host: &str, usual: u16) -> bool {
        let names = ["127.0.0.1", "localhost", "[::1]"].into_iter().chain(self.names.iter().map(String::as_str));
        names.into_iter().any(|name| match host.strip_prefix(name) {
            Some("") => self.port == usual,
            Some(rest) => rest.strip_prefix(':').is_some_and(|digits| digits == self.port.to_string()),
            None => false,
        })
    }
}

fn check_host(uri: &Uri, headers: &HeaderMap, own: &Own<'_>) -> Result<(), Failure> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(|host| own.is(host, 80) || own.is(host, 443)),
        _ => false,
    };
    // An absolute request target overrides the header (RFC 9112, 3.2.2): both have to be ours.
    let target =
        uri.authority().is_none_or(|authority| own.is(authority.as_str(), 80) || own.is(authority.as_str(), 443));
    if named && target {
        return Ok(());
    }
    let hint = "Ask for 127.0.0.1, localhost or [::1] with the port Orrery listens on";
    Err(Failure::new(StatusCode::FORBIDDEN, "host_not_allowed", "This host name is not allowed here", hint))
}

/// `Some` for an allowed origin. A request without one comes from a program or a page of our own.
fn check_origin(headers: &HeaderMap, own: &Own<'_>) -> Result<Option<HeaderValue>, Failure> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Ok(None);
    };
    let text = origin.to_str().unwrap_or_default();
    let plain = text.strip_prefix("http://").is_some_and(|host| own.is(host, 80));
    let encrypted = text.strip_prefix("https://").is_some_and(|host| !own.names.is_empty() && own.is(host, 443));
    if origins.next().is_none() && (plain || encrypted || SHELL_ORIGINS.contains(&text)) {
        return Ok(Some(origin.clone()));
    }
    let hint = "Only Orrery's own pages may ask; open them from Orrery";
    Err(Failure::new(StatusCode::FORBIDDEN, "origin_not_allowed", "This page may not ask Orrery", hint))
}

/// Refuses what a foreign page makes a browser ask for without an Origin header: images, scripts, frames.
fn check_site(headers: &HeaderMap, known_origin: bool, access: Access) -> Result<(), Failure> {
    let site = header_text(headers, "sec-fetch-site");
    let navigation = header_text(headers, "sec-fetch-mode") == Some("navigate")
        && header_text(headers, "sec-fetch-dest") == Some("document");
    let foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    let from_page = access == Access::Ingest && !known_origin && has_fetch_metadata(headers);
    if (foreign && !known_origin && !(access == Access::Open && navigation)) || from_page {
        let hint = "Open Orrery's pages directly, and send events from programs, not from pages";
        return Err(Failure::new(StatusCode::FORBIDDEN, "cross_site", "Another page asked for this", hint));
    }
    Ok(())
}

fn has_fetch_metadata(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("sec-fetch-"))
}

fn check_token(app: &App, request: &Request, access: Access) -> Result<(), Failure> {
    let needed = match access {
        Access::Open => false,
        // A page of ours that posts events has the token, and says so.
        Access::Ingest => {
            let from_page = request.headers().contains_key(header::ORIGIN);
            from_page || !Peer::of(request.extensions()).near || app.settings.get().ingest_needs_token
        }
        Access::Token => true,
    };
    let free = !app.token_needed && Peer::of(request.extensions()).near;
    if !needed || free || may_read(app, request.headers()) {
        return Ok(());
    }
    let hint = "Send `Authorization: Bearer TOKEN` (the file `token` in the data directory), or open a one-time link";
    Err(Failure::new(StatusCode::UNAUTHORIZED, "token_needed", "This needs the token", hint))
}

/// Whether a client knows the token, or is a browser that was signed in.
fn may_read(app: &App, headers: &HeaderMap) -> bool {
    let signed_in = |secret| app.grants.find(GrantKind::Browser, secret, app.clock.now_ms()).is_some();
    tokens(headers).any(|given| token::same(given, &app.token))
        || session_cookie(headers, app.port).is_some_and(signed_in)
}

/// Every place where a client may name the token.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer = header_text(headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let protocols = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let protocol = protocols.flat_map(|value| value.split(',')).filter_map(|name| name.trim().strip_prefix(PROTOCOL));
    bearer.into_iter().chain(protocol)
}

/// The value of this server's cookie.
pub fn session_cookie(headers: &HeaderMap, port: u16) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let own = |name: &str| name.strip_prefix(COOKIE).is_some_and(|rest| rest == port.to_string());
    pairs.find(|(name, _)| own(name)).map(|(_, value)| value)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in fixed {
        answer.insert(name, HeaderValue::from_static(value));
    }
    if headers.contains_key("access-control-request-private-network") {
        answer.insert("access-control-allow-private-network", HeaderValue::from_static("true"));
    }
    response
}

/// Headers of every answer. Pages set their own policy; nothing else may run or be framed.
fn finish(mut response: Response, origin: Option<HeaderValue>) -> Response {
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_hosts() {
        let names = ["box.lan".to_owned()];
        let own = Own { port: 4000, names: &names };
        for good in ["127.0.0.1:4000", "localhost:4000", "[::1]:4000", "box.lan:4000"] {
            assert!(own.is(good, 80), "{good}");
        }
        for bad in [
            "127.0.0.1",
            "127.0.0.1:04000",
            "127.0.0.1:4001",
            "localhost.:4000",
            "LOCALHOST:4000x",
            "evil:4000",
            "box.lan.evil:4000",
        ] {
            assert!(!own.is(bad, 80), "{bad}");
        }
        assert!(Own { port: 80, names: &[] }.is("localhost", 80));
        assert!(!Own { port: 80, names: &[] }.is("localhost", 443));
    }

    #[test]
    fn only_pages_and_health_are_open() {
        let get = |path| access(&Method::GET, path);
        for open in ["/", "/app/", "/app/sessions/a.b", "/health", "/orrery-1234.wasm", "/link/abc", "/openapi.json"] {
            assert_eq!(get(open), Access::Open, "{open}");
        }
        for closed in
            ["/events/recent", "/sessions/a.b", "/events/session/x.y", "/stream", "/api/v1/overview", "/api/a.b"]
        {
            assert_eq!(get(closed), Access::Token, "{closed}");
        }
        assert_eq!(access(&Method::POST, "/events"), Access::Ingest);
        assert_eq!(access(&Method::POST, "/app/"), Access::Token);
        assert_eq!(access(&Method::POST, "/events/1/respond"), Access::Token);
    }
}
