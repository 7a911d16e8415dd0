//! The day as Claude Code tells it: hook payloads and transcript lines.

use serde_json::{Value, json};

use super::cast::{Edit, File};
use super::random::{Random, iso};
use super::script::{Act, Beat, Helper, Script, Tool};
use super::{Message, Route};

const AGENT: &str = "claude-code";
const VERSION: &str = "2.1.290";
/// The transcript is written a moment after the hook ran.
const LAG_MS: i64 = 120;
const MAX_CONTEXT: u64 = 940_000;

/// All messages of one session, in order of time.
pub fn tell(script: &Script<'_>, random: Random) -> Vec<Message> {
    let mut pen = Pen::new(script, random);
    for beat in &script.beats {
        pen.beat(beat);
    }
    pen.messages.sort_by_key(|message| message.at_ms);
    pen.messages
}

struct Pen<'a> {
    script: &'a Script<'a>,
    random: Random,
    session_id: String,
    cwd: String,
    slug: String,
    prompt_id: String,
    call_ids: Vec<String>,
    main: Lane,
    helpers: Vec<Lane>,
    messages: Vec<Message>,
}

/// One transcript file: the main thread's or a subagent's.
struct Lane {
    name: String,
    parent: Option<String>,
    context: u64,
    growth: u64,
    /// A response whose first line is written and whose last is not.
    open: Option<Response>,
    calls: u64,
    last_usage: Value,
}

#[derive(Clone)]
struct Response {
    message_id: String,
    request_id: String,
    usage: Value,
}

