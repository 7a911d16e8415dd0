//! Fields of a form: a label, a control, a hint, and what is wrong with the value, in place.

use leptos::prelude::*;
use orrery_views::format;

use crate::host;

/// A row of settings: what it is, what it means, and its control on the right.
#[component]
pub fn Field(
    #[prop(into)] label: String,
    /// Id of the control that the label belongs to.
    #[prop(into)]
    id: String,
    #[prop(into, optional)] hint: ViewFn,
    /// What is wrong with the value, and what to do. Empty when nothing is.
    #[prop(into, optional)]
    error: Signal<Option<String>>,
    /// The controls are buttons with names of their own: the label names their group instead of the first of them.
    #[prop(optional)]
    group: bool,
    children: Children,
) -> impl IntoView {
    let (hint_id, error_id, label_id) = (format!("{id}-hint"), format!("{id}-error"), format!("{id}-label"));
    let (role, named_by) = (group.then_some("group"), group.then(|| label_id.clone()));
    let title = if group {
        view! { <span class="field-row__label" id=label_id>{label}</span> }.into_any()
    } else {
        view! { <label class="field-row__label" for=id>{label}</label> }.into_any()
    };
    view! {
        <div class="field-row" role=role aria-labelledby=named_by>
            <div class="field-row__words">
                {title}
                <div class="field-row__hint" id=hint_id>{hint.run()}</div>
                <div class="field-row__error" id=error_id role="alert">{move || error.get()}</div>
            </div>
            <div class="field-row__control">{children()}</div>
        </div>
    }
}

/// An on/off switch. Space and Enter toggle it.
#[component]
pub fn Switch(
    #[prop(into)] id: String,
    #[prop(into)] on: Signal<bool>,
    #[prop(into)] on_change: Callback<bool>,
    #[prop(into, optional)] disabled: Signal<bool>,
    #[prop(into, optional)] label: Option<String>,
) -> impl IntoView {
    let hint = format!("{id}-hint");
    view! {
        <button
            type="button"
            role="switch"
            class="switch"
            id=id
            aria-describedby=hint
            aria-label=label
            aria-checked=move || on.get().to_string()
            prop:disabled=move || disabled.get()
            on:click=move |_| on_change.run(!on.get_untracked())
        >
            <span class="switch__knob"></span>
            <span class="switch__word" aria-hidden="true">{move || if on.get() { "On" } else { "Off" }}</span>
        </button>
    }
}

/// A line of text or a number; `on_change` gets what was typed when the person leaves the field or presses Enter.
#[component]
pub fn Input(
    #[prop(into)] id: String,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
    #[prop(default = "text")] kind: &'static str,
    /// Shown before the value: a currency.
    #[prop(optional)]
    before: &'static str,
    /// Shown after the value: a unit.
    #[prop(optional)]
    after: &'static str,
    #[prop(optional)] placeholder: &'static str,
    #[prop(into, optional)] invalid: Signal<bool>,
) -> impl IntoView {
    let described = format!("{id}-hint {id}-error");
    let mode = if kind == "number" { "decimal" } else { "text" };
    view! {
        <span class="input" class:input--bad=move || invalid.get()>
            {(!before.is_empty()).then(|| view! { <span class="input__unit" aria-hidden="true">{before}</span> })}
            <input
                class="input__text"
                type="text"
                inputmode=mode
                id=id
                placeholder=placeholder
                aria-describedby=described
                aria-invalid=move || invalid.get().to_string()
                autocomplete="off"
                prop:value=move || value.get()
                on:change=move |event| on_change.run(event_target_value(&event))
            />
            {(!after.is_empty()).then(|| view! { <span class="input__unit" aria-hidden="true">{after}</span> })}
        </span>
    }
}

/// One of a few values, all of them in sight. `options` are value and word.
#[component]
pub fn Choice(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    options: Vec<(&'static str, String)>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
) -> impl IntoView {
    let option = move |(key, word): (&'static str, String)| {
        let chosen = move || value.get() == key;
        view! {
            <button type="button" class="seg__item" aria-pressed=move || chosen().to_string() on:click=move |_| {
                on_change.run(key.to_owned());
            }>{word}</button>
        }
    };
    view! { <div class="seg" role="group" id=id aria-label=label>{options.into_iter().map(option).collect_view()}</div> }
}

/// A box to tick, as wide as its own label wants.
#[component]
pub fn Check(
    #[prop(into)] label: String,
    #[prop(into)] on: Signal<bool>,
    /// Neither all nor none.
    #[prop(into, optional)]
    some: Signal<bool>,
    #[prop(into)] on_change: Callback<bool>,
    #[prop(into, optional)] disabled: Signal<bool>,
) -> impl IntoView {
    let checked = move || if some.get() { "mixed".to_owned() } else { on.get().to_string() };
    view! {
        <button
            type="button"
            role="checkbox"
            class="tick"
            aria-label=label
            aria-checked=checked
            prop:disabled=move || disabled.get()
            on:click=move |event| {
                event.stop_propagation();
                on_change.run(!on.get_untracked());
            }
        >
            <span class="check" class:check--on=move || on.get() && !some.get() class:check--some=move || some.get()>
                <svg class="icon" aria-hidden="true"><use href="#i-check"></use></svg>
            </span>
        </button>
    }
}

/// One of many values, from the system's own list. `options` are value and word.
#[component]
pub fn Select(
    #[prop(into)] id: String,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
    #[prop(into, optional)] disabled: Signal<bool>,
    /// What is chosen here, where no label says it.
    #[prop(into, optional)]
    label: Option<String>,
) -> impl IntoView {
    let option = move |(key, word): (String, String)| {
        let chosen = key.clone();
        view! { <option value=key selected=move || value.with(|value| *value == chosen)>{word}</option> }
    };
    view! {
        <span class="select">
            <select
                class="select__field"
                id=id
                aria-label=label
                prop:value=move || value.get()
                prop:disabled=move || disabled.get()
                on:change=move |event| on_change.run(event_target_value(&event))
            >
                {move || options.get().into_iter().map(option).collect_view()}
            </select>
            <svg class="icon icon--12" aria-hidden="true"><use href="#i-down"></use></svg>
        </span>
    }
}

/// A moment of the person's clock, to the minute. Empty while what is typed is none.
#[component]
pub fn Moment(#[prop(into)] id: String, at_ms: RwSignal<Option<i64>>) -> impl IntoView {
    let shown = move || at_ms.get().map(local_minute).unwrap_or_default();
    view! {
        <span class="input input--moment">
            <input
                class="input__text"
                type="datetime-local"
                id=id
                prop:value=shown
                on:change=move |event| at_ms.set(host::local_ms(&event_target_value(&event)))
            />
        </span>
    }
}

/// `2026-11-25T14:32`, as the browser's own field wants it.
fn local_minute(at_ms: i64) -> String {
    let offset = host::utc_offset_minutes(at_ms);
    format!("{}T{}", format::day(at_ms, offset), format::clock_minutes(at_ms, offset))
}
