//! The bill: tokens times price by model, who told of them, with which prices, and what was left out.

use leptos::prelude::*;
use orrery_types::{Bill, BillLine, PricesUsed, UsageQuery};
use orrery_views::format;

use super::requests::Requests;
use super::{Billed, Told, told, waiting};
use crate::frame::drawer::source_word;
use crate::routes;
use crate::state::{AppState, use_app};

#[component]
pub fn BillView(billed: Billed) -> impl IntoView {
    let app = use_app();
    let query = StoredValue::new(billed.query.clone());
    let stamp = changes(app, billed.query.clone());
    let told = told(stamp, move || {
        let query = query.get_value();
        async move { app.api().bill(&query).await }
    });
    view! {
        {move || told.with(|told| match told {
            Told::Known(bill) if bill.totals.requests == 0 => view! {
                <div class="empty">
                    <h2>"No usage is known"</h2>
                    <p>"Neither transcripts nor telemetry told of a billed request here. Hooks alone carry no tokens: import the history, or wait for the transcript to be read"</p>
                </div>
            }.into_any(),
            Told::Known(bill) => view! { {of(query.with_value(UsageQuery::clone))} {table(bill)} {facts(bill)} }.into_any(),
            other => waiting(other),
        })}
        <Requests query=billed.query stamp/>
    }
}

/// Changes when the figure on the page does: the bill is read again.
fn changes(app: AppState, query: UsageQuery) -> Memo<(i64, u64)> {
    Memo::new(move |_| {
        app.feed(|feed| match &query.session {
            Some(id) => feed.session(id).map(|row| (row.cost_usd_micros, row.tokens.total())).unwrap_or_default(),
            None => {
                feed.overview().map(|all| (all.today.cost_usd_micros, all.today.tokens.total())).unwrap_or_default()
            }
        })
    })
}

/// The session the figure belongs to, by its name.
fn of(query: UsageQuery) -> Option<impl IntoView> {
    let id = query.session?;
    let row = use_app().feed_untracked(|feed| feed.session(&id));
    let name = row.map(|row| row.title.clone()).filter(|title| !title.trim().is_empty())?;
    Some(view! {
        <p class="billof small muted clip"><a href=routes::session(&id) title=name.clone()>{name.clone()}</a></p>
    })
}

/// Lines with a head for each model where there are several.
fn table(bill: &Bill) -> impl IntoView + use<> {
    let mut models: Vec<(String, Vec<BillLine>)> = Vec::new();
    for line in &bill.lines {
        match models.last_mut().filter(|(model, _)| *model == line.model) {
            Some((_, lines)) => lines.push(line.clone()),
            None => models.push((line.model.clone(), vec![line.clone()])),
        }
    }
    let groups = models.into_iter().map(|(model, lines)| {
        let cost: i64 = lines.iter().map(|line| line.line.cost_usd_micros).sum();
        let lines = lines.into_iter().map(|line| {
            let mark = line.estimated.then(|| view! { <span class="faint" title="No published price fits exactly">" est."</span> });
            let BillLine { line, .. } = line;
            view! {
                <tr>
                    <td>{line.what}{mark}</td>
                    <td class="n">{format::count(line.count)}</td>
                    <td class="n sub">{format!("\u{d7} {}", price(line.usd_per_million))}</td>
                    <td class="n" title=format::money_exact(line.cost_usd_micros)>{format::money(line.cost_usd_micros)}</td>
                </tr>
            }
        });
        view! {
            <tr class="group"><th scope="rowgroup" colspan="3"><span class="clip">{model}</span></th><td class="n">{format::money(cost)}</td></tr>
            {lines.collect_view()}
        }
    });
    let unpriced = bill.unpriced.iter().cloned().map(|row| {
        let name = if row.model.is_empty() { "no model named".to_owned() } else { row.model };
        view! {
            <tr class="group"><th scope="rowgroup" colspan="3"><span class="clip">{name}</span></th><td class="n faint">"unknown"</td></tr>
            <tr><td>{format!("No price, {}", format::plural(row.requests, "request"))}</td><td class="n">{format::count(row.tokens)}</td><td></td><td class="n faint">"unknown"</td></tr>
        }
    });
    // Costs that only the agents know are in no line.
    let billed: i64 = bill.lines.iter().map(|line| line.line.cost_usd_micros).sum();
    let apart = bill.totals.cost_usd_micros - billed;
    let apart = (apart != 0).then(|| {
        let words = if apart > 0 { "The agent says more" } else { "The agent says less" };
        view! { <tr><td colspan="3" class="sub">{words}</td><td class="n" title=format::money_exact(apart)>{signed(apart)}</td></tr> }
    });
    let totals = bill.totals;
    view! {
        <table class="billtable">
            <thead><tr><th scope="col">"Billed as"</th><th scope="col" class="n">"Tokens"</th><th scope="col" class="n">"Price per M"</th><th scope="col" class="n">"Cost"</th></tr></thead>
            <tbody>{groups.collect_view()}{unpriced.collect_view()}{apart}</tbody>
            <tfoot>
                <tr>
                    <th scope="row">{format::plural(totals.requests, "request")}</th>
                    <td class="n">{format::count(totals.tokens.total())}</td>
                    <td></td>
                    <td class="n" title=format::money_exact(totals.cost_usd_micros)>{format::money(totals.cost_usd_micros)}</td>
                </tr>
            </tfoot>
        </table>
    }
}

