//! The day as Codex tells it: hook payloads and rollout lines.

use serde_json::{Value, json};

use super::claude::hunk;
use super::random::{Random, iso};
use super::script::{Act, Script, Tool};
use super::{Message, Route};

const AGENT: &str = "codex";
const VERSION: &str = "0.169.0";
const LAG_MS: i64 = 90;
const WINDOW: u64 = 922_000;

/// All messages of one session, in order of time.
pub fn tell(script: &Script<'_>, random: Random) -> Vec<Message> {
    let mut pen = Pen::new(script, random);
    for beat in &script.beats {
        pen.beat(beat.at_ms, &beat.act);
    }
    pen.messages.sort_by_key(|message| message.at_ms);
    pen.messages
}

struct Pen<'a> {
    script: &'a Script<'a>,
    random: Random,
    session_id: String,
    cwd: String,
    name: String,
    turn_id: String,
    turn_began_ms: i64,
    call_ids: Vec<String>,
    /// Tokens of the whole session, as `token_count` lines carry them.
    total: Usage,
    context: u64,
    growth: u64,
    messages: Vec<Message>,
}

#[derive(Clone, Copy, Default)]
struct Usage {
    input: u64,
    cached: u64,
    output: u64,
    reasoning: u64,
}

impl Usage {
    fn json(self) -> Value {
        json!({ "input_tokens": self.input, "cached_input_tokens": self.cached, "output_tokens": self.output,
            "reasoning_output_tokens": self.reasoning, "total_tokens": self.input + self.output })
    }
}

