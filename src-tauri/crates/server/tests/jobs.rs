//! Spool, import, watcher, demo.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use orrery_client::spool;
use orrery_server::jobs::import;
use orrery_server::offline;
use orrery_testkit::{Homes, TestServer, claude_assistant_line, claude_prompt_line, hook};
use orrery_types::{AgentId, JobState};
use reqwest::Method;
use serde_json::{Value, json};

const AT_MS: i64 = 1_795_000_000_000;
const MODEL: &str = "claude-sonnet-4-5";

fn put(homes: &Homes, number: i64, payload: &[u8]) {
    let header = spool::Header {
        id: format!("{number:032x}"),
        at_ms: AT_MS + number,
        agent: "claude-code".to_owned(),
        kind: "hook".to_owned(),
    };
    spool::put(&spool::dir(&homes.data_dir()), &header, payload, None).unwrap();
}

/// A small tree of Claude Code transcripts. Two sessions, one with a broken line and half a last one.
fn transcripts(home: &Path) -> PathBuf {
    let dir = home.join(".claude/projects/-home-ada-shop");
    fs::create_dir_all(&dir).unwrap();
    let one = [
        claude_prompt_line("s-one", "u1", AT_MS, "fix the cart"),
        claude_assistant_line("s-one", "u2", AT_MS + 5_000, MODEL, "done"),
    ];
    fs::write(dir.join("s-one.jsonl"), one.join("\n") + "\n").unwrap();
    let whole = claude_prompt_line("s-two", "u3", AT_MS + 60_000, "add tests");
    let half = claude_assistant_line("s-two", "u4", AT_MS + 70_000, MODEL, "added");
    fs::write(dir.join("s-two.jsonl"), format!("{whole}\n{{\"type\":\"user\", broken\n{}", &half[..40])).unwrap();
    dir
}

#[tokio::test]
async fn the_spool_is_drained_at_start_in_order_and_once() {
    let homes = Homes::new().unwrap();
    for number in 0..450 {
        put(
            &homes,
            number,
            hook("s1", "Notification", json!({"message": format!("n{number}")})).to_string().as_bytes(),
        );
    }
    put(&homes, 450, b"junk");
    let dir = spool::dir(&homes.data_dir());
    fs::write(dir.join("1795000000999-damaged.json"), "no header").unwrap();
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    server.wait_for(|| async { Ok((server.count().await? == 451).then_some(())) }).await.unwrap();
    server.wait_for(|| async { Ok(spool::list(&dir).is_empty().then_some(())) }).await.unwrap();
    let page = server.get("/api/v1/events?after=0&limit=3&session=s1").await.unwrap();
    let messages: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|event| event["body"]["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["n0", "n1", "n2"]);
    let aside =
        fs::read_dir(&dir).unwrap().flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("damaged-"));
    assert!(aside, "what cannot be read is put aside");
    let problems = server.get("/api/v1/problems").await.unwrap();
    assert!(problems.as_array().unwrap().iter().any(|problem| problem["code"] == "spool_unreadable"), "{problems}");

    // The same delivery once more, as after a crash between commit and removal.
    put(&server.homes, 0, hook("s1", "Notification", json!({"message": "n0"})).to_string().as_bytes());
    assert_eq!(server.post("/api/v1/spool", &json!({})).await.unwrap()["stored"], 1);
    assert_eq!(server.count().await.unwrap(), 451);
}

