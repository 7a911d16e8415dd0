//! Who may send and who may look.

use gloo_net::http::Method;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Settings, SettingsPatch};
use serde_json::{Value, json};

use super::Section;
use super::save::{SavedMark, Saving};
use crate::components::field::{Field, Switch};
use crate::host;
use crate::state::use_app;

#[component]
pub fn Privacy() -> impl IntoView {
    let app = use_app();
    let token = Saving::new(app);
    let start = Settings::default().ingest_needs_token;
    let set = move |on: bool| token.send(SettingsPatch { ingest_needs_token: Some(on), ..SettingsPatch::default() });
    let link = RwSignal::new(None::<String>);
    let error = RwSignal::new(None::<String>);
    let make = move |_| {
        error.set(None);
        spawn_local(async move {
            let made = app.api().with_body::<_, Value>(Method::POST, "/links", &json!({ "path": "/app/live" })).await;
            match made.map(|made| made.get("url").and_then(Value::as_str).map(str::to_owned)) {
                Ok(Some(url)) => {
                    link.try_set(Some(url));
                }
                Ok(None) => {
                    error.try_set(Some("The server made no link".to_owned()));
                }
                Err(why) => {
                    error.try_set(Some(why.to_string()));
                }
            }
        });
    };
    let copy = move |_| {
        let Some(url) = link.get_untracked() else { return };
        spawn_local(async move {
            match host::copy_text(url).await {
                Ok(()) => app.notices.say("Link copied. It works once"),
                Err(why) => app.notices.fail(why),
            }
        });
    };
    let shown = move || {
        link.get().map(|url| {
            view! {
                <div class="settings__link-made">
                    <code class="code clip" title=url.clone()>{url.clone()}</code>
                    <button type="button" class="btn btn--small" on:click=copy>"Copy"</button>
                </div>
            }
        })
    };
    view! {
        <Section id="privacy" title="Privacy" say="Everything stays on this machine. Nothing is sent anywhere">
            <Field
                label="Senders need the token"
                id="token"
                hint=|| "Programs of this machine may send events without it. Switch this on when others share the machine"
                error=token.error
            >
                <SavedMark saving=token is_default=Signal::derive(move || app.settings.get().ingest_needs_token == start) on_reset=Callback::new(move |()| set(start))/>
                <Switch id="token" on=Signal::derive(move || app.settings.get().ingest_needs_token) on_change=Callback::new(set)/>
            </Field>
            <Field group=true label="Open in a browser" id="browser-link" hint=move || view! { "A link that signs a browser of this machine in, once"{shown} } error>
                <button type="button" id="browser-link" class="btn" on:click=make>"Make a link"</button>
            </Field>
        </Section>
    }
}
