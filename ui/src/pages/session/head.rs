//! What the session is, where it belongs, and its totals.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{NeedsKind, SessionRow, Status, SubagentRow};
use orrery_views::format;
use orrery_views::story::{Story, What};

use super::load::Session;
use crate::components::{AgentGlyph, Clock, Icon, StatusBadge};
use crate::frame::{BillLink, Billed};
use crate::host;
use crate::pages::sessions::{export_one, short_model, title, took_ms};
use crate::routes;
use crate::state::use_app;

/// Title, place, links and actions.
#[component]
pub fn Head(session: Session) -> impl IntoView {
    let row = session.row;
    let name = move || row.get().map(|row| title(&row)).unwrap_or_default();
    let agent = Memo::new(move |_| row.get().map(|row| row.agent.clone()).unwrap_or_default());
    let needs = move || {
        let needs = row.get()?.needs.clone().filter(|_| session.status.get() == Status::NeedsYou)?;
        Some(match needs.kind {
            NeedsKind::Permission => "permission",
            NeedsKind::Question => "an answer",
            NeedsKind::Idle => "the next prompt",
            NeedsKind::Stuck => "it is stuck",
            NeedsKind::Error => "an error",
        })
    };
    view! {
        <header class="sesshead" draggable="true" data-session=session.id.get_value() title="Drag it into a folder to keep this session as a file">
            <span class="sesshead__agent">{move || view! { <AgentGlyph agent=agent.get()/> }}</span>
            <div class="grow sesshead__words">
                <h1 class="clip" title=name>{name}</h1>
                <div class="sesshead__place small muted">{move || row.get().map(|row| place(&row, session))}</div>
            </div>
            <span class="sesshead__state">
                <StatusBadge status=session.status/>
                {move || needs().map(|what| view! { <span class="attention small">{what}</span> })}
            </span>
            <Actions session/>
        </header>
    }
}

fn place(row: &Arc<SessionRow>, session: Session) -> impl IntoView + use<> {
    let dot = || view! { <span class="faint" aria-hidden="true">"\u{b7}"</span> };
    let version = row.agent_version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let branch = row.branch.clone().map(|branch| {
        view! { <span class="faint">"/"</span><Icon name="i-branch" small=true/><span class="clip">{branch}</span> }
    });
    let model = row.model.clone().map(|model| view! { {dot()}<span title=model.clone()>{short_model(&model)}</span> });
    let subagents = row.subagents.len() as u64;
    let subagents = (subagents > 0).then(|| view! { {dot()}<span>{format::plural(subagents, "subagent")}</span> });
    let link = move |row: &SessionRow, words: &str| {
        let name = title(row);
        view! { <span class="faint" aria-hidden="true">"\u{b7}"</span><a class="clip" href=routes::session(&row.id) title=name.clone()>{format!("{words} \u{201c}{name}\u{201d}")}</a> }
    };
    let family = move || {
        session.detail.with(|detail| {
            let detail = detail.as_ref()?;
            let parent = detail.parent.as_ref().map(|row| link(row, "started by"));
            let children = detail.children.iter().take(3).map(|row| link(row, "started")).collect_view();
            Some(view! { {parent}{children} })
        })
    };
    view! {
        <span class="medium" title=row.cwd.clone()>{row.project.clone()}</span>
        {branch}
        {dot()}
        <span>{format!("{}{version}", format::agent(&row.agent))}</span>
        {model}
        {dot()}
        <span>"since "<Clock at_ms=row.started_ms/></span>
        {subagents}
        {family}
        {row.demo.then(|| view! { <span class="tag">"demo"</span> })}
        {move || session.detail.with(|detail| detail.as_ref().is_some_and(|detail| detail.archived)).then(|| view! {
            <span class="tag" title="The agent has deleted its transcript. What Orrery read of it is kept">"archived"</span>
        })}
    }
}

/// Copy, link and export.
#[component]
fn Actions(session: Session) -> impl IntoView {
    let app = use_app();
    let export = move |form: &'static str| {
        if let Some(row) = session.row.get_untracked() {
            spawn_local(export_one(app, row, form));
        }
    };
    let copy_id = move |_| {
        let id = session.id.get_value();
        spawn_local(async move {
            match host::copy_text(id).await {
                Ok(()) => app.notices.say("Session id copied"),
                Err(why) => app.notices.fail(why),
            }
        });
    };
    view! {
        <button type="button" class="btn sesshead__wide" on:click=move |_| export("md")><Icon name="i-download"/>"Markdown"</button>
        <button type="button" class="btn sesshead__wide" on:click=move |_| export("jsonl")>"JSONL"</button>
        <button type="button" class="iconbtn" aria-label="Copy the session id" title="Copy the session id" on:click=copy_id>
            <Icon name="i-copy"/>
        </button>
    }
}

