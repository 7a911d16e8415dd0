//! `POST /events`: the shape of the family's senders.

use orrery_types::{Answer, Body, EventId, Question, RequestUsage, SessionFacts, Tokens};
use serde_json::Value;

use crate::json::{any, count, filled, number, owned};
use crate::{Context, Decoded, hook, id, time, tool};

/// Vendors that senders name in `agent_type`, and our slugs for them. Any other value is a subagent's type.
const VENDORS: [(&str, &str); 12] = [
    ("claude", "claude-code"),
    ("claude-code", "claude-code"),
    ("claude_code", "claude-code"),
    ("codex", "codex"),
    ("gemini", "gemini-cli"),
    ("gemini-cli", "gemini-cli"),
    ("opencode", "opencode"),
    ("cursor", "cursor"),
    ("copilot", "copilot-cli"),
    ("copilot-cli", "copilot-cli"),
    ("grok", "grok-build"),
    ("custom", "custom"),
];

/// Reads the posted object. Whoever calls has checked that the required fields are there; what is missing is `unknown`.
pub fn decode(body: &Value, ctx: &Context) -> Decoded {
    let payload = body.get("payload").filter(|payload| payload.is_object()).unwrap_or(&Value::Null);
    let session =
        filled(body, &["session_id"]).or_else(|| filled(payload, &["session_id"])).unwrap_or("unknown").to_owned();
    let said = filled(body, &["agent_type"]);
    let vendor = said.and_then(|said| VENDORS.iter().find(|(name, _)| said.eq_ignore_ascii_case(name)));
    let name = filled(body, &["hook_event_type"]).unwrap_or("unnamed");

    let mut decoded = hook::decode_value(None, Some(name), payload, ctx);
    decoded.problems.retain(|problem| problem.code != "empty_session_id" || session == "unknown");
    let agent = vendor.map_or_else(|| hook::agent_of(payload, None), |(_, slug)| (*slug).to_owned());
    let at_ms =
        time::parse(body.get("timestamp")).or_else(|| time::parse(payload.get("timestamp"))).unwrap_or(ctx.received_ms);
    for event in &mut decoded.events {
        event.session_id.clone_from(&session);
        event.agent.clone_from(&agent);
        event.at_ms = at_ms;
        event.id = event_id_of(&session, &event.body, ctx);
        if let (Some(subagent), Some(said), None) = (&mut event.subagent, said, vendor)
            && subagent.kind.is_empty()
        {
            subagent.kind = said.to_owned();
        }
        if let Some(question) = question_of(body) {
            event.body = Body::Question { question, answer: answer_of(body) };
            event.id.clone_from(&ctx.delivery_id);
        } else if let (Body::Other { summary }, Some(said)) = (&mut event.body, filled(body, &["summary"])) {
            *summary = crate::json::first_line(said, 200);
        }
    }
    decoded.facts = vec![facts_of(body, payload, &session, &agent, ctx)];
    decoded.usage = usage_of(body, &session, &agent, at_ms, ctx).into_iter().collect();
    decoded
}

/// The id of a posted event: a hash of the object whatever the order of its keys.
///
/// `bucket` tells apart equal objects without a `timestamp` (the caller passes the receipt time in some unit); a body
/// with a `timestamp` should be given bucket 0.
pub fn event_id(body: &Value, bucket: i64) -> EventId {
    let mut text = String::new();
    canonical(body, &mut text);
    id::hash(&["sender", &text, &bucket.to_string()])
}

/// Only call ids that are unique in the world meet the agent's own hooks; anything else is the sender's own event.
fn event_id_of(session: &str, body: &Body, ctx: &Context) -> EventId {
    match body {
        Body::ToolStart { call_id, .. } if id::is_global_call(call_id) => id::tool_start(session, call_id),
        Body::ToolEnd { call_id, .. } if id::is_global_call(call_id) => id::tool_end(session, call_id),
        _ => ctx.delivery_id.clone(),
    }
}

fn question_of(body: &Value) -> Option<Question> {
    let asked = body.get("humanInTheLoop").filter(|asked| asked.is_object())?;
    let choices = asked.get("choices").and_then(Value::as_array);
    Some(Question {
        text: orrery_types::clip(filled(asked, &["question"]).unwrap_or_default(), 16 * 1024),
        ask: filled(asked, &["type"]).unwrap_or("question").to_owned(),
        choices: choices.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        respond_to: owned(asked, &["responseWebSocketUrl"]),
        timeout_s: asked.get("timeout").and_then(number).map(|seconds| seconds as i64),
    })
}

fn answer_of(body: &Value) -> Option<Answer> {
    let status = body.get("humanInTheLoopStatus").filter(|status| filled(status, &["status"]) == Some("responded"))?;
    Some(Answer {
        at_ms: time::parse(status.get("respondedAt")).unwrap_or_default(),
        value: tool::clip_input(status.get("response").unwrap_or(&Value::Null)),
        delivered: true,
        error: None,
    })
}

fn facts_of(body: &Value, payload: &Value, session: &str, agent: &str, ctx: &Context) -> SessionFacts {
    let git = body.get("git").unwrap_or(&Value::Null);
    let outer = body.get("session").unwrap_or(&Value::Null);
    SessionFacts {
        session_id: session.to_owned(),
        agent: agent.to_owned(),
        agent_version: owned(body, &["agent_version"]),
        cwd: owned(payload, &["cwd"]).or_else(|| owned(body, &["cwd"])).or_else(|| owned(outer, &["cwd"])),
        project: owned(body, &["source_app"]),
        branch: owned(git, &["branch"]).or_else(|| owned(body, &["git_branch"])),
        model: owned(body, &["model_name"]).or_else(|| owned(payload, &["model"])),
        parent: owned(body, &["parent_session_id"]).filter(|parent| parent != session),
        demo: ctx.demo,
        ..SessionFacts::default()
    }
}

