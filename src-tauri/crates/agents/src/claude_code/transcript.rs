//! Lines of a transcript: `projects/<slug>/<session>.jsonl` and the files of its subagents.

use orrery_types::{Body, Event, RequestUsage, SessionFacts, Subagent, Tokens, clip};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::line::{Line, blocks, typed};
use super::usage;
use crate::draft::{Draft, unreadable};
use crate::json::{any, count, filled, flag, number, one_line, owned, read, read_without};
use crate::outcome::{Outcome, of_failure, of_response, text_of};
use crate::tool::clip_input;
use crate::transcript::{FileInfo, OpenCall, OpenCalls};
use crate::{Context, Decoded, id, time};

const TEXT_BYTES: usize = 16 * 1024;
const AGENT: &str = "claude-code";

/// Fields that hold what was said and done: nothing of it bears on cost.
const SAID: [&str; 5] = ["content", "toolUseResult", "data", "attachment", "snapshot"];

/// Bookkeeping of the agent and copies of what other lines say: no events of their own.
const SILENT_LINES: [&str; 16] = [
    "progress",
    "file-history-snapshot",
    "file-history-delta",
    "queue-operation",
    "mode",
    "permission-mode",
    "last-prompt",
    "tag",
    "agent-name",
    "frame-link",
    "bridge-session",
    "atis-latch",
    "started",
    "result",
    "relocated",
    "worktree-state",
];

