//! A project is its repository: worktrees and folders below it are one, two of one name are two.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use orrery_testkit::{TestServer, hook};
use serde_json::{Value, json};

/// A repository with a commit and one remote, or none.
fn repository(dir: &Path, remote: Option<&str>) {
    fs::create_dir_all(dir).unwrap();
    git(dir, &["init", "--quiet", "--initial-branch=trunk"]);
    fs::write(dir.join("a.txt"), "a\n").unwrap();
    git(dir, &["add", "."]);
    git(dir, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=a"]);
    if let Some(remote) = remote {
        git(dir, &["remote", "add", "origin", remote]);
    }
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git").args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn begin(server: &TestServer, session: &str, cwd: &Path) {
    let payload = hook(session, "SessionStart", json!({"source": "startup", "cwd": cwd}));
    assert!(server.hook("claude-code", &payload).await.unwrap().status().is_success());
}

async fn row(server: &TestServer, session: &str) -> Value {
    server.get(&format!("/api/v1/sessions/{session}")).await.unwrap()["row"].clone()
}

#[tokio::test]
async fn worktrees_and_subfolders_are_their_repository_and_names_stay_apart() {
    let server = TestServer::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let (acme, own) = (root.join("work/api"), root.join("play/api"));
    repository(&acme, Some("git@github.com:acme/api.git"));
    repository(&own, None);
    let tree = root.join("trees/api-fix");
    git(&acme, &["worktree", "add", "--quiet", "-b", "fix/cart", tree.to_str().unwrap()]);
    fs::create_dir_all(acme.join("src/deep")).unwrap();

    begin(&server, "main", &acme).await;
    assert_eq!(row(&server, "main").await["project"], "api");
    begin(&server, "below", &acme.join("src/deep")).await;
    begin(&server, "tree", &tree).await;
    begin(&server, "gone", &acme.join(".trees/was-here")).await;
    begin(&server, "other", &own).await;

    for (session, branch) in [("main", "trunk"), ("below", "trunk"), ("tree", "fix/cart")] {
        let row = row(&server, session).await;
        assert_eq!((&row["project_id"], &row["branch"]), (&json!("github.com/acme/api"), &json!(branch)), "{session}");
        assert_eq!(row["commit"], git(&acme, &["rev-parse", "HEAD"]), "{session}");
        assert_eq!(row["project"], "acme/api", "the short name is no longer its own");
    }
    assert_eq!(row(&server, "gone").await["project_id"], "github.com/acme/api");
    let other = row(&server, "other").await;
    assert_eq!((&other["project_id"], &other["project"]), (&json!(own), &json!("play/api")));

    let names = server.get("/api/v1/filters").await.unwrap()["projects"].clone();
    assert_eq!(names, json!(["acme/api", "play/api"]));
    for project in ["github.com/acme/api", "acme/api"] {
        let path = format!("/api/v1/sessions?project={project}&sort=started&ascending=true");
        let page = server.get(&path).await.unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 4, "{project}");
    }
    let family = server.get("/sessions?source_app=play/api").await.unwrap();
    assert_eq!(family["sessions"][0]["session_id"], "other");
}

#[tokio::test]
async fn the_state_of_the_work_tree_is_that_of_the_start() {
    let server = TestServer::start().await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (clean, changed) = (dir.path().join("clean"), dir.path().join("changed"));
    repository(&clean, None);
    repository(&changed, None);
    fs::write(changed.join("new.txt"), "new\n").unwrap();
    begin(&server, "clean", &clean).await;
    begin(&server, "changed", &changed).await;
    for (session, dirty) in [("clean", false), ("changed", true)] {
        let wait = || async { Ok(row(&server, session).await["dirty"].as_bool()) };
        assert_eq!(server.wait_for(wait).await.unwrap(), dirty, "{session}");
    }
}
