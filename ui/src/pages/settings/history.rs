//! What agents kept on this machine before Orrery came, and following it from now on.

use gloo_net::http::Method;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Job, JobKind, JobState, Settings, SettingsPatch};
use orrery_views::format;
use serde_json::{Value, json};

use super::Section;
use super::save::{SavedMark, Saving};
use crate::components::AgentGlyph;
use crate::components::field::{Field, Switch};
use crate::components::progress::{Progress, percent};
use crate::state::{AppState, use_app};

/// The newest import, running or over. Empty when there was none since the server started.
pub fn import_job(app: AppState) -> Memo<Option<Job>> {
    Memo::new(move |_| {
        app.feed(|feed| {
            feed.jobs().iter().filter(|job| job.kind == JobKind::Import).max_by_key(|job| job.started_ms).cloned()
        })
    })
}

pub fn start_import(app: AppState, error: RwSignal<Option<String>>) {
    error.set(None);
    spawn_local(async move {
        if let Err(why) = app.api().start_import().await {
            error.try_set(Some(why.to_string()));
        }
    });
}

fn cancel_import(app: AppState) {
    spawn_local(async move {
        if let Err(why) = app.api().with_body::<_, Value>(Method::DELETE, "/import", &json!({})).await {
            app.notices.fail(format!("The import goes on: {why}"));
        }
    });
}

/// The import as it runs: over all, and per agent.
#[component]
pub fn ImportProgress(job: Job) -> impl IntoView {
    let app = use_app();
    let known = job.parts.clone().into_iter().filter(|(_, _, total)| *total > 0);
    let parts = known.map(|(agent, done, total)| {
        let width = format!("width:{:.1}%", percent(done, total));
        view! {
            <li>
                <AgentGlyph agent=agent.clone()/>
                <span class="clip">{format::agent(&agent).to_owned()}</span>
                <span class="bar bar--text" aria-hidden="true"><i style=width></i></span>
                <span class="num">{format::count(done)}<span class="u">{format!(" of {} files", format::count(total))}</span></span>
            </li>
        }
    });
    view! {
        <Progress job on_cancel=Callback::new(move |_: String| cancel_import(app))>
            <ul class="importing">{parts.collect_view()}</ul>
        </Progress>
    }
}

#[component]
pub fn History() -> impl IntoView {
    let app = use_app();
    let watch = Saving::new(app);
    let start = Settings::default().watch;
    let set = move |on: bool| watch.send(SettingsPatch { watch: Some(on), ..SettingsPatch::default() });
    let error = RwSignal::new(None::<String>);
    let job = import_job(app);
    let running = move || job.get().is_some_and(|job| job.state == JobState::Running);
    let label = move || if job.get().is_some() { "Import again" } else { "Import history" };
    view! {
        <Section id="history" title="History" say="Transcripts are read, never changed. Importing again reads only what is new">
            <Field group=true label="Import from disk" id="import" hint=|| "Every session that Claude Code and Codex kept on this machine" error>
                <button type="button" id="import" class="btn" prop:disabled=running on:click=move |_| start_import(app, error)>{label}</button>
            </Field>
            {move || job.get().map(|job| view! { <div class="settings__job"><ImportProgress job/></div> })}
            <Field label="Follow transcripts" id="watch" hint=|| "Read what agents write as they write it: costs and answers come from there" error=watch.error>
                <SavedMark saving=watch is_default=Signal::derive(move || app.settings.get().watch == start) on_reset=Callback::new(move |()| set(start))/>
                <Switch id="watch" on=Signal::derive(move || app.settings.get().watch) on_change=Callback::new(set)/>
            </Field>
        </Section>
    }
}
