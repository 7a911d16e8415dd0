//! Agents that we hear only through their hooks and plugins: every payload of their fixtures, told line by line.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use orrery_agents::{Context, Decoded, hook, install};
use orrery_types::{AgentId, Body, HookState, Source};

const HOOK: &str = "/opt/or rery/orrery-hook";

fn ctx(place: &str) -> Context {
    Context {
        source: Source::Hook,
        received_ms: 1_795_300_000_000,
        delivery_id: "0".repeat(32),
        place: place.into(),
        demo: false,
    }
}

/// Kind, tool, target and words of every event; ledger rows; facts.
fn told(decoded: &Decoded, out: &mut String) {
    for event in &decoded.events {
        let body = serde_json::to_value(&event.body).unwrap();
        let get = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let mut words = Vec::new();
        for name in
            ["call_id", "tool", "target", "text", "message", "error", "details", "output", "reason", "topic", "summary"]
        {
            words.extend(Some(get(name)).filter(|word| !word.is_empty()).map(|word| format!("{name}={word}")));
        }
        if let Body::ToolEnd { duration_ms, lines_added, lines_removed, exit_code, .. } = &event.body {
            words.push(format!("{duration_ms:?} +{lines_added:?} -{lines_removed:?} {exit_code:?}"));
        }
        let who = event.subagent.as_ref().map(|subagent| format!(" [{} {}]", subagent.id, subagent.kind));
        let (session, kind) = (&event.session_id, get("kind"));
        writeln!(out, "{session} {}{}: {kind} {}", event.name, who.unwrap_or_default(), words.join(", ")).unwrap();
    }
    for row in &decoded.usage {
        writeln!(out, "  usage {} {:?} {:?} {:?}", row.key, row.model, row.tokens, row.reported_usd_micros).unwrap();
    }
    for problem in &decoded.problems {
        writeln!(out, "  problem {}", problem.code).unwrap();
    }
}

/// The fixture is read with the wrong hint: agents run each other's hooks.
fn read(agent: &str, file: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/agents");
    let text = std::fs::read_to_string(dir.join(agent).join(file)).unwrap();
    let mut out = String::new();
    for line in text.lines() {
        // What says nothing of its agent comes with the word our own entry has in its command.
        let hint = if line.contains("\"type\":") { agent } else { "claude-code" };
        let decoded = hook::decode(Some(hint), line.as_bytes(), &ctx(file));
        assert_eq!(decoded.events[0].agent, agent, "{line}");
        told(&decoded, &mut out);
    }
    out
}

#[test]
fn gemini_cli_is_told() {
    insta::assert_snapshot!(read("gemini-cli", "hooks.jsonl"));
}

#[test]
fn cursor_is_told() {
    insta::assert_snapshot!(read("cursor", "hooks.jsonl"));
}

#[test]
fn copilot_cli_is_told() {
    insta::assert_snapshot!(read("copilot-cli", "hooks.jsonl"));
}

#[test]
fn opencode_is_told() {
    insta::assert_snapshot!(read("opencode", "plugin.jsonl"));
}

#[test]
fn grok_build_is_told() {
    insta::assert_snapshot!(read("grok-build", "hooks.jsonl"));
}

#[test]
fn every_agent_installs_and_leaves_no_trace() {
    let foreign = [
        (
            AgentId::GeminiCli,
            "{\n  // mine\n  \"theme\": \"Dracula\",\n  \"hooks\": {\"BeforeTool\": [{\"matcher\": \"x\", \"hooks\": [{\"type\": \"command\", \"command\": \"lint\"}]}]}\n}\n",
        ),
        (
            AgentId::Cursor,
            "{\n  \"version\": 1,\n  \"hooks\": {\n    \"stop\": [\n      { \"command\": \"./mine.sh\" }\n    ],\n    \"preToolUse\": []\n  }\n}\n",
        ),
        (AgentId::Cursor, "{\"version\":1,\"hooks\":{}}"),
    ];
    for (agent, before) in foreign {
        let plan =
            install::plan_install(agent, Some(before), "settings", HOOK, None, install::Delivery::Program).unwrap();
        let after = plan.changes[0].after.clone().unwrap();
        assert!(
            matches!(install::hook_state(agent, Some(&after), HOOK, None, None), HookState::Installed { .. }),
            "{after}"
        );
        let again =
            install::plan_install(agent, Some(&after), "settings", HOOK, None, install::Delivery::Program).unwrap();
        assert!(again.changes.is_empty(), "{again:#?}");
        let gone = install::plan_uninstall(agent, Some(&after), "settings", HOOK).unwrap();
        assert_eq!(gone.changes[0].after.as_deref(), Some(before));
    }
    for agent in AgentId::ALL {
        let plan = install::plan_install(agent, None, "settings", HOOK, None, install::Delivery::Program).unwrap();
        let after = plan.changes[0].after.clone().unwrap();
        assert!(
            matches!(install::hook_state(agent, Some(&after), HOOK, None, None), HookState::Installed { .. }),
            "{agent:?}"
        );
        let gone = install::plan_uninstall(agent, Some(&after), "settings", HOOK).unwrap();
        assert_eq!(gone.changes[0].after, None, "{agent:?}: {after}");
        if agent != AgentId::Opencode {
            let text = after.parse::<serde_json::Value>().unwrap().to_string();
            assert!(text.contains("'/opt/or rery/orrery-hook'") || text.contains(HOOK), "{agent:?}: {text}");
        }
    }
}

#[test]
fn a_file_of_somebody_else_at_our_place_is_refused() {
    for agent in [AgentId::Opencode, AgentId::CopilotCli] {
        let theirs = "export const Mine = async () => ({});\n";
        assert!(install::plan_install(agent, Some(theirs), "x", HOOK, None, install::Delivery::Program).is_err());
        assert!(install::plan_uninstall(agent, Some(theirs), "x", HOOK).is_err());
        assert!(matches!(install::hook_state(agent, Some(theirs), HOOK, None, None), HookState::Unreadable { .. }));
    }
}

/// Session files of other agents, kept by other people: no line is unreadable, and people and models are told apart.
#[test]
fn session_files_of_other_agents_are_readable() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found: Option<PathBuf> =
        here.ancestors().map(|dir| dir.join("shared/fixtures/other-agents/agent-sessions")).find(|dir| dir.is_dir());
    let Some(dir) = found else { return println!("skipped: no shared/fixtures/other-agents beside this repository") };
    for (file, agent, prompts) in [
        ("copilot/small.jsonl", "copilot-cli", 1),
        ("cursor/small.jsonl", "cursor", 2),
        ("gemini/jsonl_v040.jsonl", "gemini-cli", 1),
        ("grok/chat_history.jsonl", "grok-build", 1),
        ("qwen/system_telemetry.jsonl", "qwen", 0),
    ] {
        let text = std::fs::read_to_string(dir.join(file)).unwrap();
        let mut kinds = std::collections::BTreeMap::<String, usize>::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let decoded = hook::decode(Some(agent), line.as_bytes(), &ctx(file));
            assert_ne!(decoded.events[0].name, "unreadable", "{file}: {line}");
            let body = serde_json::to_value(&decoded.events[0].body).unwrap();
            *kinds.entry(body["kind"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        println!("{file}: {kinds:?}");
        assert!(kinds.get("prompt").copied().unwrap_or(0) >= prompts, "{file}: {kinds:?}");
    }
}
