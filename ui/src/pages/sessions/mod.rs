//! All sessions as one table: live ones and imported ones, narrowed, sorted and selected.

mod bulk;
mod facets;
mod list;
mod load;
mod row;

use std::collections::HashSet;
use std::sync::Arc;

use leptos::prelude::*;
use orrery_types::{SessionRow, SessionSort};
use orrery_views::format;

use self::bulk::BulkBar;
use self::facets::Facets;
use self::list::{Facet, Line, Narrow, Order, lines, status_from_slug, status_slug};
use self::load::{Load, use_sessions};
use crate::components::Icon;
use crate::components::field::Check;
use crate::components::table::{self, TableHead};
use crate::components::virtual_list::{Rows, VirtualList};
use crate::host;
use crate::routes::{self, Query, use_filter, use_query};
use crate::state::{AppState, use_app, use_keys};

pub use self::bulk::export_one;
pub use self::list::{short_model, title, took_ms};

#[component]
pub fn SessionsPage() -> impl IntoView {
    let app = use_app();
    let query = use_query();
    let narrow = use_narrow(query, app);
    let order = Memo::new(move |_| order_of(query));
    let is_flat = Memo::new(move |_| query.get("group").as_deref() == Some("none"));
    let sessions = use_sessions(app, narrow, order);

    let minute = Memo::new(move |_| app.now.get() / 20_000);
    // Comparing thousands of rows costs more than drawing the few in sight: each of these runs only when something changed.
    let rows = Memo::new_with_compare(
        move |_| {
            minute.track();
            sessions.sorted(narrow.get(), order.get(), app.now.get_untracked())
        },
        |_, _| true,
    );
    let make_items = move |_: Option<&Arc<Vec<Line>>>| {
        let now = app.now.get_untracked();
        let by_day = !is_flat.get() && !host::is_narrow();
        let day_of = move |at: i64| day_label(at, now);
        Arc::new(lines(&rows.get(), order.get(), now, by_day.then_some(&day_of)))
    };
    let items = Memo::new_with_compare(make_items, |_, _| true);

    let selected = RwSignal::new(HashSet::<String>::new());
    let active = RwSignal::new(None::<usize>);
    let chosen_rows = Memo::new(move |_| {
        let ids = selected.get();
        sessions.revision.track();
        let mut rows: Vec<Arc<SessionRow>> = ids.iter().filter_map(|id| sessions.get(id)).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.started_ms));
        rows
    });
    let toggle = move |id: &str| {
        selected.update(|ids| {
            if !ids.remove(id) {
                ids.insert(id.to_owned());
            }
        });
    };
    let clear = Callback::new(move |()| selected.set(HashSet::new()));
    Effect::new(move |_| app.selected.set(selected.with(|ids| ids.iter().cloned().collect())));
    on_cleanup(move || app.selected.set(Vec::new()));
    use_keys(
        &[
            ("j  k", "Next, previous session"),
            ("Enter", "Open the session"),
            ("x", "Select it"),
            ("Esc", "Clear the selection"),
        ],
        move |event| {
            if event.key() == "Escape" && selected.with_untracked(|ids| !ids.is_empty()) {
                clear.run(());
                return true;
            }
            matches!(event.key().as_str(), "j" | "k") && !event.ctrl_key() && !event.meta_key() && focus_list()
        },
    );

    let facets_open = RwSignal::new(false);
    let counts = Signal::derive(move || {
        minute.track();
        let narrow = narrow.get();
        Facet::ALL.map(|facet| (facet, sessions.counts(facet, &narrow, app.now.get_untracked()))).to_vec()
    });
    let chosen = Signal::derive(move || chosen_facets(&narrow.get()));
    let on_choose =
        Callback::new(move |(facet, value): (Facet, Option<String>)| query.set(facet.key(), value.as_deref()));

    let table_rows = Rows {
        key: row::key,
        cells: Arc::new(move |line: Line| {
            let id = match &line {
                Line::Row { row, .. } => row.id.clone(),
                Line::Day(_) => String::new(),
            };
            let own = id.clone();
            let is_selected = Signal::derive(move || selected.with(|ids| ids.contains(&own)));
            row::cells(line, is_selected, Callback::new(move |_| toggle(&id)))
        }),
        class: |line| if matches!(line, Line::Day(_)) { "srow srow--day" } else { "srow" },
        stops: |line| matches!(line, Line::Row { .. }),
    };
    let is_selected =
        move |line: &Line| matches!(line, Line::Row { row, .. } if selected.with(|ids| ids.contains(&row.id)));
    let on_open = Callback::new(move |line: Line| {
        if let Line::Row { row, .. } = line {
            app.go(&routes::session(&row.id));
        }
    });
    let on_key = Callback::new(move |(event, line): (web_sys::KeyboardEvent, Line)| {
        if let ("x", Line::Row { row, .. }) = (event.key().as_str(), line) {
            event.prevent_default();
            toggle(&row.id);
        }
    });
    let all_chosen = Signal::derive(move || {
        rows.with(|rows| !rows.is_empty() && selected.with(|ids| rows.iter().all(|row| ids.contains(&row.id))))
    });
    let some_chosen = Signal::derive(move || !all_chosen.get() && selected.with(|ids| !ids.is_empty()));
    let choose_all = Callback::new(move |all: bool| {
        let ids = if all {
            rows.with_untracked(|rows| rows.iter().map(|row| row.id.clone()).collect())
        } else {
            HashSet::new()
        };
        selected.set(ids);
    });
    let sort = Callback::new(move |order: Order| {
        let slug = sort_slug(order.by);
        query.set_all(&[("sort", (slug != "started").then_some(slug)), ("dir", order.ascending.then_some("up"))]);
    });
    let head = move || {
        view! {
            <TableHead columns=&row::COLUMNS order=head_order(order) on_sort=Callback::new(move |o: table::Order<SessionSort>| {
                sort.run(Order { by: o.by, ascending: o.ascending })
            }) first=move || view! {
                <div role="columnheader" class="thead__cell cell--check">
                    <Check label="Select all sessions" on=all_chosen some=some_chosen on_change=choose_all/>
                </div>
            }/>
        }
    };
    let total = Signal::derive(move || sessions.total.get().map(|total| total as usize));
    let has_rows = Memo::new(move |_| items.with(|items| !items.is_empty()));
    let list = StoredValue::new(table_rows);

    view! {
        <div class="sessions">
            <Facets counts chosen on_choose open=facets_open/>
            <div class="page sessions__page">
                <Toolbar query narrow is_flat facets_open count=Signal::derive(move || sessions.total.get().unwrap_or_else(|| rows.with(Vec::len) as u64))/>
                <Show
                    when=move || has_rows.get()
                    fallback=move || view! { <Nothing load=sessions.load narrow query on_retry=Callback::new(move |()| sessions.reload())/> }
                >
                    <div class="sessions__line" class:sessions__line--on=move || matches!(sessions.load.get(), Load::Loading)></div>
                    <VirtualList
                        items=items
                        rows=list.get_value()
                        active
                        label="Sessions"
                        id="session-row"
                        head=head
                        total
                        selected=Arc::new(is_selected)
                        session=session_of
                        on_open
                        on_key=on_key
                        on_end=Callback::new(move |()| sessions.more())
                    />
                </Show>
                <BulkBar rows=chosen_rows.into() on_clear=clear/>
            </div>
        </div>
    }
}

