//! The query: a field that completes what is typed and says where it cannot be read.

use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use orrery_types::{Field, FilterError};
use orrery_views::filter::complete;
use wasm_bindgen::JsCast;

use super::load::Results;
use crate::api::FilterOptions;
use crate::components::Icon;
use crate::routes::use_query;

/// Offers in the list.
const MOST_OFFERS: usize = 10;

/// An offer as it is shown.
#[derive(Debug, Clone, PartialEq)]
struct Offer {
    insert: String,
    about: String,
}

#[component]
pub fn QueryField(results: Results, text: Memo<String>, error: Memo<Option<FilterError>>) -> impl IntoView {
    let query = use_query();
    let input = NodeRef::<Input>::new();
    let typed = RwSignal::new(text.get_untracked());
    let cursor = RwSignal::new(typed.with_untracked(String::len));
    let open = RwSignal::new(false);
    let at = RwSignal::new(None::<usize>);
    let known = RwSignal::new(FilterOptions::default());
    spawn_local(async move {
        if let Ok(options) = results.app.api().filters().await {
            known.try_set(options);
        }
    });
    // A query that came from elsewhere: a preset, a facet, Back.
    Effect::new(move |_| {
        let text = text.get();
        if typed.with_untracked(|typed| *typed != text) {
            cursor.set(text.len());
            typed.set(text);
        }
    });
    let completion = Memo::new(move |_| typed.with(|typed| complete(typed, cursor.get())));
    let offers = Memo::new(move |_| {
        completion.with(|completion| {
            let own =
                completion.items.iter().map(|item| Offer { insert: item.insert.clone(), about: item.about.to_owned() });
            let mut offers: Vec<Offer> = own.collect();
            if let Some(wanted) = &completion.wanted {
                let values = known.with(|known| values_of(known, wanted.field));
                let lower = wanted.typed.to_lowercase();
                offers.extend(
                    values
                        .into_iter()
                        .filter(|value| value.to_lowercase().contains(&lower))
                        .map(|value| Offer { insert: quoted(&value), about: String::new() }),
                );
            }
            offers.truncate(MOST_OFFERS);
            offers
        })
    });
    let is_open = move || open.get() && offers.with(|offers| !offers.is_empty());
    let take = move || {
        let Some(element) = input.get_untracked() else { return };
        let value = element.value();
        let place = element.selection_start().ok().flatten().unwrap_or(0) as usize;
        cursor.set(bytes_of(&value, place));
        typed.set(value);
    };
    let write = move || {
        let value = typed.get_untracked();
        query.replace("q", Some(value.as_str()).filter(|value| !value.is_empty()));
    };
    let accept = move |offer: usize| {
        let Some(offer) = offers.with_untracked(|offers| offers.get(offer).cloned()) else { return };
        let (start, end) = completion.with_untracked(|completion| (completion.start, completion.end));
        let value = typed.get_untracked();
        let (Some(front), Some(rest)) = (value.get(..start), value.get(end..)) else { return };
        // A whole value is followed by the next term.
        let space = if offer.insert.ends_with([':', '>']) || rest.starts_with(' ') { "" } else { " " };
        let place = front.len() + offer.insert.len() + space.len();
        let value = format!("{front}{}{space}{rest}", offer.insert);
        cursor.set(place);
        typed.set(value.clone());
        at.set(None);
        write();
        if let Some(element) = input.get_untracked() {
            element.set_value(&value);
            let units = value[..place].encode_utf16().count() as u32;
            let _ = element.focus();
            let _ = element.set_selection_range(units, units);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let count = offers.with_untracked(Vec::len);
        match event.key().as_str() {
            "ArrowDown" if untrack(is_open) => at.update(|at| *at = Some(at.map_or(0, |at| (at + 1) % count))),
            "ArrowUp" if untrack(is_open) => {
                at.update(|at| *at = Some(at.map_or(count - 1, |at| (at + count - 1) % count)))
            }
            "ArrowDown" => {
                focus_hits();
            }
            "Enter" => {
                if let Some(chosen) = at.get_untracked().filter(|_| untrack(is_open)) {
                    accept(chosen);
                } else {
                    open.set(false);
                    write();
                    focus_hits();
                }
            }
            "Tab" if untrack(is_open) && at.get_untracked().is_some() => accept(at.get_untracked().unwrap_or(0)),
            "Escape" if untrack(is_open) => {
                open.set(false);
                at.set(None);
            }
            "Escape" => {
                focus_hits();
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let broken = move || {
        let error = error.get()?;
        let text = text.get();
        let cut = |at: usize| text.get(..at.min(text.len())).map_or(0, |front| front.chars().count());
        let (from, to) = (cut(error.start), cut(error.end).max(cut(error.start) + 1));
        let word: String = text.chars().skip(from).take((to - from).min(40)).collect();
        Some(view! {
            <p class="queryfield__error small danger" id="query-error" role="alert">
                <span class="num">{format!("At {}: ", from + 1)}</span>
                {error.message.clone()}
                {(!word.trim().is_empty()).then(|| view! { " "<code class="code queryfield__word">{word}</code> })}
                <span class="muted">{format!(" {}", error.hint)}</span>
            </p>
        })
    };
    view! {
        <div class="queryfield" class:queryfield--bad=move || error.with(Option::is_some)>
            <Icon name="i-search"/>
            <input
                id="query"
                node_ref=input
                type="text"
                class="code"
                role="combobox"
                aria-label="Search everything"
                aria-expanded=move || is_open().to_string()
                aria-controls="query-offers"
                aria-autocomplete="list"
                aria-invalid=move || error.with(Option::is_some).to_string()
                aria-describedby=move || error.with(Option::is_some).then_some("query-error")
                aria-activedescendant=move || at.get().filter(|_| is_open()).map(|at| format!("query-offer-{at}"))
                placeholder="Words, \"a phrase\", /regex/, field:value"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                prop:value=move || typed.get()
                on:input=move |_| {
                    take();
                    at.set(None);
                    open.set(true);
                    write();
                }
                on:keydown=on_key
                on:keyup=move |event: KeyboardEvent| {
                    if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight" | "Home" | "End") {
                        take();
                    }
                }
                on:click=move |_| {
                    take();
                    open.set(true);
                }
                on:blur=move |_| open.set(false)
            />
            <Show when=move || typed.with(|typed| !typed.is_empty())>
                <button type="button" class="iconbtn" aria-label="Clear the query" on:click=move |_| {
                    typed.set(String::new());
                    write();
                    if let Some(element) = input.get_untracked() {
                        let _ = element.focus();
                    }
                }><Icon name="i-x"/></button>
            </Show>
            <ul class="popover queryfield__offers" id="query-offers" role="listbox" aria-label="Completions" hidden=move || !is_open()>
                {move || offers.get().into_iter().enumerate().map(|(n, offer)| view! {
                    <li
                        role="option"
                        id=format!("query-offer-{n}")
                        class="menu__item"
                        aria-selected=move || (at.get() == Some(n)).to_string()
                        // The field keeps the keyboard.
                        on:mousedown=move |event| {
                            event.prevent_default();
                            accept(n);
                        }
                    >
                        <span class="code">{offer.insert}</span>
                        <span class="small muted push">{offer.about}</span>
                    </li>
                }).collect_view()}
            </ul>
        </div>
        {broken}
    }
}

/// Bytes of a position that counts UTF-16 units, as the DOM does.
fn bytes_of(text: &str, units: usize) -> usize {
    let mut seen = 0;
    for (at, letter) in text.char_indices() {
        if seen >= units {
            return at;
        }
        seen += letter.len_utf16();
    }
    text.len()
}

/// A value as the language writes it.
pub fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "-_./@+[]".contains(c));
    if plain { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}

fn values_of(known: &FilterOptions, field: Field) -> Vec<String> {
    match field {
        Field::Agent => known.agents.clone(),
        Field::Project => known.projects.clone(),
        Field::Model => known.models.clone(),
        Field::Name => known.names.clone(),
        _ => Vec::new(),
    }
}

/// Gives the keyboard to the hits, where there are any.
fn focus_hits() {
    let list = document().query_selector(".searchhits .vlist").ok().flatten();
    if let Some(list) = list.and_then(|list| list.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = list.focus();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_the_dom_become_bytes() {
        let text = "a\u{1f980}\u{e9}z";
        assert_eq!([0, 1, 3, 4, 5, 99].map(|units| bytes_of(text, units)), [0, 1, 5, 7, 8, 8]);
    }

    #[test]
    fn values_are_quoted_where_they_must_be() {
        assert_eq!((quoted("lattice-api").as_str(), quoted("my app").as_str()), ("lattice-api", "\"my app\""));
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
    }
}