impl<'a> Pen<'a> {
    fn new(script: &'a Script<'a>, mut random: Random) -> Pen<'a> {
        let plot = script.plot;
        let cwd = format!("/home/ada/src/{}", plot.project);
        let slug = cwd.replace(['/', '.'], "-");
        let session_id = random.uuid();
        let [from, to] = plot.context_k.map(|k| k * 1000);
        let responses = (plot.calls + 2 * plot.prompts.len()) as u64;
        let main = Lane::new(format!("projects/{slug}/{session_id}.jsonl"), from, (to - from) / responses.max(1));
        let helpers = script
            .helpers
            .iter()
            .map(|helper| {
                let name = format!("projects/{slug}/{session_id}/subagents/agent-{}.jsonl", helper.id);
                Lane::new(name, 11_000 + random.between(0, 4_000), 2_600)
            })
            .collect();
        let calls = script.beats.iter().filter(|beat| matches!(beat.act, Act::CallStart { .. })).count();
        let call_ids = (0..calls).map(|_| format!("toolu_01{}", random.hex(22))).collect();
        let prompt_id = random.uuid();
        Pen { script, random, session_id, cwd, slug, prompt_id, call_ids, main, helpers, messages: Vec::new() }
    }

    fn beat(&mut self, beat: &Beat<'a>) {
        let at = beat.at_ms;
        match &beat.act {
            Act::Begin => {
                self.hook(beat, "SessionStart", json!({ "source": "startup", "model": self.script.plot.model }))
            }
            Act::Prompt(text) => {
                self.prompt_id = self.random.uuid();
                self.hook(beat, "UserPromptSubmit", json!({ "prompt": text, "source": "user" }));
                self.line(
                    beat,
                    "user",
                    json!({ "message": { "role": "user", "content": text }, "promptSource": "typed" }),
                );
            }
            Act::Think(text) => {
                let response = self.respond(beat, 40);
                let block = json!({ "type": "thinking", "thinking": text, "signature": "demo" });
                self.assistant(beat, &response, block, Value::Null);
            }
            Act::CallStart { call, tool } => {
                let written = match tool {
                    Tool::Edit { edit, .. } => 600 + edit.new.len() as u64,
                    Tool::Helper(_) => 900,
                    _ => 320,
                };
                let response = self.respond(beat, written);
                let (name, input) = self.input(tool);
                let id = self.call_ids[*call].clone();
                let block = json!({ "type": "tool_use", "id": id, "name": name, "input": input });
                self.assistant(beat, &response, block, json!("tool_use"));
                self.close(beat);
                self.lane(beat).calls += 1;
                self.hook(beat, "PreToolUse", json!({ "tool_name": name, "tool_input": input, "tool_use_id": id }));
            }
            Act::CallEnd { call, tool, took_ms } => self.call_end(beat, *call, tool, *took_ms),
            Act::Permission { tool } => {
                let (name, input) = self.input(tool);
                let suggestion = json!([{ "type": "addRules", "rules": [{ "toolName": name, "ruleContent": "git push:*" }],
                    "behavior": "allow", "destination": "localSettings" }]);
                self.hook(
                    beat,
                    "PermissionRequest",
                    json!({ "tool_name": name, "tool_input": input, "permission_suggestions": suggestion }),
                );
                let later = Beat { at_ms: at + 6_000, helper: None, act: Act::Begin };
                let message = format!("Claude needs your permission to use {name}");
                self.hook(
                    &later,
                    "Notification",
                    json!({ "message": message, "title": "Permission needed", "notification_type": "permission_prompt" }),
                );
            }
            Act::HelperStart => {
                let about = beat.helper.map_or("", |index| self.script.helpers[index].about);
                self.hook(beat, "SubagentStart", json!({}));
                self.line(beat, "user", json!({ "message": { "role": "user", "content": task(about) } }));
            }
            Act::HelperStop(report) => {
                let response = self.respond(beat, 700);
                self.assistant(beat, &response, json!({ "type": "text", "text": report }), json!("end_turn"));
                self.close(beat);
                let path = self.path(&self.lane_name(beat));
                let fields = json!({ "stop_hook_active": false, "agent_transcript_path": path, "last_assistant_message": report,
                    "background_tasks": [], "session_crons": [] });
                self.hook(beat, "SubagentStop", fields);
            }
            Act::Answer(text) => {
                let response = self.respond(beat, 520);
                self.assistant(beat, &response, json!({ "type": "text", "text": text }), json!("end_turn"));
                self.close(beat);
                let later = Beat { at_ms: at + LAG_MS, helper: None, act: Act::Begin };
                let fields = json!({ "stop_hook_active": false, "last_assistant_message": text, "background_tasks": [],
                    "session_crons": [] });
                self.hook(&later, "Stop", fields);
            }
            Act::Idle => self.hook(
                beat,
                "Notification",
                json!({ "message": "Claude is waiting for your input", "notification_type": "idle_prompt" }),
            ),
            Act::Overloaded => self.hook(
                beat,
                "StopFailure",
                json!({ "error": "overloaded", "error_details": "529 overloaded_error: gave up after 10 attempts" }),
            ),
            Act::End => self.hook(beat, "SessionEnd", json!({ "reason": "prompt_input_exit" })),
        }
    }

    fn call_end(&mut self, beat: &Beat<'a>, call: usize, tool: &Tool<'a>, took_ms: i64) {
        let (name, input) = self.input(tool);
        let id = self.call_ids[call].clone();
        let mut fields = json!({ "tool_name": name, "tool_input": input, "tool_use_id": id, "duration_ms": took_ms });
        let (shown, result) = match self.result(tool, took_ms) {
            Ok((shown, response)) => {
                fields["tool_response"] = response.clone();
                self.hook(beat, "PostToolUse", fields);
                (json!({ "type": "tool_result", "tool_use_id": id, "content": shown }), response)
            }
            Err(error) => {
                fields["error"] = json!(error);
                fields["is_interrupt"] = json!(false);
                self.hook(beat, "PostToolUseFailure", fields);
                let block = json!({ "type": "tool_result", "tool_use_id": id, "content": error, "is_error": true });
                (block, json!(format!("Error: {error}")))
            }
        };
        self.line(beat, "user", json!({ "message": { "role": "user", "content": [shown] }, "toolUseResult": result }));
    }

    /// Name and input of a call.
    fn input(&self, tool: &Tool<'a>) -> (&'static str, Value) {
        let path = |relative: &str| format!("{}/{relative}", self.cwd);
        match tool {
            Tool::Run(run) => ("Bash", json!({ "command": run.command, "description": run.about })),
            Tool::Plain(command) => ("Bash", json!({ "command": command, "description": "Publish the branch" })),
            Tool::Read(file) => ("Read", json!({ "file_path": path(&file.path) })),
            Tool::Missing(name) => {
                ("Edit", json!({ "file_path": path(name), "old_string": "pending", "new_string": "done" }))
            }
            Tool::Edit { edit, file } => (
                "Edit",
                json!({ "file_path": path(&file.path), "old_string": edit.old, "new_string": edit.new, "replace_all": false }),
            ),
            Tool::Search(search) => ("Grep", json!({ "pattern": search.pattern, "output_mode": "files_with_matches" })),
            Tool::Web(page) => ("WebFetch", json!({ "url": page.url, "prompt": page.about })),
            Tool::Helper(index) => {
                let Helper { kind, about, .. } = &self.script.helpers[*index];
                ("Agent", json!({ "description": about, "prompt": task(about), "subagent_type": kind }))
            }
            Tool::Ask { question, choices } => {
                let options: Vec<Value> =
                    choices.iter().map(|choice| json!({ "label": choice, "description": "" })).collect();
                let question =
                    json!({ "question": question, "header": "Data model", "multiSelect": false, "options": options });
                ("AskUserQuestion", json!({ "questions": [question] }))
            }
        }
    }

    /// What the model reads and what the hook carries, or the error text.
    fn result(&self, tool: &Tool<'a>, took_ms: i64) -> Result<(Value, Value), String> {
        let path = |relative: &str| format!("{}/{relative}", self.cwd);
        Ok(match tool {
            Tool::Run(run) if run.exit != 0 => return Err(format!("Exit code {}\n{}", run.exit, run.out)),
            Tool::Missing(_) => {
                return Err(
                    "<tool_use_error>File has not been read yet. Read it first before writing to it.</tool_use_error>"
                        .to_owned(),
                );
            }
            Tool::Run(run) => (
                json!(run.out),
                json!({ "stdout": run.out, "stderr": "", "interrupted": false, "isImage": false, "noOutputExpected": false }),
            ),
            Tool::Plain(_) => {
                (json!(""), json!({ "stdout": "", "stderr": "", "interrupted": false, "isImage": false }))
            }
            Tool::Read(file) => {
                let lines = file.text.lines().count();
                let content = json!({ "filePath": path(&file.path), "content": file.text, "numLines": lines, "startLine": 1, "totalLines": lines });
                (json!(numbered(&file.text)), json!({ "type": "text", "file": content }))
            }
            Tool::Edit { edit, file } => {
                let response = json!({ "filePath": path(&file.path), "oldString": edit.old, "newString": edit.new,
                    "originalFile": file.text, "structuredPatch": [hunk(edit, file)], "userModified": false, "replaceAll": false });
                (json!(format!("The file {} has been updated successfully.", path(&file.path))), response)
            }
            Tool::Search(search) => {
                let response =
                    json!({ "mode": "files_with_matches", "filenames": search.hits, "numFiles": search.hits.len() });
                (json!(format!("Found {} files\n{}", search.hits.len(), search.hits.join("\n"))), response)
            }
            Tool::Web(page) => {
                let response = json!({ "bytes": 48_211, "code": 200, "codeText": "OK", "result": page.answer, "durationMs": took_ms, "url": page.url });
                (json!(page.answer), response)
            }
            Tool::Helper(index) => {
                let lane = &self.helpers[*index];
                let report = json!([{ "type": "text", "text": "Report written." }]);
                let response = json!({ "status": "completed", "agentId": self.script.helpers[*index].id, "content": report,
                    "resolvedModel": helper_model(&self.script.plot.model), "totalTokens": lane.context, "totalDurationMs": took_ms,
                    "totalToolUseCount": lane.calls, "usage": lane.last_usage });
                (report, response)
            }
            Tool::Ask { choices, .. } => (json!("answered"), json!({ "answers": { "choice": choices.first() } })),
        })
    }

    /// The response a line belongs to: the one that is open, or a new request.
    fn respond(&mut self, beat: &Beat<'a>, written: u64) -> Response {
        let output = written + self.random.between(180, 1_150);
        let jitter = self.random.between(40, 160);
        let input = self.random.between(2, 14);
        let expired = self.random.chance(1);
        let (message_id, request_id) =
            (format!("msg_01{}", self.random.hex(22)), format!("req_011{}", self.random.hex(21)));
        let lane = self.lane(beat);
        if let Some(response) = &mut lane.open {
            // Later lines of one response carry its final count; readers take the largest.
            response.usage["output_tokens"] = json!(output);
            return response.clone();
        }
        let fresh = if lane.last_usage.is_null() { lane.context } else { lane.growth * jitter / 100 };
        let read = if lane.last_usage.is_null() { 0 } else { lane.context };
        let (read, fresh) = if expired { (read / 5, fresh + read - read / 5) } else { (read, fresh) };
        lane.context = (read + fresh + input).min(MAX_CONTEXT);
        let usage = json!({ "input_tokens": input, "cache_creation_input_tokens": fresh, "cache_read_input_tokens": read,
            "cache_creation": { "ephemeral_5m_input_tokens": fresh, "ephemeral_1h_input_tokens": 0 }, "output_tokens": output.min(60),
            "server_tool_use": { "web_search_requests": 0, "web_fetch_requests": 0 }, "service_tier": "standard", "speed": "standard" });
        let mut response = Response { message_id, request_id, usage };
        lane.open = Some(response.clone());
        response.usage["output_tokens"] = json!(output);
        lane.last_usage = response.usage.clone();
        if written > 40 { response } else { lane.open.clone().unwrap_or(response) }
    }

    fn close(&mut self, beat: &Beat<'a>) {
        self.lane(beat).open = None;
    }

    fn assistant(&mut self, beat: &Beat<'a>, response: &Response, block: Value, stop: Value) {
        let model = if beat.helper.is_some() { helper_model(&self.script.plot.model) } else { &self.script.plot.model };
        let message = json!({ "id": response.message_id, "type": "message", "role": "assistant", "model": model,
            "content": [block], "stop_reason": stop, "stop_sequence": null, "usage": response.usage });
        self.line(beat, "assistant", json!({ "message": message, "requestId": response.request_id }));
    }

    fn line(&mut self, beat: &Beat<'a>, kind: &str, fields: Value) {
        let uuid = self.random.uuid();
        let branch = self.script.plot.branch.clone();
        let lane = self.lane(beat);
        let (name, parent) = (lane.name.clone(), lane.parent.replace(uuid.clone()));
        let mut line = json!({ "parentUuid": parent, "isSidechain": beat.helper.is_some(), "userType": "external", "cwd": self.cwd,
            "sessionId": self.session_id, "version": VERSION, "gitBranch": branch, "type": kind, "uuid": uuid,
            "timestamp": iso(beat.at_ms), "entrypoint": "cli", "promptId": self.prompt_id });
        if let Some(index) = beat.helper {
            line["agentId"] = json!(self.script.helpers[index].id);
        }
        merge(&mut line, fields);
        self.messages.push(Message {
            at_ms: beat.at_ms + LAG_MS,
            session: 0,
            route: Route::Transcript { agent: AGENT, name },
            id: String::new(),
            body: line,
        });
    }

    fn hook(&mut self, beat: &Beat<'a>, event: &str, fields: Value) {
        let mut body = json!({ "session_id": self.session_id, "transcript_path": self.path(&self.main.name), "cwd": self.cwd,
            "hook_event_name": event });
        if !matches!(event, "SessionStart" | "SessionEnd") {
            body["prompt_id"] = json!(self.prompt_id);
        }
        if !matches!(event, "SessionStart" | "SessionEnd" | "Notification" | "SubagentStart") {
            body["permission_mode"] = json!("default");
            body["effort"] = json!({ "level": "high" });
        }
        if let Some(index) = beat.helper {
            body["agent_id"] = json!(self.script.helpers[index].id);
            body["agent_type"] = json!(self.script.helpers[index].kind);
        }
        merge(&mut body, fields);
        self.messages.push(Message {
            at_ms: beat.at_ms,
            session: 0,
            route: Route::Hook { agent: AGENT },
            id: String::new(),
            body,
        });
    }

    fn lane(&mut self, beat: &Beat<'a>) -> &mut Lane {
        match beat.helper {
            Some(index) => &mut self.helpers[index],
            None => &mut self.main,
        }
    }

    fn lane_name(&self, beat: &Beat<'a>) -> String {
        beat.helper.map_or_else(|| self.main.name.clone(), |index| self.helpers[index].name.clone())
    }

    fn path(&self, name: &str) -> String {
        debug_assert!(name.contains(&self.slug));
        format!("/home/ada/.claude/{name}")
    }
}

