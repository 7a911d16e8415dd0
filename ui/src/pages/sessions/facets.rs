//! Facets on the left: what the list can be narrowed by, with counts of what is loaded.

use leptos::prelude::*;
use orrery_views::format;

use super::list::{Facet, STATUSES, status_from_slug, status_slug};
use crate::components::{AgentGlyph, StatusBadge};

/// Values of a facet that are shown before "more".
const SHOWN: usize = 8;

/// A facet with its values and how often each occurs.
pub type Counts = (Facet, Vec<(String, u64)>);

/// All facets. `counts` are the loaded values; `chosen` is what the address says.
#[component]
pub fn Facets(
    counts: Signal<Vec<Counts>>,
    chosen: Signal<Vec<(Facet, String)>>,
    on_choose: Callback<(Facet, Option<String>)>,
    /// Open as a sheet on a narrow screen.
    open: RwSignal<bool>,
) -> impl IntoView {
    let facet = move |facet: Facet| {
        let values = Memo::new(move |_| values_of(facet, &counts.get(), &chosen.get()));
        let all = RwSignal::new(false);
        let shown = move || {
            let limit = if all.get() { usize::MAX } else { SHOWN };
            values.get().into_iter().take(limit).collect::<Vec<_>>()
        };
        let surplus = move || values.with(Vec::len).saturating_sub(SHOWN);
        let value = move |(value, count): (String, u64)| {
            let is_chosen = {
                let value = value.clone();
                Memo::new(move |_| chosen.with(|chosen| chosen.iter().any(|(f, v)| *f == facet && *v == value)))
            };
            let label = words(facet, &value);
            let choose = move |_| on_choose.run((facet, (!is_chosen.get_untracked()).then(|| value.clone())));
            view! {
                <li>
                    <button type="button" class="facet__value" aria-pressed=move || is_chosen.get().to_string() on:click=choose>
                        <span class="check" class:check--on=move || is_chosen.get()>
                            <svg class="icon" aria-hidden="true"><use href="#i-check"></use></svg>
                        </span>
                        <span class="facet__word clip">{label}</span>
                        <span class="num">{format::count(count)}</span>
                    </button>
                </li>
            }
        };
        view! {
            <section class="facet" class:facet--empty=move || values.with(Vec::is_empty)>
                <h2>{facet.label()}</h2>
                <ul><For each=shown key=|value| value.clone() children=value/></ul>
                <Show when=move || surplus() != 0>
                    <button type="button" class="more" aria-expanded=move || all.get().to_string() on:click=move |_| all.update(|all| *all = !*all)>
                        {move || if all.get() { "Show less".to_owned() } else { format!("{} more", surplus()) }}
                    </button>
                </Show>
            </section>
        }
    };
    view! {
        <aside class="facets" class:facets--open=move || open.get() aria-label="Filters">
            {Facet::ALL.into_iter().map(facet).collect_view()}
            <button type="button" class="btn facets__close" on:click=move |_| open.set(false)>"Show sessions"</button>
        </aside>
    }
}

/// Values in their order; a chosen value is there even when nothing loaded has it.
fn values_of(facet: Facet, counts: &[Counts], chosen: &[(Facet, String)]) -> Vec<(String, u64)> {
    let mut values =
        counts.iter().find(|(known, _)| *known == facet).map(|(_, values)| values.clone()).unwrap_or_default();
    for (_, value) in chosen.iter().filter(|(known, _)| *known == facet) {
        if !values.iter().any(|(known, _)| known == value) {
            values.push((value.clone(), 0));
        }
    }
    if facet == Facet::Status {
        let place = |slug: &str| STATUSES.iter().position(|status| status_slug(*status) == slug);
        values.sort_by_key(|(slug, _)| place(slug));
    }
    values
}

fn words(facet: Facet, value: &str) -> AnyView {
    match facet {
        Facet::Status => match status_from_slug(value) {
            Some(status) => view! { <StatusBadge status=Signal::stored(status)/> }.into_any(),
            None => value.to_owned().into_any(),
        },
        Facet::Agent => {
            let name = format::agent(value).to_owned();
            view! { <AgentGlyph agent=value.to_owned()/>{name} }.into_any()
        }
        Facet::Model => super::list::short_model(value).into_any(),
        Facet::Project => value.to_owned().into_any(),
    }
}
