//! OpenTelemetry: what agents export as logs, metrics and traces, in protobuf or JSON.
//!
//! Claude Code's, Codex's and Gemini's own records become the events and requests that hooks and transcripts report too,
//! under the same ids and keys. Anything else is kept as a span or record under its own name.

mod claude;
mod codex;
mod gemini;
mod json;
mod proto;
mod record;
mod span;

use orrery_types::{Body, RequestUsage, SessionFacts, Subagent, Tokens};
use serde_json::Value;

use crate::draft::Draft;
use crate::json::{filled, one_line, owned};
use crate::{Context, Decoded};
use record::Record;

const SUMMARY_CHARS: usize = 200;

/// The three kinds of export, each with a URL of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Logs,
    Metrics,
    Traces,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    Json,
}

/// One log record, span or metric point.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The record with its sender, as JSON, whatever encoding it came in.
    pub raw: Vec<u8>,
    pub decoded: Decoded,
}

/// One export request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Export {
    pub items: Vec<Item>,
    /// Parts that are no records at all.
    pub rejected: u64,
}

/// Records as an encoding gave them.
#[derive(Debug, Default)]
struct Parsed {
    records: Vec<Record>,
    rejected: u64,
}

/// Reads the body of an export request, already uncompressed.
///
/// Metric points without a session say nothing that a session could show and are left out.
///
/// # Errors
/// The body is no export request in this encoding; the words say why.
pub fn decode(signal: Signal, encoding: Encoding, body: &[u8], ctx: &Context) -> Result<Export, String> {
    let parsed = match encoding {
        Encoding::Protobuf => proto::parse(signal, body)?,
        Encoding::Json => json::parse(signal, body)?,
    };
    let mut export = Export { items: Vec::new(), rejected: parsed.rejected };
    for record in parsed.records {
        let decoded = of_record(signal, &record, ctx);
        if decoded != Decoded::default() {
            let raw = serde_json::to_vec(&record).unwrap_or_default();
            export.items.push(Item { raw, decoded });
        }
    }
    Ok(export)
}

/// The answer to an export request of which `rejected` parts were of no use.
pub fn answer(signal: Signal, encoding: Encoding, rejected: u64) -> Vec<u8> {
    const MESSAGE: &str = "some parts are no records";
    match encoding {
        Encoding::Protobuf => proto::answer(rejected, MESSAGE),
        Encoding::Json if rejected == 0 => b"{}".to_vec(),
        Encoding::Json => {
            let name = match signal {
                Signal::Logs => "rejectedLogRecords",
                Signal::Metrics => "rejectedDataPoints",
                Signal::Traces => "rejectedSpans",
            };
            let answer = serde_json::json!({"partialSuccess": {name: rejected.to_string(), "errorMessage": MESSAGE}});
            answer.to_string().into_bytes()
        }
    }
}

/// The answer to a body that cannot be read.
pub fn refusal(encoding: Encoding, message: &str) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => proto::refusal(message),
        Encoding::Json => serde_json::json!({"code": 3, "message": message}).to_string().into_bytes(),
    }
}

fn of_record(signal: Signal, record: &Record, ctx: &Context) -> Decoded {
    let agent = agent_of(record);
    let at = At { signal, record, ctx, agent: &agent };
    match (signal, agent.as_str()) {
        (Signal::Metrics, _) => metric(&at),
        (Signal::Logs, "claude-code") => claude::log(&at),
        (Signal::Logs, "codex") => codex::log(&at),
        (Signal::Logs, "gemini-cli") => gemini::log(&at),
        (Signal::Traces, "claude-code") => claude::span(&at),
        (Signal::Traces, _) => span::of(&at),
        (Signal::Logs, _) => at.other(&record.log_name(), None),
    }
}

/// Slug of who sent a record; an unknown sender's own name.
fn agent_of(record: &Record) -> String {
    let service = filled(&record.resource, &["service.name"]).unwrap_or_default().to_ascii_lowercase();
    let name = filled(&record.attributes, &["event.name"]).unwrap_or(&record.name);
    let scope = record.scope.as_str();
    let known = [
        ("claude-code", ["claude-code", "claude_code.", "com.anthropic.claude_code"]),
        ("codex", ["codex", "codex.", "codex"]),
        ("gemini-cli", ["gemini-cli", "gemini_cli.", "gemini"]),
        ("copilot-cli", ["copilot-cli", "copilot_cli.", "github.copilot"]),
        ("copilot-cli", ["github-copilot", "github.copilot.", "copilot-cli"]),
        ("opencode", ["opencode", "opencode.", "opencode"]),
    ];
    let found = known.iter().find(|(_, [service_mark, name_mark, scope_mark])| {
        service.starts_with(service_mark) || name.starts_with(name_mark) || scope.starts_with(scope_mark)
    });
    match found {
        Some((slug, _)) => (*slug).to_owned(),
        None if service.is_empty() || service.starts_with("unknown_service") => "opentelemetry".to_owned(),
        None => one_line(&service, 64),
    }
}

