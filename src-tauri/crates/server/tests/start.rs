//! Starting: taken ports, two instances, directories that cannot be used, stopping.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use orrery_server::{StartError, attach};
use orrery_testkit::{Homes, TestServer, hook, sender_event};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_taken_port_is_left_to_its_holder_and_the_next_one_is_recorded() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let server = TestServer::over(Homes::new().unwrap(), |options| options.port = port).await.unwrap();
    assert!(server.running.port() > port);
    let recorded = std::fs::read_to_string(server.homes.data_dir().join("port")).unwrap();
    assert_eq!(recorded.trim(), server.running.port().to_string());
    let problems = server.get("/api/v1/problems").await.unwrap();
    let words = problems[0]["message"].as_str().unwrap();
    assert!(words.starts_with(&format!("Port {port} is held by ")), "{words}");
    #[cfg(target_os = "linux")]
    assert!(words.contains(&format!("(pid {})", std::process::id())), "{words}");
}

#[tokio::test]
async fn a_port_that_browsers_refuse_is_not_taken() {
    let server = TestServer::over(Homes::new().unwrap(), |options| options.port = 6697).await.unwrap();
    assert!(server.running.port() > 6697);
}

#[tokio::test]
async fn a_second_instance_is_led_to_the_first() {
    let server = TestServer::start().await.unwrap();
    let Err(StartError::AlreadyRunning { base_url }) = orrery_server::start(server.homes.options()).await else {
        panic!("one writer at a time");
    };
    assert_eq!(base_url, server.running.base_url());
    let found = attach::find(server.homes.data_dir()).await.unwrap();
    assert_eq!((found.port, found.token.as_str()), (server.running.port(), server.running.token()));
    let homes = server.stop().await;
    assert!(attach::find(homes.data_dir()).await.is_none());
}

#[tokio::test]
async fn an_impostor_on_the_port_is_not_believed() {
    let server = TestServer::start().await.unwrap();
    let other = Homes::new().unwrap();
    std::fs::write(other.data_dir().join("port"), server.running.port().to_string()).unwrap();
    std::fs::write(other.data_dir().join("token"), "0".repeat(64)).unwrap();
    assert!(attach::find(other.data_dir()).await.is_none());
}

#[tokio::test]
async fn other_hosts_and_unusable_directories_are_refused_in_words() {
    let homes = Homes::new().unwrap();
    let mut options = homes.options();
    options.host = "0.0.0.0".parse().unwrap();
    let error = orrery_server::start(options).await.err().unwrap().to_string();
    assert!(error.contains("TLS"), "{error}");

    let file = homes.home().join("file");
    std::fs::write(&file, "").unwrap();
    let mut options = homes.options();
    options.data_dir = file.join("data");
    let error = orrery_server::start(options).await.err().unwrap();
    assert!(matches!(error, StartError::DataDir { .. }), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn data_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = TestServer::start().await.unwrap();
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(server.homes.data_dir()), 0o700);
    assert_eq!(mode(server.homes.data_dir().join("token")), 0o600);
    assert_eq!(server.running.token().len(), 64);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let server = TestServer::start().await.unwrap();
    let token = server.running.token().to_owned();
    server.post("/events", &sender_event("s1", "Stop")).await.unwrap();
    server.hook("claude-code", &hook("s2", "Notification", json!({"message": "hi"}))).await.unwrap();
    let homes = server.stop().await;
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    assert_eq!((server.count().await.unwrap(), server.running.token()), (2, token.as_str()));
}

#[tokio::test]
async fn it_listens_on_both_loopbacks() {
    let server = TestServer::start().await.unwrap();
    if TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no ::1");
        return;
    }
    let url = format!("http://[::1]:{}/health", server.running.port());
    assert_eq!(server.client.get(url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn health_has_the_shape_that_monitors_read() {
    let server = TestServer::start().await.unwrap();
    server.post("/events", &sender_event("s1", "Stop")).await.unwrap();
    let health: Value = server.bare(Method::GET, "/health").send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "healthy");
    assert!(
        health["timestamp"].is_i64()
            && health["server"]["uptime_ms"].is_i64()
            && health["server"]["version"].is_string()
    );
    assert_eq!(health["server"]["port"], server.running.port());
    let database = &health["database"];
    assert!(database["size_bytes"].as_u64().unwrap() > 0);
    assert_eq!(database["size_mb"].as_str().unwrap().split('.').nth(1).unwrap().len(), 2);
    let counts = ["total_events", "active_sessions_24h", "events_last_minute"].map(|key| database[key].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(1)]);
    assert_eq!(health["websocket"]["connected_clients"], 0);
    assert!(health["blind"].is_array());
}

#[tokio::test]
async fn every_described_route_exists() {
    let server = TestServer::start().await.unwrap();
    let description = server.get("/openapi.json").await.unwrap();
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() > 40);
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let url = path.replace("{id}", "1").replace("{seq}", "1").replace("{agent}", "none");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = server.request(method.clone(), &url).body("{").send().await.unwrap();
            assert_ne!(answer.status(), 405, "{method} {path}");
            let text = answer.text().await.unwrap();
            assert!(!text.contains("no_such_path"), "{method} {path}");
        }
    }
}
