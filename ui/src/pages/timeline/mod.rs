//! Timeline: every session, subagent and call over time.

mod draw;
mod keys;
mod lanes;
mod minimap;
mod model;
mod paint;
mod panel;
mod picture;
mod toolbar;
mod view;

use leptos::prelude::*;
use orrery_types::SessionQuery;

use self::keys::listen;
use self::minimap::Minimap;
pub use self::model::Scope;
use self::model::{Chart, open_chart};
use self::panel::Panel;
use self::picture::Picture;
use self::toolbar::Toolbar;
use crate::components::Icon;
use crate::routes::{use_filter, use_query};
use crate::state::use_app;

/// The page over all sessions.
#[component]
pub fn TimelinePage() -> impl IntoView {
    let filter = use_filter();
    let scope = Memo::new(move |_| {
        filter.with(|filter| Scope { project: filter.project.clone(), agent: filter.agent.clone(), session: None })
    });
    view! { <TimelineView scope title=true/> }
}

/// The chart with its head, minimap and panel. Also a tab of a session.
#[component]
pub fn TimelineView(scope: Memo<Scope>, #[prop(optional)] title: bool) -> impl IntoView {
    let chart = open_chart(scope);
    listen(chart);
    let failed = move || chart.failed.get();
    let is_empty = Memo::new(move |_| chart.is_known.get() && chart.all.get().is_none());
    view! {
        <div class="page timeline" class:timeline--tab=!title>
            <Toolbar chart title/>
            {move || failed().map(|error| view! {
                <div class="banner banner--quiet" role="alert">
                    <span>{error.to_string()}</span>
                    <button type="button" class="btn btn--small push" on:click=move |_| chart.retry()>"Try again"</button>
                </div>
            })}
            <Show when=move || !is_empty.get() fallback=move || view! { <Nothing chart/> }>
                <div class="tl">
                    <Minimap chart/>
                    <Picture chart/>
                </div>
                <Panel chart/>
            </Show>
        </div>
    }
}

/// No session in the time: says so, and leads to one that has some.
#[component]
fn Nothing(chart: Chart) -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let has_others = RwSignal::new(false);
    leptos::task::spawn_local(async move {
        let any = SessionQuery { limit: Some(1), ..SessionQuery::default() };
        if let Ok(page) = app.api().sessions(&any).await {
            has_others.try_set(!page.items.is_empty());
        }
    });
    let is_narrow = move || chart.scope.with(|scope| scope.project.is_some() || scope.agent.is_some());
    view! {
        <div class="empty">
            <Icon name="i-timeline"/>
            <h2>{move || if has_others.get() { "No session ran in this time" } else { "No sessions yet" }}</h2>
            <p>{move || if has_others.get() { "Choose a longer time, or take the filters away" } else { "Sessions appear here as agents report them" }}</p>
            <div class="row">
                <Show when=move || has_others.get()>
                    <button type="button" class="btn" on:click=move |_| query.set_all(&[("range", Some("all")), ("t0", None), ("t1", None)])>"Show all time"</button>
                </Show>
                <Show when=is_narrow>
                    <button type="button" class="btn" on:click=move |_| query.set_all(&[("project", None), ("agent", None)])>"Take filters away"</button>
                </Show>
            </div>
        </div>
    }
}
