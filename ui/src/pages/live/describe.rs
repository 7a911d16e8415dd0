//! One event in a line: icon, verb, what, and how it ended.

use orrery_types::{Body, Event};
use orrery_views::format;

use crate::components::tool_icon;

/// An event in words. Long texts are the caller's to clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub icon: &'static str,
    /// Class of the icon: `muted`, `attention`, `danger`.
    pub tone: &'static str,
    pub name: String,
    pub text: String,
    /// `text` is a command, path or pattern.
    pub is_code: bool,
    pub end: End,
}

/// The right end of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Nothing,
    /// May still run, or wait: whoever knows the session tells.
    Open,
    Took(String),
    Lines(u32, u32),
    Failed(String),
    Word(String),
}

/// Puts an event in words.
pub fn describe(event: &Event) -> Said {
    let said = |icon, name: &str, text: String| Said {
        icon,
        tone: "muted",
        name: name.to_owned(),
        text,
        is_code: false,
        end: End::Nothing,
    };
    match &event.body {
        Body::ToolStart { tool, class, target, .. } => {
            Said { is_code: true, end: End::Open, ..said(tool_icon(*class), &tool_name(tool), one_line(target)) }
        }
        Body::ToolEnd {
            tool, class, target, ok, error, exit_code, duration_ms, lines_added, lines_removed, ..
        } => {
            let base = Said { is_code: true, ..said(tool_icon(*class), &tool_name(tool), one_line(target)) };
            if *ok {
                let end = match (lines_added, lines_removed, duration_ms) {
                    (Some(added), removed, _) => End::Lines(*added, removed.unwrap_or(0)),
                    (None, Some(removed), _) => End::Lines(0, *removed),
                    (None, None, Some(took)) => End::Took(format::duration_ms(*took)),
                    (None, None, None) => End::Nothing,
                };
                Said { end, ..base }
            } else {
                let why = exit_code
                    .map(|code| format!("exit {code}"))
                    .or_else(|| error.clone())
                    .unwrap_or_else(|| "failed".into());
                Said { icon: "i-x", tone: "danger", end: End::Failed(one_line(&why)), ..base }
            }
        }
        Body::Permission { target, tool, .. } => {
            let text = if target.is_empty() { tool_name(tool) } else { one_line(target) };
            Said { tone: "attention", is_code: true, end: End::Open, ..said("i-permit", "Asks", text) }
        }
        Body::PermissionDenied { target, reason, .. } => {
            let end = if reason.is_empty() { End::Word("denied".into()) } else { End::Word(one_line(reason)) };
            Said { is_code: true, end, ..said("i-permit", "Denied", one_line(target)) }
        }
        Body::Question { question, answer } => {
            let base = said("i-question", "Asks", one_line(&question.text));
            match answer {
                Some(_) => Said { end: End::Word("answered".into()), ..base },
                None => Said { tone: "attention", end: End::Open, ..base },
            }
        }
        Body::Prompt { text } => said("i-you", "You", one_line(text)),
        Body::Message { text, .. } => said("i-say", "Says", one_line(text)),
        Body::Thinking { text } => said("i-thought", "Thinks", one_line(text)),
        Body::Notification { message, .. } => said("i-alerts", "Notes", one_line(message)),
        Body::SubagentStart => said("i-agent", "Starts", format!("subagent {}", subagent(event))),
        Body::SubagentStop { message } => {
            let text = if message.is_empty() { format!("subagent {}", subagent(event)) } else { one_line(message) };
            said("i-agent", "Returns", text)
        }
        Body::Stop { message } => {
            said("i-stop", "Ends", if message.is_empty() { "its turn".into() } else { one_line(message) })
        }
        Body::Failure { error, details } => {
            let text = if details.is_empty() { one_line(error) } else { one_line(details) };
            Said { tone: "danger", end: End::Failed(one_line(error)), ..said("i-x", "Failed", text) }
        }
        Body::Interrupt => said("i-stop", "Stopped", "by you".into()),
        Body::Rewind { text, .. } => said("i-undo", "Goes back", format!("to before \"{}\"", one_line(text))),
        Body::Compact { trigger, done, tokens_before, tokens_after } => {
            let sizes = match (tokens_before, tokens_after) {
                (Some(before), Some(after)) => {
                    format!("context from {} to {} tokens", format::tokens(*before), format::tokens(*after))
                }
                (Some(before), None) => format!("context of {} tokens", format::tokens(*before)),
                _ => format!("context {}", if trigger == "manual" { "as you asked" } else { "by itself" }),
            };
            said("i-columns", if *done { "Compacted" } else { "Compacts" }, sizes)
        }
        Body::SessionStart { reason, model } => {
            let how = match reason.as_str() {
                "resume" => "a session again",
                "clear" => "afresh",
                "compact" => "from a summary",
                "fork" => "a fork",
                _ => "a session",
            };
            said("i-play", "Starts", model.as_ref().map_or(how.to_owned(), |model| format!("{how} with {model}")))
        }
        Body::SessionEnd { reason } => said(
            "i-stop",
            "Ends",
            if reason.is_empty() { "the session".into() } else { format!("the session: {reason}") },
        ),
        Body::Other { summary } => said("i-more", &event.name, one_line(summary)),
    }
}

