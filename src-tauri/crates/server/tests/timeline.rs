//! `/api/v1/timeline...` and tracks over the real port.
#![allow(clippy::unwrap_used)]

use orrery_testkit::{TestServer, hook};
use serde_json::{Value, json};

const NOW: i64 = 1_795_348_800_000;

async fn seeded() -> TestServer {
    let server = TestServer::at(orrery_testkit::Homes::new().unwrap(), NOW, None).await.unwrap();
    let call = json!({"tool_name": "Bash", "tool_input": {"command": "cargo test"}, "tool_use_id": "toolu_a"});
    let mut failed = call.clone();
    failed["error"] = json!("exit 101");
    let steps = [
        (0, "UserPromptSubmit", json!({"prompt": "Fix the checkout test"})),
        (2_000, "PreToolUse", call),
        (9_000, "PostToolUseFailure", failed),
        (12_000, "Stop", json!({"last_assistant_message": "Done"})),
    ];
    for (after_ms, name, more) in steps {
        server.set_now_ms(NOW + after_ms);
        server.hook("claude-code", &hook("s", name, more)).await.unwrap();
    }
    server
}

/// The answer once the tracks have everything.
async fn settled(server: &TestServer, path: &str) -> Value {
    server
        .wait_for(async || {
            let answer = server.get(path).await?;
            Ok((answer["behind"] == 0).then_some(answer))
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_session_is_a_lane_of_slices() {
    let server = seeded().await;
    let range = format!("from_ms={NOW}&to_ms={}", NOW + 20_000);
    let picture = settled(&server, &format!("/api/v1/timeline?{range}&px=1000&first=0&count=10")).await;
    assert_eq!(picture["sessions"][0]["id"], "s");
    // Model, shell, model: kinds by their codes.
    assert_eq!(picture["slices"]["kind"], json!([0, 1, 0]));
    assert_eq!(picture["slices"]["flags"], json!([0, 1, 0]), "the call failed");
    assert_eq!(picture["slices"]["took"], json!([2_000, 7_000, 3_000]));
    assert!(picture["words"].as_array().unwrap().contains(&json!("Bash cargo test")));

    let sums = server.get(&format!("/api/v1/timeline/sums?{range}&path_of=s")).await.unwrap();
    assert_eq!(
        (sums["busy_ms"].as_i64(), sums["calls"].as_u64(), sums["failed"].as_u64()),
        (Some(12_000), Some(1), Some(1))
    );
    assert_eq!(sums["path"][0]["name"], "Bash cargo test");
    let busy = server.get(&format!("/api/v1/timeline/busy?{range}&px=20")).await.unwrap();
    assert_eq!(busy["lanes"].as_array().unwrap().iter().filter(|lanes| **lanes == 1).count(), 12);
    let status =
        server.request(reqwest::Method::GET, "/api/v1/timeline?from_ms=5&to_ms=5").send().await.unwrap().status();
    assert_eq!(status, 400, "an empty time");
}

#[tokio::test]
async fn a_track_has_a_point_for_each_event() {
    let server = seeded().await;
    let track = settled(&server, "/api/v1/sessions/s/track").await;
    assert_eq!(track["mark"], json!([2, 5, 6, 13]));
    assert_eq!(track["at_ms"], json!([NOW, 2_000, 7_000, 3_000]), "differences");
    let status = server.request(reqwest::Method::GET, "/api/v1/sessions/nobody/track").send().await.unwrap().status();
    assert_eq!(status, 404);
}
