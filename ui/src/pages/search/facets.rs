//! What the hits are, to narrow them with a click.

use leptos::prelude::*;
use orrery_types::Facet;
use orrery_views::format;

use super::field::quoted;
use super::load::Results;
use crate::routes::use_query;

#[component]
pub fn Facets(results: Results, text: Memo<String>) -> impl IntoView {
    let query = use_query();
    let add = move |term: String, without: bool| {
        let old = text.get_untracked();
        let term = if without { format!("-{term}") } else { term };
        // Either side of an OR must be narrowed, so the old query stands in parentheses.
        let old = if old.contains(" OR ") { format!("({old})") } else { old };
        query.set("q", Some(format!("{} {term}", old.trim()).trim()));
    };
    let group = move |title: &'static str, field: &'static str, facets: Vec<Facet>| {
        if facets.is_empty() {
            return ().into_any();
        }
        let rows = facets
            .into_iter()
            .take(8)
            .map(|facet| {
                let term = format!("{field}:{}", quoted(&facet.value));
                let name = if facet.label.is_empty() { shown(field, &facet.value) } else { facet.label.clone() };
                let (with, without) = (term.clone(), term.clone());
                let said = format!("Leave out {name}");
                let is_in = text.with(|text| text.contains(&term));
                view! {
                    <li class="facetrow">
                        <button type="button" class="facetrow__name clip" aria-pressed=is_in.to_string() title=term on:click=move |_| add(with.clone(), false)>{name}</button>
                        <span class="num faint">{format::count(facet.count)}</span>
                        <button type="button" class="facetrow__not" aria-label=said title="Leave out" on:click=move |_| add(without.clone(), true)>"\u{2212}"</button>
                    </li>
                }
            })
            .collect_view();
        view! { <section><h3>{title}</h3><ul>{rows}</ul></section> }.into_any()
    };
    let all = move || {
        let facets = results.found.get()?.facets.clone()?;
        let note = (!facets.complete).then(|| {
            view! { <p class="small faint facetnote">{format!("Counted over the newest {} hits", format::count(facets.counted))}</p> }
        });
        Some(view! {
            {group("Kind", "kind", facets.kinds)}
            {group("Tool", "tool", facets.tools)}
            {group("Project", "project", facets.projects)}
            {group("Agent", "agent", facets.agents)}
            {group("Session", "session", facets.sessions)}
            {note}
        })
    };
    view! { <aside class="facets searchfacets" aria-label="Narrow the hits">{all}</aside> }
}

fn shown(field: &str, value: &str) -> String {
    match field {
        "agent" => format::agent(value).to_owned(),
        "kind" => value.replace('_', " "),
        _ => value.to_owned(),
    }
}
