//! A made-up day to look around in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{JobKind, JobState};

use super::Section;
use crate::components::field::Field;
use crate::routes;
use crate::state::{AppState, use_app};

/// Starts the demo; `error` gets why it did not.
pub fn start_demo(app: AppState, error: RwSignal<Option<String>>) {
    error.set(None);
    spawn_local(async move {
        if let Err(why) = app.api().start_demo().await {
            error.try_set(Some(why.to_string()));
        }
    });
}

#[component]
pub fn Demo() -> impl IntoView {
    let app = use_app();
    let error = RwSignal::new(None::<String>);
    let present = move || app.feed(|feed| feed.overview().is_some_and(|overview| overview.demo));
    let running = move || {
        app.feed(|feed| feed.jobs().iter().any(|job| job.kind == JobKind::Demo && job.state == JobState::Running))
    };
    let remove = move |_| {
        error.set(None);
        spawn_local(async move {
            match app.api().remove_demo().await {
                Ok(()) => app.notices.say("The demo is gone"),
                Err(why) => {
                    error.try_set(Some(why.to_string()));
                }
            }
        });
    };
    let hint = move || {
        let words = if running() {
            "It plays now"
        } else if present() {
            "Its sessions are marked as demo"
        } else {
            "Sessions in several projects, marked as demo, gone with one click"
        };
        view! { {words}{(running() || present()).then(|| view! { ". "<a href=routes::LIVE>"Watch it on Live"</a> })} }
    };
    view! {
        <Section id="demo" title="Demo">
            <Field group=true label="A made-up day" id="demo-play" hint=move || hint error>
                <button type="button" id="demo-play" class="btn" prop:disabled=running on:click=move |_| start_demo(app, error)>"Play the demo"</button>
                <Show when=present><button type="button" class="btn btn--danger" on:click=remove>"Remove the demo"</button></Show>
            </Field>
        </Section>
    }
}