/// `mcp__github__search` is "search" of github; Codex's tools get words; others keep their name.
pub fn tool_name(tool: &str) -> String {
    match (tool, tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__"))) {
        (_, Some((server, name))) => format!("{server} {name}"),
        // Names that only a program would choose.
        ("apply_patch", None) => "Patch".to_owned(),
        ("exec_command" | "shell" | "local_shell" | "container.exec", None) => "Shell".to_owned(),
        (tool, None) => tool.to_owned(),
    }
}

/// Paths below the session's folder, without that folder: "src/main.rs".
pub fn inside(text: &str, cwd: &str) -> String {
    let cwd = cwd.trim_end_matches(['/', '\\']);
    if cwd.len() < 2 {
        return text.to_owned();
    }
    match text.strip_prefix(cwd) {
        Some(rest) if rest.starts_with(['/', '\\']) && rest.len() > 1 => rest[1..].to_owned(),
        _ => text.to_owned(),
    }
}

fn subagent(event: &Event) -> &str {
    event.subagent.as_ref().map_or("", |sub| if sub.kind.is_empty() { &sub.id } else { &sub.kind })
}

/// First line with something on it, at most 200 characters: rows clip, and a megabyte in a row would be slow.
pub fn one_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
pub mod tests {
    use orrery_types::{Sources, ToolClass};

    use super::*;

    pub fn event(seq: i64, session: &str, body: Body) -> Event {
        Event {
            seq,
            id: format!("{seq:032x}"),
            session_id: session.into(),
            agent: "claude-code".into(),
            name: "Thing".into(),
            at_ms: seq * 1_000,
            received_ms: seq * 1_000,
            subagent: None,
            turn_id: None,
            sources: Sources::default(),
            body,
            demo: false,
        }
    }

    pub fn start(call: &str, target: &str) -> Body {
        Body::ToolStart {
            call_id: call.into(),
            tool: "Bash".into(),
            class: ToolClass::Shell,
            target: target.into(),
            input: serde_json::Value::Null,
        }
    }

    pub fn end(call: &str, ok: bool, exit_code: Option<i32>) -> Body {
        Body::ToolEnd {
            call_id: call.into(),
            tool: "Bash".into(),
            class: ToolClass::Shell,
            target: "cargo test\n--workspace".into(),
            ok,
            error: Some("it broke".into()),
            exit_code,
            duration_ms: Some(1_500),
            output: String::new(),
            lines_added: None,
            lines_removed: None,
            input: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_failed_call_is_red_and_says_how() {
        let said = describe(&event(1, "s", end("c", false, Some(101))));
        assert_eq!((said.icon, said.tone, said.end), ("i-x", "danger", End::Failed("exit 101".into())));
        assert_eq!(describe(&event(1, "s", end("c", false, None))).end, End::Failed("it broke".into()));
    }

    #[test]
    fn a_call_that_worked_says_how_long() {
        let said = describe(&event(1, "s", end("c", true, Some(0))));
        assert_eq!((said.text.as_str(), said.end), ("cargo test", End::Took("1.5 s".into())));
    }

    #[test]
    fn long_and_odd_texts_stay_one_line() {
        let long = "\n\n ".to_owned() + &"ü".repeat(500);
        assert_eq!(one_line(&long).chars().count(), 203);
        assert_eq!((one_line("").as_str(), one_line("\n\t\n").as_str()), ("", ""));
        assert_eq!(tool_name("mcp__github__search_code"), "github search_code");
        assert_eq!(tool_name("mcp__odd"), "mcp__odd");
    }

    #[test]
    fn paths_are_shown_from_the_sessions_folder() {
        assert_eq!(inside("/home/ada/kiln/src/a.rs", "/home/ada/kiln/"), "src/a.rs");
        assert_eq!(inside("/home/ada/kiln-2/a.rs", "/home/ada/kiln"), "/home/ada/kiln-2/a.rs");
        assert_eq!(
            (inside("/a", "/").as_str(), inside("/x", "").as_str(), inside("/x", "/x").as_str()),
            ("/a", "/x", "/x")
        );
    }

    #[test]
    fn unknown_events_keep_their_own_name() {
        let said = describe(&event(1, "s", Body::Other { summary: String::new() }));
        assert_eq!((said.icon, said.name.as_str()), ("i-more", "Thing"));
    }
}
