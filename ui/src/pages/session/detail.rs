//! What a step shows when it is open.

use leptos::prelude::*;
use orrery_types::{Question, ToolClass};
use orrery_views::format;
use orrery_views::story::{Change, Edit, Step, ToolStep, What, changes_of};
use serde_json::Value;

use super::load::Session;
use super::place::Place;
use super::step::{StepRow, stamp};
use crate::components::code::lang_of_path;
use crate::components::diff::count;
use crate::components::{Code, Diff, Markdown, Output, diff_lines};

/// Subagents inside subagents are shown down to this depth.
const DEEPEST: usize = 4;

/// Whether there is more than the line says.
pub fn has_details(step: &Step) -> bool {
    match &step.what {
        What::Tool(call) => {
            call.subagent.is_some() || !call.output.trim().is_empty() || call.error.is_some() || has_input(call)
        }
        What::Thinking { text } | What::Notification { message: text, .. } | What::Failure { details: text, .. } => {
            text.trim().lines().count() > 1 || text.chars().count() > 90
        }
        What::Subagent { .. } | What::Question { .. } => true,
        What::Other { summary, .. } => summary.chars().count() > 90,
        _ => false,
    }
}

fn has_input(call: &ToolStep) -> bool {
    call.input.as_object().is_some_and(|input| !input.is_empty()) || call.input.is_string()
}

pub fn view(step: &Step, session: Session, place: Place, depth: usize) -> AnyView {
    match &step.what {
        What::Tool(call) => tool(call, session, place, depth).into_any(),
        What::Thinking { text } | What::Notification { message: text, .. } => {
            view! { <div class="step__text"><Markdown text=text.clone()/></div> }.into_any()
        }
        What::Other { summary: text, .. } | What::Failure { details: text, .. } => {
            view! { <Output text=text.clone()/> }.into_any()
        }
        What::Subagent { id, .. } => view! { <Nested session place id=id.clone() depth/> }.into_any(),
        What::Question { question, answer } => {
            question_view(question, answer.as_ref().map(|answer| &answer.value)).into_any()
        }
        _ => ().into_any(),
    }
}

fn tool(call: &ToolStep, session: Session, place: Place, depth: usize) -> impl IntoView + use<> {
    let changes =
        if call.class == ToolClass::Edit || call.tool == "apply_patch" { changes_of(&call.input) } else { Vec::new() };
    let input = if changes.is_empty() { input_view(call) } else { ().into_any() };
    let many = changes.len() > 1;
    let diffs = changes.into_iter().map(|change| change_view(change, many)).collect_view();
    let error = call.error.clone().filter(|error| !call.output.contains(error.trim()) && !is_exit(error));
    let error = error.map(|error| view! { <Output text=error/> });
    let nested = call.subagent.clone().filter(|_| depth < DEEPEST).map(|id| {
        view! { <Nested session place id depth/> }
    });
    // The text of an edit's success repeats the diff.
    let repeats = call.class == ToolClass::Edit && call.error.is_none() && !diffs.is_empty();
    let output = (!repeats && !call.output.trim().is_empty()).then(|| output_view(call));
    view! { <div class="step__details">{input}{diffs}{nested}{error}{output}</div> }
}

fn is_exit(error: &str) -> bool {
    error.starts_with("exit ") || error.starts_with("Exit code")
}

/// What went in, where the line does not say all of it.
fn input_view(call: &ToolStep) -> AnyView {
    let field = |key: &str| call.input.get(key).and_then(Value::as_str);
    match call.class {
        ToolClass::Shell => match field("command").or(field("cmd")) {
            Some(command) if command.contains('\n') || command.chars().count() > 80 => {
                view! { <Code text=command.to_owned() lang="sh"/> }.into_any()
            }
            _ => ().into_any(),
        },
        ToolClass::Agent => match field("prompt").or(field("message")) {
            Some(prompt) => {
                view! { <div class="step__text step__asked"><Markdown text=prompt.to_owned()/></div> }.into_any()
            }
            None => ().into_any(),
        },
        ToolClass::Read | ToolClass::Search | ToolClass::Web | ToolClass::Edit => ().into_any(),
        ToolClass::Ask | ToolClass::Other => match &call.input {
            Value::Null => ().into_any(),
            Value::String(text) => view! { <Code text=text.clone()/> }.into_any(),
            input => {
                let text = serde_json::to_string_pretty(input).unwrap_or_default();
                view! { <Code text lang="json"/> }.into_any()
            }
        },
    }
}

