//! The first run: watch the agents, bring in the past, or look around first.

mod orbit;

use std::collections::HashSet;

use gloo_net::http::Method;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{AgentId, AgentStatus, FoundAgent, HookState, InstallPlan, JobState, SettingsPatch};
use orrery_views::format;
use serde_json::{Value, json};

use self::orbit::Orbit;
use crate::api::ApiError;
use crate::components::field::Check;
use crate::components::{AgentGlyph, Icon};
use crate::host::utc_offset_minutes;
use crate::pages::settings::{ImportProgress, PlanDiff, import_job, read_agents, start_demo, start_import};
use crate::routes;
use crate::state::{AppState, use_app};

#[component]
pub fn WelcomePage() -> impl IntoView {
    let app = use_app();
    let found = RwSignal::new(None::<Result<Vec<FoundAgent>, ApiError>>);
    // The address of the server is known a moment after the page is.
    Effect::new(move |_| {
        app.connection.track();
        read_agents(app, found);
    });
    let agents = Memo::new(move |_| found.get().and_then(Result::ok).unwrap_or_default());
    let title = move || match found.get() {
        None => "Looking for agents".to_owned(),
        Some(Err(_)) => "Orrery cannot look for agents".to_owned(),
        Some(Ok(agents)) => here(&agents),
    };
    let leave = move |_| finish(app);
    view! {
        <div class="welcome">
            <Orbit/>
            <div class="setup">
                <div class="setup__scroll">
                    <h1>{title}</h1>
                    <p class="muted">{move || match found.get() {
                        Some(Err(error)) => error.to_string(),
                        _ => "Three clicks to a living screen. Each can be undone in Settings".to_owned(),
                    }}</p>
                    <Watch agents on_done=Callback::new(move |()| read_agents(app, found))/>
                    <Past agents/>
                    <LookAround/>
                </div>
                <footer class="setup__foot">
                    <span class="muted small setup__keys">"Press "<kbd>"?"</kbd>" on any page for its keys"</span>
                    <button type="button" class="btn btn--plain push" on:click=leave>"Skip setup"</button>
                    <button type="button" class="btn" on:click=leave>"Open Orrery"</button>
                </footer>
            </div>
        </div>
    }
}

/// "Claude Code and Codex are here".
fn here(agents: &[FoundAgent]) -> String {
    let names: Vec<&str> =
        agents.iter().filter(|agent| agent.status == AgentStatus::Found).map(|agent| agent.label.as_str()).collect();
    match names.as_slice() {
        [] => "No agent is here yet".to_owned(),
        [one] => format!("{one} is here"),
        [all @ .., last] => format!("{} and {last} are here", all.join(", ")),
    }
}

/// Keeps that the welcome is over, and opens Live at once.
fn finish(app: AppState) {
    app.settings.update(|settings| settings.welcomed = true);
    app.go(routes::LIVE);
    spawn_local(async move {
        let patch = SettingsPatch { welcomed: Some(true), ..SettingsPatch::default() };
        if let Err(error) = app.patch_settings(patch).await {
            app.notices.fail(format!("The welcome will show again: {error}"));
        }
    });
}

