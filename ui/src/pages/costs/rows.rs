//! Where the money went: a row per project, agent, model, session or day; a tool has counts and no price.

use leptos::prelude::*;
use orrery_types::{CostRow, CostTotals, SeriesLine};
use orrery_views::format;

use super::ask::Costs;
use super::split::By;
use crate::components::chart::csv_field;
use crate::components::{AgentGlyph, Bar, Icon};
use crate::frame::BillLink;
use crate::host;
use crate::routes;
use crate::state::use_app;

/// Rows drawn; more are said in a line below and stand in the CSV.
const MOST: usize = 200;

#[component]
pub fn Table(costs: Costs) -> impl IntoView {
    // The old table stays until the new one is there: what it is split by stands in its answer.
    let shown = Memo::new(move |_| match costs.by.get() {
        By::Tool => By::Tool,
        by => costs.rows.with(|answer| answer.value.as_ref().map_or(by, |table| By::of(table.group))),
    });
    move || match shown.get() {
        By::Tool => view! { <Tools costs/> }.into_any(),
        by => view! { <Sums costs by/> }.into_any(),
    }
}

#[component]
fn Sums(costs: Costs, by: By) -> impl IntoView {
    let app = use_app();
    let rows = Memo::new(move |_| {
        let mut rows =
            costs.rows.with(|answer| answer.value.as_ref().map(|table| table.rows.clone()).unwrap_or_default());
        if by == By::Day {
            rows.reverse();
        }
        rows
    });
    let totals = move || costs.rows.with(|answer| answer.value.as_ref().map(|table| table.totals).unwrap_or_default());
    let before = Memo::new(move |_| {
        let is_known = costs.span.get().before().is_some() && by != By::Day && by != By::Session;
        costs.before.with(|answer| answer.value.clone()).filter(|table| is_known && table.group == by.group())
    });
    let change = move |key: Option<&str>, now: i64| {
        before.with(|table| {
            let table = table.as_ref()?;
            let was = match key {
                Some(key) => table.rows.iter().find(|row| row.key == key).map_or(0, |row| row.totals.cost_usd_micros),
                None => table.totals.cost_usd_micros,
            };
            Some(compared(now, was))
        })
    };
    let save = move |_| {
        let name = format!("costs-by-{}.csv", by.slug());
        let said = match host::save_text(&name, &rows.with(|rows| csv(by, rows))) {
            Ok(()) => return app.notices.say("CSV saved"),
            Err(error) => error,
        };
        app.notices.fail(said);
    };
    let cells = move |totals: &CostTotals, change: Option<(String, &'static str)>, share: f64| {
        let tokens = totals.tokens;
        let (change, tone) = change.unwrap_or_default();
        view! {
            <td class="split__bar"><Bar share=Signal::stored(share) near=2.0/></td>
            <td class="n sub">{format!("{:.1} %", share * 100.0)}</td>
            <td class=format!("n split__change {tone}")>{change}</td>
            <td class="n sub">{format::count(totals.requests)}</td>
            <td class="n sub">{format::tokens(tokens.input)}</td>
            <td class="n sub">{format::tokens(tokens.cache_write + tokens.cache_write_1h)}</td>
            <td class="n sub">{format::tokens(tokens.cache_read)}</td>
            <td class="n sub">{format::tokens(tokens.output)}</td>
        }
    };
    let row = move |row: CostRow| {
        let all = totals().cost_usd_micros.max(1);
        let share = row.totals.cost_usd_micros as f64 / all as f64;
        let billed = Signal::stored(costs.billed_untracked(by, &row.key));
        let exact = Signal::stored(format::money_exact(row.totals.cost_usd_micros));
        view! {
            <tr>
                <th scope="row">{name(costs, by, &row)}</th>
                <td class="n">{if row.key.is_empty() && by != By::Project {
                    view! { <span title=exact>{cost(&row.totals)}</span> }.into_any()
                } else {
                    view! { <BillLink billed text=cost(&row.totals) title=exact/> }.into_any()
                }}</td>
                {cells(&row.totals, change(Some(&row.key), row.totals.cost_usd_micros), share)}
            </tr>
        }
    };
    let total = move || {
        let totals = totals();
        view! { <tr class="split__total"><th scope="row">"All"</th><td class="n strong">{cost(&totals)}</td>{cells(&totals, change(None, totals.cost_usd_micros), 1.0)}</tr> }
    };
    let cut = move || {
        let count = rows.with(Vec::len);
        (count > MOST).then(|| format!("{} more are in the CSV file", format::count((count - MOST) as u64)))
    };
    view! {
        <div class="split__head">
            <span class="small muted">{move || match (by, before.with(Option::is_some)) {
                (_, true) => "Change: against the equally long time before",
                (By::Session, _) => "The part of each session that falls in this time",
                _ => "",
            }}</span>
            <button type="button" class="btn btn--plain btn--small push" on:click=save><Icon name="i-download"/>"CSV"</button>
        </div>
        <div class="split__scroll" role="region" aria-label="Where it went" tabindex="0">
            <table class="table split">
                <caption class="sr">{format!("Costs by {}", by.label().to_lowercase())}</caption>
                <thead>
                    <tr>
                        <th scope="col">{by.label()}</th><th scope="col" class="n">"Cost"</th><th scope="col"><span class="sr">"Part"</span></th><th scope="col" class="n">"Share"</th>
                        <th scope="col" class="n">"Change"</th><th scope="col" class="n">"Requests"</th><th scope="col" class="n">"Input"</th>
                        <th scope="col" class="n">"Cache write"</th><th scope="col" class="n">"Cache read"</th><th scope="col" class="n">"Output"</th>
                    </tr>
                </thead>
                <tbody>
                    {total}
                    {move || {
                        costs.titles.track();
                        rows.get().into_iter().take(MOST).map(row).collect_view()
                    }}
                </tbody>
            </table>
        </div>
        {move || cut().map(|said| view! { <p class="small muted split__cut">{said}</p> })}
    }
}