/// A transcript as far as it was read.
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
    last_ms: i64,
    facts: SessionFacts,
    title_by_person: bool,
    prompt_id: Option<String>,
    /// The turn has an event of the agent and no end yet.
    turn_open: bool,
    last_text: String,
    calls: OpenCalls,
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
                let mut event = unreadable(ctx, AGENT, &self.session(None), event_id, bytes);
                event.at_ms = self.at_ms(None, ctx);
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
        let line = self.line_of(value, bytes, line_no, ctx);
        self.facts(&line, decoded);
        self.body(&line, decoded);
    }

    fn line_of<'a>(&mut self, value: &'a Value, bytes: &'a [u8], line_no: u64, ctx: &'a Context) -> Line<'a> {
        let session = self.session(filled(value, &["sessionId", "session_id"]));
        let at_ms = self.at_ms(value.get("timestamp"), ctx);
        let sidechain = flag(value, "isSidechain") || self.info.subagent.is_some();
        let subagent = sidechain.then(|| Subagent {
            id: owned(value, &["agentId"])
                .or_else(|| self.info.subagent.clone())
                .unwrap_or_else(|| "sidechain".to_owned()),
            kind: filled(value, &["attributionAgent", "agentType"]).unwrap_or(&self.info.subagent_kind).to_owned(),
        });
        if subagent.is_none() && filled(value, &["promptId"]).is_some() {
            self.state.prompt_id = owned(value, &["promptId"]);
        }
        let turn_id = owned(value, &["promptId"]).or_else(|| self.state.prompt_id.clone());
        Line {
            value,
            bytes,
            line_no,
            file_name: self.info.name().to_owned(),
            kind: filled(value, &["type"]).unwrap_or_default(),
            message: value.get("message").unwrap_or(&Value::Null),
            draft: Draft { ctx, agent: AGENT.to_owned(), session, at_ms, subagent, turn_id },
        }
    }

    fn session(&mut self, named: Option<&str>) -> String {
        if let Some(named) = named {
            self.state.session = Some(named.to_owned());
        }
        self.state.session.clone().or_else(|| self.info.session.clone()).unwrap_or_else(|| "unreadable".to_owned())
    }

    fn at_ms(&mut self, timestamp: Option<&Value>, ctx: &Context) -> i64 {
        let at_ms = time::parse(timestamp).unwrap_or(match self.state.last_ms {
            0 => ctx.received_ms,
            last => last,
        });
        self.state.last_ms = at_ms;
        at_ms
    }

    /// Tells what is new about the session.
    fn facts(&mut self, line: &Line, decoded: &mut Decoded) {
        let value = line.value;
        let main = line.draft.subagent.is_none();
        let mut facts = SessionFacts {
            session_id: line.draft.session.clone(),
            agent: AGENT.to_owned(),
            agent_version: owned(value, &["version"]),
            cwd: owned(value, &["cwd"]).filter(|_| main),
            branch: owned(value, &["gitBranch"]).filter(|branch| main && branch != "HEAD"),
            model: owned(line.message, &["model"]).filter(|model| main && model != "<synthetic>"),
            title: self.title(line),
            ..SessionFacts::default()
        };
        if facts.session_id != self.state.facts.session_id {
            self.state.facts = SessionFacts { session_id: facts.session_id.clone(), ..SessionFacts::default() };
        }
        let known = &mut self.state.facts;
        let mut news = false;
        for (new, old) in [
            (&mut facts.agent_version, &mut known.agent_version),
            (&mut facts.cwd, &mut known.cwd),
            (&mut facts.branch, &mut known.branch),
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
            facts.demo = line.draft.ctx.demo;
            decoded.facts.push(facts);
        }
    }

    fn title(&mut self, line: &Line) -> Option<String> {
        match line.kind {
            "custom-title" => {
                self.state.title_by_person = true;
                filled(line.value, &["customTitle", "title"])
            }
            "ai-title" if !self.state.title_by_person => filled(line.value, &["aiTitle", "title"]),
            // Summaries at the head of a file belong to the sessions it was resumed from.
            "summary" if !self.state.title_by_person && self.state.facts.cwd.is_some() => {
                filled(line.value, &["summary"])
            }
            _ => None,
        }
        .map(|title| one_line(title, 200))
    }

    fn body(&mut self, line: &Line, decoded: &mut Decoded) {
        let role = filled(line.message, &["role"]);
        match (line.kind, role) {
            ("assistant", _) | ("", Some("assistant")) => self.assistant(line, decoded),
            ("user", _) | ("", Some("user")) => self.user(line, decoded),
            ("system", _) => self.system(line, decoded),
            ("attachment", _) => attachment(line, decoded),
            ("summary" | "custom-title" | "ai-title", _) => {}
            ("pr-link", _) => {
                decoded.events.push(line.other(0, "pr-link", filled(line.value, &["prUrl"]).unwrap_or_default()))
            }
            (kind, _) if SILENT_LINES.contains(&kind) => {}
            (kind, _) => {
                let name = if kind.is_empty() { "line" } else { kind };
                let summary =
                    filled(line.value, &["summary", "message", "content", "text", "name"]).unwrap_or_default();
                decoded.events.push(line.other(0, name, summary));
            }
        }
    }

    fn assistant(&mut self, line: &Line, decoded: &mut Decoded) {
        let base = RequestUsage {
            key: String::new(),
            request_id: None,
            session_id: line.draft.session.clone(),
            agent: AGENT.to_owned(),
            subagent: line.draft.subagent.as_ref().map(|subagent| subagent.id.clone()),
            model: None,
            at_ms: line.draft.at_ms,
            tokens: Tokens::default(),
            web_searches: 0,
            fast: false,
            geo: None,
            tier: None,
            reported_usd_micros: None,
            sidechain: line.draft.subagent.is_some(),
            source: line.draft.ctx.source,
            place: Some(format!("{}:{}", line.draft.ctx.place, line.line_no)),
            demo: line.draft.ctx.demo,
        };
        let with =
            usage::Line { value: line.value, message: line.message, file_name: &line.file_name, line_no: line.line_no };
        decoded.usage.extend(usage::of_line(&with, base));

        if flag(line.value, "isApiErrorMessage") {
            let error = filled(line.value, &["error"]).unwrap_or("api_error").to_owned();
            let details = clip(&text_of(line.message.get("content").unwrap_or(&Value::Null)), TEXT_BYTES);
            decoded.events.push(line.event(0, "assistant", Body::Failure { error, details }));
            self.state.turn_open = false;
            return;
        }
        let model = owned(line.message, &["model"]).filter(|model| model != "<synthetic>");
        for (index, block) in blocks(line.message.get("content")).iter().enumerate() {
            self.block(line, index, block, &model, decoded);
        }
        let done = matches!(filled(line.message, &["stop_reason"]), Some("end_turn" | "stop_sequence" | "refusal"));
        let said = decoded.events.iter().any(|event| matches!(event.body, Body::Message { .. }));
        let calls = decoded.events.iter().any(|event| matches!(event.body, Body::ToolStart { .. }));
        if line.draft.subagent.is_none() && !decoded.events.is_empty() {
            self.state.turn_open = true;
            if done && said && !calls {
                self.stop(line, decoded);
            }
        }
    }

    fn block(&mut self, line: &Line, index: usize, block: &Value, model: &Option<String>, decoded: &mut Decoded) {
        let kind = filled(block, &["type"]).unwrap_or(if block.is_string() { "text" } else { "" });
        match kind {
            "text" => {
                let text = block.as_str().or_else(|| block.get("text")?.as_str()).unwrap_or_default();
                if text.trim().is_empty() {
                    return;
                }
                if line.draft.subagent.is_none() {
                    self.state.last_text = clip(text, TEXT_BYTES);
                }
                let body = Body::Message { text: clip(text, TEXT_BYTES), model: model.clone() };
                decoded.events.push(line.event(index, "assistant", body));
            }
            "thinking" => {
                let text = filled(block, &["thinking", "text"]).unwrap_or_default();
                if !text.is_empty() {
                    decoded.events.push(line.event(
                        index,
                        "assistant",
                        Body::Thinking { text: clip(text, TEXT_BYTES) },
                    ));
                }
            }
            "tool_use" | "server_tool_use" => {
                let call_id = filled(block, &["id"]).unwrap_or_default();
                let input = block.get("input").unwrap_or(&Value::Null);
                let tool = filled(block, &["name"]).unwrap_or_default();
                let call = self.state.calls.start(call_id, tool, input, line.draft.at_ms);
                let event_id =
                    if call_id.is_empty() { line.id(index) } else { id::tool_start(&line.draft.session, call_id) };
                let body = Body::ToolStart {
                    call_id: call_id.to_owned(),
                    tool: call.tool,
                    class: call.class,
                    target: call.target,
                    input: clip_input(input),
                };
                decoded.events.push(line.draft.event(event_id, "assistant", body));
            }
            "redacted_thinking" | "fallback" => {}
            kind if kind.ends_with("tool_result") => self.result(line, index, block, decoded),
            kind => {
                let name = format!("assistant/{kind}");
                decoded.events.push(line.other(index, &name, filled(block, &["text", "content"]).unwrap_or_default()));
            }
        }
    }

    fn user(&mut self, line: &Line, decoded: &mut Decoded) {
        let hidden =
            ["isMeta", "isCompactSummary", "isVisibleInTranscriptOnly"].iter().any(|name| flag(line.value, name));
        let content = blocks(line.message.get("content"));
        let mut texts = Vec::new();
        for (index, block) in content.iter().enumerate() {
            match filled(block, &["type"]) {
                Some(kind) if kind.ends_with("tool_result") => self.result(line, index, block, decoded),
                Some("text") | None => texts.extend(block.as_str().or_else(|| block.get("text")?.as_str())),
                Some(_) => {}
            }
        }
        let text = texts.join("\n");
        if text.trim_start().starts_with("[Request interrupted by user") {
            self.state.turn_open = false;
            decoded.events.push(line.event(content.len(), "user", Body::Interrupt));
        } else if !hidden && decoded.events.is_empty() {
            self.prompt(line, &text, decoded);
        }
    }

    fn prompt(&mut self, line: &Line, text: &str, decoded: &mut Decoded) {
        let Some(text) = typed(text) else { return };
        if let Some(subagent) = &line.draft.subagent {
            // What a subagent was told to do is its start, not a prompt of the person.
            if line.value.get("parentUuid").is_none_or(Value::is_null) {
                let event_id = id::subagent_start(&line.draft.session, &subagent.id);
                decoded.events.push(line.draft.event(event_id, "user", Body::SubagentStart));
            }
            return;
        }
        self.state.turn_open = true;
        self.state.last_text.clear();
        let event_id = match filled(line.value, &["promptId"]) {
            Some(prompt) => id::prompt(&line.draft.session, prompt),
            None => line.id(0),
        };
        decoded.events.push(line.draft.event(event_id, "user", Body::Prompt { text: clip(&text, TEXT_BYTES) }));
    }

    fn result(&mut self, line: &Line, index: usize, block: &Value, decoded: &mut Decoded) {
        let call_id = filled(block, &["tool_use_id"]).unwrap_or_default();
        let call = self.state.calls.end(call_id);
        let detail = any(line.value, &["toolUseResult"]).unwrap_or(&Value::Null);
        let content = text_of(block.get("content").unwrap_or(&Value::Null));
        let outcome = if flag(block, "is_error") {
            of_failure(&content, false)
        } else {
            let shown = if detail.is_object() { of_response(detail) } else { Outcome::default() };
            let output = if shown.output.is_empty() { clip(&content, 8 * 1024) } else { shown.output };
            Outcome { ok: true, error: None, exit_code: shown.exit_code, duration_ms: None, output, lines: shown.lines }
        };
        let body = ended(call_id, call.as_ref(), outcome, line.draft.at_ms, detail);
        let event_id = if call_id.is_empty() { line.id(index) } else { id::tool_end(&line.draft.session, call_id) };
        decoded.events.push(line.draft.event(event_id, "user", body));
        decoded.events.extend(finished_subagent(line, detail));
    }

    fn system(&mut self, line: &Line, decoded: &mut Decoded) {
        let value = line.value;
        let subtype = filled(value, &["subtype"]).unwrap_or("system");
        match subtype {
            "turn_duration" if self.state.turn_open && line.draft.subagent.is_none() => self.stop(line, decoded),
            "turn_duration" | "stop_hook_summary" | "local_command" | "session_start" | "init" | "bridge_status" => {}
            "compact_boundary" => {
                let meta = any(value, &["compactMetadata"]).unwrap_or(&Value::Null);
                let body = Body::Compact {
                    trigger: filled(meta, &["trigger"])
                        .or_else(|| filled(value, &["trigger"]))
                        .unwrap_or_default()
                        .to_owned(),
                    done: true,
                    tokens_before: count(meta, "preTokens"),
                    tokens_after: count(meta, "postTokens"),
                };
                decoded.events.push(line.event(0, subtype, body));
            }
            "api_error" => {
                let error = any(value, &["error"]).map(error_text).unwrap_or_default();
                let attempt = count(value, "retryAttempt").unwrap_or(0);
                let last = count(value, "maxRetries").is_some_and(|most| most > 0 && attempt >= most);
                let body = if last {
                    Body::Failure { error: "api_error".to_owned(), details: clip(&error, TEXT_BYTES) }
                } else {
                    Body::Other { summary: one_line(&format!("API error, attempt {attempt}: {error}"), 200) }
                };
                decoded.events.push(line.event(0, subtype, body));
            }
            subtype => {
                let error = any(value, &["error"]).map(error_text).unwrap_or_default();
                let summary = filled(value, &["content", "apiRefusalExplanation"]).unwrap_or(&error);
                decoded.events.push(line.other(0, &format!("system/{subtype}"), summary));
            }
        }
    }

    /// The turn is over. The id meets the Stop hook's, which knows the prompt and the last message too.
    fn stop(&mut self, line: &Line, decoded: &mut Decoded) {
        self.state.turn_open = false;
        let message = std::mem::take(&mut self.state.last_text);
        let event_id = match &line.draft.turn_id {
            Some(turn) if !message.is_empty() => id::stop(&line.draft.session, turn, &message),
            _ => line.id(1000),
        };
        decoded.events.push(line.draft.event(event_id, "turn end", Body::Stop { message }));
    }
}