/// Step 1: hooks into the agents' settings, shown as a diff before they go in.
#[component]
fn Watch(agents: Memo<Vec<FoundAgent>>, on_done: Callback<()>) -> impl IntoView {
    let app = use_app();
    let dropped = RwSignal::new(HashSet::<AgentId>::new());
    let plans = RwSignal::new(Vec::<(AgentId, Result<InstallPlan, ApiError>)>::new());
    let shown = RwSignal::new(None::<AgentId>);
    let busy = RwSignal::new(false);
    let said = RwSignal::new(None::<Result<String, String>>);
    let wants = move |agent: &FoundAgent| {
        agent.status == AgentStatus::Found
            && !matches!(agent.hooks, HookState::Installed { .. } | HookState::Unreadable { .. })
    };
    let chosen = Memo::new(move |_| {
        let dropped = dropped.get();
        agents.with(|agents| {
            agents
                .iter()
                .filter(|agent| wants(agent) && !dropped.contains(&agent.agent))
                .map(|agent| agent.agent)
                .collect::<Vec<_>>()
        })
    });
    let all_in = Memo::new(move |_| {
        agents.with(|agents| {
            let mut found = agents.iter().filter(|agent| agent.status == AgentStatus::Found).peekable();
            found.peek().is_some() && found.all(|agent| matches!(agent.hooks, HookState::Installed { .. }))
        })
    });
    Effect::new(move |_| {
        let wanted: Vec<AgentId> =
            agents.with(|agents| agents.iter().filter(|agent| wants(agent)).map(|agent| agent.agent).collect());
        spawn_local(async move {
            let mut read = Vec::new();
            for agent in wanted {
                read.push((agent, app.api().install_plan(agent).await));
            }
            plans.try_set(read);
        });
    });
    let current = Memo::new(move |_| {
        let chosen = chosen.get();
        shown.get().filter(|agent| chosen.contains(agent)).or(chosen.first().copied())
    });
    let install = move |_| {
        busy.set(true);
        spawn_local(async move {
            let mut failed = Vec::new();
            let wanted = chosen.get_untracked();
            for agent in &wanted {
                let path = format!("/agents/{}/install", agent.slug());
                if let Err(error) = app.api().with_body::<_, Value>(Method::POST, &path, &json!({})).await {
                    failed.push(format!("{}: {error}", agent.label()));
                }
            }
            busy.try_set(false);
            let names: Vec<&str> = wanted.iter().map(|agent| agent.label()).collect();
            said.try_set(Some(if failed.is_empty() {
                Ok(format!("Hooks are in for {}", names.join(" and ")))
            } else {
                Err(failed.join(". "))
            }));
            on_done.run(());
        });
    };
    let row = move |agent: FoundAgent| {
        let id = agent.agent;
        let (is_wanted, is_in) = (wants(&agent), matches!(agent.hooks, HookState::Installed { .. }));
        let on = Signal::derive(move || is_in || (is_wanted && !dropped.with(|dropped| dropped.contains(&id))));
        let toggle = Callback::new(move |on: bool| {
            dropped.update(|dropped| {
                if on {
                    dropped.remove(&id)
                } else {
                    dropped.insert(id)
                };
            });
        });
        let absent = agent.status != AgentStatus::Found;
        view! {
            <li>
                <Check label=format!("Install hooks for {}", agent.label) on on_change=toggle disabled=Signal::stored(!is_wanted)/>
                <AgentGlyph agent=id.slug()/>
                <span class=if absent { "muted" } else { "medium" }>{agent.label.clone()}</span>
                <span class="num muted">{agent.version.clone().unwrap_or_else(|| "\u{2013}".to_owned())}</span>
                {if absent {
                    view! { <span class="faint clip">"not found on the PATH"</span> }.into_any()
                } else {
                    view! { <span class="code muted clip" title=agent.settings_path.clone()>{agent.settings_path.clone()}</span> }.into_any()
                }}
                <span class="muted small right">{hook_words(&agent)}</span>
            </li>
        }
    };
    let seg = move || {
        let ids = chosen.get();
        (ids.len() > 1).then(|| {
            let one = move |id: AgentId| {
                view! {
                    <button type="button" aria-pressed=move || (current.get() == Some(id)).to_string() on:click=move |_| shown.set(Some(id))>{id.label()}</button>
                }
            };
            view! { <span class="seg" role="group" aria-label="Change to show">{ids.into_iter().map(one).collect_view()}</span> }
        })
    };
    let diff = move || {
        let id = current.get()?;
        let plan = plans.with(|plans| plans.iter().find(|(agent, _)| *agent == id).map(|(_, plan)| plan.clone()))?;
        Some(match plan {
            Ok(plan) => view! { <div class="setup__diff"><PlanDiff plan/></div> }.into_any(),
            Err(error) => view! { <p class="field-row__error" role="alert">{error.to_string()}</p> }.into_any(),
        })
    };
    view! {
        <section class="stage">
            <span class="num" aria-hidden="true">"1"</span>
            <div>
                <div class="row"><h2 class="grow">"Watch them work"</h2>{seg}</div>
                <ul class="found">{move || agents.get().into_iter().map(row).collect_view()}</ul>
                {diff}
                <div role="status">{move || said.get().map(|said| match said {
                    Ok(text) => view! { <p class="agent-row__said"><Icon name="i-check" small=true/>{text}</p> }.into_any(),
                    Err(text) => view! { <p class="field-row__error">{text}</p> }.into_any(),
                })}</div>
                <Show
                    when=move || !all_in.get()
                    fallback=|| view! { <p class="agent-row__said"><Icon name="i-check" small=true/>"All hooks are in place. The next session shows up by itself"</p> }
                >
                    <div class="row setup__act">
                        <button type="button" class="btn btn--primary" prop:disabled=move || busy.get() || chosen.with(Vec::is_empty) on:click=install>
                            {move || if busy.get() { "Installing" } else { "Install hooks" }}
                        </button>
                        <span class="push muted small">"A backup is kept next to each file"</span>
                    </div>
                </Show>
            </div>
        </section>
    }
}

