//! What a person presses, chooses and types into.

use leptos::prelude::*;
use orrery_types::Status;

use super::Exhibit;
use crate::components::field::{Check, Choice, Field, Input, Moment, Select, Switch};
use crate::components::{AgentGlyph, Badge, Icon, Menu, MenuItem, Pick, StatusBadge, Tab, TabPanel, Tabs, Tone};

const MOMENT_MS: i64 = 1_795_390_200_000;

#[component]
pub fn Controls() -> impl IntoView {
    let fruit = || [("a", "Apple"), ("b", "Banana")].map(|(key, word)| (key.to_owned(), word.to_owned())).to_vec();
    let tab = RwSignal::new("diff".to_owned());
    let tabs =
        vec![Tab::new("diff", "Diff"), Tab { count: Some(1_288), ..Tab::new("raw", "Raw") }, Tab::new("none", "Empty")];
    let nothing = |_: String| ();
    view! {
        <Exhibit id="badge" name="Badge">
            {[Status::Running, Status::NeedsYou, Status::Stuck, Status::Idle, Status::Ended, Status::Failed, Status::Stopped]
                .map(|status| view! { <StatusBadge status=Signal::stored(status)/> })}
            {[(Tone::Neutral, "Neutral"), (Tone::Attention, "Near"), (Tone::Danger, "Over"), (Tone::Passed, "Passed"), (Tone::Muted, "Holds")]
                .map(|(tone, word)| view! { <Badge tone=Signal::stored(tone) word=word.to_owned()/> })}
            {["claude-code", "codex", "gemini-cli", "opencode", "other"].map(|agent| view! { <AgentGlyph agent/> })}
            <span class="tag">"tag"</span>
        </Exhibit>
        <Exhibit id="button" name="Button">
            <button type="button" class="btn">"Plain"</button>
            <button type="button" class="btn btn--primary">"Primary"</button>
            <button type="button" class="btn btn--danger">"Remove..."</button>
            <button type="button" class="btn btn--plain"><Icon name="i-download"/>"Quiet"</button>
            <button type="button" class="btn btn--small">"Small"</button>
            <button type="button" class="btn" aria-pressed="true">"Pressed"</button>
            <button type="button" class="btn" disabled=true>"Disabled"</button>
            <button type="button" class="iconbtn" aria-label="Copy"><Icon name="i-copy"/></button>
            <button type="button" class="iconbtn iconbtn--on" aria-label="Pinned" aria-pressed="true"><Icon name="i-pin"/></button>
        </Exhibit>
        <Exhibit id="field" name="Field" tall=true>
            <Field label="Daily budget" id="g-budget" hint=|| "Over everything, from midnight to midnight">
                <Input id="g-budget" value="60.00" on_change=nothing kind="number" before="$"/>
            </Field>
            <Field label="Long task" id="g-long" hint=|| "Say so when a task runs longer" error=Signal::stored(Some("Whole minutes, please".to_owned()))>
                <Input id="g-long" value="soon" on_change=nothing after="min" invalid=Signal::stored(true)/>
            </Field>
            <Field label="Notifications" id="g-switch"><Switch id="g-switch" on=Signal::stored(true) on_change=|_| ()/></Field>
            <Field label="Switched off" id="g-off"><Switch id="g-off" on=Signal::stored(false) on_change=|_| ()/></Field>
            <Field group=true label="Theme" id="g-choice">
                <Choice id="g-choice" label="Theme" options=vec![("a", "Dark".to_owned()), ("b", "Light".to_owned())] value="a" on_change=nothing/>
            </Field>
            <Field label="A moment" id="g-moment"><Moment id="g-moment" at_ms=RwSignal::new(Some(MOMENT_MS))/></Field>
            <Field group=true label="Boxes" id="g-boxes">
                <Check label="On" on=Signal::stored(true) on_change=|_| ()/>
                <Check label="Off" on=Signal::stored(false) on_change=|_| ()/>
                <Check label="Some" on=Signal::stored(true) some=Signal::stored(true) on_change=|_| ()/>
                <Check label="Disabled" on=Signal::stored(true) disabled=Signal::stored(true) on_change=|_| ()/>
            </Field>
        </Exhibit>
        <Exhibit id="select" name="Select">
            <Select id="g-select" label="Fruit".to_owned() options=Signal::stored(fruit()) value="b" on_change=nothing/>
            <Select id="g-select-off" label="Fruit, disabled".to_owned() options=Signal::stored(fruit()) value="a" on_change=nothing disabled=Signal::stored(true)/>
            <Pick name="Chosen fruit" value="a" options=Signal::stored(fruit()) choose=nothing/>
            <Pick name="Any fruit" icon="i-clock" value="" options=Signal::stored(vec![(String::new(), "All fruit".to_owned())]) choose=nothing/>
        </Exhibit>
        <Exhibit id="menu" name="Menu">
            <Menu name="Export" icon="i-download" items=Signal::stored(items())/>
            <Menu name="More" items=Signal::stored(items()) bare=true/>
        </Exhibit>
        <Exhibit id="tabs" name="Tabs" tall=true>
            <Tabs id="gallery" label="Example" tabs=Signal::stored(tabs) value=tab choose=move |key| tab.set(key)/>
            <TabPanel id="gallery" value=tab class="exhibit__panel">{move || format!("Shows {}", tab.get())}</TabPanel>
        </Exhibit>
    }
}

fn items() -> Vec<MenuItem> {
    vec![
        MenuItem { keys: "Ctrl C", ..MenuItem::new("Copy as JSON", "i-copy", || ()) },
        MenuItem { disabled: true, ..MenuItem::new("Not now", "i-star", || ()) },
        MenuItem { danger: true, ..MenuItem::new("Remove...", "i-x", || ()) },
    ]
}
