//! The figures of the head: this time, today, week, month with its forecast, cache.

use leptos::prelude::*;
use orrery_types::{CostTotals, UsageQuery};
use orrery_views::cache::economics;
use orrery_views::forecast::{Forecast, forecast};
use orrery_views::{format, usage};

use super::ask::{CostTable, Costs};
use super::split::By;
use crate::components::Stat;
use crate::frame::{BillLink, Billed};
use crate::host;
use crate::state::Range;

/// Sums of the calendar, from the days of the last two months.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calendar {
    pub today: CostTotals,
    pub week: CostTotals,
    pub month: CostTotals,
    pub week_from_ms: i64,
    pub month_from_ms: i64,
    pub today_from_ms: i64,
    /// `November`.
    pub month_name: String,
    /// Empty with too little history.
    pub month_end: Option<Forecast>,
}

/// The calendar at a moment; `rows` are days with costs, keyed `YYYY-MM-DD`.
pub fn calendar(table: &CostTable, now_ms: i64, offset_minutes: i32) -> Calendar {
    use chrono::{Datelike, Days, NaiveDate};
    const DAY_MS: i64 = 86_400_000;
    let today_from_ms = Range::Today.start_ms(now_ms, offset_minutes).unwrap_or(now_ms);
    let Ok(today) = format::day(now_ms, offset_minutes).parse::<NaiveDate>() else { return Calendar::default() };
    let week = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    let month = today.with_day(1).unwrap_or(today);
    let dated = || table.rows.iter().filter_map(|row| Some((row.key.parse::<NaiveDate>().ok()?, &row.totals)));
    let since = |from: NaiveDate| {
        dated()
            .filter(|(day, _)| *day >= from && *day <= today)
            .fold(CostTotals::default(), |sum, (_, totals)| usage::plus(&sum, totals))
    };
    let past: Vec<i64> = dated()
        .map(|(day, _)| day)
        .min()
        .into_iter()
        .flat_map(|first| first.iter_days().take_while(|day| *day < today))
        .map(|day| dated().filter(|(known, _)| *known == day).map(|(_, totals)| totals.cost_usd_micros).sum())
        .collect();
    let next_month = month.checked_add_months(chrono::Months::new(1)).unwrap_or(today);
    let days_left = usize::try_from((next_month - today).num_days() - 1).unwrap_or(0);
    let today_left = 1.0 - (now_ms - today_from_ms) as f64 / DAY_MS as f64;
    let month_sum = since(month);
    Calendar {
        today: since(today),
        week: since(week),
        month: month_sum,
        week_from_ms: today_from_ms - (today - week).num_days() * DAY_MS,
        month_from_ms: today_from_ms - (today - month).num_days() * DAY_MS,
        today_from_ms,
        month_name: month.format("%B").to_string(),
        month_end: forecast(month_sum.cost_usd_micros, &past, today_left, days_left),
    }
}

