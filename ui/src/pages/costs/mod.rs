//! Costs: what was spent against what may be, where it went, what caching did, where it ends; every figure opens its bill.

mod ask;
mod budgets;
mod cache;
mod chart;
mod head;
mod rows;
mod split;

use leptos::prelude::*;
use orrery_types::CostTotals;
use orrery_views::format;

use self::ask::{Costs, use_costs};
use self::split::By;
use crate::components::{AgentGlyph, Empty, Tab, Tabs};
use crate::frame::BillLink;
use crate::routes::{self, use_query};
use crate::state::{use_app, use_keys};

pub use self::ask::Span;

#[component]
pub fn CostsPage() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let costs = use_costs(app);
    use_keys(&[("[ ]", "Split by the one before, the next"), ("Z", "Back to the whole time")], move |event| {
        let step = match event.key().as_str() {
            "]" => 1,
            "[" => By::ALL.len() - 1,
            "z" | "Z" => {
                query.set("range", None);
                return true;
            }
            _ => return false,
        };
        let at = By::ALL.iter().position(|by| *by == costs.by.get_untracked()).unwrap_or(0);
        query.set("by", Some(By::ALL[(at + step) % By::ALL.len()].slug()));
        true
    });
    let failed = move || costs.rows.with(|rows| if rows.value.is_none() { rows.error.clone() } else { None });
    let slow = move || costs.rows.with(|rows| rows.is_slow) || costs.days.with(|days| days.is_slow);
    let nothing = Memo::new(move |_| {
        costs.days.with(|days| days.value.as_ref().is_some_and(|table| table.totals.requests == 0))
            && costs.rows.with(|rows| rows.value.as_ref().is_some_and(|table| table.totals.requests == 0))
    });
    let tabs = By::ALL.map(|by| Tab::new(by.slug(), by.label())).to_vec();
    view! {
        <div class="page costs" tabindex="0" role="region" aria-label="Costs">
            <h1 class="sr">"Costs"</h1>
            <div class="progress-line" class:progress-line--on=slow aria-hidden="true"></div>
            <head::Head costs/>
            {move || failed().map(|error| view! {
                <Empty title="The costs could not be read" say=error.to_string() failed=true>
                    <button type="button" class="btn btn--small" on:click=move |_| costs.again.update(|times| *times += 1)>"Try again"</button>
                </Empty>
            })}
            <Show when=move || !nothing.get() fallback=Nothing>
                <div class="costs__grid">
                    <div class="costs__main">
                        <budgets::Budgets costs/>
                        <section aria-label="Where it went">
                            <div class="costs__tabs">
                                <Tabs id="costs" label="Split by" tabs=Signal::stored(tabs.clone()) value=Signal::derive(move || costs.by.get().slug().to_owned()) choose=move |by: String| query.set("by", Some(&by))/>
                            </div>
                            <rows::Table costs/>
                        </section>
                    </div>
                    <div class="costs__side">
                        <chart::OverTime costs/>
                        <cache::Cache costs/>
                        <Dearest costs/>
                    </div>
                </div>
            </Show>
        </div>
    }
}

/// No billed request is known at all.
#[component]
fn Nothing() -> impl IntoView {
    view! {
        <Empty title="No cost is known in this time" say="Costs come from the transcripts agents write, and from telemetry. Choose a longer time above, or import what agents kept on this machine" center=true>
            <a class="btn btn--primary" href=format!("{}#history", routes::SETTINGS)>"Import history"</a>
            <a class="btn" href=format!("{}?range=all", routes::COSTS)>"All time"</a>
        </Empty>
    }
}

/// The sessions that cost most in this time.
#[component]
fn Dearest(costs: Costs) -> impl IntoView {
    const SHOWN: usize = 6;
    let app = use_app();
    let line = move |(id, totals): (String, CostTotals)| {
        let known = costs.title_of(&id).or_else(|| app.feed_untracked(|feed| feed.session(&id)));
        let title = known.as_ref().map(|row| crate::pages::sessions::title(row)).unwrap_or_else(|| id.clone());
        let (agent, project) = known.map(|row| (row.agent.clone(), row.project.clone())).unwrap_or_default();
        view! {
            <li>
                <AgentGlyph agent/>
                <a class="clip" href=routes::session(&id) title=title.clone()>{title.clone()}</a>
                <span class="muted small clip">{project}</span>
                <BillLink billed=Signal::stored(costs.billed_untracked(By::Session, &id)) text=format::money(totals.cost_usd_micros) class="num"/>
            </li>
        }
    };
    let rows = move || {
        costs.titles.track();
        let rows =
            costs.sessions.with(|answer| answer.value.as_ref().map(|table| table.rows.clone()).unwrap_or_default());
        rows.into_iter().take(SHOWN).map(|row| line((row.key, row.totals))).collect_view()
    };
    view! {
        <section aria-label="Most expensive sessions">
            <div class="head">
                <h2>"Most expensive sessions"</h2>
                <a class="push small" href=move || costs.all_sessions()>"All sessions"</a>
            </div>
            <ul class="dear">{rows}</ul>
        </section>
    }
}
