//! One session that waits for the person, and what can be done about it here.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Body, Needs, NeedsKind, SessionRow};
use orrery_views::format;
use serde_json::{Value, json};

use super::describe::one_line;
use crate::components::{AgentGlyph, Elapsed, Icon};
use crate::routes;
use crate::state::{AppState, use_app};

#[component]
pub fn NeedRow(
    row: Arc<SessionRow>,
    is_open: Memo<bool>,
    on_open: impl Fn() + Clone + Send + Sync + 'static,
) -> impl IntoView {
    let Some(needs) = row.needs.clone() else { return ().into_any() };
    let tone = if needs.kind == NeedsKind::Error { "need__kind danger" } else { "need__kind attention" };
    let class = move || if is_open.get() { "need need--open" } else { "need" };
    let (text, inline) = words(&needs);
    let target = StoredValue::new(needs.target.clone());
    let is_command = needs.kind == NeedsKind::Permission;
    let is_stuck = needs.kind == NeedsKind::Stuck;
    let link = routes::session(&row.id);
    let actions = {
        let (row, needs) = (row.clone(), needs.clone());
        move || actions(&row, &needs, is_open.get())
    };
    view! {
        <div class=class>
            <div class=tone>
                <Icon name=icon(needs.kind)/>
                <span><b>{word(needs.kind)}</b><span class="small"><Elapsed since_ms=Signal::stored(needs.since_ms)/></span></span>
            </div>
            <div class="need__body">
                <button
                    type="button"
                    class="need__say"
                    title=text.clone()
                    aria-expanded=move || is_open.get().to_string()
                    on:click=move |_| on_open()
                >
                    {if is_stuck { inline.clone().map(|inline| view! { <code>{inline}</code> " " }.into_any()) } else { None }}
                    {text.clone()}
                    {if is_stuck { None } else { inline.map(|inline| view! { " " <span class="muted">{inline}</span> }) }}
                </button>
                <Show when=move || is_command && target.with_value(|target| !target.is_empty())>
                    <div class="need__cmd code" title=target.get_value()><span class="faint" aria-hidden="true">"$ "</span>{one_line(&target.get_value())}</div>
                </Show>
                <div class="row small muted">
                    <AgentGlyph agent=row.agent.clone()/>
                    <a class="need__link medium" href=link>{name(&row)}</a>
                    {row.branch.clone().map(|branch| view! { <span class="faint">"/"</span><span class="clip">{branch}</span> })}
                    {(row.turns > 0).then(|| view! { <span class="faint">{format!("turn {}", row.turns)}</span> })}
                </div>
            </div>
            {actions}
            <span class="need__more faint"><Icon name="i-right" small=true/></span>
        </div>
    }
    .into_any()
}

/// What is said, and what it is about where that has no box of its own.
fn words(needs: &Needs) -> (String, Option<String>) {
    let target = Some(one_line(&needs.target)).filter(|target| !target.is_empty() && *target != needs.text);
    let text = if needs.text.is_empty() { word(needs.kind).to_owned() } else { needs.text.clone() };
    match needs.kind {
        NeedsKind::Permission | NeedsKind::Idle => (text, None),
        // The question itself says more than that there is one.
        NeedsKind::Question => (target.unwrap_or(text), None),
        NeedsKind::Stuck if target.is_some() => (text.replacen("Failed", "failed", 1), target),
        NeedsKind::Stuck | NeedsKind::Error => (text, target),
    }
}

fn name(row: &SessionRow) -> String {
    if row.project.is_empty() { format::agent(&row.agent).to_owned() } else { row.project.clone() }
}

fn word(kind: NeedsKind) -> &'static str {
    match kind {
        NeedsKind::Permission => "Permission",
        NeedsKind::Question => "Question",
        NeedsKind::Idle => "Waits",
        NeedsKind::Stuck => "Stuck",
        NeedsKind::Error => "Error",
    }
}

fn icon(kind: NeedsKind) -> &'static str {
    match kind {
        NeedsKind::Permission => "i-permit",
        NeedsKind::Question => "i-question",
        NeedsKind::Idle => "i-clock",
        NeedsKind::Stuck => "i-stuck",
        NeedsKind::Error => "i-x",
    }
}

