//! A made-up tree of transcripts, the same for the same seed: as large as is asked for, shaped like agents' own files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

/// Of all bytes, the part that is Claude Code's; the rest is Codex's.
const CLAUDE_SHARE: f64 = 0.75;
/// 2026-01-05, ms since 1970 UTC.
const FIRST_MS: i64 = 1_767_571_200_000;
const CLAUDE_MODELS: [&str; 3] = ["claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001"];
const CODEX_MODELS: [&str; 2] = ["gpt-5.5", "gpt-5.4"];
const WORDS: [&str; 24] = [
    "the",
    "file",
    "reads",
    "\"config\"",
    "and",
    "returns",
    "an",
    "error",
    "when",
    "tests",
    "run\\n",
    "under",
    "load;",
    "fn main()",
    "{",
    "}",
    "let",
    "value",
    "=",
    "cart.total();",
    "// why",
    "src/lib.rs",
    "0x1f",
    "\u{201c}quoted\u{201d}",
];

/// A tree on the disk.
pub struct Tree {
    /// What `CLAUDE_CONFIG_DIR` and `CODEX_HOME` would name.
    pub claude: PathBuf,
    pub codex: PathBuf,
    pub bytes: u64,
}

/// Makes a tree of about `bytes` below `dir`.
pub fn make(dir: &Path, bytes: u64, seed: u64) -> anyhow::Result<Tree> {
    let mut random = Random(seed | 1);
    let (claude, codex) = (dir.join("claude"), dir.join("codex"));
    let wanted = (bytes as f64 * CLAUDE_SHARE) as u64;
    let mut written = 0;
    let mut number = 0;
    while written < wanted {
        number += 1;
        written += claude_session(&claude, number, &mut random, session_bytes(wanted - written))?;
    }
    let mut codex_written = 0;
    while codex_written < bytes.saturating_sub(wanted) {
        number += 1;
        codex_written += codex_session(&codex, number, &mut random, session_bytes(bytes - wanted - codex_written))?;
    }
    Ok(Tree { claude, codex, bytes: written + codex_written })
}

/// Most sessions are small, some are long.
fn session_bytes(left: u64) -> impl Fn(&mut Random) -> u64 {
    move |random| {
        let size = match random.below(20) {
            0 => 24 << 20,
            1..=5 => 4 << 20,
            _ => 300 << 10,
        };
        (size / 2 + random.below(size)).min(left.max(4 << 10))
    }
}

/// A file that counts what is written.
struct Lines {
    file: BufWriter<File>,
    bytes: u64,
}

impl Lines {
    fn create(path: &Path) -> anyhow::Result<Lines> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(Lines { file: BufWriter::new(File::create(path)?), bytes: 0 })
    }

    fn put(&mut self, value: &Value) -> anyhow::Result<()> {
        let line = serde_json::to_vec(value)?;
        self.file.write_all(&line)?;
        self.file.write_all(b"\n")?;
        self.bytes += line.len() as u64 + 1;
        Ok(())
    }
}

