//! The figures of the page head.

use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{Overview, SessionRow, UsageQuery};
use orrery_views::format;

use crate::components::Bar;
use crate::frame::{BillLink, Billed};
use crate::host::{now_ms, utc_offset_minutes};
use crate::state::use_app;

type Rows = Memo<Vec<Arc<SessionRow>>>;

#[component]
pub fn Head(active: Rows, needs: Rows) -> impl IntoView {
    let app = use_app();
    let overview = Memo::new(move |_| app.feed(|feed| feed.overview()));
    let oldest = Memo::new(move |_| {
        let since = needs.with(|rows| rows.iter().filter_map(|row| Some(row.needs.as_ref()?.since_ms)).min())?;
        Some(format::elapsed_ms((app.now.get() - since) / 60_000 * 60_000))
    });
    let waiting = Memo::new(move |_| needs.with(Vec::len));
    let at_work = Memo::new(move |_| active.with(Vec::len));
    let subagents = Memo::new(move |_| {
        active.with(|rows| rows.iter().flat_map(|row| row.subagents.values()).filter(|sub| sub.running).count())
    });
    let is_known = move || overview.with(Option::is_some);
    // A figure nobody told us yet is a dash, not a zero.
    let count = move |value: Memo<usize>| move || if is_known() { value.get().to_string() } else { "–".to_owned() };
    let tone = move || if waiting.get() > 0 { "attention" } else { "" };
    let glyph_tone = move || if waiting.get() > 0 { "glyph attention" } else { "glyph faint" };
    view! {
        <dl class="figures live-figures">
            <div class="big">
                <dt>
                    <svg class=glyph_tone aria-hidden="true"><use href="#g-wait"/></svg>
                    "Need you"
                </dt>
                <dd class=tone>
                    {count(waiting)}
                    <small>{move || oldest.get().filter(|oldest| oldest != "0 s").map(|oldest| format!("oldest {oldest}"))}</small>
                </dd>
            </div>
            <div class="big">
                <dt>"Active"</dt>
                <dd>{count(at_work)}<small>{move || (subagents.get() > 0).then(|| format::plural(subagents.get() as u64, "subagent"))}</small></dd>
            </div>
            {move || spent(overview.get().as_deref())}
            {move || failed(overview.get().as_deref())}
            {move || tokens(overview.get().as_deref())}
        </dl>
    }
}

fn spent(overview: Option<&Overview>) -> impl IntoView + use<> {
    let today = overview.map(|overview| overview.today.clone()).unwrap_or_default();
    let figure = if overview.is_some() { format::money(today.cost_usd_micros) } else { "–".to_owned() };
    let budget = today.budget_usd_micros.filter(|budget| *budget > 0);
    let share = |value: i64, budget: i64| value as f64 / budget as f64;
    let over = budget.is_some_and(|budget| today.cost_usd_micros > budget);
    let pace = today.pace_usd_micros.map(|pace| {
        let class = if budget.is_some_and(|budget| pace > budget) { "push attention" } else { "push faint" };
        view! { <span class=class>{format!("pace {} by midnight", format::money(pace))}</span> }
    });
    let unpriced = (today.unpriced_requests > 0)
        .then(|| format!("{} without a price", format::plural(today.unpriced_requests, "request")));
    let small = match (budget, &unpriced) {
        (Some(budget), _) => format!("of {}", format::money_short(budget)),
        (None, Some(unpriced)) => unpriced.clone(),
        (None, None) => String::new(),
    };
    let label = budget.map(|budget| format!("{:.0} % of today's budget", share(today.cost_usd_micros, budget) * 100.0));
    let exact = format!("{} {}", format::money_exact(today.cost_usd_micros), unpriced.unwrap_or_default());
    view! {
        <div class="big budget">
            <dt>"Spent today"{pace}</dt>
            <dd class=if over { "danger" } else { "" }><BillLink billed=spent_today() text=figure title=exact/><small>{small}</small></dd>
            {budget.map(|budget| view! {
                <dd class="budget__bar">
                    <Bar
                        share=Signal::stored(share(today.cost_usd_micros, budget))
                        mark=Signal::stored(today.pace_usd_micros.map(|pace| share(pace, budget)))
                        label=Signal::stored(label.clone().unwrap_or_default())
                    />
                </dd>
            })}
        </div>
    }
}

/// Everything since the person's midnight.
fn spent_today() -> Billed {
    let now_ms = now_ms();
    let offset_ms = i64::from(utc_offset_minutes(now_ms)) * 60_000;
    let midnight_ms = now_ms - (now_ms + offset_ms).rem_euclid(86_400_000);
    let query = UsageQuery { from_ms: Some(midnight_ms), ..UsageQuery::default() };
    Billed { query, name: "Spent today".to_owned() }
}

fn failed(overview: Option<&Overview>) -> impl IntoView + use<> {
    let today = overview.map(|overview| overview.today.clone()).unwrap_or_default();
    let figure = if overview.is_some() { today.failed_last_hour.to_string() } else { "–".to_owned() };
    let tone = if today.failed_last_hour > 0 { "glyph danger" } else { "glyph faint" };
    view! {
        <div class="big">
            <dt><svg class=tone aria-hidden="true"><use href="#g-fail"/></svg>"Failed, last hour"</dt>
            <dd>{figure}<small>{format!("of {} calls", format::count(u64::from(today.calls_last_hour)))}</small></dd>
        </div>
    }
}

fn tokens(overview: Option<&Overview>) -> impl IntoView + use<> {
    let tokens = overview.map(|overview| overview.today.tokens).unwrap_or_default();
    let (figure, unit) = format::tokens_parts(tokens.total());
    let figure = if overview.is_some() { figure } else { "–".to_owned() };
    let cached = format::share(tokens.cache_read, tokens.prompt()).map(|share| format!("{share} cached"));
    let small =
        [(!unit.is_empty()).then(|| unit.to_owned()), cached].into_iter().flatten().collect::<Vec<_>>().join(", ");
    view! {
        <div class="big" title=format!("{} tokens", format::count(tokens.total()))>
            <dt>"Tokens today"</dt>
            <dd>{figure}<small>{small}</small></dd>
        </div>
    }
}