fn hook_words(agent: &FoundAgent) -> String {
    match &agent.hooks {
        _ if agent.status == AgentStatus::HistoryOnly => "only its history is here".to_owned(),
        _ if agent.status == AgentStatus::Absent => String::new(),
        HookState::Absent => "no hooks of ours, yours stay".to_owned(),
        HookState::Partial { installed, wanted } => format!("{installed} of {wanted} hooks"),
        HookState::Installed { events } => format!("{events} hooks in place"),
        HookState::Unreadable { error } => format!("cannot be read: {error}"),
    }
}

/// Step 2: sessions from before.
#[component]
fn Past(agents: Memo<Vec<FoundAgent>>) -> impl IntoView {
    let app = use_app();
    let error = RwSignal::new(None::<String>);
    let job = import_job(app);
    let files = move || agents.with(|agents| agents.iter().map(|agent| agent.history_files).sum::<u64>());
    let since = move || agents.with(|agents| agents.iter().filter_map(|agent| agent.history_since_ms).min());
    let words = move || match (files(), since()) {
        (0, _) => "No transcripts were found on this machine".to_owned(),
        (files, None) => format!("{} on this machine", format::plural(files, "transcript")),
        (files, Some(since)) => {
            format!(
                "{} on this machine, since {}",
                format::plural(files, "transcript"),
                format::day_short(since, utc_offset_minutes(since))
            )
        }
    };
    let running = move || job.get().is_some_and(|job| job.state == JobState::Running);
    view! {
        <section class="stage">
            <span class="num" aria-hidden="true">"2"</span>
            <div>
                <div class="row">
                    <div class="grow"><h2>"Bring in the past"</h2><p>{words}</p></div>
                    <Show when=move || !running()>
                        <button type="button" class="btn" prop:disabled=move || files() == 0 on:click=move |_| start_import(app, error)>
                            {move || if job.get().is_some() { "Import again" } else { "Import history" }}
                        </button>
                    </Show>
                </div>
                {move || job.get().map(|job| view! { <ImportProgress job/> })}
                <p class="field-row__error" role="alert">{move || error.get()}</p>
            </div>
        </section>
    }
}

/// Step 3: the demo.
#[component]
fn LookAround() -> impl IntoView {
    let app = use_app();
    let error = RwSignal::new(None::<String>);
    let present = move || app.feed(|feed| feed.overview().is_some_and(|overview| overview.demo));
    view! {
        <section class="stage">
            <span class="num" aria-hidden="true">"3"</span>
            <div>
                <div class="row">
                    <div class="grow">
                        <h2>"Or look around first"</h2>
                        <p>"A made-up day in several projects, marked as demo, gone with one click in Settings"</p>
                    </div>
                    <Show when=move || !present() fallback=move || view! { <button type="button" class="btn" on:click=move |_| finish(app)>"Watch the demo"</button> }>
                        <button type="button" class="btn" on:click=move |_| start_demo(app, error)>"Play the demo"</button>
                    </Show>
                </div>
                <p class="field-row__error" role="alert">{move || error.get()}</p>
            </div>
        </section>
    }
}
