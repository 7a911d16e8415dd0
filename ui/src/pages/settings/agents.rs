//! Agents of this machine: whether our hooks are in their settings, and what putting them there would change.

use gloo_net::http::Method;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{AgentId, AgentStatus, FileChange, FoundAgent, HookState, InstallPlan};
use serde_json::{Value, json};

use super::Section;
use crate::api::ApiError;
use crate::components::diff::count;
use crate::components::{AgentGlyph, Ago, Diff, Icon};
use crate::host;
use crate::state::{AppState, use_app};

/// What was found, read from the server when the page opens and after each change.
pub type Found = RwSignal<Option<Result<Vec<FoundAgent>, ApiError>>>;

/// Reads the agents; what was known stays until the answer.
pub fn read_agents(app: AppState, found: Found) {
    spawn_local(async move {
        let answer = app.api().agents().await;
        found.try_update(|found| {
            if answer.is_ok() || found.as_ref().is_none_or(Result::is_err) {
                *found = Some(answer);
            }
        });
    });
}

#[component]
pub fn Agents() -> impl IntoView {
    let app = use_app();
    let found: Found = RwSignal::new(None);
    read_agents(app, found);
    let body = move || {
        match found.get() {
        None => view! { <div class="ghost" role="status" aria-label="Looking for agents"><div class="ghost__row"><i></i><i></i></div><div class="ghost__row"><i></i><i></i></div></div> }.into_any(),
        Some(Err(error)) => view! {
            <div class="field-row__error" role="alert">
                {error.to_string()}" "
                <button type="button" class="btn btn--small" on:click=move |_| read_agents(app, found)>"Try again"</button>
            </div>
        }
        .into_any(),
        Some(Ok(agents)) if agents.is_empty() => view! { <p class="muted">"No agent was found on this machine"</p> }.into_any(),
        Some(Ok(agents)) => agents.into_iter().map(|agent| view! { <AgentRow agent found/> }).collect_view().into_any(),
    }
    };
    view! {
        <Section id="agents" title="Agents" say="Hooks tell Orrery what an agent does while it does it. Your own hooks stay as they are">
            {body}
        </Section>
    }
}

/// What the person is about to do with an agent's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Install,
    Remove,
}

