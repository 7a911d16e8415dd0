//! One step: a line with its time, icon and outcome, and its details while it is open.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{Answer, Question, Status, ToolClass};
use orrery_views::format;
use orrery_views::story::{CallStatus, Step, ToolStep, What};

use super::detail;
use super::load::Session;
use super::place::Place;
use super::story::first_line;
use crate::components::virtual_list::row_key;
use crate::components::{Clock, Elapsed, Icon, Markdown, tool_icon};

/// Identity and state of a step: a step that changed is drawn again.
pub fn stamp(step: &Step) -> u64 {
    let state = match &step.what {
        What::Tool(call) => {
            row_key((call.status, call.end_seq, call.output.len(), &call.error, &call.subagent, &call.target))
        }
        What::Compact { done, after, .. } => row_key((*done, *after)),
        What::Question { answer, .. } => row_key(answer.is_some()),
        What::Message { text } | What::Thinking { text } => row_key(text.len()),
        _ => 0,
    };
    row_key((step.seq, step.took_ms, state))
}

/// What a step's line says.
struct Say {
    icon: &'static str,
    /// Class of the icon.
    tone: &'static str,
    name: String,
    /// Whether the name is a tool's, in medium weight.
    strong: bool,
    target: String,
    /// Whether the target is code.
    code: bool,
    right: AnyView,
}

#[component]
pub fn StepRow(session: Session, place: Place, step: Arc<Step>, depth: usize) -> impl IntoView {
    let seq = step.seq;
    let is_open = {
        let step = step.clone();
        Memo::new(move |_| place.is_step_open(&step))
    };
    if let What::Message { text } = &step.what {
        return answer(&step, text, depth).into_any();
    }
    let say = say(&step, session);
    let failed = step.failed();
    let has_details = detail::has_details(&step);
    let took = step.took_ms.map(format::duration_ms);
    let target_class = if say.code { "code clip" } else { "clip faint" };
    let name_class = if say.strong { "medium" } else { "muted" };
    let line = view! {
        {has_details.then(|| view! {
            <span class="faint"><Icon name=Signal::derive(move || if is_open.get() { "i-down" } else { "i-right" }) small=true/></span>
        })}
        <span class=format!("step__name {name_class}")>{say.name}</span>
        <span class=target_class>{say.target}</span>
        <span class="push step__right">{say.right}</span>
    };
    let line = if has_details {
        view! {
            <button
                type="button"
                class="row step__line line"
                id=format!("step-{seq}")
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| place.set_step(seq, !is_open.get_untracked())
            >{line}</button>
        }
        .into_any()
    } else {
        view! { <div class="row step__line line" id=format!("step-{seq}") tabindex="-1">{line}</div> }.into_any()
    };
    let at_ms = step.at_ms;
    let details = move || is_open.get().then(|| detail::view(&step, session, place, depth));
    view! {
        <li class="step" class:step--fail=failed aria-current=move || (place.at.get() == Some(seq)).then_some("step")>
            <span class="num faint step__time"><Clock at_ms/></span>
            <span class=format!("step__icon {}", say.tone)><Icon name=say.icon/></span>
            <div class="step__body">{line}{details}</div>
            <span class="num right muted step__took">{took}</span>
        </li>
    }
    .into_any()
}

/// What the model says to the person: all of it, as Markdown.
fn answer(step: &Step, text: &str, depth: usize) -> impl IntoView + use<> {
    let class = if depth == 0 { "step step--answer" } else { "step step--answer step--nested" };
    view! {
        <li class=class id=format!("step-{}", step.seq) tabindex="-1">
            <span class="num faint step__time"><Clock at_ms=step.at_ms/></span>
            <span class="step__icon muted"><Icon name="i-thought"/></span>
            <div class="step__body"><Markdown text=text.to_owned()/></div>
            <span class="num right muted step__took">{step.took_ms.map(format::duration_ms)}</span>
        </li>
    }
}

fn say(step: &Step, session: Session) -> Say {
    let note = |icon, name: &str, target: String| Say {
        icon,
        tone: "muted",
        name: name.to_owned(),
        strong: false,
        target,
        code: false,
        right: ().into_any(),
    };
    match &step.what {
        What::Tool(call) => tool(call, step, session),
        What::Thinking { text } | What::Message { text } => note("i-thought", "Thought", first_line(text)),
        What::Permission { tool, target, .. } => {
            Say { tone: "attention", code: true, ..note("i-permit", &format!("Asks to use {tool}"), target.clone()) }
        }
        What::Question { question, answer } => question_line(question, answer.as_deref()),
        What::Notification { message, .. } => note("i-alerts", "Says", first_line(message)),
        What::Subagent { id, .. } => {
            let thread = session.with_story_untracked(|story| story.subagent(id).cloned()).unwrap_or_default();
            let name = if thread.kind.is_empty() { "Subagent".to_owned() } else { thread.kind.clone() };
            Say { strong: true, ..note("i-agent", &name, format::plural(u64::from(thread.tools), "tool")) }
        }
        What::Session { over: false, reason } => note("i-play", "Session starts", reason_words(reason)),
        What::Session { over: true, reason } => note("i-stop", "Session ends", reason_words(reason)),
        What::Compact { done, before, after, trigger } => {
            let sizes = match (before, after) {
                (Some(before), Some(after)) => {
                    format!("{} to {} tokens", format::tokens(*before), format::tokens(*after))
                }
                (Some(before), None) => format!("{} tokens", format::tokens(*before)),
                _ => String::new(),
            };
            let by = if trigger == "manual" { "asked by you" } else { "by itself" };
            let words = if sizes.is_empty() { by.to_owned() } else { format!("{sizes}, {by}") };
            note("i-columns", if *done { "Compacted the context" } else { "Compacts the context" }, words)
        }
        What::Failure { error, details } => Say {
            tone: "danger",
            strong: true,
            right: view! { <span class="danger small">{error.replace('_', " ")}</span> }.into_any(),
            ..note("i-x", "The turn failed", first_line(details))
        },
        What::Interrupt => note("i-stop", "Interrupted by you", String::new()),
        What::Other { name, summary } => note("i-more", name, first_line(summary)),
    }
}

