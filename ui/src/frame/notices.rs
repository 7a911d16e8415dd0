//! Lines between page and strip: running work, what just happened, and its undo. Nothing ever covers the page.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Alert, Job, JobKind, JobState};
use orrery_views::format;

use crate::components::{Bar, Icon};
use crate::state::{Notice, use_app};

#[component]
pub fn NoticeBar() -> impl IntoView {
    let app = use_app();
    let running = Memo::new(move |_| {
        app.feed(|feed| feed.jobs().iter().filter(|job| job.state == JobState::Running).cloned().collect::<Vec<_>>())
    });
    follow_ends();
    follow_alerts();
    view! {
        <div class="notices">
            {move || running.get().into_iter().map(|job| view! { <JobLine job/> }).collect_view()}
            <div role="status">
                <For each=move || app.notices.list.get() key=|notice| notice.id let:notice>
                    <NoticeLine notice/>
                </For>
            </div>
        </div>
    }
}

#[component]
fn NoticeLine(notice: Notice) -> impl IntoView {
    let app = use_app();
    let id = notice.id;
    let class = if notice.is_error { "notice notice--error" } else { "notice" };
    view! {
        <div class=class>
            <p class="grow">{notice.text}</p>
            {notice.undo.map(|undo| {
                let run = move |_| {
                    app.notices.dismiss(id);
                    undo.run(());
                };
                view! { <button type="button" class="btn btn--small" on:click=run><Icon name="i-undo"/>"Undo"</button> }
            })}
            <button type="button" class="iconbtn" aria-label="Dismiss" on:click=move |_| app.notices.dismiss(id)><Icon name="i-x"/></button>
        </div>
    }
}

#[component]
fn JobLine(job: Job) -> impl IntoView {
    let app = use_app();
    let kind = job.kind;
    let cancel = move |_| {
        spawn_local(async move {
            if let Err(error) = app.api().cancel(kind).await {
                app.notices.fail(error.to_string());
            }
        });
    };
    let share = if job.total == 0 { 0.0 } else { job.done as f64 / job.total as f64 };
    let eta = job.eta_ms.map(|eta| format!("{} left", format::duration_ms(eta)));
    view! {
        <div class="notice job">
            <span>{name(job.kind)}</span>
            // Its end is nothing to worry about.
            <Bar share=Signal::stored(share) near=2.0 label=Signal::stored(format!("{} of {}", job.done, job.total))/>
            <span class="num">{format!("{} of {}", format::count(job.done), format::count(job.total))}</span>
            <span class="muted small clip">{format!("{} · {}/s", format::plural(job.events, "event"), format::count(job.rate as u64))}{eta.map(|eta| format!(" · {eta}"))}</span>
            <button type="button" class="btn btn--small btn--plain" on:click=cancel>"Cancel"</button>
        </div>
    }
}

fn name(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Import => "Importing history",
        JobKind::Demo => "Playing the demo",
    }
}

/// A job that ends leaves a notice with its sums.
fn follow_ends() {
    let app = use_app();
    let ended = Memo::new(move |_| {
        app.feed(|feed| feed.jobs().iter().filter(|job| job.state != JobState::Running).cloned().collect::<Vec<_>>())
    });
    // Jobs that had ended before this page came are old news.
    let known = StoredValue::new(None::<Vec<String>>);
    Effect::new(move |_| {
        let is_known = app.feed(|feed| feed.overview().is_some());
        let jobs = ended.get();
        if !is_known {
            return;
        }
        let seen = known.get_value();
        known.set_value(Some(jobs.iter().map(|job| job.id.clone()).collect()));
        let Some(seen) = seen else { return };
        for job in jobs.iter().filter(|job| !seen.contains(&job.id)) {
            match job.state {
                JobState::Failed => {
                    app.notices.fail(format!("{} failed: {}", name(job.kind), job.error.clone().unwrap_or_default()))
                }
                JobState::Canceled => app.notices.say(format!("{}: canceled. What was read stays", name(job.kind))),
                _ => app.notices.say(ended_words(job)),
            }
        }
    });
}

fn ended_words(job: &Job) -> String {
    let problems =
        if job.problems > 0 { format!(", {}", format::plural(job.problems, "problem")) } else { String::new() };
    match job.kind {
        JobKind::Import => {
            format!(
                "History imported: {}, {}{problems}",
                format::plural(job.sessions, "session"),
                format::plural(job.events, "event")
            )
        }
        JobKind::Demo => "The demo has ended. Remove it in Settings".to_owned(),
    }
}

/// An alert that the server raised is also said here.
fn follow_alerts() {
    let app = use_app();
    let newest =
        Memo::new(move |_| app.feed(|feed| feed.alerts().next().map(|alert| (alert.key.clone(), in_words(alert)))));
    Effect::new(move |_| {
        if let Some((_, words)) = newest.get() {
            app.notices.say(words);
        }
    });
}

fn in_words(alert: &Alert) -> String {
    if alert.text.is_empty() || alert.title.contains(&alert.text) {
        alert.title.clone()
    } else {
        format!("{}: {}", alert.title, alert.text)
    }
}