impl Lane {
    fn new(name: String, context: u64, growth: u64) -> Lane {
        Lane { name, parent: None, context, growth, open: None, calls: 0, last_usage: Value::Null }
    }
}

/// Subagents run on the smaller model.
fn helper_model(model: &str) -> &str {
    if model.contains("opus") { "claude-sonnet-5-5" } else { "claude-haiku-5-5" }
}

fn task(about: &str) -> String {
    format!("{about}. Report in at most ten lines, with paths and line numbers.")
}

/// Lines with numbers, as the Read tool shows them to the model.
fn numbered(text: &str) -> String {
    text.lines().enumerate().map(|(at, line)| format!("{:6}\u{2192}{line}\n", at + 1)).collect()
}

/// The edit as one hunk with three lines of context.
pub fn hunk(edit: &Edit, file: &File) -> Value {
    const CONTEXT: usize = 3;
    let all: Vec<&str> = file.text.lines().collect();
    let (old, new): (Vec<&str>, Vec<&str>) = (edit.old.lines().collect(), edit.new.lines().collect());
    let start = all.windows(old.len().max(1)).position(|lines| lines == old).unwrap_or(0);
    let from = start.saturating_sub(CONTEXT);
    let end = (start + old.len()).min(all.len());
    let to = (end + CONTEXT).min(all.len());
    let mark = |sign: char, lines: &[&str]| lines.iter().map(|line| format!("{sign}{line}")).collect::<Vec<_>>();
    let lines = [mark(' ', &all[from..start]), mark('-', &old), mark('+', &new), mark(' ', &all[end..to])].concat();
    json!({ "oldStart": from + 1, "oldLines": to - from, "newStart": from + 1,
        "newLines": to - from - (end - start) + new.len(), "lines": lines })
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
