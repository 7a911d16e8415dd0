//! The status strip: figures of the whole installation, each a way to its page.

use leptos::prelude::*;
use orrery_views::format;

use crate::components::Bar;
use crate::routes;
use crate::state::use_app;

#[component]
pub fn Strip() -> impl IntoView {
    let app = use_app();
    // Absent before the first answer: nothing known is not zero.
    let overview = Memo::new(move |_| app.feed(|feed| feed.overview()));
    view! {
        <footer class="strip" aria-label="Status">
            {move || {
                let Some(overview) = overview.get() else { return view! { <span>"Waiting for the server"</span> }.into_any() };
                let (today, strip) = (overview.today.clone(), overview.strip.clone());
                let budget = today.budget_usd_micros.filter(|budget| *budget > 0);
                let errors = format::share(u64::from(today.failed_last_hour), u64::from(today.calls_last_hour));
                let hooked_all = strip.hooked_agents >= strip.found_agents;
                view! {
                    <a href=routes::LIVE><span class="num">{format::count(u64::from(strip.events_last_minute))}</span>" events/min"</a>
                    <a href=routes::LIVE><span class="num">{strip.active_sessions}</span>" active"</a>
                    <a href=format!("{}?range=today", routes::SESSIONS) title=format!("Spent today: {}", format::money_exact(today.cost_usd_micros))>
                        <span class="num">{format::money(today.cost_usd_micros)}</span>
                        {match budget {
                            Some(budget) => {
                                let share = today.cost_usd_micros as f64 / budget as f64;
                                view! {
                                    <span>"of "{format::money_short(budget)}" today"</span>
                                    <Bar share=Signal::stored(share)/>
                                    <span class="num">{format!("{:.0} %", share * 100.0)}</span>
                                }
                                .into_any()
                            }
                            None => view! { <span>"today"</span> }.into_any(),
                        }}
                    </a>
                    {errors.map(|errors| view! { <a href=format!("{}?status=failed", routes::SESSIONS)><span class="num">{errors}</span>" errors"</a> })}
                    {strip.tool_p50_ms.map(|p50| view! { <a href=routes::LIVE>"tool p50 "<span class="num">{format::duration_ms(p50)}</span></a> })}
                    <a href=routes::SETTINGS class=if hooked_all { "push" } else { "push attention" }>
                        {format!("hooks {} of {} agents", strip.hooked_agents, strip.found_agents)}
                    </a>
                    <a href=routes::SETTINGS>"store "<span class="num">{format::bytes(strip.store_bytes)}</span></a>
                    <a href=routes::SETTINGS>"spool "<span class="num">{strip.spool_files}</span></a>
                }
                .into_any()
            }}
        </footer>
    }
}
