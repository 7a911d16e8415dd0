//! A sound when somebody starts to wait for the person. Off until it is switched on.

use std::collections::HashSet;
use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::SessionRow;
use wasm_bindgen::JsValue;

use crate::components::Icon;
use crate::host;

const KEPT: &str = "orrery.sound";

/// The switch; it also listens.
#[component]
pub fn Sound(needs: Memo<Vec<Arc<SessionRow>>>) -> impl IntoView {
    let is_on = RwSignal::new(host::stored(KEPT).as_deref() == Some("on"));
    Effect::new(move |before: Option<HashSet<(String, i64)>>| {
        let now: HashSet<(String, i64)> =
            needs.with(|rows| rows.iter().filter_map(|row| Some((row.id.clone(), row.needs.as_ref()?.seq))).collect());
        let is_new = before.is_some_and(|before| now.iter().any(|key| !before.contains(key)));
        if is_new && is_on.get_untracked() {
            // A browser that lets no page sound unasked stays silent.
            let _ = chime();
        }
        now
    });
    let toggle = move |_| {
        is_on.update(|on| *on = !*on);
        let on = is_on.get_untracked();
        host::store(KEPT, if on { "on" } else { "off" });
        if on {
            let _ = chime();
        }
    };
    view! {
        <button
            type="button"
            class="btn btn--plain btn--small"
            aria-pressed=move || is_on.get().to_string()
            title="A sound when somebody needs you"
            on:click=toggle
        >
            <Icon name="i-alerts"/>
            {move || if is_on.get() { "Sound on" } else { "Sound off" }}
        </button>
    }
}

/// Two soft tones, a third of a second.
fn chime() -> Result<(), JsValue> {
    let audio = web_sys::AudioContext::new()?;
    let start = audio.current_time();
    for (at, hertz) in [(0.0, 660.0), (0.14, 880.0)] {
        let (tone, loudness) = (audio.create_oscillator()?, audio.create_gain()?);
        tone.frequency().set_value(hertz);
        loudness.gain().set_value_at_time(0.0, start + at)?;
        loudness.gain().linear_ramp_to_value_at_time(0.08, start + at + 0.02)?;
        loudness.gain().linear_ramp_to_value_at_time(0.0, start + at + 0.2)?;
        tone.connect_with_audio_node(&loudness)?;
        loudness.connect_with_audio_node(&audio.destination())?;
        tone.start_with_when(start + at)?;
        tone.stop_with_when(start + at + 0.22)?;
    }
    Ok(())
}