/// The sum in words; unknown where nothing of it has a price.
fn cost(totals: &CostTotals) -> String {
    if totals.cost_usd_micros == 0 && totals.unpriced_requests > 0 {
        "no price".to_owned()
    } else {
        format::money(totals.cost_usd_micros)
    }
}

/// The change against before and its tone: `+12 %`, `new`.
fn compared(now: i64, was: i64) -> (String, &'static str) {
    match (now, was) {
        (0, 0) => (String::new(), ""),
        (_, 0) => ("new".to_owned(), "sub"),
        _ => {
            let percent = ((now - was) as f64 / was as f64 * 100.0).round();
            // Red says failed and amber near a limit: more spend alone is neither.
            let sign = if percent > 0.0 {
                "+"
            } else if percent < 0.0 {
                "−"
            } else {
                "±"
            };
            (format!("{sign}{} %", percent.abs().min(9_999.0)), "sub")
        }
    }
}

/// A row's name with its shape, as a way to its sessions where there is one.
fn name(costs: Costs, by: By, row: &CostRow) -> AnyView {
    let key = row.key.clone();
    let none = |word: &'static str| view! { <span class="muted">{word}</span> }.into_any();
    let sessions = |field: &str| format!("{}?{field}={}", routes::SESSIONS, routes::encode(&key));
    match by {
        By::Project if key.is_empty() => none("no project"),
        By::Model if key.is_empty() => none("no model named"),
        By::Project => view! { <a href=sessions("project")>{key.clone()}</a> }.into_any(),
        By::Agent => view! { <span class="row"><AgentGlyph agent=key.clone()/><a href=sessions("agent")>{format::agent(&key).to_owned()}</a></span> }.into_any(),
        By::Model => view! { <a class="code" href=sessions("model")>{key.clone()}</a> }.into_any(),
        By::Session => {
            let known = costs.title_of(&key);
            let title = known.as_ref().map(|row| crate::pages::sessions::title(row)).unwrap_or_else(|| key.clone());
            let agent = known.map(|row| row.agent.clone()).unwrap_or_default();
            view! { <span class="row"><AgentGlyph agent/><a class="clip split__title" href=routes::session(&key) title=title.clone()>{title.clone()}</a></span> }.into_any()
        }
        By::Day | By::Tool => view! { <span class="num">{key}</span> }.into_any(),
    }
}

