//! More connections and larger bodies than there is room for: honest requests are served, the rest is told why.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use orrery_testkit::{TestServer, sender_event};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn connect(server: &TestServer) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.running.port())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_say_nothing_keep_no_honest_one_out() {
    let server = TestServer::start().await.unwrap();
    // More than any server of this limit on open files has seats for: half say nothing, half a byte of a request.
    let mut silent = Vec::new();
    for number in 0..2_600 {
        // The two ends of all these are files of this one process: its limit may be reached before the seats are.
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", server.running.port())).await else { break };
        if number % 2 == 0 {
            stream.write_all(b"P").await.unwrap();
        }
        silent.push(stream);
    }
    let answer = tokio::time::timeout(
        Duration::from_secs(5),
        server.bare(Method::POST, "/events").json(&sender_event("honest", "Stop")).send(),
    );
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_with_a_code() {
    let server = TestServer::start().await.unwrap();
    let body = vec![b' '; 2 * 1024 * 1024];
    let answer = server.request(Method::PATCH, "/api/v1/settings").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_cut_off_stores_nothing_and_hurts_nobody() {
    let server = TestServer::start().await.unwrap();
    let mut stream = connect(&server).await;
    let head =
        format!("POST /events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 1000\r\n\r\n{{", server.running.port());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut said = String::new();
    let _ = stream.read_to_string(&mut said).await;
    server.post("/events", &sender_event("s", "Stop")).await.unwrap();
    assert_eq!(server.count().await.unwrap(), 1);
}
