//! The prices that new requests are billed at, and those of before.

use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::PriceVersion;
use orrery_views::format;
use serde::Deserialize;

use super::Section;
use crate::command;
use crate::components::{Ago, Icon};
use crate::state::use_app;

const UPDATE: &str = "orrery prices update --from FILE_OR_URL";

/// What `GET /api/v1/prices` says, as far as it is shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Prices {
    /// Newest first: the first is in force.
    versions: Vec<PriceVersion>,
    models: Vec<serde::de::IgnoredAny>,
}

#[component]
pub fn PricesSection() -> impl IntoView {
    let app = use_app();
    let known = RwSignal::new(None::<Result<Prices, String>>);
    spawn_local(async move {
        let answer = app.api().get::<Prices>("/prices").await;
        known.try_set(Some(answer.map_err(|error| error.to_string())));
    });
    let body = move || {
        known.with(|known| match known {
            None => view! { <p class="muted" role="status">"Reading"</p> }.into_any(),
            Some(Err(error)) => view! { <p class="field-row__error" role="alert">{error.clone()}</p> }.into_any(),
            Some(Ok(prices)) => shown(prices).into_any(),
        })
    };
    view! {
        <Section id="prices" title="Prices" say="A request is billed at the prices in force when it came in. Newer prices never change what is stored">
            {body}
            <p class="row small muted prices__update">
                "Newer prices:"<code class="code">{UPDATE}</code>
                <button type="button" class="iconbtn" aria-label="Copy the command" title="Copy the command" on:click=move |_| command::copy(app, UPDATE.to_owned(), "Command copied")>
                    <Icon name="i-copy"/>
                </button>
            </p>
        </Section>
    }
}

fn shown(prices: &Prices) -> impl IntoView + use<> {
    let models = format::plural(prices.models.len() as u64, "model");
    let rows = prices.versions.iter().cloned().enumerate().map(|(index, version)| {
        let added = (version.added_ms > 0).then(|| view! { <Ago at_ms=Signal::stored(version.added_ms)/> });
        let words = if index == 0 { format!("in force, {models}") } else { "rows of before keep it".to_owned() };
        view! {
            <li>
                <code class="code">{version.version}</code>
                <span class="problems__say">{version.origin}<span class="faint small clip">{words}</span></span>
                <span class="muted small">{added}</span>
            </li>
        }
    });
    view! { <ul class="problems">{rows.collect_view()}</ul> }
}
