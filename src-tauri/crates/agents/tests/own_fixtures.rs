//! The made-up files of `tests/fixtures/agents`, told line by line.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use orrery_agents::transcript::{FileInfo, Reader};
use orrery_agents::{Context, Decoded, hook, paths};
use orrery_types::{AgentId, Body, Source, UsageRow};
use orrery_views::pricing::PriceTable;
use orrery_views::usage::{prefers, total};

fn bytes(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/agents");
    std::fs::read(dir.join(name)).unwrap()
}

fn ctx(place: &str) -> Context {
    Context {
        source: Source::Transcript,
        received_ms: 1_795_300_000_000,
        delivery_id: "0".repeat(32),
        place: place.into(),
        demo: false,
    }
}

fn read(agent: AgentId, name: &str) -> Decoded {
    let info = paths::is_any_transcript(agent, Path::new(name)).unwrap();
    let info =
        FileInfo { subagent_kind: if info.subagent.is_some() { "Explore".into() } else { String::new() }, ..info };
    let mut reader = Reader::open(agent, &info, None);
    let mut all = Decoded::default();
    for (index, line) in bytes(name).split(|byte| *byte == b'\n').enumerate() {
        let decoded = reader.line(line, index as u64 + 1, &ctx(name));
        all.events.extend(decoded.events);
        all.usage.extend(decoded.usage);
        all.facts.extend(decoded.facts);
        all.problems.extend(decoded.problems);
    }
    all
}

/// One line per event, per fact and per problem.
fn told(decoded: &Decoded) -> String {
    let mut text = String::new();
    for event in &decoded.events {
        let who =
            event.subagent.as_ref().map(|subagent| format!(" [{} {}]", subagent.id, subagent.kind)).unwrap_or_default();
        let what = match &event.body {
            Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => text.clone(),
            Body::ToolStart { tool, target, class, .. } => format!("{tool} {class:?} {target}"),
            Body::ToolEnd { tool, ok, error, duration_ms, lines_added, lines_removed, output, .. } => {
                format!("{tool} ok={ok} {error:?} {duration_ms:?} +{lines_added:?} -{lines_removed:?} {output:?}")
            }
            Body::Stop { message } | Body::SubagentStop { message } => message.clone(),
            Body::Failure { error, details } => format!("{error}: {details}"),
            Body::Compact { trigger, tokens_before, tokens_after, .. } => {
                format!("{trigger} {tokens_before:?} {tokens_after:?}")
            }
            Body::Other { summary } => format!("{}: {summary}", event.name),
            _ => String::new(),
        };
        let kind = serde_json::to_value(&event.body).unwrap()["kind"].as_str().unwrap().to_owned();
        writeln!(text, "{kind}{who} {}", what.replace('\n', "\\n")).unwrap();
    }
    for facts in &decoded.facts {
        let parts = [&facts.agent_version, &facts.cwd, &facts.branch, &facts.model, &facts.title, &facts.parent];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        writeln!(text, "facts {}", parts.join(" | ")).unwrap();
    }
    for problem in &decoded.problems {
        writeln!(text, "problem {} line {}", problem.code, problem.line.unwrap_or(0)).unwrap();
    }
    text
}

fn rows(parts: &[&Decoded]) -> Vec<UsageRow> {
    let mut rows: BTreeMap<String, UsageRow> = BTreeMap::new();
    for request in parts.iter().flat_map(|part| &part.usage) {
        let row = PriceTable::builtin().price(request);
        if rows.get(&request.key).is_none_or(|existing| prefers(existing, &row)) {
            rows.insert(request.key.clone(), row);
        }
    }
    rows.into_values().collect()
}

#[test]
fn a_claude_session_is_told_line_by_line() {
    insta::assert_snapshot!(told(&read(AgentId::ClaudeCode, "claude/session.jsonl")));
}

#[test]
fn a_subagent_is_told_line_by_line() {
    insta::assert_snapshot!(told(&read(AgentId::ClaudeCode, "claude/agent-a7f3c2.jsonl")));
}

#[test]
fn a_codex_thread_is_told_line_by_line() {
    insta::assert_snapshot!(told(&read(AgentId::Codex, "codex/rollout.jsonl")));
}

#[test]
fn old_codex_lines_are_told_line_by_line() {
    insta::assert_snapshot!(told(&read(AgentId::Codex, "codex/old.jsonl")));
}

