//! What was spent against what may be: a bar per budget, with its pace and where it ends.

use leptos::prelude::*;
use orrery_types::Overview;
use orrery_views::format;

use super::ask::Costs;
use crate::components::{Badge, Tone};
use crate::host;
use crate::routes;
use crate::state::{Range, use_app};

/// A budget and its time.
#[derive(Debug, Clone, PartialEq)]
struct Budget {
    what: String,
    from_ms: i64,
    to_ms: i64,
    spent: i64,
    limit: i64,
}

/// How a budget stands, in words and shares.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    name: String,
    spent: i64,
    limit: i64,
    /// Parts: what is spent of the limit; how much of the time is over, which is where an even pace would be.
    share: f64,
    even: f64,
    /// Where it ends at the rate so far.
    end: i64,
    tone: Tone,
    outlook: String,
}

/// The budgets that are set.
fn budgets(overview: &Overview, midnight_ms: i64) -> Vec<Budget> {
    const DAY_MS: i64 = 86_400_000;
    let today = overview.today.budget_usd_micros.filter(|limit| *limit > 0).map(|limit| Budget {
        what: "All, today".to_owned(),
        from_ms: midnight_ms,
        to_ms: midnight_ms + DAY_MS,
        spent: overview.today.cost_usd_micros,
        limit,
    });
    today.into_iter().collect()
}

/// `clock` gives a moment in words.
fn line(budget: &Budget, now_ms: i64, clock: impl Fn(i64) -> String) -> Line {
    /// From this share of the limit on it is near.
    const NEAR: f64 = 0.8;
    let limit = budget.limit.max(1);
    let length = (budget.to_ms - budget.from_ms).max(1);
    let even = ((now_ms - budget.from_ms) as f64 / length as f64).clamp(0.01, 1.0);
    let share = budget.spent as f64 / limit as f64;
    let passes_ms = budget.from_ms + ((now_ms - budget.from_ms) as f64 / share.max(1e-9)) as i64;
    let (tone, outlook) = if budget.spent > budget.limit {
        (Tone::Danger, format!("Over by {}", format::money(budget.spent - budget.limit)))
    } else if share > even && even >= 0.05 && passes_ms < budget.to_ms {
        (Tone::Attention, format!("Over {}", clock(passes_ms)))
    } else if share >= NEAR {
        (Tone::Attention, "Near".to_owned())
    } else {
        (Tone::Muted, "Holds".to_owned())
    };
    Line {
        name: budget.what.clone(),
        spent: budget.spent,
        limit,
        share,
        even,
        end: (budget.spent as f64 / even) as i64,
        tone,
        outlook,
    }
}

#[component]
pub fn Budgets(costs: Costs) -> impl IntoView {
    let app = use_app();
    let midnight = move || {
        let now = costs.span.get().now_ms;
        Range::Today.start_ms(now, host::utc_offset_minutes(now)).unwrap_or(now)
    };
    let states =
        Memo::new(move |_| app.feed(|feed| feed.overview().map(|it| budgets(&it, midnight())).unwrap_or_default()));
    let lines = move || {
        let now = costs.span.get().now_ms;
        states.get().iter().map(|state| line(state, now, moment)).map(row).collect_view()
    };
    view! {
        <section aria-label="Budgets">
            <div class="head">
                <h2>"Budgets"</h2>
                <span class="num">{move || states.with(Vec::len)}</span>
                <span class="small muted push budgets__key">"bar: spent, line: even pace, dashes: where this pace ends"</span>
                <a class="btn btn--plain btn--small" href=format!("{}#alerts", routes::SETTINGS)>"Set budgets"</a>
            </div>
            <Show
                when=move || !states.with(Vec::is_empty)
                fallback=|| view! { <p class="muted budgets__none">"No budget is set. With one, this says how it stands and when it will be passed"</p> }
            >
                <table class="table budgets">
                    <caption class="sr">"Budgets"</caption>
                    <thead><tr><th scope="col">"Budget"</th><th scope="col" class="n">"Spent"</th><th scope="col"><span class="sr">"Share"</span></th><th scope="col" class="n">"Limit"</th><th scope="col" class="n">"At this pace"</th><th scope="col">"Outlook"</th></tr></thead>
                    <tbody>{lines}</tbody>
                </table>
            </Show>
        </section>
    }
}

fn row(line: Line) -> impl IntoView {
    // The limit stands at three quarters, so that what goes beyond it has room.
    let at = |share: f64| format!("{:.1}%", (share * 75.0).clamp(0.0, 100.0));
    let end_share = line.end as f64 / line.limit.max(1) as f64;
    let bar = match line.tone {
        Tone::Danger => "budgetbar budgetbar--over",
        Tone::Attention => "budgetbar budgetbar--near",
        _ => "budgetbar",
    };
    let rest = format!("{:.1}%", ((end_share.min(4.0 / 3.0) - line.share).max(0.0) * 75.0));
    view! {
        <tr>
            <th scope="row">{line.name}</th>
            <td class="n" title=format::money_exact(line.spent)>{format::money(line.spent)}</td>
            <td class="budgets__bar">
                <span class=bar aria-hidden="true">
                    <i style:width=at(line.share)></i>
                    <em style:left=at(line.share) style:width=rest></em>
                    <s style:left=at(line.even)></s>
                    <b></b>
                </span>
            </td>
            <td class="n sub">{format::money(line.limit)}</td>
            <td class="n sub">{format::money(line.end)}</td>
            <td><Badge tone=Signal::stored(line.tone) word=line.outlook/></td>
        </tr>
    }
}

/// `at 16:40`.
fn moment(at_ms: i64) -> String {
    format!("at {}", format::clock_minutes(at_ms, host::utc_offset_minutes(at_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_says_how_it_stands() {
        let told = |spent: i64| {
            let budget = Budget { what: "All, today".into(), from_ms: 0, to_ms: 100, spent, limit: 60_000_000 };
            let line = line(&budget, 50, |at| format!("at {at}"));
            (line.outlook, line.end)
        };
        assert_eq!(told(20_000_000), ("Holds".into(), 40_000_000));
        assert_eq!(told(40_000_000).0, "Over at 75");
        assert_eq!(told(61_000_000).0, "Over by $1.00");
    }
}
