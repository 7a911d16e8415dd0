//! An import that is killed in the middle goes on: nothing is missing, nothing is there twice.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use orrery_server::offline;
use orrery_tests::{Home, program};
use serde_json::{Value, json};

use crate::splits::told_of;

const SESSIONS: u64 = 50;
const TURNS: u64 = 60;

/// Sessions whose responses are told by two lines each.
fn write_tree(dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    for session in 0..SESSIONS {
        let id = format!("{session:08x}-0000-4000-8000-000000000000");
        let mut lines = Vec::new();
        for turn in 0..TURNS {
            let at = format!("2026-07-{:02}T10:{:02}:00.000Z", 1 + session % 28, turn % 60);
            let line = |kind: &str, part: u64, message: Value| {
                json!({"type": kind, "sessionId": id, "uuid": format!("{session}-{turn}-{part}-{kind}"), "cwd": "/home/ada/app",
                    "timestamp": at, "requestId": format!("req_{session}_{turn}"), "message": message})
            };
            lines.push(line("user", 0, json!({"role": "user", "content": format!("prompt {turn}")})));
            for part in 0..2 {
                let usage =
                    json!({"input_tokens": 10, "output_tokens": 20 * (part + 1), "cache_read_input_tokens": turn});
                let content = json!([{"type": "text", "text": format!("answer {turn} {part}")}]);
                let id = format!("msg_{session}_{turn}");
                lines.push(line(
                    "assistant",
                    part,
                    json!({"id": id, "role": "assistant", "model": "claude-opus-5",
                    "content": content, "usage": usage}),
                ));
            }
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(dir.join(format!("{id}.jsonl")), text).unwrap();
    }
}

fn start(home: &Home, tree: &Path, data: &Path) -> Child {
    let mut command = Command::new(program("orrery"));
    home.own(&mut command);
    command.args(["import", "--json", "--claude"]).arg(tree).arg("--data-dir").arg(data);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Events that are committed.
fn stored(data: &Path) -> u64 {
    let store = offline::read_store(data).ok().flatten();
    store.and_then(|store| store.health(0).ok()).map_or(0, |health| health.events)
}

#[test]
fn an_import_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let home = Home::new();
    let tree = home.path().join("tree");
    write_tree(&tree);
    let (whole, killed) = (home.path().join("whole"), home.path().join("killed"));
    assert!(start(&home, &tree, &whole).wait().unwrap().success());

    let (mut kills, mut seen) = (0, 0);
    'import: loop {
        let mut child = start(&home, &tree, &killed);
        // Each time the process dies right after it has committed something new.
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success());
                break 'import;
            }
            let now = stored(&killed);
            if now > seen {
                seen = now;
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                break;
            }
            std::thread::yield_now();
        }
    }
    assert!(kills >= 3, "the import was over before it could be killed: {kills}");
    assert_eq!(stored(&killed), stored(&whole));
    assert_eq!(told_of(&killed), told_of(&whole));
    eprintln!("killed {kills} times; {} events are there once each", stored(&whole));
}