fn facts(bill: &Bill) -> impl IntoView + use<> {
    let told: Vec<String> = bill
        .sources
        .iter()
        .map(|(source, requests)| format!("{} {}", source_word(*source), format::count(*requests)))
        .collect();
    let guessed = match bill.totals.estimated_requests {
        0 => "; none estimated".to_owned(),
        some => format!("; {} at an estimated price", format::count(some)),
    };
    let left_out = match bill.repeats.reports {
        0 => "no repeats of a request".to_owned(),
        some => format!(
            "{} of requests counted already, would add {}",
            format::plural(some, "repeat"),
            format::money(bill.repeats.usd_micros)
        ),
    };
    let prices: Vec<String> = bill.prices.iter().map(prices).collect();
    let check = bill.reported.map(|reported| {
        if reported.compared_usd_micros == 0 && reported.calculated_usd_micros == 0 {
            return format!("the agent's own sum counts: {}", format::money(reported.usd_micros));
        }
        format!(
            "the agent says {} for {}, the prices give {}, {}",
            format::money(reported.compared_usd_micros),
            format::plural(reported.requests, "request"),
            format::money(reported.calculated_usd_micros),
            apart(reported.compared_usd_micros, reported.calculated_usd_micros)
        )
    });
    let check = check.unwrap_or_else(|| "no agent told its own figure".to_owned());
    view! {
        <dl class="kv billfacts">
            <dt>"Tokens from"</dt><dd>{told.join(", ")}{guessed}</dd>
            <dt>"Left out"</dt><dd>{left_out}</dd>
            {(!prices.is_empty()).then(|| view! { <dt>"Prices from"</dt><dd>{prices.join("; ")}</dd> })}
            <dt>"Check"</dt><dd>{check}</dd>
        </dl>
    }
}

fn prices(used: &PricesUsed) -> String {
    let table = &used.table;
    let origin = if table.origin.is_empty() { "a table that is not here any more" } else { &table.origin };
    format!("{}, {origin}, {}", table.version, format::plural(used.requests, "request"))
}

/// Dollars per million tokens, with as many digits as it has.
pub fn price(usd_per_million: f64) -> String {
    let text = format!("{usd_per_million:.6}");
    let short = text.trim_end_matches('0');
    let digits = short.rsplit('.').next().map_or(0, str::len).max(2);
    format!("${usd_per_million:.digits$}")
}

pub fn signed(micros: i64) -> String {
    let sign = if micros < 0 { "\u{2212}" } else { "+" };
    format!("{sign}{}", format::money(micros.saturating_abs()))
}

/// How far two sums lie apart, in words.
pub fn apart(one: i64, other: i64) -> String {
    let difference = one.abs_diff(other);
    match difference {
        0 => "the same".to_owned(),
        _ if other == 0 => "not the same".to_owned(),
        _ => {
            let percent = difference as f64 * 100.0 / other.unsigned_abs() as f64;
            if percent < 0.05 { "less than 0.1 % apart".to_owned() } else { format!("{percent:.1} % apart") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_the_digits_they_need() {
        assert_eq!([price(4.0), price(0.3125), price(18.75), price(0.0)], ["$4.00", "$0.3125", "$18.75", "$0.00"]);
    }

    #[test]
    fn differences_are_told_in_words() {
        assert_eq!(
            [apart(5, 5), apart(1, 0), apart(1_000_001, 1_000_000), apart(110, 100)],
            ["the same", "not the same", "less than 0.1 % apart", "10.0 % apart"]
        );
    }
}
