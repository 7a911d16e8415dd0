//! Real files of other people, read whole and compared with counts made by a separate script.
//!
//! They lie outside the repository, in `shared/fixtures` beside one of its parent folders; without them the tests say so.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use orrery_agents::transcript::Reader;
use orrery_agents::{Context, Decoded, hook, paths};
use orrery_types::{AgentId, Body, Source, Tokens, UsageRow};
use orrery_views::pricing::PriceTable;
use orrery_views::usage::prefers;
use serde_json::Value;

fn fixtures(part: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|dir| dir.join("shared/fixtures").join(part)).find(|dir| dir.is_dir());
    if found.is_none() {
        println!("skipped: no shared/fixtures/{part} beside this repository");
    }
    found
}

fn expected(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("EXPECTED.json")).unwrap()).unwrap()
}

fn ctx(place: &str) -> Context {
    Context {
        source: Source::Transcript,
        received_ms: 1_800_000_000_000,
        delivery_id: "0".repeat(32),
        place: place.into(),
        demo: false,
    }
}

/// Reads a file twice: in one go, and with the reader closed and opened again from its state after every line.
fn read(agent: AgentId, file: &Path) -> Decoded {
    let info = paths::is_any_transcript(agent, file).unwrap_or_else(|| orrery_agents::transcript::FileInfo {
        path: file.display().to_string(),
        ..Default::default()
    });
    let bytes = std::fs::read(file).unwrap();
    let ctx = ctx(&info.path);
    let mut all = Decoded::default();
    let mut resumed = Decoded::default();
    let mut reader = Reader::open(agent, &info, None);
    let mut state = reader.state();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        join(&mut all, reader.line(line, index as u64 + 1, &ctx));
        let mut again = Reader::open(agent, &info, Some(&state));
        join(&mut resumed, again.line(line, index as u64 + 1, &ctx));
        state = again.state();
        assert!(state.len() < 64 * 1024, "{}: the state has {} bytes", info.path, state.len());
    }
    assert!(all == resumed, "{}: reading on from a state gives something else", info.path);
    all
}

fn join(all: &mut Decoded, more: Decoded) {
    all.events.extend(more.events);
    all.usage.extend(more.usage);
    all.facts.extend(more.facts);
    all.problems.extend(more.problems);
}

fn ledger(decoded: &Decoded) -> Vec<UsageRow> {
    let mut rows: BTreeMap<String, UsageRow> = BTreeMap::new();
    for request in &decoded.usage {
        let row = PriceTable::builtin().price(request);
        match rows.get(&request.key) {
            Some(existing) if !prefers(existing, &row) => {}
            _ => {
                rows.insert(request.key.clone(), row);
            }
        }
    }
    rows.into_values().collect()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}

