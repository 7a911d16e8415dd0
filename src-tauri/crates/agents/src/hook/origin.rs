//! Which agent sent a payload.

use serde_json::Value;

use crate::json::{any, filled, text};

/// Slug of the agent that made `value`. The hint decides only where the payload has no mark of its own.
pub(crate) fn agent_of(value: &Value, hint: Option<&str>) -> String {
    told(value)
        .map_or_else(|| hint.filter(|hint| !hint.trim().is_empty()).unwrap_or("claude-code").to_owned(), str::to_owned)
}

fn told(value: &Value) -> Option<&'static str> {
    let path = text(value, &["transcript_path", "transcriptPath"]).unwrap_or_default().replace('\\', "/");
    let by_path = [
        ("/.codex/", "codex"),
        ("/.gemini/", "gemini-cli"),
        ("/.grok/", "grok-build"),
        ("/.cursor/", "cursor"),
        ("/.copilot/", "copilot-cli"),
        ("/.claude/", "claude-code"),
    ];
    if let Some((_, agent)) = by_path.iter().find(|(part, _)| path.contains(part)) {
        return Some(agent);
    }
    // A `CODEX_HOME` or `CLAUDE_CONFIG_DIR` elsewhere still has these file layouts.
    if path.contains("/rollout-") {
        return Some("codex");
    }
    if value.get("conversation_id").is_some() && value.get("generation_id").is_some()
        || value.get("cursor_version").is_some()
    {
        return Some("cursor");
    }
    if value.get("thread-id").is_some() || (value.get("turn_id").is_some() && value.get("model").is_some()) {
        return Some("codex");
    }
    if crate::opencode::is_ours(value) {
        return Some("opencode");
    }
    let name = filled(value, &["hook_event_name", "hookEventName"]).unwrap_or_default();
    if value.get("timestamp").is_some()
        && (name.starts_with("Before") || name.starts_with("After") || name == "PreCompress")
    {
        return Some("gemini-cli");
    }
    if value.get("sessionId").is_some() {
        let grok = any(value, &["workspaceRoot", "hookEventName"]).is_some();
        return Some(if grok { "grok-build" } else { "copilot-cli" });
    }
    if path.contains("/projects/") || ["prompt_id", "effort"].iter().any(|mark| value.get(mark).is_some()) {
        return Some("claude-code");
    }
    None
}