fn usage_of(body: &Value, session: &str, agent: &str, at_ms: i64, ctx: &Context) -> Option<RequestUsage> {
    let tokens = Tokens {
        input: count(body, "input_tokens").unwrap_or(0),
        output: count(body, "output_tokens").unwrap_or(0),
        cache_read: count(body, "cache_read_tokens").or_else(|| count(body, "cache_read_input_tokens")).unwrap_or(0),
        cache_write: count(body, "cache_creation_tokens")
            .or_else(|| count(body, "cache_creation_input_tokens"))
            .unwrap_or(0),
        ..Tokens::default()
    };
    let cost = body.get("cost_usd").and_then(number).map(|usd| (usd * 1e6).round() as i64).filter(|micros| *micros > 0);
    if tokens.total() == 0 && cost.is_none() {
        return None;
    }
    Some(RequestUsage {
        key: format!("sender:{}", ctx.delivery_id),
        request_id: None,
        session_id: session.to_owned(),
        agent: agent.to_owned(),
        subagent: owned(any(body, &["payload"]).unwrap_or(&Value::Null), &["agent_id"]),
        model: owned(body, &["model_name"]),
        at_ms,
        tokens,
        web_searches: 0,
        fast: false,
        geo: None,
        tier: None,
        reported_usd_micros: cost,
        sidechain: false,
        source: ctx.source,
        place: Some(ctx.place.clone()),
        demo: ctx.demo,
    })
}

/// JSON with sorted keys and no space.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            out.push('{');
            for name in names {
                out.push_str(&Value::String(name.clone()).to_string());
                out.push(':');
                canonical(&fields[name], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use orrery_types::Source;
    use serde_json::json;

    use super::*;

    fn ctx() -> Context {
        Context {
            source: Source::Sender,
            received_ms: 1,
            delivery_id: "a".repeat(32),
            place: "/events".into(),
            demo: false,
        }
    }

    #[test]
    fn a_sender_event_is_a_hook_event_with_more_around_it() {
        let body = json!({"source_app": "shop", "session_id": "s1", "hook_event_type": "PreToolUse", "agent_type": "Explore",
            "payload": {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "t1", "agent_id": "a9"},
            "timestamp": 1_795_000_000_000_i64, "model_name": "claude-opus-5", "git": {"branch": "main"},
            "parent_session_id": "s0", "input_tokens": 10, "output_tokens": 2, "cost_usd": 0.0125});
        let decoded = decode(&body, &ctx());
        let event = &decoded.events[0];
        assert_eq!(
            (event.agent.as_str(), event.at_ms, event.id.as_str()),
            ("claude-code", 1_795_000_000_000, "a".repeat(32).as_str())
        );
        assert_eq!(event.subagent.as_ref().unwrap().kind, "Explore");
        let facts = &decoded.facts[0];
        assert_eq!(
            (facts.project.as_deref(), facts.branch.as_deref(), facts.parent.as_deref()),
            (Some("shop"), Some("main"), Some("s0"))
        );
        assert_eq!((decoded.usage[0].reported_usd_micros, decoded.usage[0].tokens.input), (Some(12_500), 10));
    }

    #[test]
    fn a_vendor_is_no_subagent_type() {
        let body = json!({"source_app": "a", "session_id": "s", "hook_event_type": "Stop", "payload": {"x": 1}, "agent_type": "gemini"});
        let decoded = decode(&body, &ctx());
        assert_eq!((decoded.events[0].agent.as_str(), &decoded.events[0].subagent), ("gemini-cli", &None));
        assert!(decoded.problems.is_empty());
    }

    #[test]
    fn a_question_waits_for_its_answer() {
        let mut body = json!({"source_app": "a", "session_id": "s", "hook_event_type": "HumanInTheLoop", "payload": {"x": 1},
            "humanInTheLoop": {"question": "Go?", "responseWebSocketUrl": "ws://127.0.0.1:9", "type": "choice", "choices": ["y", "n"], "timeout": 300}});
        let Body::Question { question, answer } = &decode(&body, &ctx()).events[0].body else { panic!() };
        assert_eq!((question.choices.len(), question.timeout_s, answer), (2, Some(300), &None));
        body["humanInTheLoopStatus"] =
            json!({"status": "responded", "respondedAt": 1_795_000_000_000_i64, "response": {"choice": "y"}});
        let Body::Question { answer, .. } = &decode(&body, &ctx()).events[0].body else { panic!() };
        assert_eq!(answer.as_ref().unwrap().value, json!({"choice": "y"}));
    }

    #[test]
    fn the_id_ignores_the_order_of_keys() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":{"c":[1,2],"d":null}}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"b":{"d":null,"c":[1,2]},"a":1}"#).unwrap();
        assert_eq!(event_id(&one, 0), event_id(&two, 0));
        assert_ne!(event_id(&one, 0), event_id(&one, 1));
        assert_ne!(event_id(&one, 0), event_id(&json!({"a": 1}), 0));
    }

    #[test]
    fn any_payload_is_taken() {
        for payload in [json!("text"), json!([1]), json!(7), json!({})] {
            let body = json!({"source_app": "a", "session_id": "s", "hook_event_type": "X", "payload": payload});
            assert_eq!(decode(&body, &ctx()).events.len(), 1);
        }
    }
}