#[test]
fn reading_goes_on_from_any_line() {
    for (agent, name) in [
        (AgentId::ClaudeCode, "claude/session.jsonl"),
        (AgentId::Codex, "codex/rollout.jsonl"),
        (AgentId::Codex, "codex/fork.jsonl"),
    ] {
        let info = paths::is_any_transcript(agent, Path::new(name)).unwrap();
        let mut whole = Reader::open(agent, &info, None);
        for (index, line) in bytes(name).split(|byte| *byte == b'\n').enumerate() {
            let mut resumed = Reader::open(agent, &info, Some(&whole.state()));
            assert_eq!(
                resumed.line(line, index as u64 + 1, &ctx(name)),
                whole.line(line, index as u64 + 1, &ctx(name))
            );
        }
        assert_eq!(Reader::open(agent, &info, Some("no state")).state(), Reader::open(agent, &info, None).state());
    }
}

#[test]
fn a_response_in_many_lines_and_a_replay_in_a_subagent_are_one_request() {
    let main = read(AgentId::ClaudeCode, "claude/session.jsonl");
    let side = read(AgentId::ClaudeCode, "claude/agent-a7f3c2.jsonl");
    for order in [[&main, &side], [&side, &main]] {
        let rows = rows(&order);
        assert_eq!(rows.len(), 8);
        let first = rows.iter().find(|row| row.request.key == "msg_tp01:req_tp01").unwrap();
        assert_eq!((first.request.tokens.output, first.request.sidechain), (64, false));
        let sum = total(&rows);
        assert_eq!((sum.requests, sum.unpriced_requests), (8, 0));
        assert_eq!((sum.tokens.cache_write, sum.tokens.cache_write_1h), (8 * 500, 8 * 1500));
    }
    let fast = main.usage.iter().find(|usage| usage.key == "msg_tp05:req_tp05").unwrap();
    assert_eq!((fast.fast, fast.geo.as_deref(), fast.web_searches), (true, Some("us"), 1));
}

#[test]
fn codex_responses_count_once_in_threads_forks_and_records() {
    let thread = read(AgentId::Codex, "codex/rollout.jsonl");
    let fork = read(AgentId::Codex, "codex/fork.jsonl");
    assert_eq!(rows(&[&thread]).len(), 3);
    let tokens = total(&rows(&[&thread])).tokens;
    assert_eq!((tokens.prompt(), tokens.cache_read, tokens.cache_write, tokens.output), (36_000, 30_000, 1_000, 400));
    assert_eq!(rows(&[&fork]).len(), 1);
    assert_eq!(rows(&[&thread, &fork]).len(), 4);
    assert!(fork.events.iter().all(|event| !matches!(&event.body, Body::Prompt { text } if text.contains("parser"))));
    assert_eq!(fork.facts[0].parent.as_deref(), Some("0199aaaa-0000-7000-8000-000000000001"));
    let records = rows(&[&read(AgentId::Codex, "codex/records.jsonl")]);
    assert_eq!(
        records.iter().map(|row| row.request.key.as_str()).collect::<Vec<_>>(),
        ["codex:resp_reef_1", "codex:resp_reef_2"]
    );
}

#[test]
fn hooks_meet_the_transcript_in_the_same_events() {
    let claude = read(AgentId::ClaudeCode, "claude/session.jsonl");
    let codex = read(AgentId::Codex, "codex/rollout.jsonl");
    let known: BTreeMap<&str, &Body> =
        claude.events.iter().chain(&codex.events).map(|event| (event.id.as_str(), &event.body)).collect();
    let mut met = Vec::new();
    let hooks = bytes("hooks.jsonl");
    for (index, line) in hooks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let ctx = Context { delivery_id: format!("{index:032}"), ..ctx("hook") };
        let event = hook::decode(None, line, &ctx).events.remove(0);
        if let Some(body) = known.get(event.id.as_str()) {
            assert_eq!(std::mem::discriminant(*body), std::mem::discriminant(&event.body));
            met.push(format!("{} {}", event.agent, event.name));
        }
    }
    assert_eq!(
        met,
        [
            "claude-code UserPromptSubmit",
            "claude-code PreToolUse",
            "claude-code PostToolUseFailure",
            "claude-code PostToolUse",
            "claude-code SubagentStop",
            "claude-code Stop",
            "codex UserPromptSubmit",
            "codex PreToolUse",
            "codex PostToolUse",
            "codex Stop",
        ]
    );
}

#[test]
fn a_codex_exec_stream_is_told_line_by_line() {
    let stream = read(AgentId::Codex, "codex/exec.jsonl");
    insta::assert_snapshot!(told(&stream));
    let [row] = rows(&[&stream]).try_into().unwrap();
    assert_eq!((row.request.tokens.prompt(), row.request.tokens.output), (2_500, 90), "totals, not turns");
    assert_eq!(row.request.session_id, "019e9d0c-0000-7000-8000-00000000e0e0");
    assert_eq!(row.request.stand_in(), Some(orrery_types::StandIn::Total));
}