fn csv(by: By, rows: &[CostRow]) -> String {
    let mut text = format!(
        "{},cost_usd,requests,unpriced_requests,input_tokens,cache_write_tokens,cache_write_1h_tokens,cache_read_tokens,output_tokens\r\n",
        by.slug()
    );
    for row in rows {
        let (totals, tokens) = (&row.totals, row.totals.tokens);
        let figures = [
            totals.requests,
            totals.unpriced_requests,
            tokens.input,
            tokens.cache_write,
            tokens.cache_write_1h,
            tokens.cache_read,
            tokens.output,
        ];
        let figures: Vec<String> = figures.iter().map(u64::to_string).collect();
        text.push_str(&format!(
            "{},{:.6},{}\r\n",
            csv_field(&row.key),
            totals.cost_usd_micros as f64 / 1e6,
            figures.join(",")
        ));
    }
    text
}

/// Tools: how often, how long, how many failed. What a request costs pays for one answer with all the tools it calls.
#[component]
fn Tools(costs: Costs) -> impl IntoView {
    let rows = move || {
        let [calls, errors, took] = costs.calls.with(|answer| answer.value.clone()).unwrap_or_default();
        let total = |lines: &[SeriesLine], key: &str| {
            lines.iter().find(|line| line.key == key && !line.rest).map_or(0, |line| line.total)
        };
        let all = calls.series.iter().map(|line| line.total).sum::<i64>().max(1);
        let row = |line: &SeriesLine| {
            let failed = if line.rest { 0 } else { total(&errors.series, &line.key) };
            let took = if line.rest { 0 } else { total(&took.series, &line.key) };
            let share = line.total as f64 / all as f64;
            let tone = if failed > 0 { "n danger" } else { "n sub" };
            let name = if line.rest {
                "others".to_owned()
            } else if line.key.is_empty() {
                "no name".to_owned()
            } else {
                line.key.clone()
            };
            let rate = format::share(failed.unsigned_abs(), line.total.unsigned_abs()).unwrap_or_default();
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td class="n">{format::count(line.total.unsigned_abs())}</td>
                    <td class="split__bar"><Bar share=Signal::stored(share) near=2.0/></td>
                    <td class=tone>{if failed > 0 { format!("{} ({rate})", format::count(failed.unsigned_abs())) } else { "–".to_owned() }}</td>
                    <td class="n sub">{format::duration_ms(took)}</td>
                    <td class="n sub">{format::duration_ms(took / line.total.max(1))}</td>
                </tr>
            }
        };
        calls.series.iter().map(row).collect_view()
    };
    view! {
        <p class="small muted split__cut">"A request pays for a whole answer, so a tool call has no price of its own: these are counts and times"</p>
        <div class="split__scroll" role="region" aria-label="Tools" tabindex="0">
            <table class="table split split--tools">
                <caption class="sr">"Tool calls"</caption>
                <thead><tr><th scope="col">"Tool"</th><th scope="col" class="n">"Calls"</th><th scope="col"><span class="sr">"Part"</span></th><th scope="col" class="n">"Failed"</th><th scope="col" class="n">"Time"</th><th scope="col" class="n">"Each"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_percent_of_before() {
        let told = |now, was| compared(now, was).0;
        assert_eq!((told(112, 100), told(50, 100), told(100, 100)), ("+12 %".into(), "−50 %".into(), "±0 %".into()));
        assert_eq!((told(5, 0), told(0, 0), told(0, 9)), ("new".into(), String::new(), "−100 %".into()));
    }

    #[test]
    fn the_file_holds_exact_sums() {
        let totals = CostTotals { cost_usd_micros: 2_340_123, requests: 3, ..CostTotals::default() };
        let row = CostRow { key: "a,b".into(), totals, models: Vec::new() };
        let text = csv(By::Project, &[row]);
        assert!(text.starts_with("project,cost_usd,requests"));
        assert!(text.ends_with("\"a,b\",2.340123,3,0,0,0,0,0,0\r\n"), "{text}");
    }
}
