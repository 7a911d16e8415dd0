//! Tools: how often, how many failed, how long.

use leptos::prelude::*;
use orrery_types::Series;
use orrery_views::format;

use super::ask::Figures;
use crate::components::Bar;
use crate::routes;

const MOST: usize = 100;

#[component]
pub fn Tools(figures: Figures) -> impl IntoView {
    let rows = move || {
        let told = figures.tools.with(|answer| answer.value.clone()).unwrap_or_default();
        let total = |at: usize, key: &str| {
            let series: Option<&Series> = told.get(at);
            series
                .and_then(|series| series.series.iter().find(|line| line.key == key && !line.rest))
                .map(|line| line.total)
        };
        let calls = told.first().map(|series| series.series.clone()).unwrap_or_default();
        let most = calls.iter().map(|line| line.total).max().unwrap_or(0).max(1);
        let row = |line: &orrery_types::SeriesLine| {
            let failed = total(1, &line.key).unwrap_or(0);
            let rate = format::share(failed.unsigned_abs(), line.total.unsigned_abs()).filter(|_| failed > 0);
            let time =
                |at: usize| total(at, &line.key).filter(|ms| *ms > 0).map_or("–".to_owned(), format::duration_ms);
            let tone = if failed > 0 { "n danger" } else { "n sub" };
            let name = if line.key.is_empty() { "no name".to_owned() } else { line.key.clone() };
            view! {
                <tr>
                    <th scope="row"><span class="code">{name}</span></th>
                    <td class="n">{format::count(line.total.unsigned_abs())}</td>
                    <td class="split__bar"><Bar share=Signal::stored(line.total as f64 / most as f64) near=2.0/></td>
                    <td class=tone>{if failed > 0 { format::count(failed.unsigned_abs()) } else { "–".to_owned() }}</td>
                    <td class="n sub">{rate.unwrap_or("–".to_owned())}</td>
                    <td class="n sub">{time(2)}</td>
                    <td class="n sub">{time(3)}</td>
                    <td class="n sub">{time(4)}</td>
                </tr>
            }
        };
        calls.iter().filter(|line| !line.rest).take(MOST).map(row).collect_view()
    };
    view! {
        <section aria-label="Tools">
            <div class="head"><h2>"Tools"</h2><a class="push small" href=format!("{}?status=failed", routes::SESSIONS)>"Failed sessions"</a></div>
            <div class="split__scroll" role="region" aria-label="Tools, table" tabindex="0">
                <table class="table split split--tools">
                    <caption class="sr">"Tools"</caption>
                    <thead><tr>
                        <th scope="col">"Tool"</th><th scope="col" class="n">"Calls"</th><th scope="col"><span class="sr">"Part"</span></th><th scope="col" class="n">"Failed"</th>
                        <th scope="col" class="n">"Share"</th><th scope="col" class="n">"p50"</th><th scope="col" class="n">"p95"</th><th scope="col" class="n">"In all"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
