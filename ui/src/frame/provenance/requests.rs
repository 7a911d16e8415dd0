//! The requests of a bill, newest first, a page at a time.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{UsageQuery, UsageRow};
use orrery_views::format;

use crate::components::Clock;
use crate::host::utc_offset_minutes;
use crate::pages::sessions::short_model;
use crate::routes::use_query;
use crate::state::use_app;

const PAGE: u32 = 50;

#[component]
pub fn Requests(
    query: UsageQuery,
    /// Changes when there may be newer requests.
    stamp: Memo<(i64, u64)>,
) -> impl IntoView {
    let app = use_app();
    let rows = RwSignal::new(Vec::<UsageRow>::new());
    let next = RwSignal::new(None::<String>);
    let wanted = StoredValue::new(query);
    let read = move |after: Option<String>| {
        let query = UsageQuery { after: after.clone(), limit: Some(PAGE), ..wanted.get_value() };
        spawn_local(async move {
            // The bill above says why when the server does not answer.
            let Ok(page) = app.api().usage(&query).await else { return };
            if next.try_set(page.next).is_none() {
                rows.try_update(|rows| {
                    if after.is_none() {
                        rows.clear();
                    }
                    rows.extend(page.items);
                });
            }
        });
    };
    Effect::new(move |_| {
        stamp.track();
        // Whoever reads further down keeps the place.
        if rows.with_untracked(|rows| rows.len() <= PAGE as usize) {
            read(None);
        }
    });
    let list = move || rows.get().into_iter().map(line).collect_view();
    view! {
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <div class="head head--bill"><h3>"Requests"</h3></div>
            <ul class="billrows">{list}</ul>
            <Show when=move || next.with(Option::is_some)>
                <button type="button" class="more" on:click=move |_| read(next.get_untracked())>{format!("Show {PAGE} more")}</button>
            </Show>
        </Show>
    }
}

fn line(row: UsageRow) -> impl IntoView {
    let query = use_query();
    let request = row.request;
    let at_ms = request.at_ms;
    let day = format::moment(at_ms, utc_offset_minutes(at_ms));
    let cost = row.cost_usd_micros.map_or_else(|| "unknown".to_owned(), format::money);
    let exact = row.cost_usd_micros.map(format::money_exact);
    let model = request.model.as_deref().map_or_else(|| "no model".to_owned(), short_model);
    let key = request.key;
    let subagent = request.subagent.is_some().then(|| view! { <span class="tag">"subagent"</span> });
    view! {
        <li>
            <button type="button" class="billrow" on:click=move |_| query.set("request", Some(&key))>
                <span class="num faint" title=day><Clock at_ms/></span>
                <span class="clip grow">{model}" "{subagent}</span>
                <span class="num muted">{format::tokens(request.tokens.total())}</span>
                <span class="num billrow__cost" title=exact>{cost}</span>
            </button>
        </li>
    }
}
