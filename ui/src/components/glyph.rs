//! Shapes of agents and of states: shape and word repeat what the color says.

use leptos::prelude::*;
use orrery_types::Status;
use orrery_views::format;

/// The shape of an agent: circle Claude Code, square Codex, diamond Gemini CLI, triangle OpenCode, hexagon any other.
#[component]
pub fn AgentGlyph(
    /// Slug of the agent.
    #[prop(into)]
    agent: String,
) -> impl IntoView {
    let shape = shape(&agent);
    let label = format::agent(&agent).to_owned();
    view! {
        <svg class=format!("agent agent--{shape}") role="img" aria-label=label>
            <use href=format!("#a-{shape}")/>
        </svg>
    }
}

fn shape(agent: &str) -> &'static str {
    match agent {
        "claude-code" => "claude",
        "codex" => "codex",
        "gemini-cli" => "gemini",
        "opencode" => "opencode",
        _ => "other",
    }
}

/// Glyph and word of a session's state.
#[component]
pub fn StatusBadge(#[prop(into)] status: Signal<Status>) -> impl IntoView {
    let class = move || format!("state {}", tone(status.get()));
    view! {
        <span class=class>
            <svg class="glyph" aria-hidden="true"><use href=move || format!("#{}", glyph(status.get()))/></svg>
            <span class="clip">{move || format::status(status.get())}</span>
        </span>
    }
}

fn glyph(status: Status) -> &'static str {
    match status {
        Status::Running => "g-run",
        Status::NeedsYou => "g-wait",
        Status::Stuck => "g-stuck",
        Status::Idle => "g-idle",
        Status::Ended => "g-done",
        Status::Failed => "g-fail",
        Status::Stopped => "g-stop",
    }
}

fn tone(status: Status) -> &'static str {
    match status {
        Status::NeedsYou | Status::Stuck => "attention",
        Status::Failed => "danger",
        Status::Running => "",
        Status::Idle | Status::Ended | Status::Stopped => "muted",
    }
}
