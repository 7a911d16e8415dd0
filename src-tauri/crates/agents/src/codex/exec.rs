//! Lines of `codex exec --json`: what a run prints. They name no model, no time and no response, and count running totals.

use orrery_types::{Body, RequestUsage, StandIn, clip};
use serde_json::Value;

use super::results::measured;
use super::rollout::{At, Lines};
use super::texts::Channel;
use super::usage;
use crate::Decoded;
use crate::json::{any, filled, first_line};
use crate::outcome::text_of;

const TEXT_BYTES: usize = 16 * 1024;

/// Whether a line's type is one of these streams'.
pub fn is_line(kind: &str) -> bool {
    ["thread.", "turn.", "item."].iter().any(|start| kind.starts_with(start))
}

impl Lines {
    pub(super) fn exec(&mut self, kind: &str, value: &Value, at: &At, decoded: &mut Decoded) {
        let item = value.get("item").unwrap_or(&Value::Null);
        match kind {
            "thread.started" => {
                if let Some(thread) = filled(value, &["thread_id"]) {
                    self.begin(thread);
                }
            }
            "turn.started" => {}
            "turn.completed" => {
                decoded.events.push(self.event(at, 0, kind, Body::Stop { message: String::new() }));
                self.total(value.get("usage").unwrap_or(&Value::Null), at, decoded);
            }
            "turn.failed" => {
                let text = any(value, &["error"]).map(text_of).unwrap_or_default();
                let body = Body::Failure { error: first_line(&text, 200), details: clip(&text, TEXT_BYTES) };
                decoded.events.push(self.event(at, 0, kind, body));
            }
            "item.started" | "item.updated" | "item.completed" => self.exec_item(kind, item, at, decoded),
            _ => decoded.events.push(self.other(at, kind, "")),
        }
    }

    /// Usage is the thread's total so far, also after `codex exec resume`: the largest one stands, until a rollout tells more.
    fn total(&mut self, usage: &Value, at: &At, decoded: &mut Decoded) {
        let key = RequestUsage::stand_in_key(StandIn::Total, &self.session(), "exec");
        let response = usage::response_of(key, usage);
        self.usage(response, at, decoded);
    }

    fn exec_item(&mut self, kind: &str, item: &Value, at: &At, decoded: &mut Decoded) {
        let what = filled(item, &["type"]).unwrap_or("item");
        let name = format!("{kind}/{what}");
        let text = any(item, &["text", "message"]).map(text_of).unwrap_or_default();
        // Items are numbered anew in every run of a thread: their place tells them apart.
        let id = filled(item, &["id"]).unwrap_or_default().to_owned();
        match (kind, what) {
            ("item.completed", "agent_message") => self.message(&text, Channel::ItemCompleted, &name, at, decoded),
            ("item.completed", "reasoning") => self.thinking(&text, Channel::ItemCompleted, &name, (at, 0), decoded),
            ("item.completed", "error") => decoded.events.push(self.other(at, &name, &text)),
            ("item.started", "command_execution" | "mcp_tool_call" | "file_change") => {
                self.known_call(&id, item, at);
                let Some(call) = self.open_call(&id) else { return };
                let body = Body::ToolStart {
                    call_id: id,
                    tool: call.tool,
                    class: call.class,
                    target: call.target,
                    input: Value::Null,
                };
                decoded.events.push(self.event(at, 0, &name, body));
            }
            ("item.completed", "command_execution" | "mcp_tool_call" | "file_change") => {
                self.known_call(&id, item, at);
                let mut outcome = measured(item);
                if what == "file_change" {
                    outcome.output.clear();
                }
                self.end_here(&id, outcome, &name, at, decoded);
            }
            ("item.completed", "web_search" | "todo_list" | "collab_tool_call") => {
                let summary = filled(item, &["query", "tool", "prompt"]).unwrap_or_default();
                decoded.events.push(self.other(at, &name, summary));
            }
            ("item.completed", _) => decoded.events.push(self.other(at, &name, &text)),
            _ => {}
        }
    }
}