impl<'a> Pen<'a> {
    fn new(script: &'a Script<'a>, mut random: Random) -> Pen<'a> {
        let plot = script.plot;
        let session_id = random.uuid();
        let began_ms = script.beats.first().map_or(0, |beat| beat.at_ms);
        let stamp = crate::clock::rfc3339(began_ms);
        let (day, time) = (stamp[..10].to_owned(), stamp[11..19].replace(':', "-"));
        let [from, to] = plot.context_k.map(|k| k * 1000);
        let responses = (plot.calls + 2 * plot.prompts.len()) as u64;
        let calls = script.beats.iter().filter(|beat| matches!(beat.act, Act::CallStart { .. })).count();
        Pen {
            script,
            name: format!("sessions/{}/rollout-{day}T{time}-{session_id}.jsonl", day.replace('-', "/")),
            cwd: format!("/home/ada/src/{}", plot.project),
            turn_id: random.uuid(),
            call_ids: (0..calls).map(|_| format!("call_{}", random.hex(20))).collect(),
            random,
            session_id,
            turn_began_ms: began_ms,
            total: Usage::default(),
            context: from,
            growth: (to - from) / responses.max(1),
            messages: Vec::new(),
        }
    }

    fn beat(&mut self, at_ms: i64, act: &Act<'a>) {
        match act {
            Act::Begin => {
                let git = json!({ "branch": self.script.plot.branch, "commit_hash": self.random.hex(40) });
                let meta = json!({ "id": self.session_id, "session_id": self.session_id, "timestamp": iso(at_ms), "cwd": self.cwd,
                    "originator": "codex-tui", "cli_version": VERSION, "source": "cli", "model_provider": "openai", "git": git });
                self.line(at_ms, "session_meta", meta);
            }
            Act::Prompt(text) => self.prompt(at_ms, text),
            Act::Think(text) => {
                let reasoning = json!({ "type": "reasoning", "summary": [{ "type": "summary_text", "text": text }] });
                self.line(at_ms, "response_item", reasoning);
            }
            Act::CallStart { call, tool } => {
                let id = self.call_ids[*call].clone();
                let (name, input) = self.hook_input(tool);
                let item = match tool {
                    Tool::Edit { .. } => json!({ "type": "custom_tool_call", "call_id": id, "name": "apply_patch",
                        "input": input["command"], "status": "completed" }),
                    _ => {
                        let arguments = json!({ "cmd": input["command"], "workdir": self.cwd });
                        json!({ "type": "function_call", "call_id": id, "name": "exec_command", "arguments": arguments.to_string() })
                    }
                };
                self.hook(at_ms, "PreToolUse", json!({ "tool_name": name, "tool_input": input, "tool_use_id": id }));
                self.line(at_ms, "response_item", item);
                self.count(at_ms, 280);
            }
            Act::CallEnd { call, tool, took_ms } => {
                let id = self.call_ids[*call].clone();
                let (name, input) = self.hook_input(tool);
                let output = self.output(tool, *took_ms);
                let fields =
                    json!({ "tool_name": name, "tool_input": input, "tool_use_id": id, "tool_response": output });
                self.hook(at_ms, "PostToolUse", fields);
                let kind =
                    if matches!(tool, Tool::Edit { .. }) { "custom_tool_call_output" } else { "function_call_output" };
                self.line(at_ms, "response_item", json!({ "type": kind, "call_id": id, "output": output }));
            }
            Act::Permission { tool } => {
                let (name, input) = self.hook_input(tool);
                self.hook(at_ms, "PermissionRequest", json!({ "tool_name": name, "tool_input": input }));
            }
            Act::Answer(text) => {
                let content = json!([{ "type": "output_text", "text": text }]);
                self.line(
                    at_ms,
                    "response_item",
                    json!({ "type": "message", "role": "assistant", "content": content }),
                );
                self.line(at_ms, "event_msg", json!({ "type": "agent_message", "message": text }));
                self.count(at_ms, 500);
                let complete = json!({ "type": "task_complete", "turn_id": self.turn_id, "last_agent_message": text,
                    "duration_ms": at_ms - self.turn_began_ms });
                self.line(at_ms, "event_msg", complete);
                self.hook(at_ms + LAG_MS, "Stop", json!({ "stop_hook_active": false, "last_assistant_message": text }));
            }
            Act::End => self.hook(at_ms, "SessionEnd", json!({ "reason": "other" })),
            // Codex has no such events.
            Act::HelperStart | Act::HelperStop(_) | Act::Idle | Act::Overloaded => {}
        }
    }

    fn prompt(&mut self, at_ms: i64, text: &str) {
        if self.total.input == 0 {
            self.hook(at_ms, "SessionStart", json!({ "source": "startup" }));
        }
        self.turn_id = self.random.uuid();
        self.turn_began_ms = at_ms;
        self.hook(at_ms, "UserPromptSubmit", json!({ "prompt": text }));
        let context = json!({ "turn_id": self.turn_id, "cwd": self.cwd, "model": self.script.plot.model, "effort": "high",
            "approval_policy": "on-request", "sandbox_policy": { "type": "workspace-write" }, "summary": "auto" });
        self.line(at_ms, "turn_context", context);
        let started = json!({ "type": "task_started", "turn_id": self.turn_id, "model_context_window": WINDOW });
        self.line(at_ms, "event_msg", started);
        let content = json!([{ "type": "input_text", "text": text }]);
        self.line(at_ms, "response_item", json!({ "type": "message", "role": "user", "content": content }));
        self.line(at_ms, "event_msg", json!({ "type": "user_message", "message": text, "images": [] }));
    }

    /// One response's tokens.
    fn count(&mut self, at_ms: i64, written: u64) {
        let output = written + self.random.between(120, 900);
        let reasoning = output / 3;
        let fresh = if self.total.input == 0 { self.context } else { self.growth * self.random.between(40, 160) / 100 };
        let cached = if self.total.input == 0 { 0 } else { self.context };
        self.context = (cached + fresh).min(WINDOW - 60_000);
        let last = Usage { input: cached + fresh, cached, output, reasoning };
        self.total.input += last.input;
        self.total.cached += last.cached;
        self.total.output += last.output;
        self.total.reasoning += last.reasoning;
        let info = json!({ "total_token_usage": self.total.json(), "last_token_usage": last.json(), "model_context_window": WINDOW });
        self.line(at_ms, "event_msg", json!({ "type": "token_count", "info": info, "rate_limits": null }));
    }

    /// Shell and patch are all the tools there are.
    fn hook_input(&self, tool: &Tool<'a>) -> (&'static str, Value) {
        let command = match tool {
            Tool::Run(run) => run.command.clone(),
            Tool::Plain(command) => (*command).to_owned(),
            Tool::Read(file) => format!("sed -n '1,200p' {}", file.path),
            Tool::Missing(path) => format!("cat {path}.orig"),
            Tool::Search(search) => format!("rg -n '{}'", search.pattern),
            Tool::Web(page) => format!("curl -fsS {}", page.url),
            Tool::Helper(_) | Tool::Ask { .. } => String::new(),
            Tool::Edit { edit, file } => {
                let lines = hunk(edit, file)["lines"].as_array().cloned().unwrap_or_default();
                let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                let patch =
                    format!("*** Begin Patch\n*** Update File: {}\n@@\n{}\n*** End Patch", file.path, lines.join("\n"));
                return ("apply_patch", json!({ "command": patch }));
            }
        };
        ("Bash", json!({ "command": command }))
    }

    fn output(&self, tool: &Tool<'a>, took_ms: i64) -> String {
        let (exit, out) = match tool {
            Tool::Run(run) => (run.exit, run.out.clone()),
            Tool::Read(file) => (0, file.text.clone()),
            Tool::Search(search) => {
                (0, search.hits.iter().map(|hit| format!("{hit}:41:")).collect::<Vec<_>>().join("\n"))
            }
            Tool::Web(page) => (0, page.answer.clone()),
            Tool::Edit { file, .. } => (0, format!("Success. Updated the following files:\nM {}", file.path)),
            Tool::Missing(path) => (1, format!("cat: {path}.orig: No such file or directory")),
            Tool::Plain(_) | Tool::Helper(_) | Tool::Ask { .. } => (0, String::new()),
        };
        format!("Exit code: {exit}\nWall time: {}.{} seconds\nOutput:\n{out}", took_ms / 1000, took_ms % 1000 / 100)
    }

    fn line(&mut self, at_ms: i64, kind: &str, payload: Value) {
        let body = json!({ "timestamp": iso(at_ms), "type": kind, "payload": payload });
        let route = Route::Transcript { agent: AGENT, name: self.name.clone() };
        self.messages.push(Message { at_ms: at_ms + LAG_MS, session: 0, route, id: String::new(), body });
    }

    fn hook(&mut self, at_ms: i64, event: &str, fields: Value) {
        let mut body = json!({ "session_id": self.session_id, "transcript_path": format!("/home/ada/.codex/{}", self.name),
            "cwd": self.cwd, "hook_event_name": event });
        if event != "SessionEnd" {
            body["model"] = json!(self.script.plot.model);
            body["permission_mode"] = json!("default");
        }
        if !matches!(event, "SessionStart" | "SessionEnd") {
            body["turn_id"] = json!(self.turn_id);
        }
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
            body.extend(fields);
        }
        self.messages.push(Message { at_ms, session: 0, route: Route::Hook { agent: AGENT }, id: String::new(), body });
    }
}
