//! A figure of cost that opens its bill.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::Billed;
use crate::routes::use_query;

/// `text` is the figure; a click opens the bill of what it sums up.
#[component]
pub fn BillLink(
    #[prop(into)] billed: Signal<Billed>,
    #[prop(into)] text: Signal<String>,
    /// The exact figure, or what else a pointer resting on it should say.
    #[prop(into, optional)]
    title: Signal<String>,
    #[prop(optional)] class: &'static str,
    /// False where the row around it has the keyboard.
    #[prop(default = true)]
    stops: bool,
) -> impl IntoView {
    let query = use_query();
    let open = move |event: MouseEvent| {
        // The row or card around it has a click of its own.
        event.stop_propagation();
        event.prevent_default();
        let address = billed.with_untracked(Billed::address);
        let address = if address.is_empty() { "all".to_owned() } else { address };
        query.set_all(&[("bill", Some(&address)), ("request", None), ("event", None)]);
    };
    let words = move || {
        let title = title.get();
        if title.is_empty() { "How we know".to_owned() } else { format!("{title}. How we know") }
    };
    view! {
        <button type="button" class=format!("bill {class}") title=words tabindex=if stops { "0" } else { "-1" } on:click=open>
            {text}<span class="sr">", how we know"</span>
        </button>
    }
}
