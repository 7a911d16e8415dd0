//! One session: totals, its story, and its events as they were stored.

mod costs;
mod detail;
mod files;
mod head;
mod load;
mod place;
mod raw;
mod replay;
mod step;
mod story;
mod tabs;

use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use orrery_types::Status;
use orrery_views::format;

use self::costs::CostsTab;
use self::files::FilesTab;
use self::head::{Head, Totals};
use self::load::{Load, Session, open_session};
use self::place::{Place, step_focus};
use self::raw::RawTab;
use self::replay::ReplayTab;
use self::story::StoryTab;
use self::tabs::{Tab, Tabs};
use crate::components::Icon;
use crate::host;
use crate::pages::timeline::{Scope, TimelineView};
use crate::routes::{self, use_query};
use crate::state::{use_app, use_keys};

/// A page that reaches down to this many pixels from its end follows what is added.
const NEAR_END: i32 = 96;

#[component]
pub fn SessionPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    move || view! { <OneSession id=id.get()/> }
}

#[component]
fn OneSession(id: String) -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let session = open_session(app, id);
    let place = Place::new(session);
    let tab = Memo::new(move |_| Tab::from_slug(query.get("tab").as_deref()));
    let chart_scope = Memo::new(move |_| Scope { session: Some(session.id.get_value()), ..Scope::default() });
    let scroller = NodeRef::<Div>::new();
    follow_end(session, scroller);
    follow_link(session, place);

    use_keys(
        &[
            ("[  ]", "Previous, next turn"),
            ("j  k", "Next, previous step"),
            ("e", "Next error"),
            ("Space  Enter", "Open or fold"),
        ],
        move |event| {
            if tab.get_untracked() != Tab::Story
                || event.ctrl_key()
                || event.meta_key()
                || event.alt_key()
                || host::is_typing()
            {
                return false;
            }
            match event.key().as_str() {
                "[" => place.next_turn(-1),
                "]" => place.next_turn(1),
                "e" => {
                    if !place.next_error() {
                        app.notices.say("Nothing failed in this session");
                    }
                }
                "j" => return step_focus(1),
                "k" => return step_focus(-1),
                _ => return false,
            }
            true
        },
    );

    let missing = Memo::new(move |_| match session.load.get() {
        Load::Failed(error) if session.row.get().is_none() => Some(error),
        _ => None,
    });
    view! {
        <div class="page session">
            <Show
                when=move || missing.with(Option::is_none)
                fallback=move || missing.get().map(|error| {
                    let title = if error.status == 404 { "There is no such session".to_owned() } else { error.title };
                    let hint = if error.status == 404 { "It may have been part of the demo, or the link is from another machine".to_owned() } else { error.hint };
                    view! {
                        <div class="empty" role="alert">
                            <Icon name="i-offline"/>
                            <h1>{title}</h1>
                            <p>{hint}</p>
                            <div class="row">
                                <button type="button" class="btn" on:click=move |_| session.reload()>"Try again"</button>
                                <a class="btn" href=routes::SESSIONS>"All sessions"</a>
                            </div>
                        </div>
                    }
                })
            >
                <Head session/>
                <Totals session/>
                <div class="tabs session__tabs">
                    <Tabs session tab/>
                    <Reading session/>
                    <Show when=move || matches!(tab.get(), Tab::Story | Tab::Replay)>
                        <button type="button" class="btn btn--plain btn--small push" on:click=move |_| place.set_all_turns(true)>"Open all"</button>
                        <button type="button" class="btn btn--plain btn--small" on:click=move |_| place.set_all_turns(false)>"Fold all"</button>
                    </Show>
                </div>
                <div class="session__view" id="session-view" role="tabpanel" aria-labelledby=move || tab.get().id()>
                    {move || match tab.get() {
                        Tab::Story => view! {
                            <div class="session__scroll" node_ref=scroller tabindex="0" role="region" aria-label="Story of the session"><StoryTab session place/></div>
                        }
                        .into_any(),
                        Tab::Timeline => view! { <TimelineView scope=chart_scope/> }.into_any(),
                        Tab::Replay => view! { <ReplayTab session place/> }.into_any(),
                        Tab::Costs => view! { <CostsTab session/> }.into_any(),
                        Tab::Files => view! { <FilesTab session/> }.into_any(),
                        Tab::Raw => view! { <RawTab session/> }.into_any(),
                    }}
                </div>
            </Show>
        </div>
    }
}

/// How far reading is, or that it stopped.
#[component]
fn Reading(session: Session) -> impl IntoView {
    move || match session.load.get() {
        Load::Loading(read) => {
            let total = session.row.get().map_or(0, |row| row.events);
            let words = if total > 0 {
                format!("reading {} of {} events", format::count(read as u64), format::count(total))
            } else {
                "reading".to_owned()
            };
            view! { <span class="small faint session__reading" role="status">{words}</span> }.into_any()
        }
        Load::Failed(error) => view! {
            <span class="small danger session__reading" role="status">{error.title}</span>
            <button type="button" class="btn btn--small" on:click=move |_| session.reload()>"Try again"</button>
        }
        .into_any(),
        Load::Done => ().into_any(),
    }
}

/// Shows the newest step of a session at work, for as long as the reader stays at the end.
fn follow_end(session: Session, scroller: NodeRef<Div>) {
    let started = StoredValue::new(false);
    Effect::new(move |_| {
        session.revision.track();
        let done = session.load.get() == Load::Done && session.row.with(Option::is_some);
        let Some(element) = scroller.get() else { return };
        let at_work = matches!(session.status.get_untracked(), Status::Running | Status::NeedsYou | Status::Stuck);
        let near_end = element.scroll_height() - element.scroll_top() - element.client_height() < NEAR_END;
        let first = done && !started.get_value() && at_work;
        if done {
            started.set_value(true);
        }
        if first || (near_end && at_work && element.scroll_top() > 0) {
            // The steps are drawn by effects that run after this one: one paint later their height is known.
            host::on_next_paint(move || host::on_next_paint(move || element.set_scroll_top(element.scroll_height())));
        }
    });
}

/// Goes to the step that the address names, once its event is here.
fn follow_link(session: Session, place: Place) {
    let query = use_query();
    let reached = StoredValue::new(None::<i64>);
    Effect::new(move |_| {
        let Some(wanted) = query.get("step").and_then(|seq| seq.parse::<i64>().ok()) else { return };
        session.revision.track();
        if reached.get_value() == Some(wanted) || session.load.get() != Load::Done {
            return;
        }
        if place.go_to_event(wanted) {
            reached.set_value(Some(wanted));
        } else {
            session.read_around(wanted);
        }
    });
}