#[test]
fn claude_transcripts_give_the_expected_counts() {
    let Some(dir) = fixtures("claude-transcripts") else { return };
    let mut files = 0;
    for (name, expected) in expected(&dir)["files"].as_object().unwrap() {
        let decoded = read(AgentId::ClaudeCode, &dir.join(name));
        files += 1;
        let starts = decoded.events.iter().filter(|event| matches!(event.body, Body::ToolStart { .. })).count() as u64;
        let failed =
            decoded.events.iter().filter(|event| matches!(event.body, Body::ToolEnd { ok: false, .. })).count() as u64;
        assert_eq!((starts, failed), (number(expected, "tool_uses"), number(expected, "tool_errors")), "{name}: tools");
        let unreadable = decoded.problems.iter().filter(|problem| problem.code == "bad_json").count() as u64;
        assert_eq!(unreadable, number(expected, "unparsable_lines"), "{name}: broken lines");
        // The script leaves out lines without a type; they are an old form and do count here.
        if expected["line_types"].get("null").is_some() {
            continue;
        }
        let mut models: BTreeMap<String, (u64, Tokens)> = BTreeMap::new();
        for row in ledger(&decoded) {
            let slot = models.entry(row.request.model.clone().unwrap_or_default()).or_default();
            slot.0 += 1;
            slot.1 = slot.1.plus(row.request.tokens);
        }
        // A file whose figures were blanked out has repeats of nothing, of which any may count.
        models.retain(|_, (_, tokens)| tokens.total() > 0);
        let mut wanted = expected["by_model"].as_object().unwrap().clone();
        wanted.retain(|_, wanted| number(wanted, "input_tokens") + number(wanted, "output_tokens") > 0);
        assert_eq!(models.len(), wanted.len(), "{name}: {models:?}");
        for (model, wanted) in &wanted {
            let (responses, tokens) = *models.get(model).unwrap_or_else(|| panic!("{name}: {model} in {models:?}"));
            let written = tokens.cache_write + tokens.cache_write_1h;
            let found = [responses, tokens.input, tokens.output, written, tokens.cache_read, tokens.cache_write_1h];
            let names = [
                "responses",
                "input_tokens",
                "output_tokens",
                "cache_creation_input_tokens",
                "cache_read_input_tokens",
                "cache_creation_1h",
            ];
            assert_eq!(found, names.map(|name| number(wanted, name)), "{name}: {model}");
        }
    }
    assert!(files > 30);
}

#[test]
fn codex_rollouts_give_the_expected_totals() {
    let Some(dir) = fixtures("codex-rollouts") else { return };
    for (name, expected) in expected(&dir)["files"].as_object().unwrap() {
        let decoded = read(AgentId::Codex, &dir.join(name));
        let unreadable = decoded.problems.iter().filter(|problem| problem.code == "bad_json").count() as u64;
        assert_eq!(unreadable, number(expected, "unparsable_lines"), "{name}: broken lines");
        // Running totals of `codex exec --json` are told apart from a rollout's responses.
        let (totals, rows): (Vec<_>, Vec<_>) =
            ledger(&decoded).into_iter().partition(|row| row.request.stand_in().is_some());
        if name.ends_with("exec-json-ok.jsonl") {
            assert_eq!((totals[0].request.tokens.prompt(), totals[0].request.tokens.output), (48_211, 1_894));
        }
        let total = &expected["final_total_token_usage"];
        let zero_total = total.is_object() && number(total, "input_tokens") == 0;
        if zero_total {
            continue;
        }
        assert_eq!(rows.len() as u64, number(expected, "consecutive_distinct_totals"), "{name}: responses");
        let sum = rows.iter().fold(Tokens::default(), |sum, row| sum.plus(row.request.tokens));
        // Totals that the file's own lines do not add up to: see the next test.
        if !name.contains("live-fork") {
            let found = [sum.prompt(), sum.cache_read, sum.cache_write, sum.output, sum.reasoning];
            let names = [
                "input_tokens",
                "cached_input_tokens",
                "cache_write_input_tokens",
                "output_tokens",
                "reasoning_output_tokens",
            ];
            assert_eq!(found, names.map(|name| number(total, name)), "{name}");
        }
    }
}

#[test]
fn a_fork_and_its_parent_count_each_response_once() {
    let Some(dir) = fixtures("codex-rollouts/codexbar") else { return };
    let check = |parent: &str, child: &str, child_total: u64| {
        for order in [[parent, child], [child, parent]] {
            let mut both = Decoded::default();
            order.iter().for_each(|name| join(&mut both, read(AgentId::Codex, &dir.join(name))));
            let rows = ledger(&both);
            let sum = rows.iter().fold(0, |sum, row| sum + row.request.tokens.total());
            assert_eq!(sum, child_total, "{order:?}");
            let own = read(AgentId::Codex, &dir.join(parent));
            let of_parent = rows.iter().filter(|row| row.request.session_id == "parent-session").count();
            assert_eq!(of_parent, ledger(&own).len(), "{order:?}: the parent keeps what it spent");
        }
    };
    check(
        "harness-smoke/codex-home/sessions/2026/07/11/parent.jsonl",
        "harness-smoke/codex-home/archived_sessions/child.jsonl",
        17,
    );
    let live = "live-fork-4d90-52bf/codex-home/archived_sessions";
    let sum_of_child = ledger(&read(AgentId::Codex, &dir.join(live).join("child.jsonl")))
        .iter()
        .fold(0, |sum, row| sum + row.request.tokens.total());
    check(&format!("{live}/parent.jsonl"), &format!("{live}/child.jsonl"), sum_of_child);
}

