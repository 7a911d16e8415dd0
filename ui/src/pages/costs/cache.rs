//! Cache economics: what the tokens cost, and what they would have cost without a cache.

use leptos::prelude::*;
use orrery_types::Bill;
use orrery_views::cache::{CacheEconomics, economics};
use orrery_views::format;

use super::ask::Costs;
use super::split::By;
use crate::frame::BillLink;

/// Kinds of a bill with their words and colors, in the order of the bar.
const KINDS: [(&str, &str, &str); 5] = [
    ("Input", "Input", "--series-7"),
    ("Cache write", "Cache write", "--series-1"),
    ("Cache read", "Cache read", "--series-2"),
    ("Output", "Output", "--series-4"),
    ("", "Other", "--mark"),
];

/// What each kind cost.
fn by_kind(bill: &Bill) -> Vec<(&'static str, &'static str, i64)> {
    let kind_of = |what: &str| KINDS.iter().position(|(start, ..)| what.starts_with(start)).unwrap_or(KINDS.len() - 1);
    let mut sums = KINDS.map(|(_, word, color)| (word, color, 0_i64));
    for line in &bill.lines {
        sums[kind_of(&line.line.what)].2 += line.line.cost_usd_micros;
    }
    sums.into_iter().filter(|(_, _, cost)| *cost > 0).collect()
}

#[component]
pub fn Cache(costs: Costs) -> impl IntoView {
    let shown = move || {
        costs.bill.with(|bill| match (&bill.value, &bill.error) {
            (Some(bill), _) => body(bill).into_any(),
            (None, Some(error)) => {
                view! { <p class="cache muted">{format!("The bill could not be read: {error}")}</p> }.into_any()
            }
            (None, None) => ().into_any(),
        })
    };
    let said = move || {
        let sums = costs.bill.with(|bill| bill.value.as_ref().map(|bill| economics(&bill.lines)))?;
        Some(format!("each token written is read {:.1} times", sums.reads_per_write()?))
    };
    view! {
        <section aria-label="Cache">
            <div class="head">
                <h2>"Cache"</h2>
                <span class="small muted clip">{said}</span>
                <span class="push"><BillLink billed=Signal::derive(move || {
                    costs.span.track();
                    costs.billed_untracked(By::Project, "")
                }) text="How we know" class="small"/></span>
            </div>
            {shown}
        </section>
    }
}

fn body(bill: &Bill) -> impl IntoView + use<> {
    let sums = economics(&bill.lines);
    let whole = sums.without_cache.max(sums.billed).max(1);
    let part = move |cost: i64| format!("{:.2}%", cost as f64 / whole as f64 * 100.0);
    let kinds = by_kind(bill);
    let stack = kinds
        .iter()
        .map(|(_, color, cost)| view! { <i style:width=part(*cost) style:background=format!("var({color})")></i> })
        .collect_view();
    let key = kinds.iter().map(|(word, color, cost)| view! {
        <span class="chart__key"><i class="swatch" style:background=format!("var({color})")></i>{*word}<span class="num small">{format::money(*cost)}</span></span>
    }).collect_view();
    view! {
        <div class="cache">
            <div class="cache__versus">
                <span class="muted">"Without cache"</span>
                <span class="cache__bar" aria-hidden="true"><i style:width=part(sums.without_cache)></i></span>
                <span class="num right">{format::money(sums.without_cache)}</span>
                <span class="medium">"As billed"</span>
                <span class="cache__bar cache__bar--stack" aria-hidden="true">{stack}</span>
                <span class="num right strong">{format::money(sums.billed)}</span>
            </div>
            <div class="cache__key">{key}</div>
            <dl class="kv">{facts(&sums)}</dl>
        </div>
    }
}

fn facts(sums: &CacheEconomics) -> impl IntoView + use<> {
    let saved = sums.saved();
    let (word, class) = if saved >= 0 { ("Saved", "") } else { ("Lost", "danger") };
    let hit = sums
        .hit_share()
        .map(|share| format!("{:.1} % of {} prompt tokens", share * 100.0, format::tokens(sums.prompt_tokens)));
    let unknown = (sums.unknown_tokens > 0).then(|| {
        let said = format!(
            "{} tokens of models without any plain input in this time count as billed",
            format::tokens(sums.unknown_tokens)
        );
        view! { <dt>"Left out"</dt><dd class="muted">{said}</dd> }
    });
    view! {
        <dt>{word}</dt><dd class=class><span class="num strong">{format::money(saved.abs())}</span></dd>
        <dt>"Hit share"</dt><dd>{hit.unwrap_or("–".to_owned())}</dd>
        <dt>"Writing"</dt><dd><span class="num">{format::money(sums.write_cost)}</span>{format!(" for {} tokens", format::tokens(sums.write_tokens))}</dd>
        <dt>"Reading"</dt><dd><span class="num">{format::money(sums.read_cost)}</span>{format!(" for {} tokens", format::tokens(sums.read_tokens))}</dd>
        {unknown}
    }
}