/// Title, count, what the list is narrowed to, and how it is grouped.
#[component]
fn Toolbar(
    query: Query,
    narrow: Memo<Narrow>,
    is_flat: Memo<bool>,
    facets_open: RwSignal<bool>,
    count: Signal<u64>,
) -> impl IntoView {
    let chips = move || {
        let narrow = narrow.get();
        let mut chips: Vec<(&'static str, &'static str, String)> = chosen_facets(&narrow)
            .into_iter()
            .map(|(facet, value)| (facet.key(), facet.label(), chip_word(facet, &value)))
            .collect();
        if let Some(text) = narrow.text {
            chips.push(("text", "Words", text));
        }
        if narrow.from_ms.is_some() {
            let range = query.get("range").and_then(|slug| crate::state::Range::from_slug(&slug)).unwrap_or_default();
            chips.push(("range", "Time", range.label()));
        }
        chips
    };
    let chip = move |(key, label, value): (&'static str, &'static str, String)| {
        view! {
            <span class="chip">
                {label.to_lowercase()}" "<b>{value}</b>
                <button type="button" class="chip__x" aria-label=format!("Remove {label}") on:click=move |_| query.set(key, None)>
                    <Icon name="i-x"/>
                </button>
            </span>
        }
    };
    view! {
        <div class="toolbar">
            <h1>"Sessions"</h1>
            <span class="num muted">{move || format::count(count.get())}</span>
            <button
                type="button"
                class="btn btn--small sessions__filter"
                aria-expanded=move || facets_open.get().to_string()
                on:click=move |_| facets_open.update(|open| *open = !*open)
            ><Icon name="i-filter"/>"Filter"</button>
            <div class="toolbar__chips"><For each=chips key=|chip| chip.clone() children=chip/></div>
            <div class="seg push sessions__group" role="group" aria-label="Grouping">
                <button type="button" class="seg__item" aria-pressed=move || (!is_flat.get()).to_string() on:click=move |_| query.set("group", None)>"By day"</button>
                <button type="button" class="seg__item" aria-pressed=move || is_flat.get().to_string() on:click=move |_| query.set("group", Some("none"))>"Flat"</button>
            </div>
        </div>
    }
}