#[component]
fn AgentRow(agent: FoundAgent, found: Found) -> impl IntoView {
    let app = use_app();
    let id = agent.agent;
    let plan = RwSignal::new(None::<(Change, Result<InstallPlan, ApiError>)>);
    let says = RwSignal::new(None::<Result<String, String>>);
    let busy = RwSignal::new(false);
    let http = RwSignal::new(agent.over_http);
    let wish = move |change: Change| match change {
        Change::Install if http.get_untracked() => "?http=1",
        Change::Install => "",
        Change::Remove => "?remove=1",
    };
    let ask = move |change: Change| {
        busy.set(true);
        says.set(None);
        spawn_local(async move {
            let answer = app.api().get(&format!("/agents/{}/plan{}", id.slug(), wish(change))).await;
            busy.try_set(false);
            plan.try_set(Some((change, answer)));
        });
    };
    let apply = move |change: Change, seen: InstallPlan| {
        busy.set(true);
        spawn_local(async move {
            let what = if change == Change::Install { "install" } else { "uninstall" };
            // Only what is on screen is done: the server refuses when the file has changed meanwhile.
            let answer = act(app, id, &format!("{what}{}", wish(change)), &json!({ "plan": seen })).await;
            busy.try_set(false);
            says.try_set(Some(answer.map(|_| match change {
                Change::Install => "Hooks are in. A backup lies next to the file".to_owned(),
                Change::Remove => "Hooks are out. A backup lies next to the file".to_owned(),
            })));
            plan.try_set(None);
            read_agents(app, found);
        });
    };
    let verify = move |_| {
        busy.set(true);
        says.set(None);
        spawn_local(async move {
            let answer = act(app, id, "verify", &json!({})).await;
            busy.try_set(false);
            says.try_set(Some(answer.and_then(|answer| verdict(&answer))));
        });
    };
    let hooked = matches!(agent.hooks, HookState::Installed { .. } | HookState::Partial { .. });
    let is_whole = matches!(agent.hooks, HookState::Installed { .. });
    let has_choice = id == AgentId::ClaudeCode;
    let can_install = (!is_whole || has_choice)
        && !matches!(agent.hooks, HookState::Unreadable { .. })
        && agent.status == AgentStatus::Found;
    let install_word = if is_whole { "Change..." } else { "Install..." };
    let choose = move |over_http: bool| {
        http.set(over_http);
        ask(Change::Install);
    };
    let plan_view = move || {
        plan.get().map(|(change, answer)| match answer {
            Ok(plan_of) => {
                let empty = plan_of.changes.is_empty();
                let word = match change {
                    Change::Install if is_whole => "Change hooks",
                    Change::Install => "Install hooks",
                    Change::Remove => "Remove hooks",
                };
                let choice = (has_choice && change == Change::Install).then(|| view! { <Delivery http on_choose=Callback::new(choose)/> });
                let seen = plan_of.clone();
                view! {
                    <div class="agent-row__plan">
                        {choice}
                        <PlanDiff plan=plan_of/>
                        <div class="row">
                            <button type="button" class="btn btn--primary" prop:disabled=move || busy.get() || empty on:click=move |_| apply(change, seen.clone())>{word}</button>
                            <button type="button" class="btn btn--plain" on:click=move |_| plan.set(None)>"Not now"</button>
                            <span class="push muted small">"A backup is kept next to each file"</span>
                        </div>
                    </div>
                }
                .into_any()
            }
            Err(error) => view! { <p class="field-row__error" role="alert">{error.to_string()}</p> }.into_any(),
        })
    };
    let notes = agent.notes.iter().map(|note| view! { <li>{note.clone()}</li> }).collect_view();
    let last = agent.last_hook_ms;
    view! {
        <div class="agent-row">
            <div class="agent-row__line">
                <AgentGlyph agent=id.slug()/>
                <b class="medium">{agent.label.clone()}</b>
                <span class="num muted">{agent.version.clone().unwrap_or_else(|| status_word(agent.status).to_owned())}</span>
                <span class="code muted clip" title=agent.settings_path.clone()>{agent.settings_path.clone()}</span>
                <span class="agent-row__act">
                    {can_install.then(|| view! { <button type="button" class="btn" prop:disabled=move || busy.get() on:click=move |_| ask(Change::Install)>{install_word}</button> })}
                    {hooked.then(|| view! {
                        <button type="button" class="btn" prop:disabled=move || busy.get() on:click=verify>"Verify"</button>
                        <button type="button" class="btn btn--plain" prop:disabled=move || busy.get() on:click=move |_| ask(Change::Remove)>"Remove..."</button>
                    })}
                </span>
            </div>
            <div class="agent-row__more small muted">
                {hook_words(&agent.hooks)}
                <span class="faint" aria-hidden="true">"\u{b7}"</span>
                {match last {
                    Some(at) => view! { "last event "<Ago at_ms=Signal::stored(at)/> }.into_any(),
                    None => "no event yet".into_any(),
                }}
                <span class="faint" aria-hidden="true">"\u{b7}"</span>
                {orrery_views::format::plural(agent.history_files, "transcript")}
            </div>
            {(!agent.notes.is_empty()).then(|| view! { <ul class="agent-row__notes small">{notes}</ul> })}
            <div role="status">{move || says.get().map(|said| match said {
                Ok(text) => view! { <p class="agent-row__said small"><Icon name="i-check" small=true/>{text}</p> }.into_any(),
                Err(text) => view! { <p class="field-row__error">{text}</p> }.into_any(),
            })}</div>
            {plan_view}
        </div>
    }
}

/// How events get here: the choice that Claude Code has.
#[component]
fn Delivery(http: RwSignal<bool>, on_choose: Callback<bool>) -> impl IntoView {
    let says = move || {
        if http.get() {
            "Claude Code posts each event itself. While Orrery is not running they are lost, and it shows a notice"
        } else {
            "Claude Code starts orrery-hook for each event. While Orrery is not running they are kept"
        }
    };
    view! {
        <div class="row agent-row__delivery">
            <div class="seg" role="group" aria-label="How events get here">
                <button type="button" class="seg__item" aria-pressed=move || (!http.get()).to_string() on:click=move |_| on_choose.run(false)>"Program"</button>
                <button type="button" class="seg__item" aria-pressed=move || http.get().to_string() on:click=move |_| on_choose.run(true)>"HTTP"</button>
            </div>
            <span class="small muted">{says}</span>
        </div>
    }
}

