//! How a cost is known: bills, requests with their reports, and prices that change.
#![allow(clippy::unwrap_used)]

use std::fs;

use orrery_testkit::{Homes, TestServer, claude_assistant_line, claude_prompt_line};
use reqwest::Method;
use serde_json::{Value, json};

const AT_MS: i64 = 1_795_000_000_000;
const MODEL: &str = "claude-sonnet-4-5";

/// A server over one session: two answers, the first told by two lines and again in a copy of the file.
async fn told_thrice() -> TestServer {
    let homes = Homes::new().unwrap();
    let dir = homes.home().join(".claude/projects/-home-ada-shop");
    fs::create_dir_all(&dir).unwrap();
    let first = claude_assistant_line("s-one", "u2", AT_MS + 5_000, MODEL, "done");
    let other = claude_assistant_line("s-one", "u3", AT_MS + 9_000, "acme/mystery-9", "done");
    let again = first.replace("\"u2\"", "\"u4\"");
    let lines = [claude_prompt_line("s-one", "u1", AT_MS, "fix the cart"), first.clone(), again, other];
    fs::write(dir.join("s-one.jsonl"), lines.join("\n") + "\n").unwrap();
    fs::write(dir.join("s-fork.jsonl"), first + "\n").unwrap();
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    let roots = json!({"claude": [server.homes.home().join(".claude")]});
    server.post("/api/v1/import", &roots).await.unwrap();
    let done = || async {
        let jobs = server.get("/api/v1/jobs").await?;
        Ok((jobs[0]["state"] == "done").then_some(()))
    };
    server.wait_for(done).await.unwrap();
    server
}

fn micros(lines: &Value) -> i64 {
    lines.as_array().unwrap().iter().map(|line| line["cost_usd_micros"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn a_bill_names_tokens_prices_sources_and_repeats() {
    let server = told_thrice().await;
    let bill = server.get("/api/v1/bill?session=s-one").await.unwrap();
    assert_eq!(bill["totals"]["requests"], 2);
    assert_eq!(micros(&bill["lines"]), bill["totals"]["cost_usd_micros"].as_i64().unwrap());
    assert!(bill["lines"].as_array().unwrap().iter().all(|line| line["model"] == MODEL), "{bill}");
    assert_eq!(bill["unpriced"][0]["model"], "acme/mystery-9");
    assert_eq!(bill["sources"], json!([["transcript", 2]]));
    // Two more lines tell of the first answer: together they would bill it twice more.
    assert_eq!(bill["repeats"], json!({"reports": 2, "usd_micros": 2 * micros(&bill["lines"])}));
    assert_eq!(bill["prices"][0]["origin"], "built in");
    assert_eq!(bill["reported"], Value::Null);
    let none = server.get("/api/v1/bill?session=nobody").await.unwrap();
    assert_eq!((&none["totals"]["requests"], &none["lines"]), (&json!(0), &json!([])));
    let model = server.get("/api/v1/bill?model=acme%2Fmystery-9").await.unwrap();
    assert_eq!(model["totals"]["requests"], 1);
}

#[tokio::test]
async fn requests_come_in_pages_and_each_is_explained() {
    let server = told_thrice().await;
    let first = server.get("/api/v1/usage?session=s-one&limit=1").await.unwrap();
    let next = first["next"].as_str().unwrap();
    let second = server.get(&format!("/api/v1/usage?session=s-one&limit=1&after={next}")).await.unwrap();
    assert_eq!((first["items"][0]["model"].as_str(), second["next"].as_str()), (Some("acme/mystery-9"), None));
    assert!(server.get("/api/v1/usage?after=nonsense").await.is_err());

    let row = &second["items"][0];
    let key = row["key"].as_str().unwrap().replace('/', "%2F");
    let detail = server.get(&format!("/api/v1/usage/{key}")).await.unwrap();
    assert_eq!(micros(&detail["lines"]), row["cost_usd_micros"].as_i64().unwrap());
    assert_eq!(detail["row"]["price_model"].as_str().map(|model| model.starts_with(MODEL)), Some(true), "{detail}");
    let reports = detail["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 3);
    assert_eq!(reports.iter().filter(|report| report["counted"] == true).count(), 1);
    let lines = server.get(&format!("/api/v1/usage/{key}/raw")).await.unwrap();
    assert!(
        lines.as_array().unwrap().iter().all(|line| line["text"].as_str().unwrap().contains("\"usage\"")),
        "{lines}"
    );

    let unknown = first["items"][0]["key"].as_str().unwrap();
    let detail = server.get(&format!("/api/v1/usage/{unknown}")).await.unwrap();
    assert_eq!((&detail["lines"], &detail["prices"]), (&json!([]), &Value::Null));
    assert_eq!(server.request(Method::GET, "/api/v1/usage/none").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn new_prices_hold_for_new_rows_and_change_no_old_one() {
    let server = told_thrice().await;
    let before = server.get("/api/v1/bill?session=s-one").await.unwrap();
    let table = r#"{"claude-sonnet-4-5": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002},
                    "acme/mystery-9": {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}}"#;
    let update = |path: &'static str, body: &'static str| {
        let server = &server;
        async move {
            let request = server.request(Method::POST, path).body(body);
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let (_, dry) = update("/api/v1/prices?origin=mine.json&dry_run=1", table).await;
    assert_eq!((&dry["applied"], dry["added"].as_array().unwrap().len()), (&json!(false), 1), "{dry}");
    assert_eq!(server.get("/api/v1/prices").await.unwrap()["versions"].as_array().unwrap().len(), 1);
    let (status, done) = update("/api/v1/prices?origin=mine.json", table).await;
    assert_eq!((status, &done["applied"]), (200, &json!(true)));
    assert_eq!(server.get("/api/v1/prices").await.unwrap()["versions"][0]["origin"], "mine.json");
    // The same table again is no new version.
    assert_eq!(update("/api/v1/prices", table).await.1["applied"], json!(false));
    let (status, refused) = update("/api/v1/prices", r#"{"m": {"input_cost_per_token": -1}}"#).await;
    assert_eq!((status, refused["code"].as_str()), (422, Some("prices_refused")));
    assert!(refused["title"].as_str().unwrap().contains("m: input_cost_per_token is -1"), "{refused}");

    let newer = claude_assistant_line("s-two", "u9", AT_MS + 90_000, MODEL, "new");
    fs::write(server.homes.home().join(".claude/projects/-home-ada-shop/s-two.jsonl"), newer + "\n").unwrap();
    server.post("/api/v1/import", &json!({"claude": [server.homes.home().join(".claude")]})).await.unwrap();
    let costs = || async {
        let bill = server.get("/api/v1/bill?session=s-two").await?;
        Ok((bill["totals"]["requests"] == 1).then_some(bill))
    };
    let bill = server.wait_for(costs).await.unwrap();
    assert_eq!(bill["lines"][0]["usd_per_million"], 1000.0, "{bill}");
    assert_eq!(bill["prices"][0]["origin"], "mine.json");
    assert_eq!(server.get("/api/v1/bill?session=s-one").await.unwrap(), before);
}
