//! Lines of a rollout: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, from 2025's bare items to today's records.

use orrery_types::{Body, Event, RequestUsage, SessionFacts, clip};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exec;
use super::results::{arguments, changed_paths, measured};
use super::texts::{Channel, Texts, typed};
use super::usage::{Meter, Response};
use crate::draft::{Draft, unreadable};
use crate::json::{any, filled, first_line, one_line, owned, read, read_without};
use crate::outcome::{Outcome, of_codex, text_of};
use crate::tool::clip_input;
use crate::transcript::{FileInfo, OpenCall, OpenCalls};
use crate::{Context, Decoded, id, time};

const TEXT_BYTES: usize = 16 * 1024;
const AGENT: &str = "codex";

/// Fields that hold what was said and done: nothing of it bears on cost.
const SAID: [&str; 18] = [
    "content",
    "message",
    "text",
    "output",
    "arguments",
    "aggregated_output",
    "formatted_output",
    "stdout",
    "stderr",
    "changes",
    "unified_diff",
    "last_agent_message",
    "encrypted_content",
    "replacement_history",
    "base_instructions",
    "user_instructions",
    "developer_instructions",
    "instructions",
];

/// A rollout as far as it was read.
#[derive(Debug, Clone)]
pub struct Lines {
    info: FileInfo,
    state: State,
}

/// What later lines need of earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    session: Option<String>,
    /// The thread whose history this file carries on: its own, or the farthest ancestor the file names.
    family: Option<String>,
    /// Second of the file's own first line, while lines replayed from a parent can follow in it.
    replay_second: Option<i64>,
    replaying: bool,
    last_ms: i64,
    facts: SessionFacts,
    turn_id: Option<String>,
    fast: bool,
    meter: Meter,
    texts: Texts,
    calls: OpenCalls,
    /// The file has `function_call` items: then `item_completed` of a command is a copy.
    has_calls: bool,
}

