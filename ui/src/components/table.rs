//! Heads of a table: names of columns, and buttons that sort by them.

use leptos::prelude::*;

/// A column's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<S: 'static> {
    pub name: &'static str,
    /// Figures stand right.
    pub number: bool,
    /// What a click sorts by. Empty: this column does not sort.
    pub sort: Option<S>,
}

/// The order of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order<S> {
    pub by: S,
    pub ascending: bool,
}

/// The row of column heads of a grid. A click sorts descending, a second one ascending.
#[component]
pub fn TableHead<S: Copy + PartialEq + Send + Sync + 'static>(
    columns: &'static [Column<S>],
    #[prop(into)] order: Signal<Order<S>>,
    #[prop(into)] on_sort: Callback<Order<S>>,
    /// The first cell: a box that selects all.
    #[prop(optional, into)]
    first: ViewFn,
) -> impl IntoView {
    let cell = move |column: &'static Column<S>| {
        let class = if column.number { "thead__cell n" } else { "thead__cell" };
        let Some(sort) = column.sort else {
            return view! { <div role="columnheader" class=class>{column.name}</div> }.into_any();
        };
        let sorted = move || order.get().by == sort;
        let direction = move || match (sorted(), order.get().ascending) {
            (false, _) => "none",
            (true, true) => "ascending",
            (true, false) => "descending",
        };
        view! {
            <div role="columnheader" class=class aria-sort=direction>
                <button type="button" class="thead__sort" class:thead__sort--up=move || order.get().ascending on:click=move |_| {
                    let now = order.get_untracked();
                    on_sort.run(Order { by: sort, ascending: now.by == sort && !now.ascending });
                }>{column.name}</button>
            </div>
        }
        .into_any()
    };
    view! {
        <div class="vlist__head" role="rowgroup">
            <div class="thead" role="row">
                {first.run()}
                {columns.iter().map(cell).collect_view()}
            </div>
        </div>
    }
}
