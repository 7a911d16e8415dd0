//! The drawer's tabs: change, input, output, text, raw payload.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Body as What, Event};
use orrery_views::story::{Change, Edit, changes_of};
use serde_json::Value;

use super::facts::source_word;
use crate::api::RawPayload;
use crate::components::code::lang_of_path;
use crate::components::{Code, Diff, Markdown, Output, Tab, TabPanel, Tabs, diff_lines};
use crate::state::use_app;

/// What a tab shows.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Change(Vec<Change>),
    Text(String),
    Output(String),
    Input(Value),
    Raw,
}

impl Part {
    fn label(&self) -> &'static str {
        match self {
            Part::Change(_) => "Diff",
            Part::Text(_) => "Text",
            Part::Output(_) => "Output",
            Part::Input(_) => "Input",
            Part::Raw => "Raw",
        }
    }
}

#[component]
pub fn Body(event: Arc<Event>) -> impl IntoView {
    let parts = parts(&event);
    let seq = event.seq;
    let at = RwSignal::new(parts.first().map(|part| part.label().to_owned()).unwrap_or_default());
    let tabs: Vec<Tab> = parts.iter().map(|part| Tab::new(part.label(), part.label())).collect();
    let parts = StoredValue::new(parts);
    let shown = move || parts.with_value(|parts| parts.iter().find(|part| at.get() == part.label()).cloned());
    view! {
        <Tabs id="event" label="Event" tabs=Signal::stored(tabs) value=at choose=move |key| at.set(key)/>
        <TabPanel id="event" value=at class="drawer__body">{move || shown().map(|part| panel(part, seq))}</TabPanel>
    }
}

fn panel(part: Part, seq: i64) -> AnyView {
    match part {
        Part::Change(changes) => {
            // One file is named in the drawer's title.
            let is_many = changes.len() > 1;
            changes.into_iter().map(|one| change(one, is_many)).collect_view().into_any()
        }
        Part::Text(text) => view! { <section><Markdown text/></section> }.into_any(),
        Part::Output(text) => view! { <section><Output text/></section> }.into_any(),
        Part::Input(input) => input_view(&input),
        Part::Raw => view! { <Raw seq/> }.into_any(),
    }
}

fn change(change: Change, is_many: bool) -> AnyView {
    let lang = lang_of_path(&change.path);
    let lines = match change.edit {
        Edit::Lines(lines) => lines,
        Edit::Texts { old, new } => diff_lines(&old, &new),
    };
    let path = is_many.then(|| view! { <p class="head code clip" title=change.path.clone()>{change.path.clone()}</p> });
    view! { <div>{path}<Diff lines lang/></div> }.into_any()
}

/// Fields of the input, each under its name; what is no text is shown as JSON.
fn input_view(input: &Value) -> AnyView {
    let Value::Object(fields) = input else {
        let text =
            input.as_str().map_or_else(|| serde_json::to_string_pretty(input).unwrap_or_default(), str::to_owned);
        return view! { <section><pre class="drawer__text">{text}</pre></section> }.into_any();
    };
    let field = |(name, value): (&String, &Value)| {
        let text =
            value.as_str().map_or_else(|| serde_json::to_string_pretty(value).unwrap_or_default(), str::to_owned);
        view! { <section><h3>{name.clone()}</h3><pre class="drawer__text">{text}</pre></section> }
    };
    fields.iter().map(field).collect_view().into_any()
}

/// The payloads as they arrived, fetched when the tab opens.
#[component]
fn Raw(seq: i64) -> impl IntoView {
    let app = use_app();
    let raw = RwSignal::new(None::<Result<Vec<RawPayload>, String>>);
    spawn_local(async move {
        let answer = app.api().raw(seq).await.map_err(|error| error.to_string());
        raw.try_set(Some(answer));
    });
    move || match raw.get() {
        None => view! { <section class="muted" aria-busy="true">"Reading the payload"</section> }.into_any(),
        Some(Ok(raws)) if raws.is_empty() => {
            view! { <section class="muted">"This event was made by Orrery itself: it has no payload"</section> }
                .into_any()
        }
        Some(Ok(raws)) => raws.into_iter().map(payload).collect_view().into_any(),
        Some(Err(error)) => view! { <section><p class="danger">{error}</p></section> }.into_any(),
    }
}

fn payload(raw: RawPayload) -> impl IntoView {
    let place = raw.place.unwrap_or_default();
    view! {
        <section>
            <h3>{source_word(raw.source)}<span class="faint small clip" title=place.clone()>{place.clone()}</span></h3>
            <Code text=pretty(&raw.text) lang="json"/>
        </section>
    }
}

fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| text.to_owned())
}

/// The tabs an event has, the most telling first.
fn parts(event: &Event) -> Vec<Part> {
    let text = |text: &str| (!text.trim().is_empty()).then(|| Part::Text(text.to_owned()));
    let mut parts: Vec<Part> = match &event.body {
        What::ToolStart { input, .. } | What::Permission { input, .. } => of_call(input, ""),
        What::ToolEnd { input, output, .. } => of_call(input, output),
        What::Prompt { text: words } | What::Message { text: words, .. } | What::Thinking { text: words } => {
            text(words).into_iter().collect()
        }
        What::Stop { message } | What::SubagentStop { message } | What::Notification { message, .. } => {
            text(message).into_iter().collect()
        }
        What::Question { question, .. } => text(&question.text).into_iter().collect(),
        What::Failure { error, details } => text(&format!("{error}\n\n{details}")).into_iter().collect(),
        What::PermissionDenied { reason, .. } => text(reason).into_iter().collect(),
        What::Other { summary } => text(summary).into_iter().collect(),
        _ => Vec::new(),
    };
    parts.push(Part::Raw);
    parts
}

fn of_call(input: &Value, output: &str) -> Vec<Part> {
    let changes = changes_of(input);
    let mut parts = Vec::new();
    if !changes.is_empty() {
        parts.push(Part::Change(changes));
    }
    if !output.trim().is_empty() {
        parts.push(Part::Output(output.to_owned()));
    }
    if !input.is_null() && input.as_object().is_none_or(|fields| !fields.is_empty()) {
        parts.push(Part::Input(input.clone()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use orrery_types::Sources;
    use serde_json::json;

    use super::*;

    fn labels(body: What) -> Vec<&'static str> {
        let event = Event {
            seq: 1,
            id: String::new(),
            session_id: "s".into(),
            agent: "codex".into(),
            name: String::new(),
            at_ms: 0,
            received_ms: 0,
            subagent: None,
            turn_id: None,
            sources: Sources::default(),
            body,
            demo: false,
        };
        parts(&event).iter().map(Part::label).collect()
    }

    #[test]
    fn the_most_telling_tab_comes_first() {
        let end = |input: Value, output: &str| What::ToolEnd {
            call_id: "c".into(),
            tool: "Edit".into(),
            class: orrery_types::ToolClass::Edit,
            target: String::new(),
            ok: true,
            error: None,
            exit_code: None,
            duration_ms: None,
            output: output.into(),
            lines_added: None,
            lines_removed: None,
            input,
        };
        assert_eq!(
            labels(end(json!({"file_path": "a", "old_string": "x", "new_string": "y"}), "ok")),
            ["Diff", "Output", "Input", "Raw"]
        );
        assert_eq!(labels(end(Value::Null, "")), ["Raw"]);
        assert_eq!(labels(What::Prompt { text: "go".into() }), ["Text", "Raw"]);
        assert_eq!(labels(What::SubagentStart), ["Raw"]);
    }
}