fn tool(call: &ToolStep, step: &Step, session: Session) -> Say {
    let over = matches!(session.status.get_untracked(), Status::Ended | Status::Stopped | Status::Failed);
    let status = match call.status {
        CallStatus::Running | CallStatus::Waits if over => CallStatus::NoResult,
        status => status,
    };
    let lines = (call.lines_added.is_some() || call.lines_removed.is_some()).then(|| {
        let (added, removed) = (call.lines_added.unwrap_or(0), call.lines_removed.unwrap_or(0));
        view! { <span class="plusminus"><b>{format!("+{added}")}</b>" "<i>{format!("\u{2212}{removed}")}</i></span> }
    });
    let waited = call.waited_ms.filter(|ms| *ms >= 1_000).map(|ms| {
        view! { <span class="attention small">{format!("waited for you {}", format::duration_ms(ms))}</span> }
    });
    let at_ms = step.at_ms;
    let state = match status {
        CallStatus::Running => (move || open_state(session, at_ms, "state small muted", "#g-run", "runs ")).into_any(),
        CallStatus::Waits => {
            (move || open_state(session, at_ms, "state small attention", "#g-wait", "waits for you ")).into_any()
        }
        CallStatus::Failed => view! { <span class="danger small clip">{failure_words(call)}</span> }.into_any(),
        CallStatus::Denied => view! { <span class="attention small">"denied"</span> }.into_any(),
        CallStatus::NoResult => view! { <span class="faint small">"no result"</span> }.into_any(),
        CallStatus::Ok => outcome(call).map(|words| view! { <span class="faint small">{words}</span> }).into_any(),
    };
    let failed = status == CallStatus::Failed;
    Say {
        icon: if failed {
            "i-x"
        } else if status == CallStatus::Denied {
            "i-permit"
        } else {
            tool_icon(call.class)
        },
        tone: match status {
            CallStatus::Failed => "danger",
            CallStatus::Waits | CallStatus::Denied => "attention",
            _ => "muted",
        },
        name: tool_name(&call.tool),
        strong: true,
        target: first_line(&short_path(&call.target, session)),
        code: call.class != ToolClass::Agent,
        right: view! { {waited}{lines}{state} }.into_any(),
    }
}

/// A call without an end: at work, until the session turns out to be over.
fn open_state(session: Session, at_ms: i64, class: &'static str, glyph: &'static str, words: &'static str) -> AnyView {
    let over = matches!(session.status.get(), Status::Ended | Status::Stopped | Status::Failed);
    if over {
        return view! { <span class="faint small">"no result"</span> }.into_any();
    }
    view! {
        <span class=class>
            <svg class="glyph" aria-hidden="true"><use href=glyph></use></svg>{words}<Elapsed since_ms=Signal::stored(at_ms)/>
        </span>
    }
    .into_any()
}

/// A path inside the session's folder without that folder.
fn short_path(target: &str, session: Session) -> String {
    let cwd =
        session.row.with_untracked(|row| row.as_ref().and_then(|row| row.cwd.clone())).filter(|cwd| cwd.len() > 1);
    let inside = cwd.and_then(|cwd| target.strip_prefix(cwd.as_str())?.strip_prefix(['/', '\\']).map(str::to_owned));
    inside.filter(|path| !path.is_empty()).unwrap_or_else(|| target.to_owned())
}

/// `github: search` for an MCP tool, else the agent's own name.
pub fn tool_name(tool: &str) -> String {
    match tool.strip_prefix("mcp__").and_then(|rest| rest.split_once("__")) {
        Some((server, name)) => format!("{server}: {name}"),
        None => tool.to_owned(),
    }
}

fn failure_words(call: &ToolStep) -> String {
    match (&call.error, call.exit_code) {
        (_, Some(code)) if code != 0 => format!("exit {code}"),
        (Some(error), _) => first_line(error),
        (None, _) => "failed".to_owned(),
    }
}

/// What a call that worked came to, in a few words.
fn outcome(call: &ToolStep) -> Option<String> {
    let lines = call.output.lines().count() as u64;
    match call.class {
        ToolClass::Read if lines > 1 => Some(format::plural(lines, "line")),
        ToolClass::Search if lines > 0 => Some(format::plural(lines, "line")),
        ToolClass::Agent | ToolClass::Edit | ToolClass::Ask => None,
        _ if lines > 1 => Some(format::plural(lines, "line")),
        _ => None,
    }
}

fn question_line(question: &Question, answer: Option<&Answer>) -> Say {
    let right = match answer {
        Some(answer) if answer.delivered => view! { <span class="small muted">"answered"</span> }.into_any(),
        Some(_) => view! { <span class="small danger">"answer not delivered"</span> }.into_any(),
        None => view! { <span class="small attention">"waits for you"</span> }.into_any(),
    };
    Say {
        icon: "i-question",
        tone: if answer.is_some() { "muted" } else { "attention" },
        name: "Asks".to_owned(),
        strong: true,
        target: first_line(&question.text),
        code: false,
        right,
    }
}

fn reason_words(reason: &str) -> String {
    match reason {
        "startup" | "other" | "" => String::new(),
        "prompt_input_exit" => "left by you".to_owned(),
        reason => reason.replace('_', " "),
    }
}