fn ended(call_id: &str, call: Option<&OpenCall>, outcome: Outcome, at_ms: i64, detail: &Value) -> Body {
    let measured = any(detail, &["durationMs", "duration_ms", "totalDurationMs"]).and_then(number).map(|ms| ms as i64);
    let seen = call.map(|call| at_ms - call.at_ms).filter(|ms| *ms >= 0);
    let known = call.cloned().unwrap_or_default();
    Body::ToolEnd {
        call_id: call_id.to_owned(),
        tool: known.tool,
        class: known.class,
        target: known.target,
        ok: outcome.ok,
        error: outcome.error,
        exit_code: outcome.exit_code,
        duration_ms: measured.or(seen),
        output: outcome.output,
        lines_added: outcome.lines.map(|(added, _)| added),
        lines_removed: outcome.lines.map(|(_, removed)| removed),
        input: Value::Null,
    }
}

/// The result of an `Agent` call names the subagent and says that it is done.
fn finished_subagent(line: &Line, detail: &Value) -> Option<Event> {
    let agent = filled(detail, &["agentId"])?;
    if filled(detail, &["status"]) != Some("completed") {
        return None;
    }
    let message = clip(&text_of(detail.get("content").unwrap_or(&Value::Null)), TEXT_BYTES);
    let kind = filled(detail, &["agentType"]).unwrap_or_default().to_owned();
    let draft = Draft { subagent: Some(Subagent { id: agent.to_owned(), kind }), ..line.draft.clone() };
    Some(draft.event(id::subagent_stop(&draft.session, agent), "user", Body::SubagentStop { message }))
}

fn attachment(line: &Line, decoded: &mut Decoded) {
    let inner = line.value.get("attachment").unwrap_or(&Value::Null);
    match filled(inner, &["type"]).unwrap_or_default() {
        "queued_command"
            if line.draft.subagent.is_none() && filled(inner, &["commandMode"]).unwrap_or("prompt") == "prompt" =>
        {
            if let Some(text) = inner.get("prompt").map(text_of).as_deref().and_then(typed) {
                let body = Body::Prompt { text: clip(&text, TEXT_BYTES) };
                decoded.events.push(line.event(0, "queued_command", body));
            }
        }
        kind @ ("hook_non_blocking_error" | "hook_blocking_error") => {
            let said = any(inner, &["stderr", "blockingError", "content"]).map(text_of).unwrap_or_default();
            let hook = filled(inner, &["hookName"]).unwrap_or("hook");
            decoded.events.push(line.other(0, kind, &format!("{hook}: {said}")));
        }
        _ => {}
    }
}

fn error_text(error: &Value) -> String {
    filled(error, &["formatted", "message"]).map_or_else(|| text_of(error), str::to_owned)
}
