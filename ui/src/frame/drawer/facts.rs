//! The figures under the drawer's head.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{Body, Event, Source, Sources};
use orrery_views::format;

use crate::components::Clock;
use crate::host::utc_offset_minutes;

#[component]
pub fn Facts(event: Arc<Event>) -> impl IntoView {
    let (took, lines, status) = match &event.body {
        Body::ToolEnd { duration_ms, lines_added, lines_removed, ok, error, exit_code, .. } => {
            let lines = (lines_added.is_some() || lines_removed.is_some())
                .then(|| (lines_added.unwrap_or(0), lines_removed.unwrap_or(0)));
            let failed = || {
                error
                    .clone()
                    .or_else(|| exit_code.map(|code| format!("exit {code}")))
                    .unwrap_or_else(|| "failed".into())
            };
            (
                duration_ms.map(format::duration_ms),
                lines,
                if *ok { (String::from("Done"), "") } else { (failed(), "danger") },
            )
        }
        Body::ToolStart { .. } => (None, None, ("Started".into(), "")),
        Body::Permission { .. } => (None, None, ("Asked".into(), "attention")),
        Body::Question { answer, .. } if answer.is_none() => (None, None, ("Open".into(), "attention")),
        Body::Question { .. } => (None, None, ("Answered".into(), "")),
        Body::PermissionDenied { .. } => (None, None, ("Denied".into(), "")),
        Body::Failure { .. } => (None, None, ("Failed".into(), "danger")),
        _ => (None, None, (String::new(), "")),
    };
    let (word, tone) = status;
    view! {
        <dl class="figures figures--drawer">
            <div><dt>"At"</dt><dd title=format::moment(event.at_ms, utc_offset_minutes(event.at_ms))><Clock at_ms=event.at_ms/></dd></div>
            {took.map(|took| view! { <div><dt>"Took"</dt><dd>{took}</dd></div> })}
            {lines.map(|(added, removed)| view! {
                <div><dt>"Lines"</dt><dd><span class="plusminus"><b>{format!("+{added}")}</b> " " <i>{format!("−{removed}")}</i></span></dd></div>
            })}
            {(!word.is_empty()).then(|| view! { <div><dt>"Status"</dt><dd class=tone title=word.clone()><span class="clip">{word.clone()}</span></dd></div> })}
            <div><dt>"Seen by"</dt><dd><span class="clip">{sources(event.sources)}</span></dd></div>
        </dl>
    }
}

/// How we know of it: "hook, transcript".
fn sources(set: Sources) -> String {
    let words: Vec<&str> = Vec::<Source>::from(set).into_iter().map(source_word).collect();
    words.join(", ")
}

/// The word of a source.
pub fn source_word(source: Source) -> &'static str {
    match source {
        Source::Hook => "hook",
        Source::Transcript => "transcript",
        Source::Sender => "sender",
        Source::Otel => "telemetry",
        Source::Orrery => "Orrery",
    }
}
