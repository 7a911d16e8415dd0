//! What a hook event says, by its canonical name.

use orrery_types::{Body, Question, ToolClass, clip};
use serde_json::Value;

use super::either;
use crate::claude_code::line::is_notice;
use crate::json::{any, count, filled, first_line, flag, one_line};
use crate::outcome::{Outcome, apply_patch_lines, of_codex, of_failure, of_response, text_of};
use crate::tool::{class_of, clip_input, target_of};

const TEXT_BYTES: usize = 16 * 1024;

pub(super) fn of(event_kind: &str, value: &Value, agent: &str) -> Body {
    let text = |names: &[&str]| crate::json::text(value, names).map(|text| clip(text, TEXT_BYTES)).unwrap_or_default();
    match event_kind {
        "SessionStart" => Body::SessionStart {
            reason: text(&["source", "reason"]),
            model: filled(value, &["model"]).map(str::to_owned),
        },
        "SessionEnd" => Body::SessionEnd { reason: text(&["reason"]) },
        // Claude Code submits notices of its own as prompts too.
        "UserPromptSubmit" => match text(&["prompt", "message"]) {
            text if agent == "claude-code" && is_notice(&text) => Body::Other { summary: first_line(&text, 200) },
            text => Body::Prompt { text },
        },
        "PreToolUse" => started(&call(value)),
        "PostToolUse" => ended(&call(value), value, answer(value, agent)),
        "PostToolUseFailure" => ended(&call(value), value, failure(value)),
        "PermissionRequest" => {
            let Call { tool, class, target, input, .. } = call(value);
            Body::Permission { tool, class, target, input }
        }
        "PermissionDenied" => {
            let Call { call_id, tool, target, .. } = call(value);
            Body::PermissionDenied { call_id, tool, target, reason: text(&["reason"]) }
        }
        "Notification" => Body::Notification {
            topic: text(&["notification_type", "notificationType"]),
            message: text(&["message", "title"]),
        },
        "Elicitation" => Body::Question {
            question: Question { text: text(&["message"]), ask: "question".to_owned(), ..Question::default() },
            answer: None,
        },
        "SubagentStart" => Body::SubagentStart,
        "SubagentStop" => Body::SubagentStop { message: text(&["last_assistant_message", "lastAssistantMessage"]) },
        "Stop" => {
            Body::Stop { message: text(&["last_assistant_message", "lastAssistantMessage", "last-assistant-message"]) }
        }
        "StopFailure" => failed_turn(value),
        "Interrupt" => Body::Interrupt,
        "PreCompact" | "PostCompact" => Body::Compact {
            trigger: text(&["trigger"]),
            done: event_kind == "PostCompact",
            tokens_before: count(value, "tokens_before").or_else(|| count(value, "context_tokens")),
            tokens_after: count(value, "tokens_after"),
        },
        "AfterAgentResponse" => {
            Body::Message { text: text(&["text", "response"]), model: filled(value, &["model"]).map(str::to_owned) }
        }
        "AfterAgentThought" => Body::Thinking { text: text(&["text", "thought"]) },
        _ => Body::Other { summary: summary(event_kind, value) },
    }
}

struct Call {
    call_id: String,
    tool: String,
    class: ToolClass,
    target: String,
    input: Value,
    lines: Option<(u32, u32)>,
}

fn call(value: &Value) -> Call {
    let tool = crate::json::text(value, &["tool_name", "toolName"]).unwrap_or_default();
    let parsed;
    let input = match any(value, &["tool_input", "toolInput", "toolArgs", "tool_args"]) {
        // Copilot writes the arguments as JSON text.
        Some(Value::String(text)) if text.starts_with('{') => {
            parsed = serde_json::from_str(text).unwrap_or(Value::String(text.clone()));
            &parsed
        }
        Some(input) => input,
        None => &Value::Null,
    };
    Call {
        call_id: crate::json::text(value, &["tool_use_id", "toolUseId", "call_id"]).unwrap_or_default().to_owned(),
        tool: tool.to_owned(),
        class: class_of(tool),
        target: target_of(tool, input),
        lines: apply_patch_lines(input),
        input: clip_input(input),
    }
}

fn started(call: &Call) -> Body {
    Body::ToolStart {
        call_id: call.call_id.clone(),
        tool: call.tool.clone(),
        class: call.class,
        target: call.target.clone(),
        input: call.input.clone(),
    }
}

fn answer(value: &Value, agent: &str) -> Outcome {
    let response = any(value, &["tool_response", "toolResponse", "toolResult", "tool_output", "tool_result"])
        .unwrap_or(&Value::Null);
    if agent == "codex" { of_codex(response) } else { of_response(response) }
}

fn failure(value: &Value) -> Outcome {
    let error = any(value, &["error", "error_message", "errorMessage"]).map(text_of).unwrap_or_default();
    of_failure(&error, flag(value, "is_interrupt"))
}

fn ended(call: &Call, value: &Value, outcome: Outcome) -> Body {
    let duration =
        any(value, &["duration_ms", "durationMs", "duration"]).and_then(crate::json::number).map(|ms| ms as i64);
    let lines = outcome.lines.or(call.lines.filter(|_| outcome.ok));
    Body::ToolEnd {
        call_id: call.call_id.clone(),
        tool: call.tool.clone(),
        class: call.class,
        target: call.target.clone(),
        ok: outcome.ok,
        error: outcome.error,
        exit_code: outcome.exit_code,
        duration_ms: duration.or(outcome.duration_ms),
        output: outcome.output,
        lines_added: lines.map(|(added, _)| added),
        lines_removed: lines.map(|(_, removed)| removed),
        input: call.input.clone(),
    }
}

fn failed_turn(value: &Value) -> Body {
    let error = any(value, &["error"]).map(|error| match error {
        Value::Object(_) => filled(error, &["name", "type", "message"]).unwrap_or("error").to_owned(),
        other => text_of(other),
    });
    let details = any(value, &["error_details", "last_assistant_message"]).map(text_of).unwrap_or_default();
    Body::Failure {
        error: one_line(&error.unwrap_or_else(|| "unknown".to_owned()), 200),
        details: clip(&details, TEXT_BYTES),
    }
}

/// One line that tells what an event without a shape of its own is about.
fn summary(event_kind: &str, value: &Value) -> String {
    let get = |name: &str| filled(value, &[name]).unwrap_or_default();
    let line = match event_kind {
        "CwdChanged" => format!("now in {}", get("new_cwd")),
        "PreModelSwitch" | "PostModelSwitch" => format!("{} to {}", get("from_model"), get("to_model")),
        "TaskCreated" | "TaskCompleted" => get("task_subject").to_owned(),
        "TeammateIdle" => get("teammate_name").to_owned(),
        "UserPromptExpansion" => format!("/{} {}", get("command_name"), get("command_args")),
        "FileChanged" => format!("{} {}", get("event"), get("file_path")),
        "PostToolBatch" => match value.get("tool_calls").and_then(Value::as_array) {
            Some(calls) => format!("{} tool calls", calls.len()),
            None => String::new(),
        },
        "ElicitationResult" => format!("{} {}", get("mcp_server_name"), get("action")),
        _ => {
            const NAMES: [&str; 16] = [
                "summary",
                "message",
                "delta",
                "file_path",
                "directory",
                "worktree_path",
                "path",
                "reason",
                "name",
                "trigger",
                "command",
                "text",
                "error",
                "title",
                "tool_name",
                "source",
            ];
            filled(value, &NAMES).or_else(|| either(value, "tool_name", "toolName")).unwrap_or_default().to_owned()
        }
    };
    first_line(&line, 200)
}