#[component]
pub fn Head(costs: Costs) -> impl IntoView {
    let now = move || costs.span.get().now_ms;
    let calendar = Memo::new(move |_| {
        costs.days.with(|days| days.value.as_ref().map(|table| calendar(table, now(), host::utc_offset_minutes(now()))))
    });
    let money = |value: Option<i64>| value.map_or("–".to_owned(), format::money);
    let of = move |pick: fn(&Calendar) -> i64| calendar.with(|it| money(it.as_ref().map(pick)));
    let range = move || costs.filter.get().range.label();
    let totals = Memo::new(move |_| costs.rows.with(|rows| rows.value.as_ref().map(|table| table.totals)));
    let unpriced = move || match totals.get() {
        Some(totals) if totals.unpriced_requests > 0 => {
            format!("{} without a price", format::plural(totals.unpriced_requests, "request"))
        }
        Some(totals) => format::plural(totals.requests, "request"),
        None => String::new(),
    };
    let since = move |pick: fn(&Calendar) -> i64, name: &'static str| {
        Signal::derive(move || {
            let from_ms = calendar.with(|it| it.as_ref().map(pick));
            let filter = costs.filter.get();
            let query = UsageQuery { from_ms, agent: filter.agent, project: filter.project, ..UsageQuery::default() };
            Billed { query, name: name.to_owned() }
        })
    };
    let month_end = move || calendar.with(|it| it.as_ref().and_then(|it| it.month_end));
    let margin = move || match month_end() {
        Some(end) => format!("{} to {}, nine times in ten", format::money(end.low), format::money(end.high)),
        None => "after five days of history".to_owned(),
    };
    let month = move || calendar.with(|it| it.as_ref().map(|it| it.month_name.clone()).unwrap_or("the month".into()));
    let saved = Memo::new(move |_| costs.bill.with(|bill| bill.value.as_ref().map(|bill| economics(&bill.lines))));
    let saved_share = move || {
        saved.get().filter(|it| it.without_cache > 0).map_or("–".to_owned(), |it| {
            format!("{} %", (it.saved() as f64 / it.without_cache as f64 * 100.0).round())
        })
    };
    let saved_small = move || {
        saved
            .get()
            .map(|it| format!("{} of {}", format::money(it.saved()), format::money(it.without_cache)))
            .unwrap_or_default()
    };
    view! {
        <dl class="figures costs__figures">
            <Stat name=Signal::derive(range) small=Signal::derive(unpriced)>
                <BillLink
                    billed=Signal::derive(move || {
                        costs.span.track();
                        costs.billed_untracked(By::Project, "")
                    })
                    text=Signal::derive(move || money(totals.get().map(|totals| totals.cost_usd_micros)))
                />
            </Stat>
            <Stat name="Today"><BillLink billed=since(|it| it.today_from_ms, "Cost of today") text=Signal::derive(move || of(|it| it.today.cost_usd_micros))/></Stat>
            <Stat name="This week"><BillLink billed=since(|it| it.week_from_ms, "Cost of this week") text=Signal::derive(move || of(|it| it.week.cost_usd_micros))/></Stat>
            <Stat name=Signal::derive(move || format!("{} so far", month()))>
                <BillLink billed=since(|it| it.month_from_ms, "Cost of this month") text=Signal::derive(move || of(|it| it.month.cost_usd_micros))/>
            </Stat>
            <Stat
                name=Signal::derive(move || format!("Forecast for {}", month()))
                value=Signal::derive(move || month_end().map_or("–".to_owned(), |end| format::money(end.expected)))
                small=Signal::derive(margin)
                exact="What is spent, and for each day to come what days of the same weekday cost in the last four weeks"
            />
            <Stat name="Saved by cache" value=Signal::derive(saved_share) small=Signal::derive(saved_small) exact="Against the same tokens at the price of plain input"/>
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::CostRow;

    use super::*;

    #[test]
    fn the_calendar_sums_day_week_and_month_as_the_person_counts_them() {
        // Wednesday 25 November 2026, 00:30 in Berlin: still the 24th in UTC.
        let now_ms = 1_795_563_000_000;
        let row = |day: &str, cost: i64| CostRow {
            key: day.to_owned(),
            totals: CostTotals { cost_usd_micros: cost, requests: 1, ..CostTotals::default() },
            ..CostRow::default()
        };
        let days = [row("2026-10-31", 1), row("2026-11-01", 10), row("2026-11-23", 100), row("2026-11-25", 1_000)];
        let table = CostTable { rows: days.to_vec(), ..CostTable::default() };
        let calendar = calendar(&table, now_ms, 60);
        assert_eq!(
            (calendar.today.cost_usd_micros, calendar.week.cost_usd_micros, calendar.month.cost_usd_micros),
            (1_000, 1_100, 1_110)
        );
        assert_eq!(calendar.month_name, "November");
        assert_eq!(now_ms - calendar.today_from_ms, 30 * 60_000);
        assert!(calendar.month_end.is_some_and(|end| end.expected >= 1_110));
    }
}