async fn act(app: AppState, agent: AgentId, what: &str, body: &Value) -> Result<Value, String> {
    let path = format!("/agents/{}/{what}", agent.slug());
    app.api().with_body::<_, Value>(Method::POST, &path, body).await.map_err(|error| error.to_string())
}

/// What a verification found: `{ok, message, took_ms}` as the server says it.
fn verdict(answer: &Value) -> Result<String, String> {
    let words = answer.get("message").and_then(Value::as_str).unwrap_or("The server said nothing about it").to_owned();
    let took = answer
        .get("took_ms")
        .and_then(Value::as_i64)
        .map(|ms| format!(", in {}", orrery_views::format::duration_ms(ms)));
    if answer.get("ok").and_then(Value::as_bool) == Some(true) {
        Ok(words + &took.unwrap_or_default())
    } else {
        Err(words)
    }
}

fn status_word(status: AgentStatus) -> &'static str {
    match status {
        AgentStatus::Found => "found",
        AgentStatus::HistoryOnly => "history only",
        AgentStatus::Absent => "not found",
    }
}

fn hook_words(state: &HookState) -> AnyView {
    match state {
        HookState::Absent => view! { <span class="state"><svg class="glyph" aria-hidden="true"><use href="#g-idle"></use></svg>"no hooks"</span> }.into_any(),
        HookState::Partial { installed, wanted } => view! {
            <span class="state attention"><svg class="glyph" aria-hidden="true"><use href="#g-wait"></use></svg>{format!("{installed} of {wanted} hooks")}</span>
        }
        .into_any(),
        HookState::Installed { events } => view! {
            <span class="state passed"><svg class="glyph" aria-hidden="true"><use href="#g-pass"></use></svg>{format!("{events} hooks in place")}</span>
        }
        .into_any(),
        HookState::Unreadable { error } => view! {
            <span class="state danger"><svg class="glyph" aria-hidden="true"><use href="#g-fail"></use></svg>{format!("settings cannot be read, nothing is changed: {error}")}</span>
        }
        .into_any(),
    }
}

/// The change of each file as a diff.
#[component]
pub fn PlanDiff(plan: InstallPlan) -> impl IntoView {
    let empty = plan.changes.is_empty();
    let notes = plan.notes.iter().map(|note| view! { <li>{note.clone()}</li> }).collect_view();
    let has_notes = !plan.notes.is_empty();
    view! {
        {plan.changes.into_iter().map(|change| view! { <FileDiff change/> }).collect_view()}
        {empty.then(|| view! { <p class="muted small">"Nothing to change: it is as it should be"</p> })}
        {has_notes.then(|| view! { <ul class="agent-row__notes small">{notes}</ul> })}
    }
}

#[component]
fn FileDiff(change: FileChange) -> impl IntoView {
    let app = use_app();
    let (added, removed) = count(&change.diff);
    let after = change.after.clone();
    let copy = after.map(|after| {
        let copy = move |_| {
            let after = after.clone();
            spawn_local(async move {
                match host::copy_text(after).await {
                    Ok(()) => app.notices.say("The new file is on the clipboard"),
                    Err(why) => app.notices.fail(why),
                }
            });
        };
        view! { <button type="button" class="iconbtn" aria-label="Copy the new file" title="Copy the new file" on:click=copy><Icon name="i-copy"/></button> }
    });
    let word = match (&change.before, &change.after) {
        (None, _) => "new file",
        (_, None) => "removed",
        _ => "",
    };
    let lang = crate::components::code::lang_of_path(&change.path);
    view! {
        <div class="filehead">
            <Icon name="i-file" class="muted"/>
            <span class="code clip">{change.path.clone()}</span>
            <span class="small faint">{word}</span>
            <span class="plusminus push"><b>{format!("+{added}")}</b>" "<i>{format!("\u{2212}{removed}")}</i></span>
            {copy}
        </div>
        <Diff lines=change.diff lang/>
    }
}
