//! `/api/v1/settings`, `/api/v1/agents`, `/api/themes`: what changes files of the person.
#![allow(clippy::unwrap_used)]

use std::fs;

use orrery_testkit::{Homes, TestServer, hook};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn settings_keep_the_persons_comments() {
    let homes = Homes::new().unwrap();
    let file = homes.config_dir().join("config.toml");
    fs::write(&file, "# lunch money\nbudget_daily_usd = 10.0 # per day\n").unwrap();
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    assert_eq!(server.get("/api/v1/settings").await.unwrap()["budget_daily_usd"], 10.0);
    let patch = async |body: Value| server.request(Method::PATCH, "/api/v1/settings").json(&body).send().await.unwrap();
    let changed: Value = patch(json!({"budget_daily_usd": 40, "long_task_minutes": 7})).await.json().await.unwrap();
    assert_eq!((changed["budget_daily_usd"].as_f64(), changed["long_task_minutes"].as_u64()), (Some(40.0), Some(7)));
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "# lunch money\nbudget_daily_usd = 40.0 # per day\nlong_task_minutes = 7\n"
    );
    assert_eq!(patch(json!({"budget_daily_usd": -1})).await.status(), 400);
    assert_eq!(
        patch(json!({"budget_daily_usd": null})).await.json::<Value>().await.unwrap()["budget_daily_usd"],
        Value::Null
    );
    fs::write(&file, "= broken").unwrap();
    assert_eq!(patch(json!({"watch": false})).await.status(), 409);
    assert_eq!(fs::read_to_string(&file).unwrap(), "= broken");
}

#[tokio::test]
async fn hooks_go_in_and_out_without_a_trace() {
    let homes = Homes::new().unwrap();
    let file = homes.home().join(".claude/settings.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mine = "{\n\t// mine\n\t\"model\": \"opus\",\n\t\"hooks\": {\n\t\t\"Stop\": [ { \"hooks\": [ {\"type\": \"command\", \"command\": \"say done\"} ] } ]\n\t}\n}\n";
    fs::write(&file, mine).unwrap();
    let server = TestServer::over(homes, |_| {}).await.unwrap();
    let agents = server.get("/api/v1/agents").await.unwrap();
    assert_eq!(
        (agents[0]["agent"].as_str(), agents[0]["status"].as_str(), agents[0]["hooks"]["state"].as_str()),
        (Some("claude-code"), Some("found"), Some("absent"))
    );
    assert_eq!(agents[1]["status"], "absent");
    let health: Value = server.bare(Method::GET, "/health").send().await.unwrap().json().await.unwrap();
    assert!(health["blind"][0]["what"].as_str().unwrap().contains("Claude Code has no hooks"));

    let plan = server.get("/api/v1/agents/claude-code/plan").await.unwrap();
    assert_eq!(
        (fs::read_to_string(&file).unwrap().as_str(), plan["changes"][0]["before"].as_str()),
        (mine, Some(mine))
    );
    let done = server.post("/api/v1/agents/claude-code/install", &json!({"plan": plan})).await.unwrap();
    assert_eq!(done["agent"]["hooks"]["state"], "installed");
    let backup = done["backups"][0].as_str().unwrap();
    assert!(backup.contains("settings.json.orrery-backup-") && fs::read_to_string(backup).unwrap() == mine);
    let installed = fs::read_to_string(&file).unwrap();
    assert!(installed.contains("/opt/orrery/orrery-hook") && installed.contains("// mine"));

    // Twice changes nothing; a plan that is out of date is refused.
    let again = server.post("/api/v1/agents/claude-code/install", &json!({})).await.unwrap();
    assert_eq!((&again["backups"], fs::read_to_string(&file).unwrap()), (&json!([]), installed));
    let outdated = server.request(Method::POST, "/api/v1/agents/claude-code/uninstall").json(&json!({"plan": plan}));
    assert_eq!(outdated.send().await.unwrap().status(), 409);

    server.post("/api/v1/agents/claude-code/uninstall", &json!({})).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), mine);
    assert_eq!(server.request(Method::GET, "/api/v1/agents/none/plan").send().await.unwrap().status(), 404);

    fs::write(&file, "{ broken").unwrap();
    let refused = server.request(Method::POST, "/api/v1/agents/claude-code/install").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), fs::read_to_string(&file).unwrap().as_str()), (422, "{ broken"));
}