#[tokio::test]
async fn an_import_goes_on_where_the_last_one_ended() {
    let homes = Homes::new().unwrap();
    let dir = transcripts(&homes.home());
    let store = offline::write_store(&homes.data_dir()).unwrap();
    let roots = [(AgentId::ClaudeCode, homes.home().join(".claude"))];
    let run = async || {
        let mut last = None;
        let cancel = Arc::new(AtomicBool::new(false));
        let report = import::run(store.clone(), &roots, |job| last = Some(job.clone()), cancel).await.unwrap();
        assert_eq!(last.unwrap().state, JobState::Done);
        report
    };
    let first = run().await;
    assert_eq!((first.files, first.files_parsed, first.lines, first.sessions), (2, 2, 4, 2));
    assert_eq!(first.problems, 1, "the broken line");
    assert!(first.events >= 4 && first.rows_written > 0);

    let second = run().await;
    assert_eq!((second.files, second.files_parsed, second.lines, second.rows_written), (2, 0, 0, 0));

    // The half line gets its rest.
    let path = dir.join("s-two.jsonl");
    let half = claude_assistant_line("s-two", "u4", AT_MS + 70_000, MODEL, "added");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + &half[40..] + "\n").unwrap();
    let third = run().await;
    assert_eq!((third.files_parsed, third.lines, third.events), (1, 1, 2), "the answer, and the end of its turn");
    let totals = store.totals(&offline::TotalsQuery::default()).unwrap();
    assert_eq!((totals.requests, totals.tokens.input, totals.tokens.output), (2, 2_000, 1_000));

    // A file that shrank is read again, said, and changes nothing that is known.
    fs::write(dir.join("s-one.jsonl"), claude_prompt_line("s-one", "u1", AT_MS, "fix the cart") + "\n").unwrap();
    fs::remove_file(&path).unwrap();
    let fourth = run().await;
    assert_eq!((fourth.files, fourth.files_parsed, fourth.events, fourth.problems), (1, 1, 0, 1));
    assert_eq!(store.problems(1).unwrap()[0].code, "file_shrank");
    assert_eq!(store.totals(&offline::TotalsQuery::default()).unwrap().requests, 2);
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_server_imports_with_progress() {
    let homes = Homes::new().unwrap();
    transcripts(&homes.home());
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    let mut live = server.socket("/api/v1/live").await.unwrap();
    let started = server.request(Method::POST, "/api/v1/import").send().await.unwrap();
    assert_eq!(started.status(), 202);
    let done = live.until(|frame| frame["type"] == "job" && frame["job"]["state"] == "done").await.unwrap();
    assert_eq!(
        (done["job"]["done"].as_u64(), done["job"]["total"].as_u64(), done["job"]["sessions"].as_u64()),
        (Some(2), Some(2), Some(2))
    );
    assert_eq!(done["job"]["parts"], json!([["claude-code", 2, 2]]));
    let sessions = server.get("/api/v1/sessions").await.unwrap();
    let one = sessions["items"].as_array().unwrap().iter().find(|row| row["id"] == "s-one").unwrap().clone();
    assert_eq!(
        (one["title"].as_str(), one["project"].as_str(), one["tokens"]["output"].as_u64()),
        (Some("fix the cart"), Some("shop"), Some(500))
    );
    assert!(one["cost_usd_micros"].as_i64().unwrap() > 0);
    let costs = server.get("/api/v1/costs?group=model").await.unwrap();
    assert_eq!((costs["rows"][0]["key"].as_str(), costs["totals"]["requests"].as_u64()), (Some(MODEL), Some(1)));
    assert_eq!(server.get("/api/v1/usage?session=s-one").await.unwrap()["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/v1/jobs").await.unwrap()[0]["state"], "done");
    assert_eq!(server.request(Method::DELETE, "/api/v1/import").send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_lines_are_followed_live() {
    let homes = Homes::new().unwrap();
    let dir = transcripts(&homes.home());
    let server = TestServer::over(homes, |options| options.watch = true).await.unwrap();
    // Files of today are read at once, without an import.
    server
        .wait_for(|| async {
            Ok((server.get("/api/v1/sessions").await?["items"].as_array().unwrap().len() == 2).then_some(()))
        })
        .await
        .unwrap();
    let mut live = server.socket("/api/v1/live").await.unwrap();
    live.next().await.unwrap();
    let mut text = fs::read_to_string(dir.join("s-one.jsonl")).unwrap();
    text += &(claude_prompt_line("s-one", "u9", AT_MS + 90_000, "and the checkout") + "\n");
    fs::write(dir.join("s-one.jsonl"), text).unwrap();
    let frame = live
        .until(|frame| frame["type"] == "appended" && frame["events"][0]["body"]["text"] == "and the checkout")
        .await
        .unwrap();
    assert_eq!(frame["sessions"][0]["turns"], 2);
    // A project that is new to the agent, too.
    let fresh = dir.with_file_name("-home-ada-new");
    fs::create_dir_all(&fresh).unwrap();
    fs::write(fresh.join("s-new.jsonl"), claude_prompt_line("s-new", "u10", AT_MS, "hello") + "\n").unwrap();
    live.until(|frame| frame["type"] == "appended" && frame["sessions"][0]["id"] == "s-new").await.unwrap();
}

#[tokio::test]
async fn transcripts_from_elsewhere_are_read_line_after_line() {
    let server = TestServer::start().await.unwrap();
    let post = async |lines: String| -> Value {
        let path = "/api/v1/transcripts/claude-code?name=projects/x/s-far.jsonl&demo=1";
        let answer = server.request(Method::POST, path).body(lines).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    };
    let first = post(claude_prompt_line("s-far", "u1", AT_MS, "go")).await;
    assert_eq!(first, json!({"lines": 1, "events": 1}));
    post(claude_assistant_line("s-far", "u2", AT_MS + 1_000, MODEL, "went") + "\n").await;
    let row = server.get("/api/v1/sessions/s-far").await.unwrap()["row"].clone();
    assert_eq!((row["demo"].as_bool(), row["requests"].as_u64()), (Some(true), Some(1)));
    let removed = server.request(Method::DELETE, "/api/v1/demo").send().await.unwrap();
    assert_eq!(removed.json::<Value>().await.unwrap(), json!({"removed": ["s-far"]}));
    assert_eq!(server.count().await.unwrap(), 0);
}

/// Codex compresses old rollouts where they lie: the packed file holds the same lines, and nothing is counted twice.
#[tokio::test]
async fn a_compressed_rollout_is_the_same_rollout() {
    let homes = Homes::new().unwrap();
    let dir = homes.home().join(".codex/sessions/2026/11/20");
    fs::create_dir_all(&dir).unwrap();
    let thread = "019e9d0c-51aa-7d33-8c0f-0a1b2c3d4e5f";
    let plain = dir.join(format!("rollout-2026-11-20T09-14-03-{thread}.jsonl"));
    let line =
        |kind: &str, payload: Value| json!({"timestamp": "2026-11-20T09:14:05.000Z", "type": kind, "payload": payload});
    let usage = json!({"input_tokens": 1_000, "cached_input_tokens": 800, "output_tokens": 50});
    let text: String = [
        line("session_meta", json!({"id": thread, "cwd": "/home/ada/shop"})),
        line("turn_context", json!({"model": "gpt-6-astra", "turn_id": "t1"})),
        line("event_msg", json!({"type": "user_message", "message": "fix the cart"})),
        line(
            "event_msg",
            json!({"type": "token_count", "info": {"total_token_usage": usage, "last_token_usage": usage}}),
        ),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect();
    let packed = dir.join(format!("rollout-2026-11-20T09-14-03-{thread}.jsonl.zst"));
    let store = offline::write_store(&homes.data_dir()).unwrap();
    let roots = [(AgentId::Codex, homes.home().join(".codex"))];
    let run = async || import::run(store.clone(), &roots, |_| (), Arc::new(AtomicBool::new(false))).await.unwrap();
    fs::write(&packed, zstd::encode_all(text.as_bytes(), 3).unwrap()).unwrap();
    let first = run().await;
    assert_eq!((first.files_parsed, first.lines, first.problems, first.sessions), (1, 4, 0, 1));
    let second = run().await;
    assert_eq!((second.files_parsed, second.rows_written), (0, 0));
    // The other way round, as a person who unpacks one would have it.
    fs::remove_file(&packed).unwrap();
    fs::write(&plain, &text).unwrap();
    let third = run().await;
    assert_eq!((third.lines, third.events, third.sessions), (4, 0, 0), "every line is known");
    fs::write(&packed, b"no zstd").unwrap();
    assert_eq!(run().await.problems, 1);
    let totals = store.totals(&Default::default()).unwrap();
    assert_eq!((totals.requests, totals.tokens.cache_read), (1, 800));
}