/// A metric never adds to the ledger: it names no request. It is shown in the session it names.
fn metric(at: &At) -> Decoded {
    if !at.record.names_session() {
        return Decoded::default();
    }
    let kind = filled(&at.record.attributes, &["type", "start_type", "decision"]).unwrap_or_default();
    let model = filled(&at.record.attributes, &["model", "gen_ai.request.model", "tool_name"]).unwrap_or_default();
    let summary = format!("{} {} {kind} {model}", at.record.body, at.record.unit);
    at.other(&at.record.name, Some(&summary))
}

/// A record with all that its decoder needs.
struct At<'a> {
    signal: Signal,
    record: &'a Record,
    ctx: &'a Context,
    agent: &'a str,
}

impl At<'_> {
    fn get(&self, names: &[&str]) -> Option<&str> {
        filled(&self.record.attributes, names)
    }

    fn count(&self, name: &str) -> Option<u64> {
        crate::json::count(&self.record.attributes, name)
    }

    /// A duration, exit code or other whole number that fits.
    fn whole(&self, name: &str) -> Option<i64> {
        self.count(name).and_then(|count| i64::try_from(count).ok())
    }

    /// `true`, also written as a text. `None` when the record does not say.
    fn flag(&self, name: &str) -> Option<bool> {
        match self.record.attributes.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Text that the agent sends only when it is told to.
    fn told(&self, name: &str) -> Option<&str> {
        self.get(&[name]).filter(|text| !matches!(*text, "<REDACTED>" | "[REDACTED]" | "REDACTED"))
    }

    fn draft(&self) -> Draft<'_> {
        let kind = self.get(&["agent_type", "subagent_type"]).unwrap_or_default().to_owned();
        Draft {
            ctx: self.ctx,
            agent: self.agent.to_owned(),
            session: self.record.session(),
            at_ms: self.record.at_ms().unwrap_or(self.ctx.received_ms),
            subagent: self.get(&["agent_id"]).map(|id| Subagent { id: id.to_owned(), kind }),
            turn_id: owned(&self.record.attributes, &["prompt.id", "turn.id", "turn_id"]),
        }
    }

    /// An event of this record that only it reports.
    fn own(&self, name: &str, body: Body) -> Decoded {
        self.one(self.record.id(self.signal, ""), name, body)
    }

    fn one(&self, id: String, name: &str, body: Body) -> Decoded {
        Decoded { events: vec![self.draft().event(id, name, body)], ..Decoded::default() }
    }

    /// The record under its own name. Without a summary of its own, the first attributes that tell something.
    fn other(&self, name: &str, summary: Option<&str>) -> Decoded {
        let name = if name.is_empty() { "record" } else { name };
        let summary = summary.map_or_else(|| attributes_line(&self.record.attributes), str::to_owned);
        let body = Body::Other { summary: one_line(&summary, SUMMARY_CHARS) };
        self.own(&one_line(name, 120), body)
    }

    /// What the record says of its session.
    fn facts(&self) -> SessionFacts {
        SessionFacts {
            session_id: self.record.session(),
            agent: self.agent.to_owned(),
            agent_version: self
                .get(&["app.version"])
                .or_else(|| filled(&self.record.resource, &["service.version"]))
                .map(|version| one_line(version, 40)),
            demo: self.ctx.demo,
            ..SessionFacts::default()
        }
    }

    /// A billed request without its tokens.
    fn request(&self, key: String) -> RequestUsage {
        let draft = self.draft();
        RequestUsage {
            key,
            request_id: None,
            session_id: draft.session,
            agent: draft.agent,
            subagent: draft.subagent.map(|subagent| subagent.id),
            model: owned(&self.record.attributes, &["model", "gen_ai.response.model", "gen_ai.request.model"]),
            at_ms: draft.at_ms,
            tokens: Tokens::default(),
            web_searches: 0,
            fast: self.get(&["speed"]) == Some("fast"),
            geo: None,
            tier: None,
            reported_usd_micros: None,
            sidechain: false,
            source: self.ctx.source,
            place: Some(self.ctx.place.clone()),
            demo: self.ctx.demo,
        }
    }
}

/// What a JSON text or a value holds: agents send inputs as texts.
fn parsed(value: Option<&Value>) -> Value {
    match value {
        Some(Value::String(text)) => crate::json::read(text.as_bytes()).map_or_else(
            |_| Value::String(text.clone()),
            |read| if read.value.is_object() { read.value } else { Value::String(text.clone()) },
        ),
        Some(value) => value.clone(),
        None => Value::Null,
    }
}

/// `model=gpt-6, success=true` of the attributes that are no ids of the installation.
fn attributes_line(attributes: &Value) -> String {
    const DULL: [&str; 14] = [
        "session.id",
        "conversation.id",
        "user.",
        "organization.",
        "event.",
        "prompt.id",
        "terminal.type",
        "app.version",
        "span.type",
        "auth_mode",
        "originator",
        "slug",
        "gen_ai.conversation.id",
        "service.",
    ];
    let Some(fields) = attributes.as_object() else { return String::new() };
    let told = fields.iter().filter(|(name, _)| !DULL.iter().any(|dull| name.starts_with(dull)));
    let parts: Vec<String> = told
        .take(8)
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={}", one_line(text, 60)),
            other => format!("{name}={}", one_line(&other.to_string(), 60)),
        })
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests;