impl Lines {
    pub fn open(info: &FileInfo, state: Option<&str>) -> Self {
        let state = state.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        Lines { info: info.clone(), state }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn line(&mut self, bytes: &[u8], line_no: u64, ctx: &Context) -> Decoded {
        let mut decoded = Decoded::default();
        let read = match read(bytes) {
            Ok(read) if read.value.is_object() => read,
            other => {
                let why = other.err().unwrap_or_else(|| "it is no object".to_owned());
                decoded.problems.push(ctx.problem("bad_json", format!("a line cannot be read: {why}"), Some(line_no)));
                let event_id = id::place(self.info.name(), line_no, bytes, 0);
                let mut event = unreadable(ctx, AGENT, &self.session(), event_id, bytes);
                if self.state.last_ms != 0 {
                    event.at_ms = self.state.last_ms;
                }
                decoded.events.push(event);
                return decoded;
            }
        };
        if let Some(repaired) = read.repaired {
            decoded.problems.push(ctx.problem(
                "repaired_json",
                format!("replaced in a line: {repaired}"),
                Some(line_no),
            ));
        }
        self.decode(&read.value, bytes, line_no, ctx, &mut decoded);
        decoded
    }

    /// Usage and facts of a line, without what was said. `None` when the line has to be read as a whole.
    pub fn usage_line(&mut self, bytes: &[u8], line_no: u64, ctx: &Context) -> Option<Decoded> {
        let value = read_without(bytes, &SAID)?;
        let mut decoded = Decoded::default();
        self.decode(&value, bytes, line_no, ctx, &mut decoded);
        Some(decoded)
    }

    fn decode(&mut self, value: &Value, bytes: &[u8], line_no: u64, ctx: &Context, decoded: &mut Decoded) {
        let payload = value.get("payload").filter(|payload| payload.is_object()).unwrap_or(value);
        let stamp = time::parse(value.get("timestamp")).or_else(|| time::parse(payload.get("timestamp")));
        let at_ms = stamp.unwrap_or(if self.state.last_ms == 0 { ctx.received_ms } else { self.state.last_ms });
        self.state.last_ms = at_ms;
        let kind = kind_of(value);
        if kind == "session_meta" {
            self.meta(payload, at_ms);
        }
        self.state.replaying &= self.state.replay_second == Some(at_ms / 1000);
        let at = At { bytes, line_no, at_ms, ctx };
        if self.state.replaying {
            // The parent's file tells these lines; here they only move the running total.
            if inner(payload) == "token_count" {
                let family = self.family();
                self.state.meter.count(any(payload, &["info"]).unwrap_or(&Value::Null), &family, "");
            }
            return;
        }
        self.facts(kind, payload, &at, decoded);
        self.body(kind, payload, &at, decoded);
    }

    pub(super) fn session(&self) -> String {
        self.state.session.clone().or_else(|| self.info.session.clone()).unwrap_or_else(|| "unreadable".to_owned())
    }

    /// A stream names its thread in its first line.
    pub(super) fn begin(&mut self, thread: &str) {
        self.state.session = Some(thread.to_owned());
    }

    pub(super) fn open_call(&self, call_id: &str) -> Option<OpenCall> {
        self.state.calls.get(call_id).cloned()
    }

    fn family(&self) -> String {
        self.state.family.clone().unwrap_or_else(|| self.session())
    }

    /// The first `session_meta` is the file's own. Another thread's meta after it begins a replay of that thread.
    fn meta(&mut self, payload: &Value, at_ms: i64) {
        let Some(thread) = filled(payload, &["id"]) else { return };
        let origin = filled(payload, &["forked_from_id"]).or_else(|| parent_thread(payload));
        match &self.state.session {
            None => {
                self.state.session = Some(thread.to_owned());
                self.state.family = Some(origin.unwrap_or(thread).to_owned());
                self.state.replay_second = Some(at_ms / 1000);
            }
            Some(own) if own != thread => {
                self.state.family = Some(origin.unwrap_or(thread).to_owned());
                self.state.replaying = self.state.replay_second == Some(at_ms / 1000);
            }
            Some(_) => {}
        }
    }

    fn facts(&mut self, kind: &str, payload: &Value, at: &At, decoded: &mut Decoded) {
        let mut facts = SessionFacts { session_id: self.session(), agent: AGENT.to_owned(), ..SessionFacts::default() };
        match (kind, inner(payload)) {
            ("session_meta", _) if filled(payload, &["id"]) == self.state.session.as_deref() => {
                facts.agent_version = owned(payload, &["cli_version"]);
                facts.cwd = owned(payload, &["cwd"]);
                facts.branch = payload.get("git").and_then(|git| owned(git, &["branch"]));
                facts.parent =
                    owned(payload, &["forked_from_id"]).or_else(|| parent_thread(payload).map(str::to_owned));
            }
            ("turn_context", _) => {
                facts.model = owned(payload, &["model"]);
                facts.cwd = owned(payload, &["cwd"]);
                self.state.turn_id = owned(payload, &["turn_id"]).or_else(|| self.state.turn_id.clone());
            }
            ("event_msg", "thread_settings_applied") => {
                let settings = any(payload, &["thread_settings"]).unwrap_or(payload);
                facts.model = owned(settings, &["model"]);
                self.state.fast = matches!(filled(settings, &["service_tier"]), Some("fast" | "priority"));
            }
            ("event_msg", "thread_name_updated") => {
                facts.title = owned(payload, &["thread_name", "name"]).map(|title| one_line(&title, 200));
            }
            ("event_msg", "token_count") => {
                facts.model = any(payload, &["info"]).and_then(|info| owned(info, &["model"]))
            }
            ("event_msg", "task_started") => self.state.turn_id = owned(payload, &["turn_id"]),
            _ => return,
        }
        let known = &mut self.state.facts;
        let mut news = false;
        for (new, old) in [
            (&mut facts.agent_version, &mut known.agent_version),
            (&mut facts.cwd, &mut known.cwd),
            (&mut facts.branch, &mut known.branch),
            (&mut facts.parent, &mut known.parent),
            (&mut facts.model, &mut known.model),
            (&mut facts.title, &mut known.title),
        ] {
            if new.is_none() || new == old {
                *new = None;
            } else {
                old.clone_from(new);
                news = true;
            }
        }
        if news {
            facts.demo = at.ctx.demo;
            decoded.facts.push(facts);
        }
    }

    fn body(&mut self, kind: &str, payload: &Value, at: &At, decoded: &mut Decoded) {
        match kind {
            "session_meta"
            | "turn_context"
            | "world_state"
            | "inter_agent_communication"
            | "inter_agent_communication_metadata"
            | "dynamic_tools_updated"
            | "retained_context"
            | "security_risk_score"
            | "realtime_item"
            | "state" => {}
            "compacted" => {
                let body =
                    Body::Compact { trigger: String::new(), done: true, tokens_before: None, tokens_after: None };
                decoded.events.push(self.event(at, 0, kind, body));
            }
            "token_usage_record" => {
                let response = self.state.meter.record(payload);
                self.usage(response, at, decoded);
            }
            "response_item" => self.response_item(payload, at, decoded),
            "event_msg" => self.event_msg(payload, at, decoded),
            kind if exec::is_line(kind) => self.exec(kind, payload, at, decoded),
            kind => {
                let summary = filled(payload, &["message", "text", "content", "name", "summary"]).unwrap_or_default();
                decoded.events.push(self.other(at, kind, summary));
            }
        }
    }

    pub(super) fn usage(&mut self, response: Option<Response>, at: &At, decoded: &mut Decoded) {
        let Some(Response { key, tokens }) = response else { return };
        decoded.usage.push(RequestUsage {
            key,
            request_id: None,
            session_id: self.session(),
            agent: AGENT.to_owned(),
            subagent: None,
            model: self.state.facts.model.clone(),
            at_ms: at.at_ms,
            tokens,
            web_searches: 0,
            fast: self.state.fast,
            geo: None,
            tier: None,
            reported_usd_micros: None,
            sidechain: false,
            source: at.ctx.source,
            place: Some(format!("{}:{}", at.ctx.place, at.line_no)),
            demo: at.ctx.demo,
        });
    }

    fn response_item(&mut self, payload: &Value, at: &At, decoded: &mut Decoded) {
        let name = format!("response_item/{}", inner(payload));
        let call_id = filled(payload, &["call_id", "id"]).unwrap_or_default().to_owned();
        match inner(payload) {
            "message" => {
                let text = text_of(payload.get("content").unwrap_or(&Value::Null));
                match filled(payload, &["role"]) {
                    Some("user") => self.prompt(&text, Channel::ResponseItem, &name, at, decoded),
                    Some("assistant") => self.message(&text, Channel::ResponseItem, &name, at, decoded),
                    _ => {}
                }
            }
            "reasoning" => {
                for (index, part) in payload.get("summary").and_then(Value::as_array).into_iter().flatten().enumerate()
                {
                    self.thinking(&text_of(part), Channel::ResponseItem, &name, (at, index), decoded);
                }
            }
            "function_call" | "custom_tool_call" | "local_shell_call" | "tool_search_call" => {
                self.state.has_calls = true;
                let input = arguments(payload);
                let tool =
                    owned(payload, &["name"]).unwrap_or_else(|| inner(payload).trim_end_matches("_call").to_owned());
                self.start(&call_id, &tool, &input, &name, at, decoded);
            }
            "function_call_output" | "custom_tool_call_output" | "tool_search_output" => {
                let output = any(payload, &["output", "tools"]).unwrap_or(&Value::Null);
                self.end(&call_id, of_codex(output), &name, at, decoded);
                self.state.calls.end(&call_id);
            }
            "web_search_call" => {
                let ok = filled(payload, &["status"]) != Some("failed");
                // Old lines name no call: its start and end are this line.
                let call_id = if call_id.is_empty() { self.place(at, 2) } else { call_id };
                self.start(&call_id, "web_search", payload, &name, at, decoded);
                self.end(&call_id, Outcome { ok, ..Outcome::default() }, &name, at, decoded);
                self.state.calls.end(&call_id);
            }
            "ghost_snapshot" | "agent_message" | "compaction" | "image_generation_call" | "token_count" => {}
            _ => decoded.events.push(self.other(at, &name, filled(payload, &["text", "name"]).unwrap_or_default())),
        }
    }

    fn event_msg(&mut self, payload: &Value, at: &At, decoded: &mut Decoded) {
        let name = format!("event_msg/{}", inner(payload));
        let text = filled(payload, &["message", "text"]).unwrap_or_default().to_owned();
        let call_id = filled(payload, &["call_id"]).unwrap_or_default().to_owned();
        match inner(payload) {
            "user_message" => self.prompt(&text, Channel::EventMsg, &name, at, decoded),
            "agent_message" => self.message(&text, Channel::EventMsg, &name, at, decoded),
            "agent_reasoning" => self.thinking(&text, Channel::EventMsg, &name, (at, 0), decoded),
            "token_count" => {
                let family = self.family();
                let place = format!("{}:{}", self.info.name(), at.line_no);
                let response = self.state.meter.count(any(payload, &["info"]).unwrap_or(&Value::Null), &family, &place);
                self.usage(response, at, decoded);
            }
            // Some versions of 2025 wrote the stream's own lines into rollouts.
            kind if exec::is_line(kind) => self.exec(kind, payload, at, decoded),
            "task_complete" => self.complete(payload, &name, at, decoded),
            "turn_aborted" => decoded.events.push(self.event(at, 0, &name, Body::Interrupt)),
            "error" => {
                let body = Body::Failure { error: first_line(&text, 200), details: clip(&text, TEXT_BYTES) };
                decoded.events.push(self.event(at, 0, &name, body));
            }
            "exec_command_end" | "mcp_tool_call_end" | "patch_apply_end" if !call_id.is_empty() => {
                self.known_call(&call_id, payload, at);
                self.end(&call_id, measured(payload), &name, at, decoded);
            }
            "item_completed" => self.item(payload, at, decoded),
            "task_started"
            | "thread_settings_applied"
            | "thread_name_updated"
            | "context_compacted"
            | "web_search_end"
            | "exec_command_begin"
            | "exec_command_output_delta"
            | "mcp_tool_call_begin"
            | "patch_apply_begin"
            | "agent_reasoning_section_break"
            | "agent_reasoning_raw_content"
            | "web_search_begin"
            | "turn_diff" => {}
            _ => {
                let summary = filled(payload, &["message", "text", "user_facing_hint", "kind", "status", "prompt"]);
                decoded.events.push(self.other(at, &name, summary.unwrap_or_default()));
            }
        }
    }

    fn item(&mut self, payload: &Value, at: &At, decoded: &mut Decoded) {
        let item = payload.get("item").unwrap_or(&Value::Null);
        let name = format!("item_completed/{}", inner(item));
        let text = any(item, &["content", "text"]).map(text_of).unwrap_or_default();
        let id = filled(item, &["id"]).unwrap_or_default().to_owned();
        match inner(item) {
            "UserMessage" => self.prompt(&text, Channel::ItemCompleted, &name, at, decoded),
            "AgentMessage" => self.message(&text, Channel::ItemCompleted, &name, at, decoded),
            "Reasoning" => {
                for (index, part) in
                    item.get("summary_text").and_then(Value::as_array).into_iter().flatten().enumerate()
                {
                    self.thinking(&text_of(part), Channel::ItemCompleted, &name, (at, index), decoded);
                }
            }
            "CommandExecution" | "McpToolCall" | "FileChange" if !self.state.has_calls => {
                self.known_call(&id, item, at);
                self.end(&id, measured(item), &name, at, decoded);
                self.state.calls.end(&id);
            }
            _ => {}
        }
    }

    fn prompt(&mut self, text: &str, channel: Channel, name: &str, at: &At, decoded: &mut Decoded) {
        let Some(text) = typed(text) else { return };
        if self.state.texts.is_new("user", text, channel) {
            let event_id = match &self.state.turn_id {
                Some(turn) => id::turn_prompt(&self.session(), turn, text),
                None => self.place(at, 0),
            };
            decoded.events.push(self.draft(at).event(event_id, name, Body::Prompt { text: clip(text, TEXT_BYTES) }));
        }
    }

    pub(super) fn message(&mut self, text: &str, channel: Channel, name: &str, at: &At, decoded: &mut Decoded) {
        if !text.trim().is_empty() && self.state.texts.is_new("agent", text, channel) {
            let body = Body::Message { text: clip(text, TEXT_BYTES), model: self.state.facts.model.clone() };
            decoded.events.push(self.event(at, 0, name, body));
        }
    }

    pub(super) fn thinking(
        &mut self,
        text: &str,
        channel: Channel,
        name: &str,
        (at, part): (&At, usize),
        decoded: &mut Decoded,
    ) {
        if !text.trim().is_empty() && self.state.texts.is_new("thinking", text, channel) {
            decoded.events.push(self.event(at, part, name, Body::Thinking { text: clip(text, TEXT_BYTES) }));
        }
    }

    fn complete(&mut self, payload: &Value, name: &str, at: &At, decoded: &mut Decoded) {
        if let Some(error) = any(payload, &["error"]) {
            let details = filled(error, &["message"]).map_or_else(|| text_of(error), str::to_owned);
            let error = filled(error, &["codex_error_info"]).map_or_else(|| first_line(&details, 200), str::to_owned);
            decoded.events.push(self.event(at, 0, name, Body::Failure { error, details: clip(&details, TEXT_BYTES) }));
            return;
        }
        let message = clip(filled(payload, &["last_agent_message"]).unwrap_or_default(), TEXT_BYTES);
        let turn = owned(payload, &["turn_id"]).or_else(|| self.state.turn_id.clone());
        let event_id = match &turn {
            Some(turn) if !message.is_empty() => id::stop(&self.session(), turn, &message),
            _ => self.place(at, 0),
        };
        decoded.events.push(Draft { turn_id: turn, ..self.draft(at) }.event(event_id, name, Body::Stop { message }));
    }

    fn start(&mut self, call_id: &str, tool: &str, input: &Value, name: &str, at: &At, decoded: &mut Decoded) {
        let call = self.state.calls.start(call_id, tool, input, at.at_ms);
        let event_id = if call_id.is_empty() { self.place(at, 0) } else { id::tool_start(&self.session(), call_id) };
        let body = Body::ToolStart {
            call_id: call_id.to_owned(),
            tool: call.tool,
            class: call.class,
            target: call.target,
            input: clip_input(input),
        };
        decoded.events.push(self.draft(at).event(event_id, name, body));
    }

    fn end(&mut self, call_id: &str, outcome: Outcome, name: &str, at: &At, decoded: &mut Decoded) {
        let event_id = if call_id.is_empty() { self.place(at, 1) } else { id::tool_end(&self.session(), call_id) };
        let body = self.ended(call_id, outcome, at);
        decoded.events.push(self.draft(at).event(event_id, name, body));
    }

    /// The end of a call whose id is not unique in its thread, in a stream without times.
    pub(super) fn end_here(&mut self, call_id: &str, outcome: Outcome, name: &str, at: &At, decoded: &mut Decoded) {
        let measured = outcome.duration_ms;
        let mut body = self.ended(call_id, outcome, at);
        if let Body::ToolEnd { duration_ms, .. } = &mut body {
            *duration_ms = measured;
        }
        self.state.calls.end(call_id);
        decoded.events.push(self.event(at, 1, name, body));
    }

    fn ended(&self, call_id: &str, outcome: Outcome, at: &At) -> Body {
        let call = self.state.calls.get(call_id).cloned();
        let seen = call.as_ref().map(|call| at.at_ms - call.at_ms).filter(|ms| *ms >= 0);
        let call = call.unwrap_or_default();
        let lines = outcome.lines.or(call.lines.filter(|_| outcome.ok));
        Body::ToolEnd {
            call_id: call_id.to_owned(),
            tool: call.tool,
            class: call.class,
            target: call.target,
            ok: outcome.ok,
            error: outcome.error,
            exit_code: outcome.exit_code,
            duration_ms: outcome.duration_ms.or(seen),
            output: outcome.output,
            lines_added: lines.map(|(added, _)| added),
            lines_removed: lines.map(|(_, removed)| removed),
            input: Value::Null,
        }
    }

    /// Ends can come without a start in the file: then they say themselves what was called.
    pub(super) fn known_call(&mut self, call_id: &str, end: &Value, at: &At) {
        if self.state.calls.get(call_id).is_some() {
            return;
        }
        let invocation = any(end, &["invocation"]).unwrap_or(end);
        let (tool, input) = match (filled(invocation, &["server"]), filled(invocation, &["tool"])) {
            (Some(server), Some(tool)) => {
                (format!("mcp__{server}__{tool}"), invocation.get("arguments").cloned().unwrap_or(Value::Null))
            }
            _ if end.get("changes").is_some() => ("apply_patch".to_owned(), changed_paths(end)),
            _ => ("exec_command".to_owned(), serde_json::json!({ "cmd": end.get("command") })),
        };
        self.state.calls.start(call_id, &tool, &input, at.at_ms);
    }

    fn draft<'a>(&self, at: &At<'a>) -> Draft<'a> {
        Draft {
            ctx: at.ctx,
            agent: AGENT.to_owned(),
            session: self.session(),
            at_ms: at.at_ms,
            subagent: None,
            turn_id: self.state.turn_id.clone(),
        }
    }

    fn place(&self, at: &At, block: usize) -> String {
        id::place(self.info.name(), at.line_no, at.bytes, block)
    }

    pub(super) fn event(&self, at: &At, block: usize, name: &str, body: Body) -> Event {
        self.draft(at).event(self.place(at, block), name, body)
    }

    pub(super) fn other(&self, at: &At, name: &str, summary: &str) -> Event {
        self.event(at, 0, name, Body::Other { summary: first_line(summary, 200) })
    }
}

/// A line and where it stands.
pub(super) struct At<'a> {
    bytes: &'a [u8],
    line_no: u64,
    at_ms: i64,
    ctx: &'a Context,
}

/// The type of a line. Lines of 2025 have no envelope: a bare meta line first, then bare response items.
fn kind_of(value: &Value) -> &str {
    const ITEMS: [&str; 9] = [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "local_shell_call",
        "web_search_call",
        "ghost_snapshot",
    ];
    match filled(value, &["type"]) {
        Some(kind) if value.get("payload").is_none() && ITEMS.contains(&kind) => "response_item",
        Some(kind) => kind,
        None if value.get("record_type").is_some() => "state",
        None if value.get("id").is_some() && value.get("timestamp").is_some() => "session_meta",
        None => "line",
    }
}

fn inner(payload: &Value) -> &str {
    filled(payload, &["type"]).unwrap_or_default()
}

/// The thread that spawned this one.
fn parent_thread(payload: &Value) -> Option<&str> {
    let spawn = payload.get("source").and_then(|source| source.get("subagent")?.get("thread_spawn"));
    spawn.and_then(|spawn| filled(spawn, &["parent_thread_id"])).or_else(|| filled(payload, &["parent_thread_id"]))
}
