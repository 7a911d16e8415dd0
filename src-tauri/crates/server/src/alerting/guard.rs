//! The guard: what an agent hears before it uses a tool while a hard limit is passed.
//!
//! It decides from figures that are in memory already, so that the agent waits for nothing; whatever is not known lets the
//! tool run.

use orrery_alerts::Zone;
use orrery_alerts::rules::budget::{covers, guard_reason};
use orrery_types::{BudgetState, Guard, SessionRow};
use serde_json::{Value, json};

use crate::app::App;

/// The JSON that Claude Code reads as a decision on a tool call. Empty when the tool may run: the guard is off, no limit is
/// passed, the payload is none before a tool, or the session is the demo's.
pub fn answer(app: &App, agent: &str, body: &[u8], row: Option<&SessionRow>) -> Option<Value> {
    let settings = app.settings.get_guard();
    let decision = match settings.0 {
        Guard::Off => return None,
        Guard::Ask => "ask",
        Guard::Deny => "deny",
    };
    let row = row.filter(|row| !row.demo)?;
    if agent != "claude-code" || !is_before_tool(body) {
        return None;
    }
    let now_ms = app.clock.now_ms();
    let overview = app.overview.borrow();
    let passed = |state: &&BudgetState| state.is_over() && covers(state, row) && now_ms < state.to_ms;
    let state = overview.budgets.iter().find(passed)?;
    let zone = Zone::of(&settings.1).unwrap_or_default();
    Some(json!({"hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": decision,
        "permissionDecisionReason": guard_reason(state, &zone.say(state.to_ms, now_ms)),
    }}))
}

/// Whether the payload's own name says that a tool is about to run.
fn is_before_tool(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        hook_event_name: Option<String>,
    }
    serde_json::from_slice::<Head>(body).is_ok_and(|head| head.hook_event_name.as_deref() == Some("PreToolUse"))
}
