//! When Orrery speaks up: the daily budget, long tasks, and silence.

use gloo_net::http::Method;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Settings, SettingsPatch};
use orrery_views::format;
use serde_json::{Value, json};

use super::Section;
use super::save::{SavedMark, Saving};
use crate::components::field::{Field, Input, Switch};
use crate::host;
use crate::state::use_app;

const HOUR_MS: i64 = 3_600_000;

#[component]
pub fn Alerts() -> impl IntoView {
    let app = use_app();
    let settings = app.settings;
    let (budget, minutes, native) = (Saving::new(app), Saving::new(app), Saving::new(app));
    let start = Settings::default();
    let set_budget = move |value: Option<f64>| {
        budget.send(SettingsPatch { budget_daily_usd: Some(value), ..SettingsPatch::default() })
    };
    let set_minutes =
        move |value: u32| minutes.send(SettingsPatch { long_task_minutes: Some(value), ..SettingsPatch::default() });
    let set_native = move |on: bool| native.send(SettingsPatch { notifications: Some(on), ..SettingsPatch::default() });
    let on_budget = move |text: String| match read_dollars(&text) {
        Ok(value) => set_budget(value),
        Err(why) => budget.refuse(why),
    };
    let on_minutes = move |text: String| match text.trim().parse::<u32>() {
        Ok(value) if value <= 1_440 => set_minutes(value),
        _ => minutes.refuse("Whole minutes from 0 to 1,440, please"),
    };
    let spent = move || {
        let today = app.feed(|feed| feed.overview())?.today.clone();
        Some(format!("{} spent today", format::money(today.cost_usd_micros)))
    };
    let budget_text =
        Signal::derive(move || settings.get().budget_daily_usd.map(|usd| format!("{usd:.2}")).unwrap_or_default());
    let minutes_text = Signal::derive(move || settings.get().long_task_minutes.to_string());
    view! {
        <Section id="alerts" title="Alerts and budget">
            <Field
                label="Daily budget"
                id="budget"
                hint=move || view! { "Over everything, from midnight to midnight. Leave it empty for none. "{spent} }
                error=budget.error
            >
                <SavedMark saving=budget is_default=Signal::derive(move || settings.get().budget_daily_usd == start.budget_daily_usd) on_reset=Callback::new(move |()| set_budget(None))/>
                <Input id="budget" value=budget_text on_change=Callback::new(on_budget) kind="number" before="$" placeholder="none" invalid=Signal::derive(move || budget.error.get().is_some())/>
            </Field>
            <Field label="Long task" id="minutes" hint=|| "Say so when a task runs longer than this. 0 says never" error=minutes.error>
                <SavedMark saving=minutes is_default=Signal::derive(move || settings.get().long_task_minutes == start.long_task_minutes) on_reset=Callback::new(move |()| set_minutes(start.long_task_minutes))/>
                <Input id="minutes" value=minutes_text on_change=Callback::new(on_minutes) kind="number" after="min" invalid=Signal::derive(move || minutes.error.get().is_some())/>
            </Field>
            <Field label="Native notifications" id="notifications" hint=|| "From the desktop itself, also while the window is closed. A click opens the session" error=native.error>
                <SavedMark saving=native is_default=Signal::derive(move || settings.get().notifications == start.notifications) on_reset=Callback::new(move |()| set_native(true))/>
                <Switch id="notifications" on=Signal::derive(move || settings.get().notifications) on_change=Callback::new(set_native)/>
            </Field>
            <Pause/>
        </Section>
    }
}

/// Silence for a while. Alerts of that time are logged and not shown.
#[component]
fn Pause() -> impl IntoView {
    let app = use_app();
    let error = RwSignal::new(None::<String>);
    let told = RwSignal::new(None::<Option<i64>>);
    let until = Memo::new(move |_| {
        let streamed = app.feed(|feed| feed.overview().and_then(|overview| overview.alerts_paused_until_ms));
        told.get().unwrap_or(streamed).filter(|until| *until > app.now.get())
    });
    let pause = move |until_ms: Option<i64>| {
        spawn_local(async move {
            let body = json!({ "until_ms": until_ms });
            match app.api().with_body::<_, Value>(Method::POST, "/alerts/pause", &body).await {
                Ok(_) => {
                    error.try_set(None);
                    told.try_set(Some(until_ms));
                }
                Err(why) => {
                    error.try_set(Some(why.to_string()));
                }
            }
        });
    };
    let midnight = move || {
        let now = host::now_ms();
        let offset = i64::from(host::utc_offset_minutes(now)) * 60_000;
        (now + offset).div_euclid(24 * HOUR_MS) * 24 * HOUR_MS + 24 * HOUR_MS - offset
    };
    let control = move || {
        match until.get() {
        Some(until) => view! {
            <span class="attention small">{format!("until {}", format::clock_minutes(until, host::utc_offset_minutes(until)))}</span>
            <button type="button" id="pause" class="btn" on:click=move |_| pause(None)>"Resume"</button>
        }
        .into_any(),
        None => view! {
            <button type="button" id="pause" class="btn" on:click=move |_| pause(Some(host::now_ms() + HOUR_MS))>"For an hour"</button>
            <button type="button" class="btn" on:click=move |_| pause(Some(midnight()))>"Until midnight"</button>
        }
        .into_any(),
    }
    };
    view! { <Field group=true label="Pause alerts" id="pause" hint=|| "They are logged meanwhile and not shown" error>{control}</Field> }
}

/// Dollars as a person types them; empty is no budget.
fn read_dollars(text: &str) -> Result<Option<f64>, &'static str> {
    let text = text.trim().trim_start_matches('$').replace([',', ' '], "");
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1_000_000.0 => Ok(Some((value * 100.0).round() / 100.0)),
        _ => Err("A sum in dollars, like 40 or 12.50, or nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_as_typed() {
        assert_eq!(read_dollars(" $1,250.5 "), Ok(Some(1250.5)));
        assert_eq!(read_dollars(""), Ok(None));
        for bad in ["-3", "0", "forty", "NaN", "inf", "1e9"] {
            assert!(read_dollars(bad).is_err(), "{bad}");
        }
    }
}