/// The totals in one line.
#[component]
pub fn Totals(session: Session) -> impl IntoView {
    let known = Memo::new(move |_| session.row.get());
    let told = Memo::new(move |_| session.with_story(Told::of));
    move || {
        known.get().map(|row| {
            let told = told.get();
            let (cost, cost_words) = cost(&row, session);
            let working = (told.working_ms > 0).then(|| format!("{} working", format::duration_ms(told.working_ms)));
            let p50 = told.p50_ms.map(|p50| format!("p50 {}", format::duration_ms(p50)));
            let failed_share = format::share(u64::from(row.errors), u64::from(row.tools));
            let (tokens, unit) = format::tokens_parts(row.tokens.total());
            let cached = format::share(row.tokens.cache_read, row.tokens.prompt()).map(|share| format!(", {share} cached"));
            let (context, context_words) = context(&row);
            let files = (told.files > 0).then(|| format!("in {}", format::plural(told.files, "file")));
            let failed = if row.errors > 0 { "danger" } else { "faint" };
            view! {
                <dl class="figures figures--session" tabindex="0" aria-label="Totals">
                    <div><dt>"Cost"</dt><dd>
                        <BillLink billed=Billed::session(&row.id) text=cost title=format::money_exact(row.cost_usd_micros)/>
                        <small>{cost_words}</small>
                    </dd></div>
                    <div><dt>"Took"</dt><dd>{format::duration_ms(took_ms(&row))}<small>{working}</small></dd></div>
                    <div><dt>"Turns"</dt><dd>{format::count(u64::from(row.turns))}</dd></div>
                    <div><dt>"Tool calls"</dt><dd>{format::count(u64::from(row.tools))}<small>{p50}</small></dd></div>
                    <div>
                        <dt><svg class=format!("glyph {failed}") aria-hidden="true"><use href="#g-fail"></use></svg>"Failed"</dt>
                        <dd>{format::count(u64::from(row.errors))}<small>{failed_share}</small></dd>
                    </div>
                    <div>
                        <dt>"Tokens"</dt>
                        <dd title=format::count(row.tokens.total())>{tokens}<small>{unit}{cached}</small></dd>
                    </div>
                    <div><dt>"Context"</dt><dd>{context}<small>{context_words}</small></dd></div>
                    <div>
                        <dt>"Lines"</dt>
                        <dd>
                            <span class="plusminus">
                                <b>{format!("+{}", row.lines_added)}</b>" "<i>{format!("\u{2212}{}", row.lines_removed)}</i>
                            </span>
                            <small>{files}</small>
                        </dd>
                    </div>
                </dl>
            }
        })
    }
}

/// The cost and how it is known.
fn cost(row: &SessionRow, session: Session) -> (String, String) {
    if row.cost_usd_micros == 0 && row.unpriced_requests > 0 {
        return ("?".to_owned(), "no price is known for this model".to_owned());
    }
    let subagents: i64 = row.subagents.values().map(|agent: &SubagentRow| agent.cost_usd_micros).sum();
    let estimated = session.detail.with(|detail| {
        detail.as_ref().is_some_and(|detail| detail.models.iter().any(|model| model.totals.estimated_requests > 0))
    });
    let mut words = Vec::new();
    if subagents > 0 {
        words.push(format!(
            "main {}, subagents {}",
            format::money(row.cost_usd_micros - subagents),
            format::money(subagents)
        ));
    }
    if row.unpriced_requests > 0 {
        words.push(format!("{} without a price", format::plural(u64::from(row.unpriced_requests), "request")));
    } else if estimated {
        words.push("partly estimated".to_owned());
    } else if row.requests > 0 && subagents == 0 {
        words.push(format!("{}, at API prices", format::plural(u64::from(row.requests), "request")));
    } else if row.requests == 0 {
        words.push("no usage seen yet".to_owned());
    }
    (format::money(row.cost_usd_micros), words.join(", "))
}

fn context(row: &SessionRow) -> (String, String) {
    match (row.context_tokens, row.context_window) {
        (Some(used), Some(window)) if window > 0 => (
            format::share(used, window).unwrap_or_default(),
            format!("{} of {}", format::tokens(used), format::tokens(window)),
        ),
        (Some(used), _) => (format::tokens(used), "window unknown".to_owned()),
        _ => ("\u{2013}".to_owned(), String::new()),
    }
}

/// Totals that only the story knows.
#[derive(Debug, Clone, Default, PartialEq)]
struct Told {
    working_ms: i64,
    /// Median time of a tool call.
    p50_ms: Option<i64>,
    files: u64,
}

impl Told {
    fn of(story: &Story) -> Told {
        let mut took: Vec<i64> = Vec::new();
        let mut files = std::collections::BTreeSet::new();
        let main = story.turns().iter().flat_map(|turn| &turn.steps);
        let nested = story.subagents().values().flat_map(|thread| &thread.steps);
        for step in main.chain(nested) {
            if let What::Tool(call) = &step.what {
                took.extend(step.took_ms);
                if call.class == orrery_types::ToolClass::Edit && !call.target.is_empty() {
                    files.insert(call.target.as_str());
                }
            }
        }
        took.sort_unstable();
        Told {
            working_ms: story
                .turns()
                .iter()
                .filter(|turn| turn.index > 0)
                .map(orrery_views::story::Turn::took_ms)
                .sum(),
            p50_ms: took.get(took.len() / 2).copied(),
            files: files.len() as u64,
        }
    }
}
