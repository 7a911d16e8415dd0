//! Input that could not be read as meant. It is kept; here is what and where.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::Problem;
use orrery_views::format;

use super::Section;
use crate::api::ApiError;
use crate::components::Ago;
use crate::state::use_app;

/// Problems shown before "more".
const SHOWN: usize = 20;

#[component]
pub fn Problems() -> impl IntoView {
    let app = use_app();
    let list = RwSignal::new(None::<Result<Vec<Problem>, ApiError>>);
    let read = move || {
        spawn_local(async move {
            let answer = app.api().problems().await;
            list.try_set(Some(answer));
        });
    };
    read();
    let all = RwSignal::new(false);
    let body = move || match list.get() {
        None => view! { <p class="muted" role="status">"Reading"</p> }.into_any(),
        Some(Err(error)) => view! { <p class="field-row__error" role="alert">{error.to_string()}</p> }.into_any(),
        Some(Ok(problems)) if problems.is_empty() => {
            view! { <p class="muted">"None: everything that came in could be read"</p> }.into_any()
        }
        Some(Ok(problems)) => {
            let surplus = problems.len().saturating_sub(SHOWN);
            let shown = if all.get() { problems.len() } else { SHOWN };
            let more = (surplus > 0 && !all.get()).then(|| {
                view! { <button type="button" class="more" on:click=move |_| all.set(true)>{format!("Show {surplus} more")}</button> }
            });
            let rows = problems.into_iter().take(shown).map(row).collect_view();
            view! { <ul class="problems">{rows}</ul>{more} }.into_any()
        }
    };
    let blind = move || {
        let blind = app.feed(|feed| feed.overview().map(|overview| overview.blind.clone()).unwrap_or_default());
        (!blind.is_empty()).then(|| {
            let rows = blind.into_iter().map(
                |blind| view! { <li><b class="medium">{blind.what}</b><span class="muted">{blind.hint}</span></li> },
            );
            view! { <h3>"What Orrery cannot see"</h3><ul class="problems problems--blind">{rows.collect_view()}</ul> }
        })
    };
    view! {
        <Section id="problems" title="Problems" say="Input that could not be read as meant. Nothing of it is lost: the raw text is kept">
            {blind}
            {body}
        </Section>
    }
}

fn row(problem: Problem) -> impl IntoView {
    let place = match problem.line {
        Some(line) => format!("{}, line {}", problem.place, format::count(line)),
        None => problem.place.clone(),
    };
    view! {
        <li>
            <code class="code">{problem.code}</code>
            <span class="problems__say">{problem.message}<span class="faint small clip">{place}</span></span>
            <span class="muted small">{(problem.at_ms > 0).then(|| view! { <Ago at_ms=Signal::stored(problem.at_ms)/> })}</span>
        </li>
    }
}
