//! A state in a word, with the shape that repeats its color.

use leptos::prelude::*;

/// What a badge says of its thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Neutral,
    /// Waits for the person, or near a limit.
    Attention,
    /// Failed, or over a limit.
    Danger,
    /// A check passed; nothing else is green.
    Passed,
    Muted,
}

impl Tone {
    pub const fn class(self) -> &'static str {
        match self {
            Tone::Neutral => "",
            Tone::Attention => "attention",
            Tone::Danger => "danger",
            Tone::Passed => "passed",
            Tone::Muted => "muted",
        }
    }
    const fn glyph(self) -> &'static str {
        match self {
            Tone::Neutral => "#g-done",
            Tone::Attention => "#g-wait",
            Tone::Danger => "#g-fail",
            Tone::Passed => "#g-pass",
            Tone::Muted => "#g-idle",
        }
    }
}

/// Shape and word.
#[component]
pub fn Badge(#[prop(into, optional)] tone: Signal<Tone>, #[prop(into)] word: Signal<String>) -> impl IntoView {
    view! {
        <span class=move || format!("state {}", tone.get().class())>
            <svg class="glyph" aria-hidden="true"><use href=move || tone.get().glyph()/></svg>
            <span class="clip">{move || word.get()}</span>
        </span>
    }
}
