//! Long work: how far it is, how fast, how long still, and a way to stop it.

use leptos::prelude::*;
use orrery_types::{Job, JobState};
use orrery_views::format;

/// A job's bar and its figures. `on_cancel` is offered while it runs.
#[component]
pub fn Progress(
    job: Job,
    /// What is counted: "files".
    #[prop(default = "files")]
    unit: &'static str,
    #[prop(into, optional)] on_cancel: Option<Callback<String>>,
    /// Shown between bar and figures: the parts.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let percent = percent(job.done, job.total);
    let running = job.state == JobState::Running;
    let words = words(&job);
    let id = job.id.clone();
    let cancel = on_cancel.filter(|_| running).map(|on_cancel| {
        view! {
            <button type="button" class="btn btn--small btn--plain" on:click=move |_| on_cancel.run(id.clone())>"Cancel"</button>
        }
    });
    let left = job.eta_ms.filter(|_| running).map(|eta| format!("{} left", format::duration_ms(eta)));
    view! {
        <div class="progress" class:progress--failed=job.state == JobState::Failed>
            <div
                class="bar progress__bar"
                role="progressbar"
                aria-label="Progress"
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=format!("{percent:.0}")
            >
                <i style=format!("width:{percent:.1}%")></i>
            </div>
            {children.map(|children| children())}
            <div class="progress__line">
                <span>
                    <span class="num small strong">{format::count(job.done)}</span>" of "
                    <span class="num small">{format::count(job.total)}</span>" "{unit}
                </span>
                {words.into_iter().map(|word| view! { <span class="progress__word">{word}</span> }).collect_view()}
                <span class="push num small">{left}</span>
                {cancel}
            </div>
        </div>
    }
}

/// What is done, in percent of what is known. 0 before anything is known.
pub fn percent(done: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { (done as f64 * 100.0 / total as f64).min(100.0) }
}

fn words(job: &Job) -> Vec<String> {
    let mut words = Vec::new();
    match job.state {
        JobState::Running => {}
        JobState::Done => words.push("done".to_owned()),
        JobState::Canceled => words.push("stopped; what was read stays".to_owned()),
        JobState::Failed => words.push(job.error.clone().unwrap_or_else(|| "failed".to_owned())),
    }
    if job.sessions > 0 {
        words.push(format!("{} sessions ready to read", format::count(job.sessions)));
    }
    if job.events > 0 && job.state != JobState::Running {
        words.push(format!("{} events", format::count(job.events)));
    }
    if job.rate >= 1.0 && job.state == JobState::Running {
        words.push(format!("{} events/s", format::count(job.rate as u64)));
    }
    if job.problems > 0 {
        words.push(format!("{} problems", format::count(job.problems)));
    }
    words
}
