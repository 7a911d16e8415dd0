//! The hours of the week: when agents work, as a table whose cells are shaded.

use leptos::prelude::*;
use orrery_types::Series;
use orrery_views::format;

use super::ask::Figures;
use crate::host;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const HOUR_MS: i64 = 3_600_000;

/// Events per weekday (Monday first) and hour of the person's clock.
fn hours_of(series: &Series, offset: impl Fn(i64) -> i32) -> [[i64; 24]; 7] {
    let mut sums = [[0; 24]; 7];
    for line in &series.series {
        for (at, value) in line.values.iter().enumerate() {
            let at_ms = series.from_ms + at as i64 * series.step_ms.max(1);
            let local = (at_ms + i64::from(offset(at_ms)) * 60_000).div_euclid(HOUR_MS);
            // 1 January 1970 was a Thursday.
            let day = (local.div_euclid(24) + 3).rem_euclid(7) as usize;
            sums[day][local.rem_euclid(24) as usize] += value;
        }
    }
    sums
}

#[component]
pub fn Hours(figures: Figures) -> impl IntoView {
    let sums = Memo::new(move |_| {
        figures.events.with(|answer| {
            answer.value.as_ref().map(|[_, hourly]| hours_of(hourly, host::utc_offset_minutes)).unwrap_or_default()
        })
    });
    let row = move |day: usize, most: i64| {
        let cells = (0..24).map(|hour| {
            let count = sums.with_untracked(|sums| sums[day][hour]);
            // The square root keeps quiet hours apart from silent ones.
            let share = (count as f64 / most.max(1) as f64).sqrt();
            let said = format!("{} {hour:02}:00, {}", DAYS[day], format::plural(count.unsigned_abs(), "event"));
            view! {
                <td title=said>
                    <span class="heat__cell" style:opacity=format!("{:.2}", if count == 0 { 0.0 } else { 0.12 + 0.88 * share })></span>
                    <span class="sr">{format::count(count.unsigned_abs())}</span>
                </td>
            }
        });
        view! { <tr><th scope="row">{DAYS[day]}</th>{cells.collect_view()}</tr> }
    };
    let rows = move || {
        let most = sums.get().iter().flatten().copied().max().unwrap_or(0);
        (0..7).map(|day| row(day, most)).collect_view()
    };
    let head = (0..24).map(|hour| {
        let shown = if hour % 3 == 0 { format!("{hour:02}") } else { String::new() };
        view! { <th scope="col"><span aria-hidden="true">{shown}</span><span class="sr">{format!("{hour:02}:00")}</span></th> }
    });
    view! {
        <section class="chart" aria-label="Hours of the week">
            <div class="chart__head"><h3 class="chart__title">"Hours of the week"</h3><span class="small muted clip">"events, by your clock"</span></div>
            <div class="heat" role="region" tabindex="0" aria-label="Hours of the week, table">
                <table>
                    <caption class="sr">"Events by weekday and hour"</caption>
                    <thead><tr><td></td>{head.collect_view()}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use orrery_types::SeriesLine;

    use super::*;

    #[test]
    fn hours_are_those_of_the_persons_clock() {
        // Sunday 22 November 2026, 23:00 UTC is Monday 00:00 in Berlin.
        let line = SeriesLine { values: vec![4, 0, 5], ..SeriesLine::default() };
        let series = Series { step_ms: HOUR_MS, from_ms: 1_795_388_400_000, series: vec![line] };
        let sums = hours_of(&series, |_| 60);
        assert_eq!((sums[0][0], sums[0][2], sums[6][23]), (4, 5, 0));
        assert_eq!(hours_of(&series, |_| 0)[6][23], 4);
    }
}