#[tokio::test]
async fn what_keeps_an_event_from_getting_through_is_said() {
    let server = TestServer::start().await.unwrap();
    let verify = async || server.post("/api/v1/agents/claude-code/verify", &json!({})).await.unwrap();
    let verdict = verify().await;
    assert_eq!(verdict["ok"], false);
    assert!(verdict["message"].as_str().unwrap().contains("install first"), "{verdict}");
    server.post("/api/v1/agents/claude-code/install", &json!({})).await.unwrap();
    let verdict = verify().await;
    assert_eq!(verdict["ok"], false);
    // Without a version the command goes through the shell, which tells that it found nothing.
    assert!(verdict["message"].as_str().unwrap().contains("/opt/orrery/orrery-hook"), "{verdict}");

    // Hooks over http, with a command for the events that take no http: the post gets through.
    let file = server.homes.home().join(".claude/settings.json");
    let url = server.url("/hooks/claude-code");
    fs::write(&file, json!({"hooks": {"Stop": [{"hooks": [{"type": "http", "url": url, "timeout": 5}]}]}}).to_string())
        .unwrap();
    let verdict = verify().await;
    assert_eq!(verdict["ok"], true, "{verdict}");
    let gone = url.replace(&server.running.port().to_string(), "9");
    fs::write(
        &file,
        json!({"hooks": {"Stop": [{"hooks": [{"type": "http", "url": gone, "timeout": 5}]}]}}).to_string(),
    )
    .unwrap();
    assert!(verify().await["message"].as_str().unwrap().contains("nothing takes events at"));
}

#[tokio::test]
async fn themes_are_made_replaced_and_taken_away() {
    let server = TestServer::start().await.unwrap();
    let theme =
        json!({"name": "night-sky", "displayName": "Night sky", "colors": {"primary": "#102030"}, "isPublic": true});
    let made = server.request(Method::POST, "/api/themes").json(&theme).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let id = made.json::<Value>().await.unwrap()["data"]["id"].as_str().unwrap().to_owned();
    let bad = json!({"name": "Bad Name", "colors": {"primary": "red;background:url(//evil)"}});
    let refused = server.request(Method::POST, "/api/themes").json(&bad).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!((refused["success"].as_bool(), refused["validationErrors"].as_array().unwrap().len()), (Some(false), 3));
    let mut changed = theme.clone();
    changed["displayName"] = json!("Night");
    let replaced = server.request(Method::PUT, &format!("/api/themes/{id}")).json(&changed).send().await.unwrap();
    assert_eq!(replaced.json::<Value>().await.unwrap()["data"]["displayName"], "Night");
    assert_eq!(server.get("/api/themes?query=NIGHT").await.unwrap()["data"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/themes/stats").await.unwrap()["data"]["totalThemes"], 1);
    let exported = server.get(&format!("/api/themes/{id}/export")).await.unwrap()["data"].clone();
    let gone = server.request(Method::DELETE, &format!("/api/themes/{id}")).send().await.unwrap();
    assert_eq!(gone.status(), 200);
    assert_eq!(server.request(Method::GET, &format!("/api/themes/{id}")).send().await.unwrap().status(), 404);
    let imported = server.request(Method::POST, "/api/themes/import").json(&exported).send().await.unwrap();
    assert_eq!(imported.status(), 201);
}

#[tokio::test]
async fn secrets_are_masked_before_they_are_stored_unless_the_person_wants_them() {
    let server = TestServer::start().await.unwrap();
    let secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    let store = async |session: &str| {
        let call = json!({"tool_name": "Bash", "tool_use_id": format!("toolu_{session}"),
            "tool_input": {"command": format!("curl -H 'Authorization: Bearer {secret}' x")}});
        assert_eq!(server.hook("claude-code", &hook(session, "PreToolUse", call)).await.unwrap().status(), 200);
        let events = server.get(&format!("/api/v1/events?session={session}")).await.unwrap();
        let raw = server.get(&format!("/api/v1/events/{}/raw", events["items"][0]["seq"])).await.unwrap();
        (events.to_string(), raw.to_string())
    };
    let (events, raw) = store("masked-session").await;
    assert!(!events.contains(secret) && !raw.contains(secret) && raw.contains("[redacted]"), "{events} {raw}");
    let off = server.request(Method::PATCH, "/api/v1/settings").json(&json!({"redact": false})).send().await.unwrap();
    assert_eq!(off.status(), 200);
    let (events, raw) = store("plain-session").await;
    assert!(events.contains(secret) && raw.contains(secret));
}
