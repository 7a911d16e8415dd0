//! Who may ask: forged hosts and foreign origins leave no row and read nothing.
#![allow(clippy::unwrap_used)]

use orrery_testkit::{Socket, TestServer, hook, sender_event};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request byte for byte and answers its status.
async fn raw(port: u16, head: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(!answer.contains("s-secret"), "nothing may be read: {answer}");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn forged_hosts_and_origins_are_refused_everywhere() {
    let server = TestServer::start().await.unwrap();
    let port = server.running.port();
    let token = server.running.token().to_owned();
    server.post("/events", &sender_event("s-secret", "Stop")).await.unwrap();
    let hosts = [
        String::new(),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        "[::1]".to_owned(),
        format!("127.0.0.1:{}", port - 1),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{port}."),
        format!("127.0.0.1:{port}@evil.example"),
        format!("evil.example@127.0.0.1:{port}"),
        format!("evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1.nip.io:{port}"),
        format!("localhost.:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        format!("0177.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.0.0.2:{port}"),
        format!("[::]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("[0:0:0:0:0:0:0:1]:{port}"),
        format!("::1:{port}"),
        format!("localhost:{port}, evil.example"),
        format!("localhost:{port} evil.example"),
        format!("evil.example, localhost:{port}"),
        format!("LOCALHOST:{port}"),
        format!("xn--localhost:{port}"),
        format!("user:pass@localhost:{port}"),
    ];
    let event = sender_event("s-forged", "Stop").to_string();
    for host in &hosts {
        for (path, body) in
            [("POST /events", event.as_str()), ("GET /events/recent", ""), ("GET /app/", ""), ("GET /health", "")]
        {
            let head = format!("{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
            let status = raw(port, &head, body).await;
            assert!(matches!(status, 400 | 403), "{path} {host:?}: {status}");
        }
    }
    for head in [
        "POST /events HTTP/1.1\r\n".to_owned(),
        format!("POST /events HTTP/1.1\r\nHost: localhost:{port}\r\nHost: evil.example\r\n"),
        format!("POST http://evil.example/events HTTP/1.1\r\nHost: localhost:{port}\r\n"),
        format!(
            "POST /events HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\nOrigin: null\r\n"
        ),
        format!("POST /events HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"),
        format!("POST /events HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Site: cross-site\r\n"),
        format!("POST /hooks/claude-code HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Mode: no-cors\r\n"),
        format!("POST /hooks/claude-code HTTP/1.1\r\nHost: localhost:{port}\r\nSec-Fetch-Site: none\r\n"),
    ] {
        let status = raw(port, &head, &event).await;
        assert!(matches!(status, 400 | 401 | 403), "{head}: {status}");
    }
    let origins = [
        "null",
        "http://evil.example",
        "https://localhost",
        "http://localhost",
        "file://",
        "tauri://localhost.evil.example",
        "tauri://evil",
        "https://tauri.localhost",
        "http://tauri.localhost.evil.example",
        "chrome-extension://abcdef",
        "",
    ];
    let near = [
        format!("https://localhost:{port}"),
        format!("http://localhost:{port}/"),
        format!("http://localhost:{port}.evil.example"),
    ];
    for origin in origins.into_iter().map(str::to_owned).chain(near) {
        for (method, path) in
            [("POST", "/events"), ("POST", "/hooks/claude-code"), ("GET", "/events/recent"), ("OPTIONS", "/events")]
        {
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {origin}\r\nAuthorization: Bearer {token}\r\n"
            );
            assert_eq!(raw(port, &head, &event).await, 403, "{method} {path} {origin:?}");
        }
    }
    assert_eq!(server.count().await.unwrap(), 1, "only the honest event is there");
}

#[tokio::test]
async fn sockets_check_origin_and_token() {
    let server = TestServer::start().await.unwrap();
    let token = server.running.token().to_owned();
    let url = |path: &str| server.url(path).replacen("http", "ws", 1);
    for path in ["/stream", "/api/v1/live"] {
        assert!(Socket::open(&url(path), &[]).await.is_err(), "{path} without a token");
        let evil = [("authorization", format!("Bearer {token}")), ("origin", "http://evil.example".to_owned())];
        assert!(Socket::open(&url(path), &evil).await.is_err(), "{path} from a foreign page");
        let wrong = [("sec-websocket-protocol", format!("orrery.{}", "0".repeat(64)))];
        assert!(Socket::open(&url(path), &wrong).await.is_err(), "{path} with a wrong token");
        let shell = [("sec-websocket-protocol", format!("orrery.{token}")), ("origin", "tauri://localhost".to_owned())];
        assert!(Socket::open(&url(path), &shell).await.unwrap().next().await.is_ok(), "{path} from the window");
    }
}

#[tokio::test]
async fn reading_needs_the_token_and_sending_from_this_machine_does_not() {
    let server = TestServer::start().await.unwrap();
    for path in ["/events/recent", "/sessions", "/api/v1/overview", "/api/v1/settings", "/api/themes", "/stream"] {
        assert_eq!(server.bare(Method::GET, path).send().await.unwrap().status(), 401, "{path}");
    }
    assert_eq!(server.bare(Method::POST, "/api/v1/import").send().await.unwrap().status(), 401);
    for path in ["/health", "/openapi.json", "/app/", "/app/sessions/any"] {
        assert_eq!(server.bare(Method::GET, path).send().await.unwrap().status(), 200, "{path}");
    }
    let event = sender_event("s1", "Stop");
    assert_eq!(server.bare(Method::POST, "/events").json(&event).send().await.unwrap().status(), 200);
    let patch = json!({"ingest_needs_token": true});
    let patched = server.request(Method::PATCH, "/api/v1/settings").json(&patch).send().await.unwrap();
    assert_eq!(patched.status(), 200);
    assert_eq!(server.bare(Method::POST, "/events").json(&event).send().await.unwrap().status(), 401);
    assert_eq!(server.hook("claude-code", &hook("s1", "Stop", json!({}))).await.unwrap().status(), 401);
    assert_eq!(server.request(Method::POST, "/events").json(&event).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_a_token_the_other_checks_stay() {
    let homes = orrery_testkit::Homes::new().unwrap();
    let server = TestServer::over(homes, |options| options.token_needed = false).await.unwrap();
    assert_eq!(server.bare(Method::GET, "/events/recent").send().await.unwrap().status(), 200);
    let foreign = server.bare(Method::GET, "/events/recent").header("origin", "http://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_link_signs_a_browser_in_once() {
    let server = TestServer::start().await.unwrap();
    let url = server.running.one_time_link("/app/sessions");
    let first = server.client.get(&url).send().await.unwrap();
    assert_eq!((first.status().as_u16(), first.headers()["location"].to_str().unwrap()), (303, "/app/sessions"));
    let cookie = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let pair = cookie.split(';').next().unwrap();
    let read = async |site: &str| {
        let request =
            server.bare(Method::GET, "/api/v1/overview").header("cookie", pair).header("sec-fetch-site", site);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(read("same-origin").await, 200);
    // Another port of this machine is the same site to a browser, and gets the cookie along.
    assert_eq!(read("same-site").await, 403);
    assert_eq!(server.client.get(&url).send().await.unwrap().status(), 410);

    let minted: Value = server.post("/api/v1/links", &json!({"path": "//evil.example"})).await.unwrap();
    let there = server.client.get(minted["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(there.headers()["location"], "/app/");
}

#[tokio::test]
async fn the_window_may_ask_across_origins_and_pages_carry_their_policy() {
    let server = TestServer::start().await.unwrap();
    let preflight = server
        .bare(Method::OPTIONS, "/api/v1/settings")
        .header("origin", "tauri://localhost")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization");
    let answer = preflight.send().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-origin"], "tauri://localhost");
    let read = server.request(Method::GET, "/api/v1/overview").header("origin", "tauri://localhost");
    assert_eq!(read.send().await.unwrap().headers()["access-control-allow-origin"], "tauri://localhost");

    let page = server.bare(Method::GET, "/app/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("'wasm-unsafe-eval'"));
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
}