/// The payloads of a file that holds a list of them. Halves of surrogate pairs, of which two files are full, are replaced.
fn listed(bytes: &[u8]) -> Option<Vec<Value>> {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if serde_json::from_str::<Value>(&text).is_err() {
        for (at, _) in text.clone().match_indices("\\ud") {
            if matches!(text.as_bytes()[at + 3], b'8'..=b'9' | b'a'..=b'f') {
                text.replace_range(at..at + 6, "\\ufffd");
            }
        }
    }
    serde_json::from_str(&text).ok()
}

#[test]
fn hook_payloads_are_all_understood() {
    let Some(dir) = fixtures("hook-payloads") else { return };
    for (name, expected) in expected(&dir).as_object().unwrap() {
        if name.starts_with("statusline") {
            continue;
        }
        let bytes = std::fs::read(dir.join(name)).unwrap();
        let payloads = match listed(&bytes) {
            Some(list) => list.iter().map(|value| value.to_string().into_bytes()).collect(),
            None => vec![bytes],
        };
        assert_eq!(payloads.len() as u64, number(expected, "records"), "{name}");
        let mut names: BTreeMap<String, u64> = BTreeMap::new();
        for payload in payloads {
            let decoded = hook::decode(None, &payload, &ctx(name));
            let [event] = decoded.events.as_slice() else { panic!("{name}: {} events", decoded.events.len()) };
            assert_ne!(event.name, "unreadable", "{name}");
            let agent = if name.contains("codex") {
                "codex"
            } else if name.contains("grok") {
                "grok-build"
            } else {
                "claude-code"
            };
            assert_eq!(event.agent, agent, "{name}");
            if !name.contains("awkward") && !name.contains("FutureEvent") {
                assert!(decoded.problems.is_empty(), "{name}: {:?}", decoded.problems);
            }
            *names.entry(event.name.clone()).or_default() += 1;
        }
        let wanted: BTreeMap<String, u64> = expected["events"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, count)| (name.clone(), count.as_u64().unwrap()))
            .collect();
        assert_eq!(names, wanted, "{name}");
    }
    let truncated = std::fs::read(dir.join("constructed/awkward/truncated.json.txt")).unwrap();
    assert_eq!(hook::decode(None, &truncated, &ctx("truncated")).problems[0].code, "bad_json");
}

#[test]
fn hooks_and_transcript_of_one_session_meet() {
    let (Some(hooks), Some(transcripts)) =
        (fixtures("hook-payloads/green-button"), fixtures("claude-transcripts/green-button"))
    else {
        return;
    };
    let transcript = read(AgentId::ClaudeCode, &transcripts.join("session.jsonl"));
    let known: std::collections::BTreeSet<&str> = transcript.events.iter().map(|event| event.id.as_str()).collect();
    let mut met = 0;
    for file in std::fs::read_dir(hooks).unwrap() {
        for payload in listed(&std::fs::read(file.unwrap().path()).unwrap()).unwrap() {
            let decoded = hook::decode(None, payload.to_string().as_bytes(), &ctx("hooks"));
            met += decoded.events.iter().filter(|event| known.contains(event.id.as_str())).count();
        }
    }
    println!("{met} events of the hooks are in the transcript");
    assert!(met >= 10, "{met}");
}