fn change_view(change: Change, name_it: bool) -> impl IntoView {
    let lang = lang_of_path(&change.path);
    let lines = match change.edit {
        Edit::Texts { old, new } => diff_lines(&old, &new),
        Edit::Lines(lines) => lines,
    };
    let (added, removed) = count(&lines);
    let head = name_it.then(|| {
        view! {
            <div class="filehead">
                <span class="code clip">{change.path.clone()}</span>
                <span class="plusminus push"><b>{format!("+{added}")}</b>" "<i>{format!("\u{2212}{removed}")}</i></span>
            </div>
        }
    });
    view! { {head}<Diff lines lang/> }
}

fn output_view(call: &ToolStep) -> AnyView {
    let output = without_marks(&call.output).to_owned();
    match call.class {
        ToolClass::Agent | ToolClass::Web => view! { <div class="step__text"><Markdown text=output/></div> }.into_any(),
        ToolClass::Read => view! { <Code text=output lang=lang_of_path(&call.target)/> }.into_any(),
        _ => {
            let trimmed = output.trim_start();
            let is_json = trimmed.starts_with('{') || trimmed.starts_with('[');
            match serde_json::from_str::<Value>(&output) {
                Ok(value) if is_json && call.class == ToolClass::Other => {
                    let text = serde_json::to_string_pretty(&value).unwrap_or(output);
                    view! { <Code text lang="json"/> }.into_any()
                }
                _ => view! { <Output text=output/> }.into_any(),
            }
        }
    }
}

/// The words inside the marks that Claude Code puts around an error.
fn without_marks(output: &str) -> &str {
    let text = output.trim();
    text.strip_prefix("<tool_use_error>").and_then(|rest| rest.strip_suffix("</tool_use_error>")).unwrap_or(output)
}

fn question_view(question: &Question, answer: Option<&Value>) -> impl IntoView + use<> {
    let choices = question.choices.iter().map(|choice| view! { <li>{choice.clone()}</li> }).collect_view();
    let words = answer.map(|value| {
        let said = ["response", "choice", "permission"].iter().find_map(|key| value.get(*key));
        match said {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(true)) => "allowed".to_owned(),
            Some(Value::Bool(false)) => "denied".to_owned(),
            Some(other) => other.to_string(),
            None => value.to_string(),
        }
    });
    view! {
        <div class="step__text">
            <Markdown text=question.text.clone()/>
            {(!question.choices.is_empty()).then(|| view! { <ul class="step__choices">{choices}</ul> })}
            {words.map(|words| view! { <p><span class="muted">"Answer: "</span><b class="medium">{words}</b></p> })}
        </div>
    }
}

/// The steps of a subagent, inside the call that started it.
#[component]
fn Nested(session: Session, place: Place, id: String, depth: usize) -> impl IntoView {
    let thread = Memo::new(move |_| session.thread(&id));
    let steps = move || thread.with(|thread| thread.as_ref().map(|thread| thread.steps.clone()).unwrap_or_default());
    let words = move || {
        thread.with(|thread| {
            let thread = thread.as_ref()?;
            let kind = if thread.kind.is_empty() { "Subagent" } else { &thread.kind };
            let failed = if thread.failed > 0 { format!(", {} failed", thread.failed) } else { String::new() };
            let took = format::duration_ms((thread.last_ms - thread.started_ms).max(0));
            Some(format!("{kind}: {}{failed}, {took}", format::plural(u64::from(thread.tools), "tool")))
        })
    };
    view! {
        <div class="nested">
            <div class="nested__head small muted">{words}</div>
            <ol class="steps">
                <For each=steps key=|step| stamp(step) children=move |step| view! { <StepRow session place step depth=depth + 1/> }/>
            </ol>
        </div>
    }
    .into_any()
}
