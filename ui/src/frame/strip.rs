//! The status strip: figures of the whole installation, each a way to its page.

use leptos::prelude::*;
use orrery_views::format;
use orrery_views::tiles::tiles;

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
                let strip = overview.strip.clone();
                let tiles = tiles(&overview);
                let hooked_all = strip.hooked_agents >= strip.found_agents;
                let has_tools = strip.tool_p50_ms.is_some();
                view! {
                    <a href=routes::ANALYTICS title=tiles.events.about><span class="num">{tiles.events.value}</span>" events/min"</a>
                    <a href=routes::LIVE title=tiles.active.about><span class="num">{tiles.active.value}</span>" active"</a>
                    <a href=routes::COSTS title=format!("{}: {}", tiles.cost.about, format::money_exact(overview.today.cost_usd_micros))>
                        <span class="num">{tiles.cost.value}</span>
                        {match tiles.cost.share {
                            Some(share) => view! {
                                <span>{tiles.cost.small}" today"</span>
                                <Bar share=Signal::stored(share)/>
                                <span class="num">{format!("{:.0} %", share * 100.0)}</span>
                            }
                            .into_any(),
                            None => view! { <span>"today"</span> }.into_any(),
                        }}
                    </a>
                    {(overview.today.calls_last_hour > 0).then(|| view! {
                        <a href=format!("{}?status=failed", routes::SESSIONS) title=tiles.errors.about><span class="num">{tiles.errors.value}</span>" errors"</a>
                    })}
                    {has_tools.then(|| view! { <a href=routes::ANALYTICS title=format!("{} ({})", tiles.tools.about, tiles.tools.small)>"tool p50 "<span class="num">{tiles.tools.value}</span></a> })}
                    <a href=format!("{}#agents", routes::SETTINGS) class=if hooked_all { "push" } else { "push attention" }>
                        {format!("hooks {} of {} agents", strip.hooked_agents, strip.found_agents)}
                    </a>
                    <a href=format!("{}#about", routes::SETTINGS)>"store "<span class="num">{format::bytes(strip.store_bytes)}</span></a>
                    <a
                        href=format!("{}#problems", routes::SETTINGS)
                        class={if strip.spool_lost > 0 { "attention" } else { "" }}
                        title=format!("{} wait on disk for the server", format::plural(u64::from(strip.spool_files), "hook event"))
                    >
                        "spool "<span class="num">{strip.spool_files}</span>
                        {(strip.spool_lost > 0).then(|| format!(", {} lost", strip.spool_lost))}
                    </a>
                }
                .into_any()
            }}
        </footer>
    }
}