fn claude_session(
    dir: &Path,
    number: u64,
    random: &mut Random,
    size: impl Fn(&mut Random) -> u64,
) -> anyhow::Result<u64> {
    let session = random.uuid();
    let project = format!("-home-ada-project-{}", number % 40);
    let path = dir.join("projects").join(&project).join(format!("{session}.jsonl"));
    let mut lines = Lines::create(&path)?;
    let target = size(random);
    let model = CLAUDE_MODELS[random.below(3) as usize];
    let cwd = format!("/home/ada/project-{}", number % 40);
    let mut at_ms = FIRST_MS + random.below(300 * 24 * 3600) as i64 * 1000;
    let mut parent = Value::Null;
    let mut side = None;
    while lines.bytes < target {
        at_ms += 5_000 + random.below(60_000) as i64;
        let prompt = random.uuid();
        let base = |random: &mut Random, kind: &str, at_ms: i64, parent: &Value| {
            json!({"parentUuid": parent, "isSidechain": false, "userType": "external", "cwd": cwd, "sessionId": session,
                "version": "2.1.240", "gitBranch": "main", "type": kind, "uuid": random.uuid(), "timestamp": stamp(at_ms),
                "promptId": prompt})
        };
        let mut line = base(random, "user", at_ms, &parent);
        line["message"] = json!({"role": "user", "content": random.text(200)});
        parent = line["uuid"].clone();
        lines.put(&line)?;
        for _ in 0..1 + random.below(8) {
            at_ms += 800 + random.below(9_000) as i64;
            // One response is several lines, each with usage.
            let (message, request) = (format!("msg_{}", random.hex(24)), format!("req_{}", random.hex(24)));
            let call = format!("toolu_{}", random.hex(24));
            let usage = json!({"input_tokens": random.below(40), "output_tokens": 1 + random.below(2_000),
                "cache_creation_input_tokens": random.below(4_000), "cache_read_input_tokens": random.below(90_000),
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}, "service_tier": "standard"});
            let mut usage = usage;
            usage["cache_creation"]["ephemeral_5m_input_tokens"] = usage["cache_creation_input_tokens"].clone();
            let blocks = [
                json!({"type": "thinking", "thinking": random.text(600), "signature": random.hex(300)}),
                json!({"type": "text", "text": random.text(300)}),
                json!({"type": "tool_use", "id": call, "name": "Bash", "input": {"command": random.text(120)}}),
            ];
            for block in blocks.iter().skip(random.below(2) as usize) {
                let mut line = base(random, "assistant", at_ms, &parent);
                line["requestId"] = json!(request);
                line["message"] = json!({"id": message, "type": "message", "role": "assistant", "model": model,
                    "content": [block], "stop_reason": null, "usage": usage});
                parent = line["uuid"].clone();
                lines.put(&line)?;
            }
            at_ms += 100 + random.below(4_000) as i64;
            let output = random.result();
            let mut line = base(random, "user", at_ms, &parent);
            line["message"] =
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": call, "content": output}]});
            line["toolUseResult"] = json!({"stdout": output, "stderr": "", "interrupted": false, "isImage": false});
            parent = line["uuid"].clone();
            lines.put(&line)?;
            if random.below(12) == 0 {
                side = Some(random.hex(17));
            }
        }
        let mut line = base(random, "system", at_ms, &parent);
        (line["subtype"], line["durationMs"]) = (json!("turn_duration"), json!(random.below(90_000)));
        lines.put(&line)?;
    }
    lines.file.flush()?;
    let mut bytes = lines.bytes;
    if let Some(agent) = side {
        let path = path.with_extension("").join(format!("subagents/agent-{agent}.jsonl"));
        let mut lines = Lines::create(&path)?;
        for _ in 0..5 + random.below(30) {
            at_ms += 900;
            let usage = json!({"input_tokens": random.below(40), "output_tokens": 1 + random.below(500),
                "cache_creation_input_tokens": 0, "cache_read_input_tokens": random.below(30_000)});
            lines.put(&json!({"parentUuid": null, "isSidechain": true, "agentId": agent, "cwd": cwd, "sessionId": session,
                "version": "2.1.240", "type": "assistant", "uuid": random.uuid(), "timestamp": stamp(at_ms),
                "requestId": format!("req_{}", random.hex(24)),
                "message": {"id": format!("msg_{}", random.hex(24)), "type": "message", "role": "assistant",
                    "model": CLAUDE_MODELS[2], "content": [{"type": "text", "text": random.text(300)}], "usage": usage}}))?;
        }
        lines.file.flush()?;
        bytes += lines.bytes;
    }
    Ok(bytes)
}

