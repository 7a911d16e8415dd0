//! All events of the session as they were stored; a click shows the payload in the drawer.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{Body, Event, Source};

use super::load::Session;
use crate::components::Clock;
use crate::components::virtual_list::{Rows, VirtualList, row_key};
use crate::routes::use_query;

#[component]
pub fn RawTab(session: Session) -> impl IntoView {
    let query = use_query();
    let make = move |_: Option<&Arc<Vec<Arc<Event>>>>| {
        Arc::new(session.with_story(|story| {
            let mut events: Vec<Arc<Event>> = story.events().iter().map(|event| Arc::new(event.clone())).collect();
            events.sort_by_key(|event| event.seq);
            events
        }))
    };
    let items = Memo::new_with_compare(make, |_, _| true);
    let rows = Rows {
        key: |event: &Arc<Event>| row_key((event.seq, event.sources.0)),
        cells: Arc::new(|event: Arc<Event>| cells(&event).into_any()),
        class: |_| "rawrow",
        stops: |_| true,
    };
    let active = RwSignal::new(None);
    let on_open = Callback::new(move |event: Arc<Event>| query.replace("event", Some(&event.seq.to_string())));
    let chosen = move |event: &Arc<Event>| query.get("event").is_some_and(|seq| seq == event.seq.to_string());
    let head = || {
        view! {
            <div class="vlist__head" role="rowgroup">
                <div class="thead thead--raw" role="row">
                    <div role="columnheader" class="thead__cell n">"No."</div>
                    <div role="columnheader" class="thead__cell">"Time"</div>
                    <div role="columnheader" class="thead__cell">"Event"</div>
                    <div role="columnheader" class="thead__cell">"What"</div>
                    <div role="columnheader" class="thead__cell">"Source"</div>
                </div>
            </div>
        }
    };
    view! {
        <div class="raw">
            <VirtualList items rows active label="Events" id="raw-row" row_px=24.0 head=head selected=Arc::new(chosen) on_open/>
        </div>
    }
}

fn cells(event: &Event) -> impl IntoView + use<> {
    view! {
        <div role="gridcell" class="cell n faint">{event.seq}</div>
        <div role="gridcell" class="cell muted"><Clock at_ms=event.at_ms/></div>
        <div role="gridcell" class="cell code clip">{event.name.clone()}</div>
        <div role="gridcell" class="cell clip muted">{summary(event)}</div>
        <div role="gridcell" class="cell small faint">{sources(event)}</div>
    }
}

fn summary(event: &Event) -> String {
    let text = match &event.body {
        Body::Prompt { text } | Body::Message { text, .. } | Body::Thinking { text } => text.clone(),
        Body::ToolStart { tool, target, .. } | Body::Permission { tool, target, .. } => format!("{tool} {target}"),
        Body::ToolEnd { tool, target, error, .. } => match error {
            Some(error) => format!("{tool} {target}: {error}"),
            None => format!("{tool} {target}"),
        },
        Body::PermissionDenied { tool, target, reason, .. } => format!("{tool} {target} {reason}"),
        Body::Question { question, .. } => question.text.clone(),
        Body::Notification { message, .. } | Body::SubagentStop { message } | Body::Stop { message } => message.clone(),
        Body::Failure { error, details } => format!("{error} {details}"),
        Body::Rewind { text, .. } => text.clone(),
        Body::Other { summary } => summary.clone(),
        Body::SessionStart { reason, .. } | Body::SessionEnd { reason } => reason.clone(),
        Body::Compact { trigger, .. } => trigger.clone(),
        Body::SubagentStart | Body::Interrupt => String::new(),
    };
    let who =
        event.subagent.as_ref().map(|agent| if agent.kind.is_empty() { "subagent: " } else { agent.kind.as_str() });
    let who =
        who.map(|kind| if kind.ends_with(": ") { kind.to_owned() } else { format!("{kind}: ") }).unwrap_or_default();
    format!("{who}{}", super::story::first_line(&text))
}

fn sources(event: &Event) -> String {
    let sources: Vec<Source> = event.sources.into();
    let word = |source: &Source| match source {
        Source::Hook => "hook",
        Source::Transcript => "transcript",
        Source::Sender => "sender",
        Source::Otel => "OpenTelemetry",
        Source::Orrery => "Orrery",
    };
    sources.iter().map(word).collect::<Vec<_>>().join(" + ")
}