/// No row to show: still reading, failed, nothing fits, or nothing is there at all.
#[component]
fn Nothing(load: RwSignal<Load>, narrow: Memo<Narrow>, query: Query, on_retry: Callback<()>) -> impl IntoView {
    let is_narrow = move || narrow.get() != Narrow::default();
    let reset = move |_| {
        let keys = ["status", "agent", "project", "model", "text", "range"];
        query.set_all(&keys.map(|key| (key, None)));
    };
    move || {
        match load.get() {
        Load::Loading => {
            let row = || view! { <div class="ghost__row"><i></i><i></i><i></i><i></i></div> };
            view! { <div class="ghost" role="status" aria-label="Reading sessions">{(0..12).map(|_| row()).collect_view()}</div> }.into_any()
        }
        Load::Failed(error) => view! {
            <div class="empty" role="alert">
                <Icon name="i-offline"/>
                <h2>{error.title}</h2>
                <p>{error.hint}</p>
                <button type="button" class="btn" on:click=move |_| on_retry.run(())>"Try again"</button>
            </div>
        }
        .into_any(),
        Load::Idle if is_narrow() => view! {
            <div class="empty">
                <Icon name="i-filter"/>
                <h2>"No session fits"</h2>
                <p>"Take a filter away to see more"</p>
                <button type="button" class="btn" on:click=reset>"Clear filters"</button>
            </div>
        }
        .into_any(),
        Load::Idle => view! {
            <div class="empty">
                <Icon name="i-sessions"/>
                <h2>"No sessions yet"</h2>
                <p>"Install the hooks and each session shows up as it starts, or import the history your agents keep on this machine"</p>
                <div class="row">
                    <a class="btn btn--primary" href=routes::WELCOME>"Set up agents"</a>
                    <a class="btn" href=format!("{}#history", routes::SETTINGS)>"Import history"</a>
                </div>
            </div>
        }
        .into_any(),
    }
    }
}

fn use_narrow(query: Query, app: AppState) -> Memo<Narrow> {
    let filter = use_filter();
    Memo::new(move |_| {
        let filter = filter.get();
        let now = app.now.get_untracked();
        Narrow {
            status: query.get("status").and_then(|slug| status_from_slug(&slug)),
            agent: filter.agent,
            project: filter.project,
            model: query.get("model"),
            text: filter.text,
            from_ms: filter.range.start_ms(now, host::utc_offset_minutes(now)),
        }
    })
}

fn chosen_facets(narrow: &Narrow) -> Vec<(Facet, String)> {
    let status = narrow.status.map(|status| status_slug(status).to_owned());
    let all = [
        (Facet::Status, status),
        (Facet::Agent, narrow.agent.clone()),
        (Facet::Project, narrow.project.clone()),
        (Facet::Model, narrow.model.clone()),
    ];
    all.into_iter().filter_map(|(facet, value)| value.map(|value| (facet, value))).collect()
}

fn chip_word(facet: Facet, value: &str) -> String {
    match facet {
        Facet::Status => status_from_slug(value).map_or(value.to_owned(), |status| format::status(status).to_owned()),
        Facet::Agent => format::agent(value).to_owned(),
        Facet::Model => short_model(value),
        Facet::Project => value.to_owned(),
    }
}

const SORTS: [(SessionSort, &str); 8] = [
    (SessionSort::Started, "started"),
    (SessionSort::Last, "last"),
    (SessionSort::Duration, "duration"),
    (SessionSort::Turns, "turns"),
    (SessionSort::Tools, "tools"),
    (SessionSort::Errors, "errors"),
    (SessionSort::Tokens, "tokens"),
    (SessionSort::Cost, "cost"),
];

fn sort_slug(sort: SessionSort) -> &'static str {
    SORTS.iter().find(|(known, _)| *known == sort).map_or("started", |(_, slug)| slug)
}

fn order_of(query: Query) -> Order {
    let by = query.get("sort").and_then(|slug| SORTS.iter().find(|(_, known)| **known == slug).map(|(sort, _)| *sort));
    Order { by: by.unwrap_or_default(), ascending: query.get("dir").as_deref() == Some("up") }
}

fn head_order(order: Memo<Order>) -> Signal<table::Order<SessionSort>> {
    Signal::derive(move || {
        let order = order.get();
        table::Order { by: order.by, ascending: order.ascending }
    })
}

/// `Today`, `Yesterday`, `Thu 19 Nov`, with the year where it is another one.
fn day_label(at_ms: i64, now_ms: i64) -> String {
    let day = |at: i64| format::day(at, host::utc_offset_minutes(at));
    let this = day(at_ms);
    if this == day(now_ms) {
        "Today".to_owned()
    } else if this == day(now_ms - 86_400_000) {
        "Yesterday".to_owned()
    } else if this.get(..4) == day(now_ms).get(..4) {
        format::day_short(at_ms, host::utc_offset_minutes(at_ms))
    } else {
        this
    }
}

/// Gives the table the keyboard, so that the next press of the same key moves in it.
fn focus_list() -> bool {
    use wasm_bindgen::JsCast;
    let list = document().query_selector(".sessions .vlist").ok().flatten();
    let Some(list) = list.and_then(|list| list.dyn_into::<web_sys::HtmlElement>().ok()) else { return false };
    list.focus().is_ok()
}

fn session_of(line: &Line) -> Option<String> {
    match line {
        Line::Row { row, .. } => Some(row.id.clone()),
        Line::Day(_) => None,
    }
}