fn codex_session(
    dir: &Path,
    number: u64,
    random: &mut Random,
    size: impl Fn(&mut Random) -> u64,
) -> anyhow::Result<u64> {
    let thread = random.uuid();
    let mut at_ms = FIRST_MS + random.below(300 * 24 * 3600) as i64 * 1000;
    let day = stamp(at_ms);
    let path = dir
        .join("sessions")
        .join(day[..10].replace('-', "/"))
        .join(format!("rollout-{}-{thread}.jsonl", day[..19].replace(':', "-")));
    let mut lines = Lines::create(&path)?;
    let target = size(random);
    let model = CODEX_MODELS[random.below(2) as usize];
    let cwd = format!("/home/ada/project-{}", number % 40);
    let put = |lines: &mut Lines, at_ms: i64, kind: &str, payload: Value| {
        lines.put(&json!({"timestamp": stamp(at_ms), "type": kind, "payload": payload}))
    };
    put(
        &mut lines,
        at_ms,
        "session_meta",
        json!({"id": thread, "timestamp": day, "cwd": cwd, "originator": "codex_cli_rs",
        "cli_version": "0.169.0", "source": "cli", "base_instructions": {"text": random.text(4_000)}}),
    )?;
    let mut total = [0_u64; 4];
    let counts = |of: [u64; 4]| {
        json!({"input_tokens": of[0], "cached_input_tokens": of[1], "output_tokens": of[2], "reasoning_output_tokens": of[3],
            "total_tokens": of[0] + of[2]})
    };
    let mut turn = 0;
    while lines.bytes < target {
        turn += 1;
        at_ms += 5_000 + random.below(60_000) as i64;
        put(
            &mut lines,
            at_ms,
            "turn_context",
            json!({"turn_id": format!("turn-{turn}"), "cwd": cwd, "model": model,
            "approval_policy": "on-request", "sandbox_policy": {"mode": "workspace-write"}, "summary": "auto"}),
        )?;
        put(&mut lines, at_ms, "event_msg", json!({"type": "user_message", "message": random.text(200)}))?;
        for _ in 0..1 + random.below(8) {
            at_ms += 1_000 + random.below(9_000) as i64;
            let call = format!("call_{}", random.hex(20));
            put(
                &mut lines,
                at_ms,
                "response_item",
                json!({"type": "reasoning", "summary": [], "encrypted_content": random.hex(1_200)}),
            )?;
            put(
                &mut lines,
                at_ms,
                "response_item",
                json!({"type": "function_call", "name": "shell", "call_id": call,
                "arguments": json!({"command": random.text(120)}).to_string()}),
            )?;
            put(
                &mut lines,
                at_ms,
                "response_item",
                json!({"type": "function_call_output", "call_id": call, "output": random.result()}),
            )?;
            let cached = random.below(60_000);
            let last = [cached + random.below(5_000), cached, 1 + random.below(1_500), random.below(200)];
            (0..4).for_each(|at| total[at] += last[at]);
            let info = json!({"total_token_usage": counts(total), "last_token_usage": counts(last), "model_context_window": 272_000});
            // Written twice, as the agent does.
            for _ in 0..2 {
                put(&mut lines, at_ms, "event_msg", json!({"type": "token_count", "info": info, "rate_limits": null}))?;
            }
        }
    }
    lines.file.flush()?;
    Ok(lines.bytes)
}

fn stamp(at_ms: i64) -> String {
    let at = chrono::DateTime::<chrono::Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// xorshift64*: good enough for text nobody reads.
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }

    fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    /// About so many bytes of words.
    fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            text.push_str(WORDS[self.below(WORDS.len() as u64) as usize]);
            text.push(' ');
        }
        text
    }

    /// What a tool said: mostly a screen, now and then a whole file.
    fn result(&mut self) -> String {
        let bytes = match self.below(12) {
            0 => 20_000 + self.below(30_000),
            1..=4 => 2_000 + self.below(5_000),
            _ => 100 + self.below(1_500),
        };
        self.text(bytes as usize)
    }
}

/// One session of Claude Code of about so many bytes.
pub fn one_file(dir: &Path, bytes: u64, seed: u64) -> anyhow::Result<Tree> {
    let mut random = Random(seed | 1);
    let claude = dir.join("claude");
    let written = claude_session(&claude, 1, &mut random, |_| bytes)?;
    Ok(Tree { claude, codex: dir.join("codex"), bytes: written })
}

/// The main transcript of a tree with one session.
pub fn only_file(claude: &Path) -> anyhow::Result<PathBuf> {
    let folder = fs::read_dir(claude.join("projects"))?.next().context("a tree without a project")??.path();
    let mut files = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    files.find(|path| path.is_file()).context("a project without a session")
}

/// Its last line that answers a prompt, as a new one: other ids, the same size.
pub fn last_line(file: &Path) -> anyhow::Result<Vec<u8>> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().rev().find(|line| line.contains("\"tool_use\"")).context("a session without an answer")?;
    let mut value: Value = serde_json::from_str(line)?;
    for place in ["/uuid", "/requestId", "/message/id", "/message/content/0/id"] {
        if let Some(Value::String(id)) = value.pointer_mut(place) {
            *id = id.chars().rev().collect();
        }
    }
    Ok([serde_json::to_vec(&value)?, vec![b'\n']].concat())
}
