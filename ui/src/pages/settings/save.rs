//! Saving one value, and saying in place how that went.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::SettingsPatch;

use crate::state::AppState;

/// How saving a value stands. Copy: one per field.
#[derive(Clone, Copy)]
pub struct Saving {
    pub error: RwSignal<Option<String>>,
    said: RwSignal<bool>,
    app: AppState,
}

impl Saving {
    pub fn new(app: AppState) -> Saving {
        Saving { error: RwSignal::new(None), said: RwSignal::new(false), app }
    }

    /// Sends a changed value; what the server answers is in force.
    pub fn send(&self, patch: SettingsPatch) {
        let this = *self;
        this.error.set(None);
        this.said.set(false);
        spawn_local(async move {
            match this.app.patch_settings(patch).await {
                Ok(()) => {
                    this.said.try_set(true);
                    gloo_timers::future::TimeoutFuture::new(2_500).await;
                    this.said.try_set(false);
                }
                Err(error) => {
                    this.error.try_set(Some(format!("Not saved: {error}")));
                    // The control falls back to the value in force.
                    this.app.settings.update(|_| {});
                }
            }
        });
    }

    /// Says what is wrong with a value that was not sent.
    pub fn refuse(&self, why: &str) {
        self.error.set(Some(why.to_owned()));
    }
}

/// "Saved" for a moment, and a way back to the value one starts with.
#[component]
pub fn SavedMark(
    saving: Saving,
    #[prop(into)] is_default: Signal<bool>,
    #[prop(into)] on_reset: Callback<()>,
) -> impl IntoView {
    view! {
        <span class="saved" role="status">{move || saving.said.get().then_some("Saved")}</span>
        <Show when=move || !is_default.get()>
            <button type="button" class="btn btn--plain btn--small" on:click=move |_| on_reset.run(())>"Reset"</button>
        </Show>
    }
}