/// What can be done here. An answer goes through the server; without a way for it the agent's own screen is where to go.
fn actions(row: &SessionRow, needs: &Needs, is_open: bool) -> AnyView {
    let app = use_app();
    let seq = needs.seq;
    let busy = RwSignal::new(false);
    let who = name(row);
    let refused = RwSignal::new(None::<String>);
    let who = StoredValue::new(who);
    let send = move |value: Value| answer(app, seq, value, busy, refused, who.get_value());
    let state = move || match (busy.get(), refused.get()) {
        (true, _) => {
            Some(view! { <p class="small muted need__hint" role="status">"Sending the answer"</p> }.into_any())
        }
        (false, Some(why)) => Some(
            view! { <p class="small danger need__hint" role="alert">{format!("Not delivered: {why}")}</p> }.into_any(),
        ),
        (false, None) => None,
    };
    let size = if is_open { "btn" } else { "btn btn--small" };
    let session = view! { <a class=size href=routes::session(&row.id)>"Open session"</a> };
    match needs.answerable.as_deref() {
        Some("permission") => view! {
            <div class="need__act">
                <button type="button" class=if is_open { "btn btn--primary" } else { "btn btn--small" } id=is_open.then_some("need-allow")
                    disabled=busy on:click=move |_| send(json!({ "permission": true }))>
                    "Allow" {is_open.then(|| view! { <kbd aria-hidden="true">"A"</kbd> })}
                </button>
                <button type="button" class=size id=is_open.then_some("need-deny") disabled=busy on:click=move |_| send(json!({ "permission": false }))>
                    "Deny" {is_open.then(|| view! { <kbd aria-hidden="true">"D"</kbd> })}
                </button>
                {session}
                {state}
            </div>
        }
        .into_any(),
        Some(_) if !needs.choices.is_empty() => {
            let buttons = needs
                .choices
                .iter()
                .map(|choice| {
                    let value = choice.clone();
                    view! {
                        <button type="button" class=size disabled=busy title=choice.clone() on:click=move |_| send(json!({ "choice": value.clone() }))>
                            <span class="clip">{choice.clone()}</span>
                        </button>
                    }
                })
                .collect_view();
            view! { <div class="need__act">{buttons}{session}{state}</div> }.into_any()
        }
        Some(_) if is_open => view! { <AnswerField busy send/>{state} }.into_any(),
        Some(_) => view! { <div class="need__act"><span class="small muted">"Click to answer"</span>{session}</div> }.into_any(),
        None => {
            let hint = (is_open && needs.kind == NeedsKind::Permission)
                .then(|| view! { <p class="small muted need__hint">{format!("Answer in {}'s own window", format::agent(&row.agent))}</p> });
            view! { <div class="need__act">{session}{hint}</div> }.into_any()
        }
    }
}

/// A question that takes words.
#[component]
fn AnswerField(busy: RwSignal<bool>, send: impl Fn(Value) + Copy + 'static) -> impl IntoView {
    let words = RwSignal::new(String::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let words = words.get_untracked();
        if !words.trim().is_empty() {
            send(json!({ "response": words.trim() }));
        }
    };
    view! {
        <form class="need__act need__act--words" on:submit=submit>
            <input type="text" class="input" aria-label="Your answer" placeholder="Your answer" autocomplete="off"
                prop:value=move || words.get() on:input=move |event| words.set(event_target_value(&event))/>
            <button type="submit" class="btn btn--primary" disabled=busy>"Send answer"</button>
        </form>
    }
}

/// Sends the answer and says what became of it: the server stores it either way, and knows whether the agent took it.
fn answer(app: AppState, seq: i64, value: Value, busy: RwSignal<bool>, refused: RwSignal<Option<String>>, who: String) {
    busy.set(true);
    refused.set(None);
    spawn_local(async move {
        let answered = app.api().respond(seq, &value).await;
        let stored = match &answered {
            Ok(_) => app.api().event(seq).await.ok().flatten(),
            Err(_) => None,
        };
        busy.try_set(false);
        let why = match (answered, stored.map(|event| event.body)) {
            (Err(error), _) => Some(error.to_string()),
            (Ok(_), Some(Body::Question { answer: Some(answer), .. })) if !answer.delivered => {
                Some(answer.error.unwrap_or_else(|| "the agent did not take it".to_owned()))
            }
            _ => None,
        };
        match why {
            None => app.notices.say(format!("Answer delivered to {who}")),
            Some(why) => {
                app.notices.fail(format!("The answer did not reach {who}: {why}"));
                refused.try_set(Some(why));
            }
        }
    });
}
